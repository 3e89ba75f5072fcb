"""Backing up an installation: the database at one moment, and every file that it refers to."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from molecular_analysis_dashboard.domain.backups import DATABASE_PART, FORMAT, LostFile, Manifest, Part, StoredFile
from molecular_analysis_dashboard.domain.errors import NotFound
from molecular_analysis_dashboard.ports.backups import BackupWriter, DatabaseCopies, DatabaseSnapshot, Report
from molecular_analysis_dashboard.ports.blobs import BlobStore

_CHUNK_BYTES = 1024 * 1024


class BackUp:
    """Writes backups of one installation, while it works.

    The database goes first. A file is stored before the row that refers to it is committed, never changes, and goes
    only some time after its last row: what the rows of that moment refer to is still there when the files are copied.

    Parameters
    ----------
    stores : Mapping[str, BlobStore]
        By the names that `StoredFile.store` uses.
    version : str
        Of this program.
    report : callable
        Told how far it is.
    """

    def __init__(
        self, database: DatabaseCopies, stores: Mapping[str, BlobStore], *, version: str, report: Report
    ) -> None:
        self._database = database
        self._stores = stores
        self._version = version
        self._report = report

    def __call__(self, archive: BackupWriter) -> Manifest:
        """Write everything and return the manifest; files that the store has lost are named in it."""
        with self._database.snapshot() as snapshot:
            created_at, contents = datetime.now(UTC), snapshot.contents
            dump = archive.add(DATABASE_PART, self._dump(snapshot))
        assert dump is not None, "only a part with a known name can be refused"
        parts, lost = [dump], []
        for number, file in enumerate(contents.files):
            self._report("files", number, len(contents.files))
            copied = self._copy(archive, file)
            if isinstance(copied, Part):
                parts.append(copied)
            else:
                lost.append(copied)
        manifest = Manifest(
            format=FORMAT,
            created_at=created_at,
            version=self._version,
            revision=contents.revision,
            server_major=contents.server_major,
            dump_major=contents.dump_major,
            tables=contents.tables,
            roles=contents.roles,
            parts=tuple(parts),
            lost=self._still_missed(lost),
        )
        archive.finish(manifest)
        self._report("files", len(contents.files), len(contents.files))
        return manifest

    def _still_missed(self, lost: list[LostFile]) -> tuple[LostFile, ...]:
        """Leave out what was swept meanwhile: its rows are of things that were deleted long before."""
        needed = self._database.files() if lost else frozenset()
        return tuple(file for file in lost if StoredFile(file.store, file.sha256) in needed)

    def _dump(self, snapshot: DatabaseSnapshot) -> Iterator[bytes]:
        done = 0
        for piece in snapshot.dump():
            done += len(piece)
            self._report("database", done, 0)
            yield piece

    def _copy(self, archive: BackupWriter, file: StoredFile) -> Part | LostFile:
        try:
            with self._stores[file.store].open(file.sha256) as stream:
                part = archive.add(file.part, iter(lambda: stream.read(_CHUNK_BYTES), b""), sha256=file.sha256)
        except NotFound:
            return LostFile(file.store, file.sha256, "missing")
        return part or LostFile(file.store, file.sha256, "damaged")
