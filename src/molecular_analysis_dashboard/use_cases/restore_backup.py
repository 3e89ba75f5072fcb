"""Restoring a backup into an empty installation: all of it, or nothing."""

from collections.abc import Callable, Iterator, Mapping

import structlog

from molecular_analysis_dashboard.domain.backups import Manifest, Part, StoredFile
from molecular_analysis_dashboard.domain.errors import InvalidInput, MadError, Misconfigured
from molecular_analysis_dashboard.ports.backups import BackupReader, DatabaseCopies, Report
from molecular_analysis_dashboard.ports.blobs import BlobStore

log = structlog.get_logger(__name__)


def check_backup(archive: BackupReader, report: Report) -> Manifest:
    """Read a whole backup against its checksums.

    Raises
    ------
    InvalidInput
        With code ``backup_damaged``.
    """
    manifest = archive.manifest
    total, done = sum(part.size_bytes for part in manifest.parts), 0
    for part in manifest.parts:
        for piece in archive.read(part):
            done += len(piece)
            report("check", done, total)
    return manifest


class RestoreBackup:
    """Puts a backup into an installation that holds nothing.

    Files go first, as in daily work: no row may refer to a file that is not there. What was put is taken away again
    when the database cannot follow. A killed restore leaves files without rows, which the next one takes over.

    Parameters
    ----------
    knows : callable
        Whether this program knows a revision of the schema.
    migrate : callable
        Brings the database to the schema of this program.
    """

    def __init__(
        self,
        database: DatabaseCopies,
        stores: Mapping[str, BlobStore],
        *,
        knows: Callable[[str], bool],
        migrate: Callable[[], None],
        report: Report,
    ) -> None:
        self._database = database
        self._stores = stores
        self._knows = knows
        self._migrate = migrate
        self._report = report

    def __call__(self, archive: BackupReader) -> Manifest:
        """Check the backup and the installation, then restore, then bring the schema up to date."""
        self._require_known(archive.manifest)
        self._database.require_empty()
        manifest = check_backup(archive, self._report)
        added: list[StoredFile] = []
        try:
            self._put_files(archive, manifest, added)
            self._database.restore(self._dump(archive, manifest.database), manifest)
        except BaseException:
            self._take_away(added)
            raise
        self._migrate()
        return manifest

    def _require_known(self, manifest: Manifest) -> None:
        if not self._knows(manifest.revision):
            raise Misconfigured(
                f"The backup has schema {manifest.revision}, which this release does not know; version "
                f"{manifest.version} wrote it. Restore it with that release or a newer one.",
                code="backup_newer",
                revision=manifest.revision,
                version=manifest.version,
            )

    def _put_files(self, archive: BackupReader, manifest: Manifest, added: list[StoredFile]) -> None:
        for number, (file, part) in enumerate(manifest.files):
            self._report("files", number, len(manifest.files))
            store = self._stores.get(file.store)
            if store is None:
                raise InvalidInput(f"The backup holds files of an unknown store: {file.store}.", code="backup_damaged")
            if not store.exists(file.sha256):
                added.append(file)
            store.put(archive.read(part), max_bytes=part.size_bytes)

    def _dump(self, archive: BackupReader, part: Part) -> Iterator[bytes]:
        done = 0
        for piece in archive.read(part):
            done += len(piece)
            self._report("database", done, part.size_bytes)
            yield piece

    def _take_away(self, added: list[StoredFile]) -> None:
        """Remove the files of a restore that failed, once it is certain that no row refers to them."""
        try:
            self._database.require_empty()
            for file in added:
                self._stores[file.store].delete(file.sha256)
        except MadError as error:
            log.warning("restore.files_kept", files=len(added), code=error.error_code, message=error.message)
