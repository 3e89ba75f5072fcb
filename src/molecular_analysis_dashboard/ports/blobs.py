"""The port behind which files are kept, named by their content."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True)
class BlobInfo:
    """A stored blob: SHA-256 of its bytes in lower-case hexadecimal, and their number."""

    sha256: str
    size_bytes: int


class BlobStore(Protocol):
    """Blobs by content; a blob exists whole or not at all, and never changes.

    Every method raises `ResourceLost` when the storage is out of reach or full, and those that take a name
    `InvalidInput` when it is not 64 lower-case hexadecimal digits.
    """

    def put(self, content: BinaryIO | Iterable[bytes], *, max_bytes: int) -> BlobInfo:
        """Store a stream in constant memory; storing equal bytes again changes nothing.

        Whatever goes wrong, also in `content` itself, nothing of it stays visible.

        Raises
        ------
        TooLarge
            If the content is longer than `max_bytes`.
        """

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for streaming; the caller closes it.

        Reading raises our errors too; a blob that is deleted meanwhile may break off with NotFound.

        Raises
        ------
        NotFound
            If there is no such blob.
        """

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """Read at most `length` bytes from byte `start`; fewer, or none, at the end of the blob.

        Raises
        ------
        NotFound
            If there is no such blob.
        InvalidInput
            If `start` or `length` is negative.
        """

    def exists(self, sha256: str) -> bool:
        """Whether the blob is stored."""

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a blob.

        Raises
        ------
        NotFound
            If there is no such blob.
        """

    def age_s(self, sha256: str) -> float:
        """Return the seconds since a blob was stored, the storage's clock against ours.

        Raises
        ------
        NotFound
            If there is no such blob.
        """

    def delete(self, sha256: str) -> None:
        """Remove a blob; one that is not there counts as removed."""

    def list(self) -> Iterator[BlobInfo]:
        """List all blobs in the order of their names."""

    def check_writable(self) -> None:
        """Prove that something can be stored now, and leave no trace of it."""

    def claim(self, owner: str) -> str:
        """Write down whose files these are, unless somebody has before, and return whose they are."""

    def sweep_temporary(self, *, older_than_s: float = 86_400.0) -> int:
        """Remove what interrupted writers left behind, and return how many leftovers went."""
