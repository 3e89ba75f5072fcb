"""Blobs in a local folder: `ab/cd/abcd...`, each put there by one rename when it is whole and on the disk."""

import errno
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from molecular_analysis_dashboard.adapters.storage.content import (
    BLOB_NAME,
    MeasuredContent,
    check_name,
    check_range,
    not_stored,
)
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.ports.blobs import BlobInfo

INCOMING = ".incoming"
OWNER = ".owner"
_FOLDER_NAME = re.compile(r"[0-9a-f]{2}")
_ANY_NAME = re.compile(r".+")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LocalBlobStore:
    """A `BlobStore` below one folder, which several processes and machines may share.

    Parameters
    ----------
    root : Path
        The folder; it is made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / INCOMING

    def put(self, content: BinaryIO | Iterable[bytes], *, max_bytes: int) -> BlobInfo:
        """See `BlobStore.put`."""
        with self._temporary_file() as (temporary, descriptor):
            measured = MeasuredContent(content, max_bytes=max_bytes)
            for chunk in measured:
                self._write(descriptor, chunk)
            self._publish(temporary, descriptor, self._path(measured.info.sha256))
        return measured.info

    def open(self, sha256: str) -> BinaryIO:
        """See `BlobStore.open`."""
        with self._found(sha256) as path:
            return path.open("rb")

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """See `BlobStore.read_range`."""
        check_range(start, length)
        with self._found(sha256) as path, path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def exists(self, sha256: str) -> bool:
        """See `BlobStore.exists`."""
        return self._status(self._path(sha256)) is not None

    def size(self, sha256: str) -> int:
        """See `BlobStore.size`."""
        with self._found(sha256) as path:
            return path.stat().st_size

    def age_s(self, sha256: str) -> float:
        """See `BlobStore.age_s`; storing equal bytes again makes a blob young."""
        with self._found(sha256) as path:
            return time.time() - path.stat().st_mtime

    def delete(self, sha256: str) -> None:
        """See `BlobStore.delete`."""
        path = self._path(sha256)
        with self._storage_errors():
            path.unlink(missing_ok=True)

    def list(self) -> Iterator[BlobInfo]:
        """See `BlobStore.list`."""
        for first in self._entries(self._root, _FOLDER_NAME):
            for second in self._entries(first, _FOLDER_NAME):
                for path in self._entries(second, BLOB_NAME):
                    status = self._status(path)
                    if status is not None:
                        yield BlobInfo(path.name, status.st_size)

    def check_writable(self) -> None:
        """See `BlobStore.check_writable`."""
        with self._temporary_file() as (_, descriptor), self._storage_errors():
            os.write(descriptor, b"\0")
            os.fsync(descriptor)

    def claim(self, owner: str) -> str:
        """See `BlobStore.claim`; remove the file ``.owner`` to let another owner in."""
        marker = self._root / OWNER
        with self._temporary_file() as (temporary, descriptor):
            self._write(descriptor, owner.encode())
            with self._storage_errors():
                os.fsync(descriptor)
                # Unlike a rename, a link never replaces what is there.
                with suppress(FileExistsError):
                    marker.hardlink_to(temporary)
                return marker.read_text()

    def sweep_temporary(self, *, older_than_s: float = 86_400.0) -> int:
        """See `BlobStore.sweep_temporary`; age is the time since the last write."""
        swept = 0
        for path in self._entries(self._incoming, _ANY_NAME):
            status = self._status(path)
            if status is not None and time.time() - status.st_mtime > older_than_s:
                with self._storage_errors():
                    path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _path(self, sha256: str) -> Path:
        name = check_name(sha256)
        return self._root / name[:2] / name[2:4] / name

    @contextmanager
    def _found(self, sha256: str) -> Iterator[Path]:
        path = self._path(sha256)
        with self._storage_errors():
            try:
                yield path
            except FileNotFoundError as error:
                raise not_stored(sha256) from error

    @contextmanager
    def _temporary_file(self) -> Iterator[tuple[Path, int]]:
        """Open a new file beside the blobs, and leave none under its name however the block ends."""
        path = self._incoming / uuid4().hex
        with self._storage_errors():
            self._incoming.mkdir(mode=0o750, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            yield path, descriptor
        finally:
            os.close(descriptor)
            with self._storage_errors():
                path.unlink(missing_ok=True)

    def _write(self, descriptor: int, chunk: bytes) -> None:
        view = memoryview(chunk)
        with self._storage_errors():
            while view:
                view = view[os.write(descriptor, view) :]

    def _publish(self, temporary: Path, descriptor: int, target: Path) -> None:
        """Give a whole file its name, so that it survives a power cut.

        An equal blob is replaced, not kept: the rename then also mends a damaged one and cannot lose against a
        deletion. All folders are synchronised, since another writer may have made one and not yet got so far.
        """
        with self._storage_errors():
            os.fsync(descriptor)
            target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            temporary.replace(target)
            for folder in (target.parent, target.parent.parent, self._root):
                _synchronise(folder)

    def _entries(self, folder: Path, name: re.Pattern[str]) -> Sequence[Path]:
        """Those entries of a folder whose names match, sorted; none when the folder is not there."""
        with self._storage_errors():
            try:
                return sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
            except FileNotFoundError:
                return ()

    def _status(self, path: Path) -> os.stat_result | None:
        """Status of a file, or None when there is none; `Path.exists` would hide a folder that may not be entered."""
        with self._storage_errors():
            try:
                return path.stat()
            except FileNotFoundError:
                return None

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        """Turn the system's errors into ours, naming the folder."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise ResourceLost(
                    f"The storage folder {self._root} is full. Free some space, then try again.",
                    code="storage_full",
                    folder=str(self._root),
                ) from error
            raise ResourceLost(
                f"The storage folder {self._root} cannot be used ({error.strerror}). "
                "See that it is mounted and that this account may write to it, then try again.",
                code="storage_unavailable",
                folder=str(self._root),
                reason=error.strerror,
            ) from error


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
