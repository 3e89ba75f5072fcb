"""The reconciler: gives back what dead slots held, re-sends what the broker lost, ends what is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import EndCause, JobState, NewTask, ReleasedTask, TaskKind
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.job_products import CANCELLED, give_up_product

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Allowances:
    """Times of recovery, in seconds; see the settings of the same names."""

    worker_allowance_s: float
    resend_after_s: float
    planning_window_tasks: int


def _slept() -> float:
    """Seconds this machine has spent suspended since it booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Calm:
    """Whether silence may be held against a worker.

    Nobody is declared dead until this process has watched, undisturbed, for one full allowance: after a start of
    Postgres, a change of leader, a sleeping laptop or a pause of this very process, beats are missing that could not
    have been made or seen.

    Parameters
    ----------
    now : Callable[[], float]
        Seconds of a clock that stands still while the machine is suspended.
    slept : Callable[[], float]
        Seconds that the machine has been suspended so far.
    """

    def __init__(
        self, allowance_s: float, *, now: Callable[[], float] = time.monotonic, slept: Callable[[], float] = _slept
    ) -> None:
        self._allowance_s = allowance_s
        self._now = now
        self._slept = slept
        self._since = now()
        self._last_look = self._since
        self._slept_s = slept()
        self._server_started: datetime | None = None

    def disturb(self) -> None:
        """Start the allowance anew."""
        self._since = self._now()

    def look(self, server_started: datetime) -> bool:
        """Note that the database answered now; return whether silence counts."""
        now, slept = self._now(), self._slept()
        paused = now - self._last_look > self._allowance_s / 2 or slept - self._slept_s > 1.0
        if paused or server_started != self._server_started:
            self.disturb()
        self._last_look, self._slept_s, self._server_started = now, slept, server_started
        return now - self._since >= self._allowance_s


class Reconcile:
    """One round of the reconciler."""

    def __init__(self, database: Database, calm: Calm, allowances: Allowances, telemetry: Telemetry = SILENT) -> None:
        self._database = database
        self._counters = telemetry.counters
        self._calm = calm
        self._allowances = allowances

    def __call__(self) -> None:
        """Bring the ledger in order."""
        reclaimed: list[ReleasedTask] = []
        with self._database.begin(SystemScope()) as uow:
            calm = self._calm.look(uow.control.server_started_at())
            if calm:
                self._bury(uow.workers.retire(silent_s=self._allowances.worker_allowance_s))
                reclaimed = uow.control.reclaim(silent_s=self._allowances.worker_allowance_s)
                for task in reclaimed:
                    log.warning("task.reclaimed", kind=task.kind, **task.ids)
            lost = uow.dispatch.take_back_lost(older_than_s=self._allowances.resend_after_s, only_if_idle=True)
            if lost:
                log.warning("task.message_lost", tasks=len(lost))
            uow.control.cancel_leftovers()
            to_plan = uow.control.jobs_to_plan(low_water_tasks=max(self._allowances.planning_window_tasks // 2, 1))
            uow.commit()
        for task in reclaimed:
            self._counters.attempt_ended(task.kind, EndCause.LOST)
        for org_id, job_id in to_plan:
            with self._database.begin(TenantScope(org_id)) as uow:
                uow.jobs.add_tasks([NewTask(new_id(), job_id, TaskKind.PLAN, QUEUE_MAINTENANCE)])
                uow.commit()

    def _bury(self, workers: Sequence[object]) -> None:
        for worker_id in workers:
            log.warning("worker.gone", worker_id=str(worker_id))

    def finish_jobs(self) -> None:
        """Bring jobs whose tasks all ended to their final state; one that resists keeps no other from its end."""
        with self._database.begin(SystemScope()) as uow:
            ended = uow.control.ended_jobs()
        for job_id in ended:
            try:
                self._finish(job_id)
            except ResourceLost:
                raise
            except Exception:
                log.exception("job.not_finished", job_id=str(job_id))

    def _finish(self, job_id: UUID) -> None:
        with self._database.begin(SystemScope()) as uow:
            state = uow.control.finish_job(job_id)
            if state is None:
                # It may have got the task that evaluates it.
                uow.commit()
                return
            job = uow.jobs.get(job_id)
            if state is not JobState.COMPLETED:
                give_up_product(uow, job, job.error or CANCELLED)
            uow.commit()
        log.info("job.finished", state=state, **job.ids)
