"""Taking in a macromolecule: read it first, keep it byte for byte when it can be used."""

import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import BinaryIO

from molecular_analysis_dashboard.domain.catalog import Structure
from molecular_analysis_dashboard.domain.errors import ResourceLost, TooLarge
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.receptors import StructureSummary
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.file_names import base_name, stem
from molecular_analysis_dashboard.use_cases.stored_files import keep_file
from molecular_analysis_dashboard.use_cases.uploads import Upload

_IN_MEMORY_BYTES = 4_000_000


def add_structure(
    database: Database,
    uploads: BlobStore,
    chemistry: RequestChemistry,
    principal: Principal,
    upload: Upload,
    *,
    max_bytes: int,
) -> Structure:
    """Store an uploaded structure with what it holds; nothing stays of one that cannot be read.

    Raises
    ------
    InvalidInput
        If the file is empty, cut short or no structure; TooLarge beyond the limits.
    ResourceLost
        If the file cannot be kept, now or while it is received.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
        _receive(upload.chunks(), spool, max_bytes)
        file_name = base_name(upload.file_name)
        spool.seek(0)
        summary = chemistry.summarize(spool.read(), file_name)
        spool.seek(0)
        stored = uploads.put(spool, max_bytes=max_bytes)
    structure = Structure(
        id=new_id(),
        name=upload.name or stem(file_name),
        file_name=file_name,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        summary=summary_json(summary),
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    with database.begin(principal.scope) as uow:
        keep_file(uow, uploads, stored.sha256)
        uow.structures.add(structure)
        structure = uow.structures.get(structure.id)
        uow.commit()
    return structure


def summary_json(summary: StructureSummary) -> dict[str, object]:
    """Return a summary as it is stored and shown, with the selector of each group."""
    groups = [asdict(group) | {"selector": group.selector} for group in summary.hetero_groups]
    return asdict(summary) | {"hetero_groups": groups}


def _receive(chunks: Iterable[bytes], spool: "tempfile.SpooledTemporaryFile[bytes] | BinaryIO", max_bytes: int) -> None:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise TooLarge(
                f"The structure is larger than {max_bytes} bytes. Upload only the chains that matter.",
                max_bytes=max_bytes,
            )
        try:
            spool.write(chunk)
        except OSError as error:
            raise ResourceLost(
                f"The folder for temporary files, {tempfile.gettempdir()}, cannot take the upload ({error.strerror}). "
                "Give it more room, or try again when other uploads are done.",
                code="storage_unavailable",
                reason=error.strerror,
            ) from error
