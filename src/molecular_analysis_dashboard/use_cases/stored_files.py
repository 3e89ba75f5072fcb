"""Letting a row refer to a file that the sweep might just be removing."""

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork


def keep_file(uow: UnitOfWork, store: BlobStore, sha256: str) -> None:
    """Make sure that a file stays until this transaction's row counts as a reference to it.

    An upload equal to an old file that nothing refers to puts nothing, and that old file may have been swept between
    the put and this transaction: rare, and then only the sender still has it.

    Raises
    ------
    ResourceLost
        With code ``file_swept`` if the file went meanwhile.
    """
    uow.files.keep(sha256)
    if not store.exists(sha256):
        raise ResourceLost(
            "The file was removed as unused just while it was sent again. Send it once more.", code="file_swept"
        )
