"""Rescoring tasks in the ledger: the engine is scripted, everything else is real."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.ledger.bench import BUILD, Bench, rejected
from tests.integration.ledger.test_analyse_poses import Wake
from tests.integration.ledger.test_dock_ligands import BOX, Drain, Screen
from tests.integration.ledger.test_dock_ligands import Process as Docking
from tests.support.simulated_worker import SimulatedWorker

from molecular_analysis_dashboard.domain.analyses import LigandChoice, PosedLigand
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, EndCause, Job, JobState, Origin
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.rescoring import (
    PoseOutcome,
    RankAgreement,
    RescoredLigand,
    RescoredPose,
    Rescoring,
    RescoringOrder,
)
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases import control_job
from molecular_analysis_dashboard.use_cases.dock_ligands import Policy
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.rescore_poses import RescorePoses
from molecular_analysis_dashboard.use_cases.run_task import Stopped
from molecular_analysis_dashboard.use_cases.submit_once import Submitted
from molecular_analysis_dashboard.use_cases.submit_rescoring import RescoringRequest, submit_rescoring

Step = PoseOutcome | ExitCause
GOOD = RescoredPose(-5.0, 0.1)
ALL = LigandChoice(1, None)


class Process(Docking):
    """Rescores by a script; what is not in it is fine."""

    def __init__(self, *script: Step) -> None:
        super().__init__()
        self.steps = list(script)
        self.relaxed: list[bool] = []
        self.sites: list[SiteSpec] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def open_site(self, site: SiteSpec) -> None:
        super().open_site(site)
        self.sites.append(site)

    def rescore(self, site: SiteSpec, posed: PosedLigand, *, relax: bool) -> PoseOutcome:
        assert site == self.sites[-1]
        self.calls.append(posed.ligand_id)
        self.relaxed.append(relax)
        self.meanwhile()
        step = self.steps.pop(0) if self.steps else GOOD
        if isinstance(step, ExitCause):
            raise ProcessEnded(step, "It ended.")
        return step


class Docked:
    """A screen that has docked three ligands, and what is asked about it."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.bench = screen, screen.bench
        task = screen.claim()
        screen.dock(task, Docking())
        self.bench.end(task)
        self.bench.finish_jobs()

    def ask(
        self,
        choice: LigandChoice = ALL,
        *,
        engine: str | None = "test",
        scoring: str | None = "other",
        relax: bool = False,
        key: str | None = None,
    ) -> Submitted:
        said = {"engine": engine, "scoring": scoring, "relax": relax, "last": choice.last_rank}
        request = RescoringRequest(self.screen.job_id, engine, scoring, relax, choice, HitFilter(), None, None, 0, said)
        return submit_rescoring(
            self.bench.database,
            self.bench.principal,
            request,
            idempotency_key=key,
            target_s=60.0,
            origin=Origin(),
        )

    def take(self, job_id: UUID) -> ClaimedTask:
        """Take the first task that waits."""
        query = "SELECT id FROM tasks WHERE job_id = :id AND state = 'pending' ORDER BY cost_s DESC, id LIMIT 1"
        return self.bench.take(self.bench.scalar(query, id=job_id))

    def run(self, task: ClaimedTask, process: Process, *, told: BeatAnswer = BeatAnswer.GO_ON) -> Watch:
        watch = Watch(task, lambda: None, Drain(), answer=told)
        policy = Policy(max_losses_per_ligand=4, pause_after_alike_failures=10, patience_s=1.0)
        RescorePoses(self.bench.database, self.screen.store, process, policy)(task, watch)
        return watch

    def finish(self, job_id: UUID, process: Process | None = None) -> str:
        """Do what is left of a job; return its final state."""
        worker = SimulatedWorker(self.bench.database, self.screen.store, self.bench.principal.org_id, self.bench.worker)
        while self.waiting(job_id, "rescore"):
            task = self.take(job_id)
            self.run(task, process or Process())
            self.bench.end(task)
        self.bench.finish_jobs()
        if self.waiting(job_id, "evaluate"):
            worker.evaluate(job_id)
        return self.bench.state(job_id)

    def waiting(self, job_id: UUID, kind: str) -> int:
        query = "SELECT count(*) FROM tasks WHERE job_id = :id AND kind = :kind AND state = 'pending'"
        return int(self.bench.scalar(query, id=job_id, kind=kind))

    def lose(self, task: ClaimedTask) -> None:
        """Let the attempt be lost."""
        self.bench.silence(task, 100)
        with self.bench.database.begin(SystemScope()) as uow:
            assert [lost.id for lost in uow.control.reclaim(silent_s=12)] == [task.id]
            uow.commit()

    def lose_times(self, task: ClaimedTask, times: int) -> None:
        """Note so many lost attempts in which the task's first ligand was in the engine."""
        for number in range(1, times + 1):
            self.bench.execute(
                "INSERT INTO attempts "
                "(org_id, task_id, attempt_no, job_id, worker_id, slot_pid, current_ligand_id, end_cause) "
                "SELECT org_id, task_id, attempt_no + :n, job_id, worker_id, slot_pid, :ligand, 'lost' FROM attempts "
                "WHERE task_id = :task AND attempt_no = 1",
                n=number,
                ligand=task.ligand_ids[0],
                task=task.id,
            )

    def counts(self, job_id: UUID) -> tuple[int, int, int, int]:
        with self.bench.database.begin(self.bench.scope) as uow:
            found = uow.jobs.counts(job_id)
        return found.scored, found.rejected, found.cancelled, found.waiting

    def read(self, job_id: UUID) -> tuple[Rescoring, list[RescoredLigand], list[RescoredLigand]]:
        with self.bench.database.begin(self.bench.scope) as uow:
            scored = uow.rescorings.ligands(job_id, order=RescoringOrder.SCORE, after=None, limit=10)
            return uow.rescorings.get(job_id), scored, uow.rescorings.refused(job_id, after=None, limit=10)


@pytest.fixture
def docked(bench: Bench, tmp_path: Path) -> Docked:
    return Docked(Screen(bench, tmp_path, 3))


def test_every_ligand_is_rescored_and_the_rankings_are_compared(docked: Docked) -> None:
    job, process = docked.ask().job, Process(RescoredPose(-4.0, 0.1), RescoredPose(-6.0, 0.1), RescoredPose(-5.0, 0.1))

    assert docked.finish(job.id, process) == JobState.COMPLETED
    assert docked.counts(job.id) == (3, 0, 0, 0)
    rescoring, ligands, refused = docked.read(job.id)
    assert [(one.rank, one.docked_rank, one.score_kcal_mol) for one in ligands] == [
        (1, 1, -6.0),
        (2, 1, -5.0),
        (3, 1, -4.0),
    ]
    assert [(one.pose, one.docked_score_kcal_mol, one.reason) for one in ligands] == [(1, -7.0, None)] * 3
    assert refused == []
    # All three were docked with the same score: there is no ranking to agree with.
    assert rescoring.agreement == RankAgreement(3, None, None)
    assert process.relaxed == [False] * 3


def test_a_job_is_pinned_to_a_build_and_opens_a_wider_box_with_the_new_scoring(docked: Docked) -> None:
    job, process = docked.ask(scoring="other", relax=True).job, Process()
    docked.finish(job.id, process)

    assert (job.engine_build, job.screen_id, job.n_ligands) == (BUILD, docked.screen.job_id, 3)
    assert {row.queue for row in docked.bench.rows("SELECT queue FROM tasks WHERE kind = 'rescore'")} == {
        f"dock.{BUILD}"
    }
    site = process.sites[0]
    assert (site.protocol.engine, site.protocol.scoring, site.engine_build) == ("test", "other", BUILD)
    assert (site.box.center, site.box.size) == (BOX.center, (28.0, 28.0, 28.0))
    assert process.relaxed == [True] * 3


REFUSALS: list[tuple[tuple[Step, ...], RejectionReason]] = [
    ((rejected(RejectionReason.UNSUPPORTED_ELEMENT),), RejectionReason.UNSUPPORTED_ELEMENT),
    ((ExitCause.CRASH, ExitCause.CRASH), RejectionReason.ENGINE_CRASH),
    ((ExitCause.TIMEOUT, ExitCause.CRASH, ExitCause.TIMEOUT), RejectionReason.TIMEOUT),
    ((ExitCause.OUT_OF_MEMORY, ExitCause.OUT_OF_MEMORY), RejectionReason.OUT_OF_MEMORY),
]


@pytest.mark.parametrize(("script", "reason"), REFUSALS)
def test_a_pose_that_cannot_be_rescored_says_why_and_fails_nothing(
    docked: Docked, script: tuple[Step, ...], reason: RejectionReason
) -> None:
    job = docked.ask().job

    assert docked.finish(job.id, Process(*script)) == JobState.COMPLETED
    assert docked.counts(job.id) == (2, 1, 0, 0)
    _, ligands, refused = docked.read(job.id)
    assert len(ligands) == 2
    assert [(one.reason, one.rank, one.docked_rank, one.pose) for one in refused] == [(reason, None, None, None)]
    assert [pose.reason for pose in refused[0].poses] == [reason]


def test_a_process_that_ends_once_is_no_evidence(docked: Docked) -> None:
    job, process = docked.ask().job, Process(ExitCause.CRASH)

    assert docked.finish(job.id, process) == JobState.COMPLETED
    assert docked.counts(job.id) == (3, 0, 0, 0)
    assert "restart" in process.calls


def test_a_resumed_task_rescores_only_what_is_not_recorded(docked: Docked) -> None:
    job = docked.ask().job
    docked.bench.execute(
        "UPDATE tasks SET ligand_ids = (SELECT array_agg(ligand_id) FROM results) WHERE kind = 'rescore'"
    )
    task, process = docked.take(job.id), Process(GOOD, ExitCause.STOPPED)
    with pytest.raises(Stopped):
        docked.run(task, process)
    docked.lose(task)
    again = Process()
    watch = docked.run(docked.bench.take(task.id), again)

    assert (len(process.calls), len(again.calls)) == (3, 3)
    assert again.calls[0] == "open"
    assert (watch.n_scored, watch.n_rejected) == (3, 0)
    assert docked.bench.scalar("SELECT count(*) FROM rescored_poses") == 3


def test_an_attempt_with_nothing_left_opens_no_site(docked: Docked) -> None:
    job = docked.ask(LigandChoice(1, 1)).job
    task, process = docked.take(job.id), Process()
    docked.run(task, Process())
    docked.lose(task)
    docked.run(docked.bench.take(task.id), process)

    assert process.calls == []


def test_a_superseded_attempt_writes_nothing(docked: Docked) -> None:
    task, process = docked.take(docked.ask().job.id), Process()
    process.meanwhile = lambda: docked.bench.execute("UPDATE tasks SET attempt_no = 9 WHERE id = :id", id=task.id)

    with pytest.raises(Superseded):
        docked.run(task, process)
    assert docked.bench.scalar("SELECT count(*) FROM rescored_ligands") == 0
    assert docked.bench.scalar("SELECT n_refused_writes FROM attempts WHERE task_id = :id", id=task.id) == 1


def test_told_to_stop_it_starts_no_further_ligand(docked: Docked) -> None:
    task, process = docked.take(docked.ask().job.id), Process()

    with pytest.raises(Stopped):
        docked.run(task, process, told=BeatAnswer.CANCELLED)
    assert process.calls == ["open"]


def test_a_ligand_that_was_in_two_losses_runs_alone(docked: Docked) -> None:
    task, process = docked.take(docked.ask(LigandChoice(1, 1)).job.id), Process()
    docked.lose_times(task, 2)
    docked.run(task, process)

    assert process.calls[:2] == ["open", "restart"]
    assert docked.bench.scalar("SELECT count(*) FROM rescored_ligands") == 1


def test_a_ligand_that_costs_workers_again_and_again_asks_for_a_person(docked: Docked) -> None:
    job = docked.ask(LigandChoice(1, 1)).job
    task, process = docked.take(job.id), Process()
    docked.lose_times(task, 4)
    with pytest.raises(Stopped) as stopped:
        docked.run(task, process)

    assert (stopped.value.cause, process.calls) == (EndCause.YIELDED, [])
    assert docked.bench.state(job.id) == JobState.PAUSED
    # Whoever resumes it has decided that it goes on.
    docked.run(task, process)
    assert docked.bench.scalar("SELECT count(*) FROM rescored_ligands") == 1


def test_one_key_is_one_job(docked: Docked) -> None:
    first, again = docked.ask(key="k"), docked.ask(key="k")

    assert (again.job.id, again.replayed) == (first.job.id, True)
    with pytest.raises(Conflict) as reused:
        docked.ask(relax=True, key="k")
    assert reused.value.error_code == "idempotency_key_reused"
    assert docked.bench.scalar("SELECT count(*) FROM rescorings") == 1


def test_what_the_screen_was_docked_with_is_the_default(docked: Docked) -> None:
    job = docked.ask(engine=None, scoring=None, relax=True).job

    rescoring, _, _ = docked.read(job.id)
    assert (rescoring.method.engine, rescoring.method.scoring) == ("test", "vina")
    assert (rescoring.docked_engine, rescoring.docked_scoring, rescoring.max_poses) == ("test", "vina", 3)


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises((Conflict, InvalidInput)) as refused:
        ask()
    return refused.value.error_code


def test_what_cannot_be_meant_is_refused(docked: Docked) -> None:
    assert refusal(lambda: docked.ask(engine=None, scoring=None)) == "nothing_to_change"
    assert refusal(lambda: docked.ask(engine="unheard-of")) == "engine_unknown"
    # Bundled with every release, but no worker here has ever had it.
    assert refusal(lambda: docked.ask(engine="vina", scoring="vinardo")) == "no_engine"
    assert refusal(lambda: docked.ask(engine="vina", scoring="love")) == "scoring_unsupported"
    assert refusal(lambda: docked.ask(LigandChoice(4, 9))) == "nothing_to_rescore"
    assert refusal(lambda: docked.ask(LigandChoice(1, 100_001))) == "too_many_ligands"
    assert refusal(lambda: docked.ask(LigandChoice(ids=(UUID(int=1),)))) == "hits_unknown"
    assert docked.bench.scalar("SELECT count(*) FROM rescorings") == 0


def test_deleting_a_screen_cancels_its_rescorings_and_the_sweep_takes_all(docked: Docked) -> None:
    done, open_ = docked.ask(LigandChoice(1, 1)).job, docked.ask().job
    docked.finish(done.id)
    wake, bench = Wake(), docked.bench
    control_job.delete(bench.database, wake, bench.scope, docked.screen.job_id)

    assert (bench.state(open_.id), wake.sent) == (JobState.CANCELLED, 1)
    with bench.database.begin(SystemScope()) as uow:
        while uow.sweep.hide_makers(older_than_s=0.0) + uow.sweep.jobs(older_than_s=0.0, limit=10):
            pass
        uow.commit()
    for table in ("rescored_poses", "rescored_ligands", "rescorings", "results", "jobs"):
        assert bench.scalar(f"SELECT count(*) FROM {table}") == 0, table


def test_a_deleted_rescoring_leaves_its_screen(docked: Docked) -> None:
    job: Job = docked.ask().job
    docked.finish(job.id)
    bench = docked.bench
    control_job.delete(bench.database, Wake(), bench.scope, job.id)
    with bench.database.begin(SystemScope()) as uow:
        while uow.sweep.jobs(older_than_s=0.0, limit=2):
            pass
        uow.commit()

    assert bench.scalar("SELECT count(*) FROM rescored_poses") == 0
    assert bench.scalar("SELECT count(*) FROM results") == 3
    assert bench.state(docked.screen.job_id) == JobState.COMPLETED


def test_a_cancelled_rescoring_keeps_what_is_done_and_compares_nothing(docked: Docked) -> None:
    job = docked.ask().job
    task = docked.take(job.id)
    docked.run(task, Process())
    docked.bench.end(task)
    control_job.cancel(docked.bench.database, Wake(), docked.bench.scope, job.id)

    assert docked.bench.state(job.id) == JobState.CANCELLED
    scored, rejected_, cancelled, waiting = docked.counts(job.id)
    assert (scored, rejected_, cancelled, waiting) == (len(task.ligand_ids), 0, 3 - len(task.ligand_ids), 0)
    rescoring, ligands, _ = docked.read(job.id)
    assert (len(ligands), rescoring.agreement, rescoring.sentence) == (scored, None, None)
