"""Taking in a library: the file is kept as it came, a worker reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from molecular_analysis_dashboard.domain.catalog import Library, ReadyState
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.jobs import Job, JobCounts, JobKind, Origin
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.file_names import base_name, stem
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job
from molecular_analysis_dashboard.use_cases.stored_files import keep_file
from molecular_analysis_dashboard.use_cases.uploads import Upload


@dataclass(frozen=True)
class PastedText:
    """SMILES typed or pasted by a user, as an upload."""

    name: str
    text: str

    @property
    def file_name(self) -> str:
        """A name whose ending says what it holds."""
        return "pasted.smi"

    def chunks(self) -> Iterator[bytes]:
        """Yield the text; InvalidInput (``empty_file``) if it is blank."""
        if not self.text.strip():
            raise InvalidInput("There is no SMILES in the text.", code="empty_file")
        yield self.text.encode()


def add_library(
    database: Database,
    uploads: BlobStore,
    principal: Principal,
    upload: Upload,
    *,
    max_bytes: int,
    origin: Origin,
) -> tuple[Library, Job, JobCounts]:
    """Store an uploaded library and write the job that reads it.

    Raises
    ------
    InvalidInput
        If the file is empty; TooLarge beyond the limit. What it holds is for the job to say.
    """
    stored = uploads.put(upload.chunks(), max_bytes=max_bytes)
    file_name = base_name(upload.file_name)
    library = Library(
        id=new_id(),
        name=upload.name or stem(file_name),
        file_name=file_name,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        state=ReadyState.PREPARING,
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    with database.begin(principal.scope) as uow:
        keep_file(uow, uploads, stored.sha256)
        uow.libraries.add(library)
        wanted = new_job(principal, JobKind.INGEST, f"Read {library.name}", origin)
        job = start_job(uow, replace(wanted, spec={"library_id": str(library.id)}, library_id=library.id))
        library, counts = uow.libraries.get(library.id), uow.jobs.counts(job.id)
        uow.commit()
    return library, job, counts
