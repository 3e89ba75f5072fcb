from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.ledger.bench import BUILD, NOW, SCORED, Bench, ligand, rejected
from tests.support.counted import Counted

from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.catalog import (
    BindingSite,
    Library,
    ProtocolVersion,
    ReadyState,
    Receptor,
    Structure,
)
from molecular_analysis_dashboard.domain.docking import DockingProtocol, LigandOutcome
from molecular_analysis_dashboard.domain.errors import EngineFailed, Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import (
    BeatAnswer,
    ClaimedTask,
    EndCause,
    Job,
    JobKind,
    JobState,
    NewTask,
    TaskKind,
)
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.scheduling import dock_queue
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases.dock_ligands import DockLigands, Policy
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.run_task import Stopped

Step = LigandOutcome | ExitCause
BOX = SearchBox((1.0, 2.0, 3.0), (20.0, 20.0, 20.0))


class Process:
    """Docks by a script per ligand's name (a cause ends the process); whoever is not in it is scored."""

    def __init__(self, script: dict[str, list[Step]] | None = None, *, opening: Sequence[ExitCause] = ()) -> None:
        self.script = script or {}
        self.opening = list(opening)
        self.calls: list[str] = []
        self.before: Callable[[LigandInput], object] = lambda _: None

    def open_site(self, site: SiteSpec) -> None:
        self.calls.append("open")
        assert site.receptor_pdbqt == "REMARK receptor"
        if self.opening:
            raise ProcessEnded(self.opening.pop(0), "It ended.")

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        assert site.box == BOX
        self.calls.append(ligand.name)
        self.before(ligand)
        steps = self.script.get(ligand.name, [])
        step = steps.pop(0) if steps else SCORED
        if isinstance(step, ExitCause):
            raise ProcessEnded(step, "It ended.")
        return step

    def restart(self) -> None:
        self.calls.append("restart")

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        raise NotImplementedError

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        raise NotImplementedError


class Drain:
    def seconds_left(self) -> float | None:
        return None


class Screen:
    """A screen with one docking task of so many ligands, named ligand-1 and on."""

    def __init__(self, bench: Bench, folder: Path, count: int, *, flexible_residues: tuple[str, ...] = ()) -> None:
        self.bench = bench
        self.store = LocalBlobStore(folder)
        self.counted = Counted()
        self.job_id = new_id()
        structure_id, receptor_id, site_id, library_id, protocol_id = (new_id() for _ in range(5))
        owner, blob = bench.principal.user_id, self.store.put([b"REMARK receptor"], max_bytes=100).sha256
        self.protocol = DockingProtocol(engine="test", flexible_residues=flexible_residues)
        rows = [ligand(library_id, number) for number in range(1, count + 1)]
        with bench.database.begin(bench.scope) as uow:
            uow.structures.add(Structure(structure_id, "s", "s.pdb", "0" * 64, 1, {}, owner, NOW))
            uow.structures.add_receptor(Receptor(receptor_id, structure_id, "r", {}, ReadyState.PREPARING, owner, NOW))
            uow.structures.receptor_ready(
                receptor_id, pdbqt_sha256=blob, pdb_sha256=blob, content_hash="receptor hash", report={}
            )
            uow.structures.add_site(BindingSite(site_id, structure_id, "b", SiteOrigin.MANUAL, BOX, owner, NOW))
            uow.libraries.add(Library(library_id, "l", "l.smi", "0" * 64, 1, ReadyState.READY, owner, NOW))
            uow.libraries.add_batch(library_id, rows, [])
            uow.protocols.add(
                ProtocolVersion(protocol_id, "p", 1, self.protocol, self.protocol.content_hash, owner, NOW)
            )
            job = Job(
                id=self.job_id,
                org_id=bench.principal.org_id,
                kind=JobKind.SCREEN,
                state=JobState.RUNNING,
                name="screen",
                created_by=owner,
                created_at=NOW,
                structure_id=structure_id,
                receptor_id=receptor_id,
                site_id=site_id,
                library_id=library_id,
                protocol_id=protocol_id,
                engine_build=BUILD,
                n_ligands=count,
                planning_complete=True,
            )
            task = NewTask(new_id(), self.job_id, TaskKind.DOCK, dock_queue(BUILD), tuple(row.id for row in rows))
            uow.jobs.add(job, [task])
            uow.commit()
        self.task_id = task.id

    def claim(self) -> ClaimedTask:
        return self.bench.take(self.task_id)

    def lose(self, task: ClaimedTask) -> ClaimedTask:
        """Let the attempt be lost; return the next one."""
        self.bench.silence(task, 100)
        with self.bench.database.begin(SystemScope()) as uow:
            uow.control.reclaim(silent_s=12)
            uow.commit()
        return self.claim()

    def dock(
        self, task: ClaimedTask, process: Process, *, told: BeatAnswer = BeatAnswer.GO_ON, enough: int = 10
    ) -> Watch:
        watch = Watch(task, lambda: None, Drain(), answer=told)
        policy = Policy(max_losses_per_ligand=4, pause_after_alike_failures=enough, patience_s=1.0)
        telemetry = self.counted.telemetry
        DockLigands(self.bench.database, self.store, process, policy, worker="host:worker", telemetry=telemetry)(
            task, watch
        )
        return watch

    def results(self) -> dict[str, str]:
        """Name to "scored" or the reason."""
        query = "SELECT name, coalesce(reason, outcome) AS what FROM results WHERE job_id = :id"
        return {row.name: row.what for row in self.bench.rows(query, id=self.job_id)}


@pytest.fixture
def screen(bench: Bench, tmp_path: Path) -> Screen:
    return Screen(bench, tmp_path, 4)


def test_every_ligand_is_recorded_with_what_it_takes_to_make_it_again(bench: Bench, screen: Screen) -> None:
    task, process = screen.claim(), Process({"ligand-2": [rejected(RejectionReason.OUTSIDE_BOX)]})
    watch = screen.dock(task, process)
    assert screen.results() == {
        "ligand-1": "scored",
        "ligand-2": "outside_box",
        "ligand-3": "scored",
        "ligand-4": "scored",
    }
    assert (watch.n_scored, watch.n_rejected) == (3, 1)
    assert screen.counted.told == ["scored", "outside_box", "scored", "scored"]
    assert process.calls == ["open", "ligand-1", "ligand-2", "ligand-3", "ligand-4"]
    provenance = bench.scalar("SELECT provenance FROM results WHERE name = 'ligand-1'")
    assert provenance == {
        "engine_build": BUILD,
        "receptor_hash": "receptor hash",
        "protocol_hash": screen.protocol.content_hash,
        "box": {"center": [1.0, 2.0, 3.0], "size": [20.0, 20.0, 20.0]},
        "notes": [],
        "seed": 1,
        "steps": [],
        "threads": 1,
        "worker": "host:worker",
        "task_id": str(task.id),
        "attempt_no": 1,
    }


def test_next_attempt_docks_only_what_is_not_recorded(bench: Bench, screen: Screen) -> None:
    task = screen.claim()
    bench.record(task, task.ligand_ids[0])
    bench.record(task, task.ligand_ids[2], rejected())
    process = Process()
    watch = screen.dock(screen.lose(task), process)
    assert process.calls == ["open", "ligand-2", "ligand-4"]
    assert (watch.n_scored, watch.n_rejected) == (3, 1)


def test_attempt_with_nothing_left_ends_quietly(bench: Bench, screen: Screen) -> None:
    task = screen.claim()
    for ligand_id in task.ligand_ids:
        bench.record(task, ligand_id)
    process = Process()
    screen.dock(task, process)
    assert process.calls == ["open"]


def test_ligand_is_noted_before_it_goes_into_the_engine(bench: Bench, screen: Screen) -> None:
    noted: list[bool] = []

    def look(ligand: LigandInput) -> None:
        current = bench.scalar("SELECT current_ligand_id FROM attempts")
        noted.append(current == UUID(ligand.ligand_id))

    process = Process()
    process.before = look
    screen.dock(screen.claim(), process)
    assert noted == [True] * 4
    assert bench.scalar("SELECT current_ligand_id FROM attempts") is None


def test_engine_that_ended_once_costs_no_ligand(screen: Screen) -> None:
    process = Process({"ligand-2": [ExitCause.CRASH]})
    screen.dock(screen.claim(), process)
    assert set(screen.results().values()) == {"scored"}
    assert process.calls == ["open", "ligand-1", "ligand-2", "restart", "ligand-2", "ligand-3", "ligand-4"]


@pytest.mark.parametrize(
    ("cause", "reason"),
    [(ExitCause.CRASH, "engine_crash"), (ExitCause.TIMEOUT, "timeout"), (ExitCause.OUT_OF_MEMORY, "out_of_memory")],
)
def test_ligand_that_ends_the_engine_twice_the_same_way_is_rejected_alone(
    screen: Screen, cause: ExitCause, reason: str
) -> None:
    screen.dock(screen.claim(), Process({"ligand-2": [cause, cause]}))
    assert screen.results() == {"ligand-1": "scored", "ligand-2": reason, "ligand-3": "scored", "ligand-4": "scored"}


def test_engine_that_ended_in_different_ways_is_asked_again(screen: Screen) -> None:
    screen.dock(screen.claim(), Process({"ligand-2": [ExitCause.CRASH, ExitCause.TIMEOUT]}))
    assert screen.results()["ligand-2"] == "scored"


def test_ligand_of_two_losses_is_run_alone_and_not_blamed(bench: Bench, screen: Screen) -> None:
    task = screen.claim()
    for _ in range(2):
        bench.execute("UPDATE attempts SET current_ligand_id = :id WHERE end_cause IS NULL", id=task.ligand_ids[1])
        task = screen.lose(task)
    process = Process()
    screen.dock(task, process)
    assert process.calls == ["open", "ligand-1", "restart", "ligand-2", "ligand-3", "ligand-4"]
    assert set(screen.results().values()) == {"scored"}
    assert bench.state(screen.job_id) == "running"


def test_too_many_losses_with_one_ligand_ask_for_a_person_before_it_is_docked_again(
    bench: Bench, screen: Screen
) -> None:
    task = screen.claim()
    for _ in range(4):
        bench.execute("UPDATE attempts SET current_ligand_id = :id WHERE end_cause IS NULL", id=task.ligand_ids[1])
        task = screen.lose(task)
    process = Process()
    with pytest.raises(Stopped) as stopped:
        screen.dock(task, process)
    assert (stopped.value.cause, process.calls) == (EndCause.YIELDED, [])
    assert bench.state(screen.job_id) == "paused"
    assert "ligand-2" in bench.scalar("SELECT reason FROM jobs")
    # The person resumed it: it is tried once more, alone.
    screen.dock(task, process)
    assert set(screen.results().values()) == {"scored"}
    assert bench.scalar("SELECT count(*) FROM events WHERE type = 'job.repeated_losses'") == 1


def test_engine_killed_from_outside_is_a_loss_and_no_evidence(screen: Screen) -> None:
    process = Process({"ligand-2": [ExitCause.KILLED, ExitCause.KILLED]})
    with pytest.raises(Stopped) as stopped:
        screen.dock(screen.claim(), process)
    assert stopped.value.cause is EndCause.LOST
    assert process.calls == ["open", "ligand-1", "ligand-2", "restart", "ligand-2"]
    assert screen.results() == {"ligand-1": "scored"}


def test_engine_killed_once_costs_nothing(screen: Screen) -> None:
    screen.dock(screen.claim(), Process({"ligand-2": [ExitCause.KILLED]}))
    assert set(screen.results().values()) == {"scored"}


def test_job_whose_first_ligands_all_fail_alike_is_paused_once_with_the_reason(bench: Bench, screen: Screen) -> None:
    script: dict[str, list[Step]] = {f"ligand-{n}": [rejected()] for n in range(1, 5)}
    task, process = screen.claim(), Process(script)
    states: list[str] = []
    process.before = lambda _: states.append(bench.state(screen.job_id))
    screen.dock(task, process, enough=2)
    assert states == ["running", "running", "paused", "paused"]
    assert "no_pose" in bench.scalar("SELECT reason FROM jobs")
    assert "Check the search box" in bench.scalar("SELECT reason FROM jobs")
    assert bench.scalar("SELECT count(*) FROM events WHERE type = 'job.alike_failures'") == 1


def test_one_odd_rejection_does_not_hide_that_all_others_are_alike(bench: Bench, screen: Screen) -> None:
    odd, alike = rejected(RejectionReason.EMBEDDING_FAILED), rejected(RejectionReason.NO_POSE)
    script: dict[str, list[Step]] = {
        f"ligand-{n}": [outcome] for n, outcome in enumerate((odd, alike, alike, alike), 1)
    }
    screen.dock(screen.claim(), Process(script), enough=3)
    assert bench.state(screen.job_id) == "paused"


@pytest.mark.parametrize(
    "outcomes",
    [
        [SCORED, rejected(), rejected(), rejected()],
        [rejected(), rejected(RejectionReason.TIMEOUT), rejected(RejectionReason.OUTSIDE_BOX), SCORED],
        [rejected(RejectionReason.UNDEFINED_STEREO)] * 4,
    ],
    ids=["one is scored", "for several reasons", "for the ligands' own fault"],
)
def test_failures_that_do_not_speak_of_the_receptor_pause_nothing(
    bench: Bench, screen: Screen, outcomes: list[LigandOutcome]
) -> None:
    script: dict[str, list[Step]] = {f"ligand-{n}": [outcome] for n, outcome in enumerate(outcomes, 1)}
    screen.dock(screen.claim(), Process(script), enough=2)
    assert bench.state(screen.job_id) == "running"


def test_receptor_that_ends_the_engine_twice_is_an_engine_failure(screen: Screen) -> None:
    with pytest.raises(EngineFailed) as failed:
        screen.dock(screen.claim(), Process(opening=[ExitCause.CRASH, ExitCause.CRASH]))
    assert failed.value.error_code == "engine_cannot_open_site"
    assert screen.results() == {}


def test_engine_that_ended_once_on_the_receptor_gets_a_second_chance(screen: Screen) -> None:
    screen.dock(screen.claim(), Process(opening=[ExitCause.CRASH]))
    assert len(screen.results()) == 4


def test_stopped_engine_rejects_nothing(screen: Screen) -> None:
    with pytest.raises(Stopped):
        screen.dock(screen.claim(), Process({"ligand-2": [ExitCause.STOPPED]}))
    assert screen.results() == {"ligand-1": "scored"}


def test_crash_after_the_task_was_taken_away_rejects_nothing(screen: Screen) -> None:
    task = screen.claim()
    watch = Watch(task, lambda: None, Drain())
    process = Process({"ligand-1": [ExitCause.CRASH]})
    process.before = lambda _: watch.react(BeatAnswer.CANCELLED, kill=True)
    policy = Policy(max_losses_per_ligand=4, pause_after_alike_failures=10, patience_s=1.0)
    with pytest.raises(Stopped):
        DockLigands(screen.bench.database, screen.store, process, policy, worker="w")(task, watch)
    assert screen.results() == {}


def test_no_ligand_is_begun_once_the_slot_is_to_stop(screen: Screen) -> None:
    process = Process()
    with pytest.raises(Stopped):
        screen.dock(screen.claim(), process, told=BeatAnswer.DRAINING)
    assert process.calls == ["open"]


def test_superseded_slot_stops_and_its_late_write_is_counted(bench: Bench, screen: Screen) -> None:
    task, process = screen.claim(), Process()
    following: list[ClaimedTask] = []

    def replace_attempt(ligand: LigandInput) -> None:
        if ligand.name == "ligand-2":
            following.append(screen.lose(task))

    process.before = replace_attempt
    with pytest.raises(Superseded):
        screen.dock(task, process)
    assert screen.results() == {"ligand-1": "scored"}
    refused = bench.rows("SELECT n_refused_writes FROM attempts ORDER BY attempt_no")
    assert [row[0] for row in refused] == [1, 0]
    assert screen.counted.told == ["scored"]
    screen.dock(following[0], Process())
    assert len(screen.results()) == 4


def test_slot_may_yield_only_while_ligands_are_left(screen: Screen) -> None:
    task = screen.claim()
    watch = Watch(task, lambda: None, Drain())
    seen: list[bool] = []
    process = Process()
    process.before = lambda _: seen.append(watch.may_yield)
    policy = Policy(max_losses_per_ligand=4, pause_after_alike_failures=10, patience_s=1.0)
    DockLigands(screen.bench.database, screen.store, process, policy, worker="w")(task, watch)
    assert seen == [True, True, True, False]


def test_drained_task_is_finished_by_the_next_attempt(bench: Bench, screen: Screen) -> None:
    task = screen.claim()
    with pytest.raises(Stopped):
        screen.dock(task, Process({"ligand-3": [ExitCause.STOPPED]}))
    bench.end(task, EndCause.DRAINED)
    following = screen.claim()
    screen.dock(following, Process())
    bench.end(following)
    assert bench.finish_jobs() == [(screen.job_id, JobState.COMPLETED)]
    with bench.database.begin(bench.scope) as uow:
        counts = uow.jobs.counts(screen.job_id)
    assert (counts.n_input, counts.scored, counts.waiting) == (4, 4, 0)
