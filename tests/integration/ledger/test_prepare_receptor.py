from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from tests.integration.ledger.bench import NOW, Bench

from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.catalog import ReadyState, Receptor, Structure
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Origin
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparationReport, PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.prepare_receptor import PrepareReceptor
from molecular_analysis_dashboard.use_cases.receptors import pockets_of, request_receptor

PREPARED = PreparedReceptor("pdbqt", "pdb", PreparationReport(n_residues=1, n_atoms=2))
POCKET = Pocket(1, (1.0, 2.0, 3.0), 850.0, 41.5, ("A:ASP129", "A:SER212A"), SearchBox((1, 2, 3), (20, 20, 20)))


class Process:
    """Prepares every structure alike; what it finds, or how it ends over it, is the test's."""

    def __init__(self, found: tuple[Pocket, ...] | ExitCause) -> None:
        self.found = found
        self.restarts = 0
        self.looked_at: list[str] = []

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        assert (data, file_name, options.ph) == (b"a structure", "a.pdb", 6.5)
        return PREPARED

    def find_pockets(self, pdb: str) -> tuple[Pocket, ...]:
        self.looked_at.append(pdb)
        if isinstance(self.found, ExitCause):
            raise ProcessEnded(self.found, "It ended.")
        return self.found

    def restart(self) -> None:
        self.restarts += 1

    def stop(self) -> None:
        raise NotImplementedError

    def open_site(self, site: SiteSpec) -> None:
        raise NotImplementedError

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        raise NotImplementedError

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        raise NotImplementedError

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        raise NotImplementedError


class Drain:
    def seconds_left(self) -> float | None:
        return None


class Preparation:
    """One receptor on its way."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.blobs = LocalBlobStore(folder)
        stored = self.blobs.put([b"a structure"], max_bytes=100)
        owner = bench.principal.user_id
        structure = Structure(new_id(), "a", "a.pdb", stored.sha256, stored.size_bytes, {}, owner, NOW)
        with bench.database.begin(bench.scope) as uow:
            uow.structures.add(structure)
            options = ReceptorOptions(ph=6.5)
            receptor, job = request_receptor(
                uow, bench.principal, structure.id, options, name=None, origin=Origin(None, None)
            )
            uow.commit()
        self.receptor_id = receptor.id
        self.task: ClaimedTask = bench.take(bench.tasks(job.id)[0])

    def run(self, process: Process) -> None:
        watch = Watch(self.task, lambda: None, Drain())
        PrepareReceptor(self.bench.database, self.blobs, self.blobs, process)(self.task, watch)

    def receptor(self, receptor_id: UUID | None = None) -> Receptor:
        with self.bench.database.begin(self.bench.scope) as uow:
            return uow.structures.get_receptor(receptor_id or self.receptor_id)


@pytest.fixture
def preparation(bench: Bench, tmp_path: Path) -> Preparation:
    return Preparation(bench, tmp_path)


@pytest.mark.parametrize("found", [(POCKET,), ()], ids=["one", "none"])
def test_prepared_receptor_knows_its_pockets(preparation: Preparation, found: tuple[Pocket, ...]) -> None:
    process = Process(found)
    preparation.run(process)
    receptor = preparation.receptor()
    assert (receptor.state, pockets_of(receptor)) == (ReadyState.READY, found)
    assert process.looked_at == [PREPARED.pdb]


@pytest.mark.parametrize("cause", [ExitCause.CRASH, ExitCause.TIMEOUT, ExitCause.OUT_OF_MEMORY])
def test_receptor_is_ready_without_pockets_when_the_search_ends_its_process(
    preparation: Preparation, cause: ExitCause
) -> None:
    process = Process(cause)
    with capture_logs() as logs:
        preparation.run(process)
    receptor = preparation.receptor()
    assert (receptor.state, receptor.pockets, process.restarts) == (ReadyState.READY, None, 1)
    assert [(line["event"], line["cause"]) for line in logs] == [("pockets.failed", cause)]
    with pytest.raises(Conflict) as unknown:
        pockets_of(receptor)
    assert unknown.value.error_code == "pockets_unknown"


def test_process_that_was_stopped_hands_the_task_back(preparation: Preparation) -> None:
    process = Process(ExitCause.STOPPED)
    with pytest.raises(ProcessEnded):
        preparation.run(process)
    assert (preparation.receptor().state, process.restarts) == (ReadyState.PREPARING, 0)
