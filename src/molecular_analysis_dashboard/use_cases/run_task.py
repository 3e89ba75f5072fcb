"""A slot takes one task: claim it, run its handler under the heartbeat, end the attempt."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.errors import MadError, ResourceLost, Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, EndCause, TaskKind
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, ExitCause, ProcessEnded
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.heartbeat import Heartbeat, Watch
from molecular_analysis_dashboard.use_cases.persistence import persist

log = structlog.get_logger(__name__)

_END_FOR_ANSWER: Mapping[BeatAnswer, EndCause] = {
    BeatAnswer.CANCELLED: EndCause.CANCELLED,
    BeatAnswer.DRAINING: EndCause.DRAINED,
    BeatAnswer.YIELD: EndCause.YIELDED,
}


class Stopped(Exception):
    """Raised by a handler that leaves its task before it is done: because of the heartbeat's answer, or of `cause`."""

    def __init__(self, cause: EndCause | None = None) -> None:
        super().__init__(cause)
        self.cause = cause


class TaskHandler(Protocol):
    """Does the work of one kind of task."""

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Do the task; resume what an earlier attempt recorded.

        Raises
        ------
        Stopped
            When `watch.must_stop` and work is left, or when the task must go to another attempt.
        Superseded
            When a write was refused.
        MadError
            When the task cannot be done at all.
        """


class TaskResult(StrEnum):
    """What became of one delivery, for Flower; the ledger holds the truth."""

    NOT_CLAIMED = "not_claimed"
    SUPERSEDED = "superseded"
    COMPLETED = "completed"
    FAILED = "failed"
    HANDED_BACK = "handed_back"
    CANCELLED = "cancelled"


class RunTask:
    """One slot's way of taking tasks.

    Parameters
    ----------
    patience_s : float
        How long finished work is held while the database is out of reach, in seconds.
    """

    def __init__(
        self,
        database: Database,
        heartbeat: Heartbeat,
        process: ChemistryProcess,
        handlers: Mapping[TaskKind, TaskHandler],
        *,
        worker_id: UUID,
        slot_pid: int,
        patience_s: float,
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._database = database
        self._heartbeat = heartbeat
        self._process = process
        self._handlers = handlers
        self._worker_id = worker_id
        self._slot_pid = slot_pid
        self._patience_s = patience_s
        self._telemetry = telemetry

    def __call__(self, task_id: UUID) -> TaskResult:
        """Run the task if it is to be had; ResourceLost if the database stays out of reach."""
        task = self._claim(task_id)
        if task is None:
            log.info("task.not_claimed", task_id=str(task_id))
            return TaskResult.NOT_CLAIMED
        tracing = self._telemetry.tracing
        with (
            tracing.span(f"task {task.kind}", parent=task.origin.traceparent, **task.ids),
            structlog.contextvars.bound_contextvars(**task.ids, **tracing.ids()),
        ):
            log.info("task.started", kind=task.kind, ligands=len(task.ligand_ids))
            result = self._run(task)
            log.info("task.ended", kind=task.kind, result=result)
        return result

    def _claim(self, task_id: UUID) -> ClaimedTask | None:
        with self._database.begin(SystemScope()) as uow:
            task = uow.ledger.claim(task_id, worker_id=self._worker_id, slot_pid=self._slot_pid)
            uow.commit()
        return task

    def _note_start(self, task: ClaimedTask) -> None:
        """Let the job run with its first task.

        Apart from the claim: whoever changes the job locks its row before its tasks, a claim the task alone.
        """
        if task.kind is not TaskKind.PLAN:
            with self._database.begin(SystemScope()) as uow:
                uow.jobs.started(task.job_id)
                uow.commit()

    def _run(self, task: ClaimedTask) -> TaskResult:
        try:
            with self._heartbeat.watching(task, self._process.stop) as watch:
                return self._attempt(task, watch)
        finally:
            # A beat may have stopped the process after its last use, and the next task needs one that works.
            if watch.killed:
                self._process.restart()

    def _attempt(self, task: ClaimedTask, watch: Watch) -> TaskResult:
        try:
            self._work(task, watch)
        except (Stopped, ProcessEnded) as stop:
            return self._stopped(task, watch, stop)
        except Superseded:
            self._telemetry.counters.write_refused()
            return self._superseded(task)
        except ResourceLost:
            raise
        except MadError as error:
            return self._failed(task, error)
        except Exception as error:
            # A defect of ours: without an end the ledger would hand the task out again for ever.
            log.exception("task.defect", kind=task.kind)
            sentence = f"An internal error ({type(error).__name__}) ended the task; the worker's log has the details."
            return self._failed(task, MadError(sentence))
        return self._end(task, EndCause.COMPLETED, TaskResult.COMPLETED)

    def _work(self, task: ClaimedTask, watch: Watch) -> None:
        try:
            self._note_start(task)
            self._handlers[task.kind](task, watch)
        finally:
            # A beat that meets the attempt just ended hears that it is superseded; the engine is then of use to others.
            watch.close()

    def _stopped(self, task: ClaimedTask, watch: Watch, stop: Exception) -> TaskResult:
        if isinstance(stop, ProcessEnded) and stop.cause is not ExitCause.STOPPED:
            return self._failed(task, stop)
        if watch.answer is BeatAnswer.SUPERSEDED:
            return self._superseded(task)
        own = stop.cause if isinstance(stop, Stopped) else None
        cause = own or _END_FOR_ANSWER[watch.answer]
        result = TaskResult.CANCELLED if cause is EndCause.CANCELLED else TaskResult.HANDED_BACK
        return self._end(task, cause, result)

    def _failed(self, task: ClaimedTask, error: MadError) -> TaskResult:
        log.error("task.failed", code=error.error_code, message=error.message, details=error.details)
        body = {"code": error.error_code, "message": error.message, "details": error.details}
        return self._end(task, EndCause.FAILED, TaskResult.FAILED, error=body)

    def _superseded(self, task: ClaimedTask) -> TaskResult:
        log.warning("task.superseded", kind=task.kind)
        return TaskResult.SUPERSEDED

    def _end(
        self, task: ClaimedTask, cause: EndCause, result: TaskResult, *, error: Mapping[str, object] | None = None
    ) -> TaskResult:
        def end() -> bool:
            with self._database.begin(SystemScope()) as uow:
                ended = uow.ledger.end(task, cause, error=error)
                uow.commit()
                return ended

        if not persist(end, patience_s=self._patience_s):
            self._telemetry.counters.write_refused()
            return self._superseded(task)
        self._telemetry.counters.attempt_ended(task.kind, cause)
        return result
