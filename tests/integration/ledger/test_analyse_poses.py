"""Tasks of analyses in the ledger: the chemistry is scripted, everything else is real."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.ledger.bench import Bench
from tests.integration.ledger.test_dock_ligands import BOX, Drain, Screen
from tests.integration.ledger.test_dock_ligands import Process as Docking

from molecular_analysis_dashboard.domain.analyses import (
    AnalysisSite,
    Interaction,
    InteractionType,
    LigandChoice,
    PoseAnalysis,
    PosedLigand,
)
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, EndCause, JobState, Origin
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases import control_job
from molecular_analysis_dashboard.use_cases.analyse_poses import AnalysePoses
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.run_task import Stopped
from molecular_analysis_dashboard.use_cases.submit_analysis import AnalysisRequest, StartAnalyses, submit_analysis
from molecular_analysis_dashboard.use_cases.submit_once import Submitted

GOOD = PoseAnalysis(
    {"bond_lengths": True}, (Interaction(InteractionType.HB_DONOR, "A:GLU80", 2.9),), 1.5, "MMFF94s, of 20 conformers"
)
Step = ExitCause | PoseAnalysis | InvalidInput


class Process:
    """Analyses by a script; what is not in it is fine."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.calls: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        assert site.box == BOX
        assert site.receptor_pdb == "REMARK receptor"
        self.calls.append(posed.ligand_id)
        self.before()
        step = self.script.pop(0) if self.script else GOOD
        if isinstance(step, ExitCause):
            raise ProcessEnded(step, "It ended.")
        if isinstance(step, InvalidInput):
            raise step
        return step

    def restart(self) -> None:
        self.calls.append("restart")

    def stop(self) -> None:
        raise NotImplementedError

    def open_site(self, site: SiteSpec) -> None:
        raise NotImplementedError

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        raise NotImplementedError

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        raise NotImplementedError

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        raise NotImplementedError


class Wake:
    sent = 0

    def send(self) -> None:
        self.sent += 1

    def wait(self, timeout_s: float) -> bool:
        raise NotImplementedError


class Analysed:
    """A screen that has docked three ligands, and what is asked about it."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.bench = screen, screen.bench
        task = screen.claim()
        screen.dock(task, Docking())
        self.bench.end(task)
        self.bench.finish_jobs()

    def ask(self, first: int = 1, last: int = 3, *, ids: tuple[UUID, ...] = (), key: str | None = None) -> Submitted:
        request = AnalysisRequest(
            self.screen.job_id, LigandChoice(first, last, ids), HitFilter(), 3, None, 0, {"ranks": [first, last]}
        )
        return submit_analysis(
            self.bench.database,
            self.bench.principal,
            request,
            idempotency_key=key,
            target_s=60.0,
            origin=Origin(),
        )

    def take(self, job_id: UUID) -> ClaimedTask:
        """Take the first task that waits."""
        query = "SELECT id FROM tasks WHERE job_id = :id AND state = 'pending' ORDER BY id LIMIT 1"
        return self.bench.take(self.bench.scalar(query, id=job_id))

    def run(self, task: ClaimedTask, process: Process, *, told: BeatAnswer = BeatAnswer.GO_ON) -> Watch:
        watch = Watch(task, lambda: None, Drain(), answer=told)
        handler = AnalysePoses(self.bench.database, self.screen.store, process, max_losses_per_ligand=4, patience_s=1.0)
        handler(task, watch)
        return watch

    def finish(self, job_id: UUID, process: Process | None = None) -> str:
        """Do what is left of a job; return its final state."""
        while self.bench.scalar("SELECT count(*) FROM tasks WHERE job_id = :id AND state = 'pending'", id=job_id):
            task = self.take(job_id)
            self.run(task, process or Process())
            self.bench.end(task)
        self.bench.finish_jobs()
        return self.bench.state(job_id)

    def counts(self, job_id: UUID) -> tuple[int, int, int]:
        with self.bench.database.begin(self.bench.scope) as uow:
            found = uow.jobs.counts(job_id)
        return found.scored, found.rejected, found.waiting

    def poses(self) -> list[tuple[str, str | None]]:
        query = (
            "SELECT r.name, a.failure FROM pose_analyses a JOIN results r USING (job_id, ligand_id) "
            "WHERE a.job_id = :id ORDER BY r.name, a.rank"
        )
        return [(row.name, row.failure) for row in self.bench.rows(query, id=self.screen.job_id)]


@pytest.fixture
def analysed(bench: Bench, tmp_path: Path) -> Analysed:
    return Analysed(Screen(bench, tmp_path, 3))


def test_every_pose_is_recorded_and_copied_to_its_hit(analysed: Analysed) -> None:
    job = analysed.ask().job

    assert analysed.finish(job.id) == JobState.COMPLETED
    assert analysed.counts(job.id) == (3, 0, 0)
    assert analysed.poses() == [("ligand-1", None), ("ligand-2", None), ("ligand-3", None)]
    hits = analysed.bench.rows(
        "SELECT valid, failed_checks, strain_kcal_mol FROM results WHERE job_id = :id", id=analysed.screen.job_id
    )
    assert [tuple(row) for row in hits] == [(True, [], 1.5)] * 3
    assert analysed.bench.scalar("SELECT count(*) FROM interactions WHERE residue = 'A:GLU80'") == 3


def test_poses_whose_side_chains_moved_are_judged_with_a_caveat(bench: Bench, tmp_path: Path) -> None:
    analysed = Analysed(Screen(bench, tmp_path, 2, flexible_residues=("A:GLU80", "A:THR315")))
    partly = replace(GOOD, problems={"interactions": "One was left out.", "strain": "It is unknown."})
    analysed.finish(analysed.ask().job.id, Process(GOOD, partly))

    caveat = "Judged with the side chains of A:GLU80, A:THR315 where they were before docking."
    query = "SELECT problems, valid FROM pose_analyses ORDER BY (problems ->> 'strain') NULLS FIRST"
    assert [tuple(row) for row in bench.rows(query)] == [
        ({"checks": caveat, "interactions": caveat}, True),
        ({"checks": caveat, "interactions": f"One was left out. {caveat}", "strain": "It is unknown."}, True),
    ]


def test_a_failure_has_no_caveat(bench: Bench, tmp_path: Path) -> None:
    analysed = Analysed(Screen(bench, tmp_path, 1, flexible_residues=("A:GLU80",)))
    analysed.finish(analysed.ask().job.id, Process(InvalidInput("It is no molecule.")))

    assert analysed.poses() == [("ligand-1", "unreadable")]
    assert bench.scalar("SELECT message FROM pose_analyses") == "It is no molecule."


def test_poses_in_a_rigid_receptor_have_no_caveat(analysed: Analysed) -> None:
    analysed.finish(analysed.ask().job.id)

    assert analysed.bench.rows("SELECT DISTINCT problems FROM pose_analyses") == [({},)]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ((ExitCause.CRASH, ExitCause.CRASH), "crash"),
        ((ExitCause.TIMEOUT, ExitCause.TIMEOUT), "timeout"),
        ((ExitCause.OUT_OF_MEMORY, ExitCause.CRASH, ExitCause.OUT_OF_MEMORY), "out_of_memory"),
        ((InvalidInput("It is no molecule."),), "unreadable"),
    ],
)
def test_a_pose_that_cannot_be_analysed_says_why_and_fails_nothing(
    analysed: Analysed, script: tuple[Step, ...], reason: str
) -> None:
    job = analysed.ask().job

    assert analysed.finish(job.id, Process(*script)) == JobState.COMPLETED
    assert analysed.counts(job.id) == (2, 1, 0)
    assert sorted(failure for _, failure in analysed.poses() if failure) == [reason]


def test_a_process_that_ends_once_is_no_evidence(analysed: Analysed) -> None:
    process = Process(ExitCause.CRASH)
    job = analysed.ask().job

    assert analysed.finish(job.id, process) == JobState.COMPLETED
    assert process.calls[1] == "restart"
    assert analysed.counts(job.id) == (3, 0, 0)


def test_a_resumed_task_writes_no_row_twice(analysed: Analysed) -> None:
    job = analysed.ask().job
    task, process = analysed.take(job.id), Process(GOOD, ExitCause.STOPPED)
    if len(task.ligand_ids) == 1:
        analysed.run(task, process)
    else:
        with pytest.raises(Stopped):
            analysed.run(task, process)
    analysed.bench.silence(task, 100)
    with analysed.bench.database.begin(SystemScope()) as uow:
        assert [lost.id for lost in uow.control.reclaim(silent_s=12)] == [task.id]
        uow.commit()
    again = Process()

    assert analysed.finish(job.id, again) == JobState.COMPLETED
    assert len(again.calls) == 2
    assert len(analysed.poses()) == 3
    assert analysed.counts(job.id) == (3, 0, 0)


def test_a_superseded_attempt_writes_nothing(analysed: Analysed) -> None:
    job = analysed.ask().job
    task, process = analysed.take(job.id), Process()
    process.before = lambda: analysed.bench.execute("UPDATE tasks SET attempt_no = 9 WHERE id = :id", id=task.id)

    with pytest.raises(Superseded):
        analysed.run(task, process)
    assert analysed.poses() == []


def test_told_to_stop_it_starts_no_further_ligand(analysed: Analysed) -> None:
    task, process = analysed.take(analysed.ask().job.id), Process()

    with pytest.raises(Stopped):
        analysed.run(task, process, told=BeatAnswer.CANCELLED)
    assert process.calls == []


def test_what_is_analysed_is_not_done_again_and_what_failed_is(analysed: Analysed) -> None:
    first = analysed.ask().job
    analysed.finish(first.id, Process(ExitCause.CRASH, ExitCause.CRASH))
    process = Process()
    second = analysed.ask().job

    assert analysed.finish(second.id, process) == JobState.COMPLETED
    assert len(process.calls) == 1
    assert analysed.counts(second.id) == (3, 0, 0)
    assert len(analysed.poses()) == 3


def test_a_ligand_that_costs_workers_again_and_again_is_let_go(analysed: Analysed) -> None:
    job = analysed.ask(1, 1).job
    task = analysed.take(job.id)
    for attempt in range(1, 5):
        analysed.bench.execute(
            "INSERT INTO attempts "
            "(org_id, task_id, attempt_no, job_id, worker_id, slot_pid, current_ligand_id, end_cause) "
            "SELECT org_id, task_id, attempt_no + :n, job_id, worker_id, slot_pid, :ligand, 'lost' FROM attempts "
            "WHERE task_id = :task AND attempt_no = 1",
            n=attempt,
            ligand=task.ligand_ids[0],
            task=task.id,
        )
    process = Process()
    analysed.run(task, process)
    analysed.bench.end(task)

    assert process.calls == []
    assert [failure for _, failure in analysed.poses()] == ["lost"]


def test_a_screen_starts_its_analyses_once_it_has_completed(analysed: Analysed) -> None:
    start, screen_id = StartAnalyses(analysed.bench.database, target_s=60.0), analysed.screen.job_id
    made = "SELECT count(*) FROM jobs WHERE screen_id = :id"
    start()
    assert analysed.bench.scalar(made, id=screen_id) == 0
    analysed.bench.execute("UPDATE jobs SET analyse_top = 2 WHERE id = :id", id=screen_id)
    start()
    start()

    assert analysed.bench.scalar(made, id=screen_id) == 1
    job_id = analysed.bench.scalar("SELECT id FROM jobs WHERE screen_id = :id", id=screen_id)
    assert analysed.finish(job_id) == JobState.COMPLETED
    assert analysed.counts(job_id) == (2, 0, 0)


def test_a_screen_that_did_not_complete_starts_none(analysed: Analysed) -> None:
    analysed.bench.execute(
        "UPDATE jobs SET analyse_top = 2, state = 'cancelled' WHERE id = :id", id=analysed.screen.job_id
    )
    StartAnalyses(analysed.bench.database, target_s=60.0)()

    assert analysed.bench.scalar("SELECT count(*) FROM jobs WHERE screen_id = :id", id=analysed.screen.job_id) == 0


def test_one_key_is_one_job(analysed: Analysed) -> None:
    first = analysed.ask(key="k")
    again = analysed.ask(key="k")

    assert (again.job.id, again.replayed) == (first.job.id, True)
    with pytest.raises(Conflict) as reused:
        analysed.ask(1, 2, key="k")
    assert reused.value.error_code == "idempotency_key_reused"


def test_ranks_and_ids_that_are_not_there_are_refused(analysed: Analysed) -> None:
    with pytest.raises(Conflict) as nothing:
        analysed.ask(4, 9)
    with pytest.raises(InvalidInput) as unknown:
        analysed.ask(ids=(UUID(int=1),))
    with pytest.raises(InvalidInput) as many:
        analysed.ask(1, 10_001)

    codes = [refused.value.error_code for refused in (nothing, unknown, many)]
    assert codes == ["nothing_to_analyse", "hits_unknown", "too_many_ligands"]


def test_deleting_a_screen_cancels_its_analyses_and_the_sweep_takes_all(analysed: Analysed) -> None:
    done, open_ = analysed.ask(1, 1).job, analysed.ask().job
    analysed.finish(done.id)
    wake, bench = Wake(), analysed.bench
    control_job.delete(bench.database, wake, bench.scope, analysed.screen.job_id)

    assert bench.state(open_.id) == JobState.CANCELLED
    assert wake.sent == 1
    with bench.database.begin(SystemScope()) as uow:
        while uow.sweep.hide_makers(older_than_s=0.0) + uow.sweep.jobs(older_than_s=0.0, limit=10):
            pass
        uow.commit()
    for table in ("pose_analyses", "interactions", "results", "jobs"):
        assert bench.scalar(f"SELECT count(*) FROM {table}") == 0, table


def test_a_running_analysis_keeps_its_deleted_screen_from_the_sweep(analysed: Analysed) -> None:
    job, bench = analysed.ask().job, analysed.bench
    task = analysed.take(job.id)
    control_job.delete(bench.database, Wake(), bench.scope, analysed.screen.job_id)
    with bench.database.begin(SystemScope()) as uow:
        assert uow.sweep.jobs(older_than_s=0.0, limit=10) == 0
        uow.commit()

    assert bench.state(job.id) == JobState.CANCELLING
    bench.end(task, EndCause.CANCELLED)
