"""What use cases need of an upload."""

from collections.abc import Iterator
from typing import Protocol


class Upload(Protocol):
    """A file on its way in; its names are certain only when its chunks are exhausted."""

    @property
    def file_name(self) -> str:
        """Name of the file as the client gave it; InvalidInput if it gave none."""

    @property
    def name(self) -> str | None:
        """What the thing shall be called, if the client said so."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes once; InvalidInput (``empty_file``) at the end if there were none."""
