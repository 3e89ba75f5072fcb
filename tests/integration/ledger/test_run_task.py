from collections.abc import Callable, Sequence
from threading import Event
from uuid import UUID

import pytest
import structlog
from structlog.testing import capture_logs
from tests.integration.ledger.bench import Bench, at_once
from tests.support.counted import Counted

from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.errors import EngineFailed, ResourceLost
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, JobState, TaskKind
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases.control_job import cancel
from molecular_analysis_dashboard.use_cases.heartbeat import Heartbeat, Watch
from molecular_analysis_dashboard.use_cases.run_task import RunTask, Stopped, TaskResult


class Process:
    """A chemistry process as its port says: once stopped it refuses everything until it is restarted."""

    def __init__(self) -> None:
        self.stopped = Event()
        self.restarts = 0

    def work(self) -> None:
        if self.stopped.is_set():
            raise ProcessEnded(ExitCause.STOPPED, "The engine process was stopped.")

    def restart(self) -> None:
        self.restarts += 1
        self.stopped.clear()

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        raise NotImplementedError

    def stop(self) -> None:
        self.stopped.set()

    def open_site(self, site: SiteSpec) -> None:
        raise NotImplementedError

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        raise NotImplementedError

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        raise NotImplementedError

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        raise NotImplementedError


class QuickWake:
    """Lets the heart beat every few milliseconds."""

    def send(self) -> None:
        """Nobody has to be woken."""

    def wait(self, timeout_s: float) -> bool:
        del timeout_s
        return Event().wait(0.005)


class Drain:
    def __init__(self) -> None:
        self.left: float | None = None

    def seconds_left(self) -> float | None:
        return self.left


class Slot:
    """One slot whose handler is the test's."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.process = Process()
        self.drain = Drain()
        self.counted = Counted()
        self.heartbeat = Heartbeat(
            bench.database,
            QuickWake(),
            self.drain,
            interval_s=2.0,
            yield_after_s=2.0,
            end_idle_engine=self.process.restart,
        )
        self.heartbeat.start()

    def run_task(self, action: Callable[[ClaimedTask, Watch], None]) -> RunTask:
        def handle(task: ClaimedTask, watch: Watch) -> None:
            action(task, watch)

        return RunTask(
            self.bench.database,
            self.heartbeat,
            self.process,
            {TaskKind.DOCK: handle},
            worker_id=self.bench.worker.id,
            slot_pid=1,
            patience_s=1.0,
            telemetry=self.counted.telemetry,
        )

    def run(self, job_id: UUID, action: Callable[[ClaimedTask, Watch], None]) -> TaskResult:
        """Take the first waiting task of a job."""
        waiting = "SELECT id FROM tasks WHERE job_id = :id AND state = 'pending' ORDER BY id LIMIT 1"
        return self.run_task(action)(self.bench.scalar(waiting, id=job_id))


@pytest.fixture
def slot(bench: Bench) -> Slot:
    return Slot(bench)


def work(*_: object) -> None:
    """Nothing is left to do."""


def causes(bench: Bench) -> list[str]:
    return [row[0] for row in bench.rows("SELECT end_cause FROM attempts ORDER BY started_at")]


def test_finished_task_is_done_and_its_job_runs(bench: Bench, slot: Slot) -> None:
    job_id = bench.job(1, 1, state=JobState.PLANNING)
    assert slot.run(job_id, work) is TaskResult.COMPLETED
    assert (bench.states(job_id), bench.state(job_id)) == (["done", "pending"], "running")
    assert slot.process.restarts == 0
    assert slot.counted.told == ["dock completed"]


def test_task_that_another_slot_has_is_left_alone(bench: Bench, slot: Slot) -> None:
    job_id = bench.job(1)
    (task_id,) = bench.tasks(job_id)

    def never(*_: object) -> None:
        raise AssertionError

    bench.take(task_id)
    assert slot.run_task(never)(task_id) is TaskResult.NOT_CLAIMED


def test_error_of_ours_fails_the_task_with_its_words(bench: Bench, slot: Slot) -> None:
    def fail(*_: object) -> None:
        raise EngineFailed("The receptor is unusable.", code="receptor_refused", atom=3)

    job_id = bench.job(1)
    assert slot.run(job_id, fail) is TaskResult.FAILED
    assert bench.scalar("SELECT error FROM tasks") == {
        "code": "receptor_refused",
        "message": "The receptor is unusable.",
        "details": {"atom": 3},
    }


def test_defect_fails_the_task_instead_of_going_round_for_ever(bench: Bench, slot: Slot) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    assert slot.run(bench.job(1), fail) is TaskResult.FAILED
    assert "ZeroDivisionError" in bench.scalar("SELECT error ->> 'message' FROM tasks")


def test_lost_database_leaves_the_task_to_the_reconciler(bench: Bench, slot: Slot) -> None:
    def fail(*_: object) -> None:
        raise ResourceLost("away")

    job_id = bench.job(1)
    with pytest.raises(ResourceLost):
        slot.run(job_id, fail)
    assert bench.states(job_id) == ["running"]
    assert slot.counted.told == []


def test_cancelled_task_is_stopped_and_the_next_one_finds_a_process_that_works(bench: Bench, slot: Slot) -> None:
    def be_cancelled(task: ClaimedTask, _: Watch) -> None:
        bench.change(task.job_id, JobState.CANCELLING)
        assert slot.process.stopped.wait(10)
        slot.process.work()

    assert slot.run(bench.job(1), be_cancelled) is TaskResult.CANCELLED
    assert slot.run(bench.job(1), lambda *_: slot.process.work()) is TaskResult.COMPLETED
    assert causes(bench) == ["cancelled", "completed"]


def test_cancel_that_comes_after_the_last_ligand_does_not_spoil_the_next_task(bench: Bench, slot: Slot) -> None:
    def finish_although_cancelled(task: ClaimedTask, _: Watch) -> None:
        bench.change(task.job_id, JobState.CANCELLING)
        assert slot.process.stopped.wait(10)

    assert slot.run(bench.job(1), finish_although_cancelled) is TaskResult.COMPLETED
    assert slot.run(bench.job(1), lambda *_: slot.process.work()) is TaskResult.COMPLETED


def test_superseded_slot_goes_on_with_the_next_task(bench: Bench, slot: Slot) -> None:
    def be_superseded(task: ClaimedTask, _: Watch) -> None:
        bench.execute("UPDATE tasks SET attempt_no = attempt_no + 1 WHERE id = :id", id=task.id)
        assert slot.process.stopped.wait(10)
        bench.record(task, task.ligand_ids[0])

    assert slot.run(bench.job(1), be_superseded) is TaskResult.SUPERSEDED
    assert slot.counted.told == ["refused"]
    assert slot.run(bench.job(1), lambda *_: slot.process.work()) is TaskResult.COMPLETED


def test_draining_slot_hands_its_task_back_with_a_warm_process(bench: Bench, slot: Slot) -> None:
    def be_drained(_: ClaimedTask, watch: Watch) -> None:
        slot.drain.left = 30.0
        if watch.must_stop:
            raise Stopped

    job_id = bench.job(1)
    assert slot.run(job_id, be_drained) is TaskResult.HANDED_BACK
    assert (bench.states(job_id), causes(bench), slot.process.restarts) == (["pending"], ["drained"], 0)


def test_slot_yields_to_a_job_that_starves(bench: Bench, slot: Slot) -> None:
    def be_asked(_: ClaimedTask, watch: Watch) -> None:
        watch.may_yield = True
        starved = bench.job(1)
        bench.release(starved, 1, ago_s=60)
        while not watch.must_stop:
            Event().wait(0.005)
        raise Stopped

    job_id = bench.job(2)
    assert slot.run(job_id, be_asked) is TaskResult.HANDED_BACK
    assert (bench.states(job_id), causes(bench)) == (["pending"], ["yielded"])


def test_process_that_ends_by_itself_fails_the_task(bench: Bench, slot: Slot) -> None:
    def crash(*_: object) -> None:
        raise ProcessEnded(ExitCause.CRASH, "It exited with status 3.", status=3)

    assert slot.run(bench.job(1), crash) is TaskResult.FAILED
    assert bench.scalar("SELECT error -> 'details' ->> 'cause' FROM tasks") == "crash"


def test_many_short_tasks_under_a_racing_heart_all_complete(bench: Bench, slot: Slot) -> None:
    # A beat between the end of a task and the end of its watch is told "superseded"; the next task must not feel it.
    job_id = bench.job(*[1] * 60)
    results = {slot.run(job_id, lambda *_: slot.process.work()) for _ in range(60)}
    assert results == {TaskResult.COMPLETED}
    # The test's tasks record nothing, so their ligands are missing.
    assert bench.finish_jobs() == [(job_id, JobState.FAILED)]
    assert bench.scalar("SELECT error ->> 'code' FROM jobs") == "ligands_unaccounted"


def test_events_of_a_job_are_written_while_somebody_changes_it(bench: Bench) -> None:
    # The planner and every change of state lock the job's row; the ends of its tasks must not wait for that.
    job_id = bench.job(1)
    task = bench.take(bench.tasks(job_id)[0])
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.get(job_id, lock=True)
        assert bench.end(task)


def test_job_cancelled_at_the_moment_of_a_claim_ends_without_a_deadlock(bench: Bench, slot: Slot) -> None:
    for _ in range(10):
        job_id = bench.job(1, state=JobState.PLANNING)
        # Looked up before: a cancelled task no longer waits.
        (task_id,) = bench.tasks(job_id)

        def claim_or_cancel(number: int, job_id: UUID = job_id, task_id: UUID = task_id) -> object:
            if number:
                return cancel(bench.database, QuickWake(), bench.scope, job_id)
            return slot.run_task(work)(task_id)

        at_once(2, claim_or_cancel)
        bench.finish_jobs()
        assert bench.state(job_id) == "cancelled"


def test_end_that_comes_too_late_is_a_refused_write(bench: Bench, slot: Slot) -> None:
    def be_superseded(task: ClaimedTask, _: Watch) -> None:
        bench.execute("UPDATE tasks SET attempt_no = attempt_no + 1 WHERE id = :id", id=task.id)
        assert slot.process.stopped.wait(10)

    assert slot.run(bench.job(1), be_superseded) is TaskResult.SUPERSEDED
    assert slot.counted.told == ["refused"]


def test_task_continues_the_log_of_the_request_that_asked_for_it(bench: Bench, slot: Slot) -> None:
    job_id = bench.job(1)
    bench.execute("UPDATE jobs SET request_id = 'follow-me' WHERE id = :id", id=job_id)
    (task_id,) = bench.tasks(job_id)
    ids = {
        "org_id": str(bench.principal.org_id),
        "job_id": str(job_id),
        "task_id": str(task_id),
        "attempt_no": 1,
        "request_id": "follow-me",
    }
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        slot.run(job_id, work)
    mine = [line for line in lines if line["event"].startswith("task.")]
    assert [line["event"] for line in mine] == ["task.started", "task.ended"]
    assert all(ids.items() <= line.items() for line in mine)
