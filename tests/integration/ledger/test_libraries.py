import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import pytest
from tests.integration.ledger.bench import NOW, Bench, ligand

from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.catalog import Library, ReadyState, Rejection
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.errors import InvalidInput, Superseded
from molecular_analysis_dashboard.domain.identity import new_id
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
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.use_cases import ingest_library
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.ingest_library import IngestLibrary
from molecular_analysis_dashboard.use_cases.run_task import Stopped

BATCH = 8
POISONS = {"crash": ExitCause.CRASH, "hang": ExitCause.TIMEOUT, "hog": ExitCause.OUT_OF_MEMORY}


class Process:
    """Validates made-up records: some are bad, some end the process, `stop_at` has it stopped by us."""

    def __init__(self, *, stop_at: str = "") -> None:
        self.stop_at = stop_at
        self.running = True
        self.validated: Counter[str] = Counter()
        self.batches: list[int] = []

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        assert self.running, "an ended process was used without a restart"
        self.batches.append(len(records))
        return [self._validate(record) for record in records]

    def _validate(self, record: LigandRecord) -> ValidatedLigand | RejectedRecord:
        kind = record.text.partition("-")[0]
        if record.text == self.stop_at:
            raise ProcessEnded(ExitCause.STOPPED, "Stopped.")
        if kind in POISONS:
            self.running = False
            raise ProcessEnded(POISONS[kind], "It ended.")
        self.validated[record.text] += 1
        if kind == "bad":
            return RejectedRecord(record.line, record.name, record.text, RejectionReason.VALENCE, "A sentence.")
        if kind == "salt":
            text = f"mol{record.text.removeprefix('salt')}"
            return ValidatedLigand(
                record.line, record.name, text, "K" * 27, 10, 2, 100.0, drawn_smiles="[M+]", notes=("Removed: HCl.",)
            )
        return ValidatedLigand(record.line, record.name, record.text, "K" * 27, 10, 2, 100.0)

    def restart(self) -> None:
        self.running = True

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def open_site(self, site: SiteSpec) -> None:
        raise NotImplementedError

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        raise NotImplementedError

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        raise NotImplementedError


class Drain:
    def seconds_left(self) -> float | None:
        return None


def read_lines(
    stream: BinaryIO, file_name: str, *, between_pieces: Callable[[], None]
) -> Iterator[LigandRecord | RejectedRecord]:
    assert file_name == "made-up.smi"
    for line, text in enumerate(stream.read().decode().splitlines(), 1):
        between_pieces()
        if text == "nothing":
            continue
        if text == "cut":
            raise InvalidInput("The file ends in the middle.", code="truncated")
        smiles, _, name = text.partition(" ")
        yield LigandRecord(line, smiles, "smiles", name or f"n{line}")


class Ingestion:
    """One library on its way in."""

    def __init__(self, bench: Bench, folder: Path, lines: Sequence[str]) -> None:
        self.bench = bench
        self.uploads = LocalBlobStore(folder)
        self.library_id, self.job_id, self.task_id = new_id(), new_id(), new_id()
        stored = self.uploads.put(["\n".join(lines).encode()], max_bytes=10**6)
        owner = bench.principal.user_id
        with bench.database.begin(bench.scope) as uow:
            name, size = "made-up.smi", stored.size_bytes
            uow.libraries.add(
                Library(self.library_id, "l", name, stored.sha256, size, ReadyState.PREPARING, owner, NOW)
            )
            uow.jobs.add(
                Job(
                    id=self.job_id,
                    org_id=bench.principal.org_id,
                    kind=JobKind.INGEST,
                    state=JobState.PLANNING,
                    name="ingest",
                    created_by=owner,
                    created_at=NOW,
                    spec={"library_id": str(self.library_id)},
                    library_id=self.library_id,
                    planning_complete=True,
                ),
                [NewTask(self.task_id, self.job_id, TaskKind.INGEST, "prepare")],
            )
            uow.commit()

    def claim(self) -> ClaimedTask:
        return self.bench.take(self.task_id)

    def run(self, task: ClaimedTask, process: Process | None = None, *, told: BeatAnswer = BeatAnswer.GO_ON) -> None:
        watch = Watch(task, lambda: None, Drain(), answer=told)
        IngestLibrary(self.bench.database, self.uploads, process or Process(), read_lines)(task, watch)

    def library(self) -> Library:
        with self.bench.database.begin(self.bench.scope) as uow:
            return uow.libraries.get(self.library_id)

    def ligands(self) -> dict[str, int]:
        """SMILES to number of record."""
        with self.bench.database.begin(self.bench.scope) as uow:
            return {
                one.smiles: one.record for one in uow.libraries.ligand_page(self.library_id, after_record=0, limit=999)
            }

    def rejections(self) -> dict[int, Rejection]:
        with self.bench.database.begin(self.bench.scope) as uow:
            found = uow.libraries.rejection_page(self.library_id, after_record=0, limit=999)
        return {one.record: one for one in found}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_library, "BATCH_RECORDS", BATCH)


def check_complete(ingestion: Ingestion, lines: Sequence[str]) -> None:
    """Every record is a ligand or a rejection, once, and the counts say so."""
    library, ligands, rejections = ingestion.library(), ingestion.ligands(), ingestion.rejections()
    assert sorted([*ligands.values(), *rejections]) == list(range(1, len(lines) + 1))
    assert (library.n_records, library.n_ligands, library.n_rejected) == (len(lines), len(ligands), len(rejections))
    assert set(ligands) == {line for line in lines if line.startswith("mol")}
    assert all(lines.index(smiles) + 1 == record for smiles, record in ligands.items())
    assert library.base_cost_s == pytest.approx(
        ingestion.bench.scalar(
            "SELECT coalesce(sum(base_cost_s), 0) FROM ligands WHERE library_id = :id", id=library.id
        )
    )
    for record, rejection in rejections.items():
        if rejection.reason is RejectionReason.DUPLICATE:
            kept = ingestion.bench.rows(
                "SELECT smiles, record FROM ligands WHERE id = :id", id=rejection.kept_ligand_id
            )
            assert [(row.smiles, row.record < record) for row in kept] == [(lines[record - 1], True)]


def some_lines(count: int) -> list[str]:
    chance = random.Random(count)
    return [f"{chance.choice(('mol', 'mol', 'mol', 'bad'))}-{chance.randrange(count)}" for _ in range(count)]


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 40])
def test_every_record_becomes_a_ligand_or_a_rejection(bench: Bench, tmp_path: Path, count: int) -> None:
    lines = some_lines(count)
    ingestion = Ingestion(bench, tmp_path, lines)
    ingestion.run(ingestion.claim())
    check_complete(ingestion, lines)
    assert ingestion.library().state is ReadyState.READY


def test_duplicate_is_linked_to_the_ligand_that_is_kept(bench: Bench, tmp_path: Path) -> None:
    # Twice within a batch, and once more in a later one.
    lines = ["mol-a", "mol-b", "mol-a", *[f"mol-{n}" for n in range(BATCH)], "mol-a"]
    ingestion = Ingestion(bench, tmp_path, lines)
    ingestion.run(ingestion.claim())
    check_complete(ingestion, lines)
    rejections = ingestion.rejections()
    assert {record: one.reason for record, one in rejections.items()} == {
        3: RejectionReason.DUPLICATE,
        len(lines): RejectionReason.DUPLICATE,
    }
    assert "n1 on line 1" in rejections[3].message


def test_salt_is_a_duplicate_of_its_free_base_and_shows_what_was_given(bench: Bench, tmp_path: Path) -> None:
    ingestion = Ingestion(bench, tmp_path, ["mol-a", "salt-a", "salt-b"])
    ingestion.run(ingestion.claim())
    (rejection,) = ingestion.rejections().values()
    assert (rejection.record, rejection.reason, rejection.input_text) == (2, RejectionReason.DUPLICATE, "salt-a")
    with bench.database.begin(bench.scope) as uow:
        noted = uow.libraries.ligand_page(ingestion.library_id, after_record=0, limit=9, noted_only=True)
    assert [(one.record, one.smiles, one.drawn_smiles, one.notes) for one in noted] == [
        (3, "mol-b", "[M+]", ("Removed: HCl.",))
    ]
    assert ingestion.library().n_noted == 1


def test_names_and_texts_are_stored_without_what_steers_a_terminal(bench: Bench, tmp_path: Path) -> None:
    ingestion = Ingestion(bench, tmp_path, ["mol-1 \x1b[31mred\u202e", "bad-\x1b[2J"])
    ingestion.run(ingestion.claim())
    with bench.database.begin(bench.scope) as uow:
        (kept,) = uow.libraries.ligand_page(ingestion.library_id, after_record=0, limit=9)
    assert kept.name == "[31mred"
    assert ingestion.rejections()[2].input_text == "bad-[2J"


@pytest.mark.parametrize("finished", [True, False])
def test_job_that_reads_a_library_counts_its_records(bench: Bench, tmp_path: Path, finished: bool) -> None:
    ingestion = Ingestion(bench, tmp_path, [*[f"mol-{n}" for n in range(BATCH - 2)], "bad-1", "bad-2", "mol-stop"])
    process = Process(stop_at="" if finished else "mol-stop")
    with nullcontext() if finished else pytest.raises(ProcessEnded):
        ingestion.run(ingestion.claim(), process)
    with bench.database.begin(bench.scope) as uow:
        counts = uow.jobs.counts(ingestion.job_id)
    read = BATCH - 1 if finished else BATCH - 2
    assert (counts.n_input, counts.read, counts.rejected_at_reading) == (read + 2, read, 2)
    assert (counts.scored, counts.waiting, counts.cancelled) == (0, 0, 0)


@pytest.mark.parametrize("stop_at", [1, BATCH, BATCH + 1, 20, 40])
def test_ingestion_that_was_stopped_goes_on_where_it_was(bench: Bench, tmp_path: Path, stop_at: int) -> None:
    lines = [*[f"mol-{n}" for n in range(39)], "mol-3"]
    lines[stop_at - 1] = "mol-stop"
    ingestion = Ingestion(bench, tmp_path, lines)
    task = ingestion.claim()
    with pytest.raises(ProcessEnded):
        ingestion.run(task, Process(stop_at="mol-stop"))
    stored = ingestion.library().n_records
    assert stored == (stop_at - 1) // BATCH * BATCH
    assert ingestion.library().state is ReadyState.PREPARING
    bench.end(task, EndCause.DRAINED)
    second = Process()
    ingestion.run(ingestion.claim(), second)
    check_complete(ingestion, lines)
    assert not set(lines[:stored]) & {
        text for text in second.validated if lines.index(text) < stored and text != "mol-3"
    }


def test_ingestion_stops_between_batches_when_told(bench: Bench, tmp_path: Path) -> None:
    ingestion = Ingestion(bench, tmp_path, some_lines(20))
    with pytest.raises(Stopped):
        ingestion.run(ingestion.claim(), told=BeatAnswer.DRAINING)
    assert ingestion.library().n_records == 0


def test_ingestion_stops_where_no_record_comes(bench: Bench, tmp_path: Path) -> None:
    ingestion = Ingestion(bench, tmp_path, ["nothing"] * 20)
    with pytest.raises(Stopped):
        ingestion.run(ingestion.claim(), told=BeatAnswer.CANCELLED)


def test_batch_is_bounded_by_the_size_of_its_records(bench: Bench, tmp_path: Path) -> None:
    lines = ["mol-" + f"{n}" * 40 for n in range(BATCH)]
    ingestion, process = Ingestion(bench, tmp_path, lines), Process()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_library, "BATCH_CHARACTERS", 80)
        ingestion.run(ingestion.claim(), process)
    check_complete(ingestion, lines)
    assert process.batches == [2] * (BATCH // 2)


@pytest.mark.parametrize("position", [0, 5, BATCH - 1, 15])
@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        ("crash", RejectionReason.UNREADABLE_RECORD),
        ("hang", RejectionReason.TIMEOUT),
        ("hog", RejectionReason.OUT_OF_MEMORY),
    ],
)
def test_record_that_ends_the_process_is_rejected_alone(
    bench: Bench, tmp_path: Path, poison: str, reason: RejectionReason, position: int
) -> None:
    lines = [f"mol-{n}" for n in range(16)]
    lines[position] = f"{poison}-1"
    ingestion = Ingestion(bench, tmp_path, lines)
    ingestion.run(ingestion.claim())
    check_complete(ingestion, lines)
    rejections = ingestion.rejections()
    assert {record: one.reason for record, one in rejections.items()} == {position + 1: reason}
    assert "alone" in rejections[position + 1].message


def test_file_of_nothing_but_poison_is_read_to_its_end(bench: Bench, tmp_path: Path) -> None:
    lines = [f"crash-{n}" for n in range(12)]
    ingestion = Ingestion(bench, tmp_path, lines)
    ingestion.run(ingestion.claim())
    check_complete(ingestion, lines)


def test_superseded_ingestion_stores_nothing(bench: Bench, tmp_path: Path) -> None:
    ingestion = Ingestion(bench, tmp_path, some_lines(20))
    task = ingestion.claim()
    bench.end(task, EndCause.DRAINED)
    with pytest.raises(Superseded):
        ingestion.run(task)
    assert ingestion.library().n_records == 0
    assert (ingestion.ligands(), ingestion.rejections()) == ({}, {})


@pytest.mark.parametrize("lines", [[], ["mol-1", "mol-2", "cut"], [*[f"mol-{n}" for n in range(BATCH + 2)], "cut"]])
def test_file_that_cannot_be_read_fails_and_leaves_no_half_library(
    bench: Bench, tmp_path: Path, lines: list[str]
) -> None:
    ingestion = Ingestion(bench, tmp_path, lines)
    with pytest.raises(InvalidInput) as refused:
        ingestion.run(ingestion.claim())
    library = ingestion.library()
    assert (library.state, library.n_records, library.n_ligands) == (ReadyState.FAILED, 0, 0)
    assert library.error is not None
    assert library.error["code"] == refused.value.error_code
    assert (ingestion.ligands(), ingestion.rejections()) == ({}, {})


def test_same_molecule_may_be_in_two_libraries(bench: Bench) -> None:
    first, second = (bench.library(3) for _ in range(2))
    with bench.database.begin(bench.scope) as uow:
        assert [uow.libraries.get(id_).n_ligands for id_ in (first, second)] == [3, 3]


def test_batch_of_duplicates_only_adds_no_ligand(bench: Bench) -> None:
    library_id: UUID = bench.library(1)
    again = [ligand(library_id, number, smiles="[1C]") for number in (2, 3)]
    with bench.database.begin(bench.scope) as uow:
        uow.libraries.add_batch(library_id, again, [])
        uow.commit()
    with bench.database.begin(bench.scope) as uow:
        library = uow.libraries.get(library_id)
    assert (library.n_records, library.n_ligands, library.n_rejected, library.base_cost_s) == (3, 1, 2, 1.0)
