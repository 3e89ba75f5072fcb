"""A library is read on a worker: streamed, validated in the engine process, stored in batches, resumable."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Protocol
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.catalog import Library, Ligand, Rejection
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.readable_text import readable_name, readable_text, shortened
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason
from molecular_analysis_dashboard.domain.scheduling import base_cost_s
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, ExitCause, ProcessEnded
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.run_task import Stopped

log = structlog.get_logger(__name__)

BATCH_RECORDS = 1000
# Of the records' text: what a slot and its engine process hold of a library at a time, a few times over.
BATCH_CHARACTERS = 4_000_000
_NUL = "\0"
_Numbered = tuple[int, LigandRecord | RejectedRecord]

_REASON_FOR_EXIT = {
    ExitCause.CRASH: RejectionReason.UNREADABLE_RECORD,
    ExitCause.TIMEOUT: RejectionReason.TIMEOUT,
    ExitCause.OUT_OF_MEMORY: RejectionReason.OUT_OF_MEMORY,
}


class RecordReader(Protocol):
    """Cuts a library file into records."""

    def __call__(
        self, stream: BinaryIO, file_name: str, *, between_pieces: Callable[[], None]
    ) -> Iterator[LigandRecord | RejectedRecord]:
        """Yield the records; `between_pieces` is called now and then, also where none comes, and may raise.

        Raises
        ------
        InvalidInput
            When the file as a whole cannot be read.
        """


class IngestLibrary:
    """Handles tasks of kind ``ingest``.

    One batch is one transaction that also raises the library's count of records; a later attempt skips that many.
    """

    def __init__(
        self, database: Database, uploads: BlobStore, process: ChemistryProcess, read_records: RecordReader
    ) -> None:
        self._database = database
        self._uploads = uploads
        self._process = process
        self._read_records = read_records

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Read the library that the job names to its end."""
        scope = TenantScope(task.org_id)
        with self._database.begin(scope) as uow:
            library = uow.libraries.get(UUID(str(uow.jobs.get(task.job_id).spec["library_id"])))
        try:
            with self._uploads.open(library.sha256) as stream:
                self._read(task, watch, library, stream)
        except InvalidInput as error:
            with self._database.begin(scope) as uow:
                uow.ledger.own(task)
                body = {"code": error.error_code, "message": error.message, "details": error.details}
                uow.libraries.fail(library.id, body)
                uow.commit()
            raise
        with self._database.begin(scope) as uow:
            uow.ledger.own(task)
            uow.libraries.finish(library.id)
            uow.commit()

    def _read(self, task: ClaimedTask, watch: Watch, library: Library, stream: BinaryIO) -> None:
        def stop_if_told() -> None:
            if watch.must_stop:
                raise Stopped

        records = enumerate(self._read_records(stream, library.file_name, between_pieces=stop_if_told), 1)
        read = sum(1 for _ in islice(records, library.n_records))
        for batch in _batches(records):
            stop_if_told()
            self._store(task, library, batch)
            read += len(batch)
        if not read:
            raise InvalidInput("The file holds no records.", code="empty_file")

    def _store(self, task: ClaimedTask, library: Library, batch: Sequence[_Numbered]) -> None:
        numbers = {id(record): number for number, record in batch}
        parsed = [record for _, record in batch if isinstance(record, LigandRecord) and _NUL not in record.text]
        kept = {id(record) for record in parsed}
        refused = [(number, _refused(record)) for number, record in batch if id(record) not in kept]
        ligands = []
        for record, validated in zip(parsed, self._validate(parsed), strict=True):
            number = numbers[id(record)]
            if isinstance(validated, RejectedRecord):
                refused.append((number, validated))
            else:
                ligands.append(_ligand(library.id, number, record, validated))
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.own(task)
            uow.libraries.add_batch(library.id, ligands, [_rejection(number, record) for number, record in refused])
            uow.jobs.add_event(task.job_id, "library.read", {"records": batch[-1][0]})
            uow.commit()

    def _validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        """Validate records; one that ends the process twice, the second time alone, is rejected."""
        if not records:
            return []
        try:
            return self._process.validate(records)
        except ProcessEnded as ended:
            if ended.cause is ExitCause.STOPPED:
                raise
            self._process.restart()
            if len(records) > 1:
                middle = len(records) // 2
                return [*self._validate(records[:middle]), *self._validate(records[middle:])]
            return [self._validate_alone(records[0])]

    def _validate_alone(self, record: LigandRecord) -> ValidatedLigand | RejectedRecord:
        try:
            return self._process.validate([record])[0]
        except ProcessEnded as ended:
            if ended.cause is ExitCause.STOPPED:
                raise
            log.warning("record.process_ended", line=record.line, **ended.details)
            self._process.restart()
            if ended.cause is ExitCause.KILLED:
                raise Stopped(EndCause.LOST) from ended
            reason = _REASON_FOR_EXIT[ended.cause]
            message = f"Reading it alone ended the process twice. {ended.message}"
            if reason is RejectionReason.UNREADABLE_RECORD:
                message = f"{SENTENCES[reason]} {message}"
            return RejectedRecord(record.line, record.name, shortened(record.text), reason, message)


def _batches(records: Iterator[_Numbered]) -> Iterator[list[_Numbered]]:
    """Cut records into batches of bounded number and size."""
    batch: list[_Numbered] = []
    n_characters = 0
    for numbered in records:
        batch.append(numbered)
        n_characters += len(numbered[1].text) if isinstance(numbered[1], LigandRecord) else 0
        if len(batch) >= BATCH_RECORDS or n_characters >= BATCH_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


def _ligand(library_id: UUID, number: int, record: LigandRecord, validated: ValidatedLigand) -> Ligand:
    return Ligand(
        id=new_id(),
        library_id=library_id,
        record=number,
        line=validated.line,
        name=readable_name(validated.name) or f"line-{validated.line}",
        smiles=validated.smiles,
        drawn_smiles=validated.drawn_smiles,
        inchikey=validated.inchikey,
        heavy_atoms=validated.heavy_atoms,
        torsions=validated.torsions,
        molecular_weight=validated.molecular_weight,
        base_cost_s=base_cost_s(validated.heavy_atoms, validated.torsions),
        notes=validated.notes,
        input_text=readable_text(shortened(record.text)),
    )


def _refused(record: LigandRecord | RejectedRecord) -> RejectedRecord:
    """Refuse a record with a NUL byte, behind which C libraries would not look."""
    if isinstance(record, RejectedRecord):
        return record
    reason = RejectionReason.UNREADABLE_RECORD
    message = f"{SENTENCES[reason]} It contains a NUL byte."
    return RejectedRecord(record.line, record.name, shortened(record.text), reason, message)


def _rejection(number: int, record: RejectedRecord) -> Rejection:
    shown, message = readable_text(shortened(record.input_text)), readable_text(record.message)
    return Rejection(number, record.line, readable_name(record.name), shown, record.reason, message)
