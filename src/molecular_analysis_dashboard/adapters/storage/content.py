"""What all stores do with the content of a blob: name it, measure it, read it in blocks."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from molecular_analysis_dashboard.domain.errors import InvalidInput, NotFound, TooLarge
from molecular_analysis_dashboard.ports.blobs import BlobInfo

CHUNK_BYTES = 1024 * 1024
BLOB_NAME = re.compile(r"[0-9a-f]{64}")


class MeasuredContent:
    """Content on its way into a store, hashed and counted as it passes.

    Iterating raises TooLarge once more than `max_bytes` have come; `info` is the blob's when the content is exhausted.
    """

    def __init__(self, content: BinaryIO | Iterable[bytes], *, max_bytes: int) -> None:
        self._content = content
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in _chunks(self._content):
            self._size_bytes += len(chunk)
            if self._size_bytes > self._max_bytes:
                raise TooLarge(
                    f"The file is larger than {self._max_bytes} bytes. Send a smaller one, or ask for a higher limit.",
                    max_bytes=self._max_bytes,
                )
            self._digest.update(chunk)
            yield chunk

    @property
    def info(self) -> BlobInfo:
        """Name and size of what has passed so far."""
        return BlobInfo(self._digest.hexdigest(), self._size_bytes)


def check_name(sha256: str) -> str:
    """Return the name of a blob; InvalidInput if it is none."""
    if not BLOB_NAME.fullmatch(sha256):
        raise InvalidInput("A stored file is named by 64 lower-case hexadecimal digits.", name=sha256)
    return sha256


def check_range(start: int, length: int) -> None:
    """Raise InvalidInput for a range that begins before the beginning."""
    if start < 0 or length < 0:
        raise InvalidInput("The start and the length of a range must be 0 or more.", start=start, length=length)


def not_stored(sha256: str) -> NotFound:
    """Return the error of a blob that is not there."""
    return NotFound("There is no stored file of this name.", sha256=sha256)


def _chunks(content: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks of a file rather than its lines."""
    read = getattr(content, "read", None)
    if read is None:
        yield from content
        return
    while chunk := read(CHUNK_BYTES):
        yield chunk
