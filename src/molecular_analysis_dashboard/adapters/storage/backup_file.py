"""A backup as one tar file: ``database.dump``, the files by store and SHA-256, ``manifest.json``, its checksum.

Any tar program unpacks it, and `pg_restore` reads the dump, should this program be lost too.
"""

import hashlib
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from molecular_analysis_dashboard.domain.backups import FORMAT, Manifest, Part
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, Misconfigured

_MANIFEST, _CHECKSUM = "manifest.json", "manifest.sha256"
_CHUNK_BYTES = 1024 * 1024
_MANIFESTS = TypeAdapter(Manifest)
# More would be no manifest of ours: about 150 bytes per file.
_LARGEST_MANIFEST_BYTES = 512 * 1024 * 1024


class BackupFileWriter:
    """Implements `BackupWriter` on an open, seekable file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, name: str, content: Iterator[bytes], *, sha256: str | None = None) -> Part | None:
        """See `BackupWriter.add`."""
        start = self._file.tell()
        try:
            part = self._append(name, content)
        except BaseException:
            self._take_back(start)
            raise
        if sha256 not in (None, part.sha256):
            self._take_back(start)
            return None
        self._file.write(bytes(-part.size_bytes % tarfile.BLOCKSIZE))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_header(name, part.size_bytes))
        self._file.seek(end)
        return part

    def _append(self, name: str, content: Iterator[bytes]) -> Part:
        self._file.write(_header(name, 0))
        digest, size = hashlib.sha256(), 0
        for piece in content:
            digest.update(piece)
            size += len(piece)
            self._file.write(piece)
        return Part(name, digest.hexdigest(), size)

    def _take_back(self, start: int) -> None:
        self._file.seek(start)
        self._file.truncate()

    def finish(self, manifest: Manifest) -> None:
        """See `BackupWriter.finish`."""
        part = self.add(_MANIFEST, iter([_MANIFESTS.dump_json(manifest, indent=1)]))
        assert part is not None
        self.add(_CHECKSUM, iter([f"{part.sha256}  {_MANIFEST}\n".encode()]))
        self._file.write(bytes(tarfile.RECORDSIZE))


@contextmanager
def new_backup_file(path: Path) -> Iterator[BackupFileWriter]:
    """Write a backup that appears under its name, whole and on the disk, when the block ends well.

    Raises
    ------
    Conflict
        ``backup_exists``: nothing is overwritten.
    InvalidInput
        ``backup_unwritable``: the folder is missing, full or read-only.
    """
    if path.exists():
        raise _exists(path)
    unfinished = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        # It holds what the database holds: only its owner may read it.
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield BackupFileWriter(file)
                file.flush()
                os.fsync(file.fileno())
            _publish(unfinished, path)
        finally:
            with suppress(FileNotFoundError):
                unfinished.unlink()
    except OSError as error:
        raise InvalidInput(
            f"The backup {path} cannot be written: {error.strerror or error}. Free some space, make the folder "
            "writable, or choose another one.",
            code="backup_unwritable",
            path=str(path),
            reason=error.strerror,
        ) from error


class BackupFile:
    """Implements `BackupReader` on a file.

    Raises
    ------
    InvalidInput
        ``backup_damaged``, or ``backup_unreadable`` if it cannot be opened.
    Misconfigured
        ``backup_newer`` if a newer release wrote it in another form.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._read_places()
        self.manifest = self._read_manifest()
        expected = {part.name: part.size_bytes for part in self.manifest.parts}
        if expected != {name: size for name, (_, size) in self._places.items() if name not in (_MANIFEST, _CHECKSUM)}:
            raise self._damaged("its parts are not those of its manifest")

    def read(self, part: Part) -> Iterator[bytes]:
        """See `BackupReader.read`."""
        digest = hashlib.sha256()
        for piece in self._pieces(part.name):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != part.sha256:
            raise self._damaged(f"{part.name} does not have its checksum")

    def _read_places(self) -> None:
        try:
            with tarfile.open(self._path, "r:") as archive:
                for member in archive:
                    self._places[member.name] = (member.offset_data, member.size)
        except tarfile.TarError as error:
            raise self._damaged(str(error)) from error
        except OSError as error:
            raise self._unreadable(error) from error

    def _read_manifest(self) -> Manifest:
        if not self._places.keys() >= {_MANIFEST, _CHECKSUM}:
            raise self._damaged("it has no end; it was cut off, or is no backup")
        if self._places[_MANIFEST][1] > _LARGEST_MANIFEST_BYTES:
            raise self._damaged("its manifest is too large")
        text = b"".join(self._pieces(_MANIFEST))
        if b"".join(self._pieces(_CHECKSUM)) != f"{hashlib.sha256(text).hexdigest()}  {_MANIFEST}\n".encode():
            raise self._damaged("its manifest does not have its checksum")
        try:
            manifest = _MANIFESTS.validate_json(text)
        except ValidationError as error:
            raise self._newer() from error
        if manifest.format != FORMAT:
            raise self._newer()
        return manifest

    def _pieces(self, name: str) -> Iterator[bytes]:
        start, left = self._places[name]
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                while left:
                    piece = file.read(min(left, _CHUNK_BYTES))
                    if not piece:
                        raise self._damaged(f"{name} was cut off")
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise self._unreadable(error) from error

    def _damaged(self, reason: str) -> InvalidInput:
        return InvalidInput(
            f"The backup {self._path} is damaged: {reason}. Use another copy or an older backup.",
            code="backup_damaged",
            path=str(self._path),
            reason=reason,
        )

    def _unreadable(self, error: OSError) -> InvalidInput:
        reason = error.strerror or str(error)
        return InvalidInput(
            f"The backup {self._path} cannot be read: {reason}.", code="backup_unreadable", path=str(self._path)
        )

    def _newer(self) -> Misconfigured:
        return Misconfigured(
            f"The backup {self._path} is whole, but has a form that this release does not know. Restore it with the "
            "release that wrote it or a newer one.",
            code="backup_newer",
            path=str(self._path),
        )


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    # Headers of this form have one length whatever the size, so that the size can be filled in behind a stream.
    return member.tobuf(tarfile.GNU_FORMAT)


def _publish(unfinished: Path, path: Path) -> None:
    """Give a whole file its name; unlike a rename, a link never replaces what has got there meanwhile."""
    try:
        os.link(unfinished, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:
        # Some network and memory-card file systems know no links.
        unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _exists(path: Path) -> Conflict:
    return Conflict(
        f"{path} exists already; a backup never replaces anything. Choose another name.",
        code="backup_exists",
        path=str(path),
    )
