"""Blobs in a bucket: `uploads/abcd...`, each put there by one request when it is whole."""

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError

from molecular_analysis_dashboard.adapters.storage.bucket import Bucket
from molecular_analysis_dashboard.adapters.storage.content import (
    BLOB_NAME,
    MeasuredContent,
    check_name,
    check_range,
    not_stored,
)
from molecular_analysis_dashboard.adapters.storage.part_upload import upload
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.ports.blobs import BlobInfo

if TYPE_CHECKING:
    from obstore import ObjectMeta

INCOMING = "incoming"
OWNER = "owner"
# The least that S3 takes as a part; content up to this size is held in memory and sent whole.
PART_BYTES = 5 * 1024 * 1024
_PARTS_IN_FLIGHT = 3
READ_BYTES = 4 * 1024 * 1024
_PAGE = 1000


class S3BlobStore:
    """A `BlobStore` below one name in a bucket.

    Small content is hashed first and put under its name only if nothing is there. Large content is uploaded in parts
    under a name of its own while it is hashed, then copied by the server: memory stays at a few parts, and no disk is
    needed.

    Parameters
    ----------
    folder : str
        What the names of this store's objects begin with.
    """

    def __init__(self, bucket: Bucket, folder: str) -> None:
        self._bucket = bucket
        self._store = bucket.store
        self._folder = folder
        self._incoming = f"{INCOMING}/{folder}"

    def put(self, content: BinaryIO | Iterable[bytes], *, max_bytes: int) -> BlobInfo:
        """See `BlobStore.put`."""
        measured = MeasuredContent(content, max_bytes=max_bytes)
        chunks = iter(measured)
        first = _first_part(chunks)
        if measured.info.size_bytes <= PART_BYTES:
            self._put_whole(b"".join(first), measured.info)
        else:
            self._put_in_parts(chain(first, chunks), measured)
        return measured.info

    def open(self, sha256: str) -> BinaryIO:
        """See `BlobStore.open`."""
        size = self.size(sha256)
        return io.BufferedReader(_Ranges(self, sha256, size), buffer_size=max(min(size, READ_BYTES), 1))

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """See `BlobStore.read_range`."""
        check_range(start, length)
        end = min(start + length, self.size(sha256))
        return self.read_between(sha256, start, end) if start < end else b""

    def read_between(self, sha256: str, start: int, end: int) -> bytes:
        """Read bytes that are known to be there; NotFound if they no longer are."""
        with self._bucket.errors():
            try:
                return bytes(obstore.get_range(self._store, self._key(sha256), start=start, end=end))
            except FileNotFoundError as error:
                self._check_bucket()
                raise not_stored(sha256) from error

    def exists(self, sha256: str) -> bool:
        """See `BlobStore.exists`."""
        return self._status(sha256) is not None

    def size(self, sha256: str) -> int:
        """See `BlobStore.size`."""
        return self._found(sha256)["size"]

    def age_s(self, sha256: str) -> float:
        """See `BlobStore.age_s`; storing equal bytes again changes nothing."""
        return _age_s(self._found(sha256))

    def delete(self, sha256: str) -> None:
        """See `BlobStore.delete`."""
        with self._bucket.errors():
            obstore.delete(self._store, self._key(sha256))

    def list(self) -> Iterator[BlobInfo]:
        """See `BlobStore.list`; S3 lists in the order of names."""
        for item in self._objects(self._folder):
            name = item["path"].removeprefix(f"{self._folder}/")
            if BLOB_NAME.fullmatch(name):
                yield BlobInfo(name, item["size"])

    def check_writable(self) -> None:
        """See `BlobStore.check_writable`."""
        key = f"{self._incoming}/{uuid4().hex}"
        with self._bucket.errors():
            obstore.put(self._store, key, b"\0", mode="create")
            obstore.delete(self._store, key)

    def claim(self, owner: str) -> str:
        """See `BlobStore.claim`; remove the object below ``owner/`` to let another owner in."""
        key = f"{OWNER}/{self._folder}"
        with self._bucket.errors():
            with suppress(AlreadyExistsError):
                obstore.put(self._store, key, owner.encode(), mode="create")
            return bytes(obstore.get(self._store, key).bytes()).decode()

    def sweep_temporary(self, *, older_than_s: float = 86_400.0) -> int:
        """See `BlobStore.sweep_temporary`; parts of an upload that broke off are for a rule of the bucket to remove."""
        swept = 0
        for item in self._objects(self._incoming):
            if _age_s(item) > older_than_s:
                with self._bucket.errors():
                    obstore.delete(self._store, item["path"])
                swept += 1
        return swept

    def _put_whole(self, data: bytes, info: BlobInfo) -> None:
        with self._bucket.errors(), suppress(AlreadyExistsError):
            obstore.put(self._store, self._key(info.sha256), data, mode="create")

    def _put_in_parts(self, chunks: Iterator[bytes], measured: MeasuredContent) -> None:
        """Upload under a temporary name, because the last byte decides on the right one; then let the server copy.

        When the content breaks off, the library gives the upload up, and nothing of it can be seen.
        """
        temporary = f"{self._incoming}/{uuid4().hex}"
        send = partial(
            obstore.put,
            self._store,
            temporary,
            use_multipart=True,
            chunk_size=PART_BYTES,
            max_concurrency=_PARTS_IN_FLIGHT,
        )
        with self._bucket.errors():
            upload(send, chunks)
        try:
            if not self.exists(measured.info.sha256):
                with self._bucket.errors():
                    obstore.copy(self._store, temporary, self._key(measured.info.sha256))
        finally:
            # The blob is stored, or is not, whatever becomes of this; what stays is swept.
            with suppress(ResourceLost), self._bucket.errors():
                obstore.delete(self._store, temporary)

    def _key(self, sha256: str) -> str:
        return f"{self._folder}/{check_name(sha256)}"

    def _status(self, sha256: str) -> "ObjectMeta | None":
        key = self._key(sha256)
        with self._bucket.errors():
            try:
                return obstore.head(self._store, key)
            except FileNotFoundError:
                self._check_bucket()
                return None

    def _found(self, sha256: str) -> "ObjectMeta":
        status = self._status(sha256)
        if status is None:
            raise not_stored(sha256)
        return status

    def _check_bucket(self) -> None:
        """Tell a missing bucket from a missing object: the answer to HEAD is the same."""
        next(self._objects(self._incoming), None)

    def _objects(self, folder: str) -> Iterator["ObjectMeta"]:
        with self._bucket.errors():
            for page in obstore.list(self._store, folder, chunk_size=_PAGE):
                yield from page


class _Ranges(io.RawIOBase):
    """A blob as a file, read range by range: no request stays open while the reader takes its time."""

    def __init__(self, store: S3BlobStore, sha256: str, size: int) -> None:
        self._blobs = store
        self._sha256 = sha256
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed hides its Buffer
        end = min(self._position + min(len(buffer), READ_BYTES), self._size)
        if self._position >= end:
            return 0
        data = self._blobs.read_between(self._sha256, self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        """Read the rest in ranges; the inherited method would ask for 8 KiB at a time."""
        parts = []
        buffer = bytearray(READ_BYTES)
        while count := self.readinto(buffer):
            parts.append(bytes(buffer[:count]))
        return b"".join(parts)


def _age_s(item: "ObjectMeta") -> float:
    return (datetime.now(UTC) - item["last_modified"]).total_seconds()


def _first_part(chunks: Iterator[bytes]) -> "list[bytes]":
    """Take chunks until they are more than one part, or all."""
    taken, size = [], 0
    for chunk in chunks:
        taken.append(chunk)
        size += len(chunk)
        if size > PART_BYTES:
            break
    return taken
