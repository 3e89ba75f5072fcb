"""What a redocking task does with the engine process, and with what it says or does not say."""

from pathlib import Path

import pytest
from tests.integration.ledger.bench import SCORED, Bench
from tests.integration.ledger.test_dock_ligands import Drain, Process, Screen

from molecular_analysis_dashboard.domain.docking import RejectedLigand
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, EndCause
from molecular_analysis_dashboard.domain.redocking import (
    BondOrderSource,
    NativeMolecule,
    NativeScore,
    NewRun,
    Redocked,
    Redocking,
    RedockingRun,
    RedockOutcome,
)
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases.dock_ligands import Policy
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.redock_native import RedockNative
from molecular_analysis_dashboard.use_cases.run_task import Stopped

FOUND = Redocked(SCORED, (0.7,), NativeScore(-6.0))
SEED = 77


class RedockingProcess(Process):
    """Answers by a script: an outcome, or how the process ends; the structure holds `native`."""

    def __init__(self, *script: RedockOutcome | ExitCause, native: NativeMolecule | None = None) -> None:
        super().__init__()
        self.answers = list(script)
        self.native = native or NativeMolecule("LIG", "block of the structure", BondOrderSource.DICTIONARY)
        self.blocks: list[str] = []
        self.seeds: list[int] = []

    def redock(self, site: SiteSpec, native_mol_block: str) -> RedockOutcome:
        self.calls.append("redock")
        self.blocks.append(native_mol_block)
        self.seeds.append(site.protocol.seed)
        step = self.answers.pop(0) if self.answers else FOUND
        if isinstance(step, ExitCause):
            raise ProcessEnded(step, "It ended.")
        return step

    def read_native(self, data: bytes, file_name: str, selector: str | None) -> NativeMolecule:
        assert (data, file_name, selector) == (b"the structure", "s.pdb", "LIG:A:1")
        self.calls.append("read")
        return self.native


class Run:
    """A redocking of one run, whose native ligand a worker has yet to take out of the structure."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.screen = Screen(bench, folder, 1)
        self.bench, self.job_id, self.id = bench, self.screen.job_id, new_id()
        sha256 = self.screen.store.put([b"the structure"], max_bytes=100).sha256
        bench.execute("UPDATE structures SET sha256 = :sha", sha=sha256)
        bench.execute("UPDATE jobs SET kind = 'redock'")
        bench.execute("UPDATE tasks SET kind = 'redock', ligand_ids = ARRAY[CAST(:id AS uuid)]", id=self.id)
        with bench.database.begin(bench.scope) as uow:
            redocking = Redocking(self.job_id, "LIG:A:1", NativeMolecule("LIG"))
            uow.redockings.add(redocking, [NewRun(self.id, 1, SEED)])
            uow.commit()

    def redock(self, task: ClaimedTask, process: RedockingProcess, *, told: BeatAnswer = BeatAnswer.GO_ON) -> None:
        policy = Policy(max_losses_per_ligand=3, pause_after_alike_failures=10, patience_s=1.0)
        handler = RedockNative(
            self.bench.database, self.screen.store, self.screen.store, process, policy, worker="host:worker"
        )
        handler(task, Watch(task, lambda: None, Drain(), answer=told))

    @property
    def stored(self) -> RedockingRun:
        with self.bench.database.begin(self.bench.scope) as uow:
            return uow.redockings.run(self.id)


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Run:
    return Run(bench, tmp_path)


def test_native_is_taken_out_of_the_structure_once_and_docked_with_the_run_s_seed(bench: Bench, run: Run) -> None:
    process = RedockingProcess()
    run.redock(run.screen.claim(), process)

    assert process.calls == ["read", "open", "redock"]
    assert (process.blocks, process.seeds) == (["block of the structure"], [SEED])
    assert run.stored.top_rmsd_angstrom == 0.7
    with bench.database.begin(bench.scope) as uow:
        found, (provenance,) = uow.redockings.get(run.job_id), uow.redockings.provenance(run.job_id)
    assert found.native.bond_order_source is BondOrderSource.DICTIONARY
    assert (provenance["protocol_seed"], provenance["worker"], provenance["run"]) == (SEED, "host:worker", 1)


def test_what_is_recorded_is_not_done_again(run: Run) -> None:
    task = run.screen.claim()
    run.redock(task, RedockingProcess())
    again = RedockingProcess()
    run.redock(run.screen.lose(task), again)

    assert again.calls == []


def test_native_without_bond_orders_fails_with_what_to_do(run: Run) -> None:
    with pytest.raises(InvalidInput, match="SDF") as refused:
        run.redock(run.screen.claim(), RedockingProcess(native=NativeMolecule("LIG")))
    assert refused.value.error_code == "native_without_bond_orders"


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ([ExitCause.CRASH, ExitCause.CRASH], RejectionReason.ENGINE_CRASH),
        ([ExitCause.TIMEOUT, ExitCause.CRASH, ExitCause.TIMEOUT], RejectionReason.TIMEOUT),
    ],
)
def test_run_is_rejected_only_when_its_process_ends_alike_twice(
    run: Run, ends: list[ExitCause], reason: RejectionReason
) -> None:
    run.redock(run.screen.claim(), RedockingProcess(*ends))

    assert (run.stored.reason, run.stored.poses) == (reason, ())


def test_one_end_costs_nothing(run: Run) -> None:
    run.redock(run.screen.claim(), RedockingProcess(ExitCause.CRASH, FOUND))

    assert run.stored.reason is None
    assert run.stored.top_rmsd_angstrom == 0.7


def test_rejection_by_the_engine_is_recorded_with_its_sentence(run: Run) -> None:
    run.redock(run.screen.claim(), RedockingProcess(RejectedLigand(RejectionReason.OUTSIDE_BOX, "Too long.")))

    assert (run.stored.reason, run.stored.message) == (RejectionReason.OUTSIDE_BOX, "Too long.")


def test_too_many_losses_ask_for_a_person(bench: Bench, run: Run) -> None:
    task = run.screen.claim()
    for _ in range(3):
        bench.execute("UPDATE attempts SET current_ligand_id = :id WHERE end_cause IS NULL", id=run.id)
        task = run.screen.lose(task)
    process = RedockingProcess()
    with pytest.raises(Stopped) as stopped:
        run.redock(task, process)

    assert (stopped.value.cause, process.calls) == (EndCause.YIELDED, [])
    assert bench.state(run.job_id) == "paused"
    run.redock(task, process)
    assert run.stored.top_rmsd_angstrom == 0.7


def test_a_process_stopped_by_the_heartbeat_records_nothing(run: Run) -> None:
    with pytest.raises(Stopped):
        run.redock(run.screen.claim(), RedockingProcess(ExitCause.STOPPED), told=BeatAnswer.CANCELLED)

    assert not run.stored.is_done
