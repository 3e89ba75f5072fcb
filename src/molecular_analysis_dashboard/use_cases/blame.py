"""Whose fault it is when the engine process ends: a molecule's only when it ended on it the same way twice."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from molecular_analysis_dashboard.domain.docking import RejectedLigand
from molecular_analysis_dashboard.domain.jobs import EndCause
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, ExitCause, ProcessEnded
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.run_task import Stopped

log = structlog.get_logger(__name__)
T = TypeVar("T")

_REASON_FOR_EXIT = {
    ExitCause.CRASH: RejectionReason.ENGINE_CRASH,
    ExitCause.TIMEOUT: RejectionReason.TIMEOUT,
    ExitCause.OUT_OF_MEMORY: RejectionReason.OUT_OF_MEMORY,
}


def ask_fairly(process: ChemistryProcess, watch: Watch, ask: Callable[[], T], **ids: str) -> T | RejectedLigand:
    """Ask the engine process about one molecule; blame it only when its own process ended on it the same way twice.

    Raises
    ------
    Stopped
        When the task must end, or when the process was killed from outside again: the attempt is lost, and another
        one goes on.
    """
    seen: list[ExitCause] = []
    while True:
        try:
            return ask()
        except ProcessEnded as ended:
            if ended.cause is ExitCause.STOPPED or watch.must_stop:
                raise Stopped from ended
            log.warning("ligand.engine_ended", **ids, **ended.details)
            if ended.cause is ExitCause.KILLED and seen:
                raise Stopped(EndCause.LOST) from ended
            if ended.cause in seen:
                reason = _REASON_FOR_EXIT[ended.cause]
                return RejectedLigand(reason, f"{SENTENCES[reason]} {ended.message}")
            seen.append(ended.cause)
            process.restart()
