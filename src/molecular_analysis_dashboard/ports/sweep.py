"""What the sweeps ask of the database: steps that are small, may be repeated, and may run twice at once."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class FileKind(StrEnum):
    """Which of the two stores a file lies in, and so which rows may refer to it."""

    UPLOAD = "upload"
    RESULT = "result"


class Sweep(Protocol):
    """Removes what is deleted or was given up, a batch at a time, and knows which files are in use. System scope.

    The steps return how many rows went; 0 says that nothing is left to do for now. Something deleted goes
    `older_than_s` seconds after it was hidden.
    """

    def hide_makers(self, *, older_than_s: float) -> int:
        """Delete, by hiding, the jobs that made a deleted library or structure that no other job needs.

        And those that analysed a deleted screen.
        """

    def jobs(self, *, older_than_s: float, limit: int) -> int:
        """Remove up to `limit` ligands, tasks or events of one deleted job; its own row goes last."""

    def failed_libraries(self, *, limit: int) -> int:
        """Remove up to `limit` rows of one library that could not be read; the library stays with its error."""

    def libraries(self, *, older_than_s: float, limit: int) -> int:
        """Remove up to `limit` rows of one deleted library that no job needs; its own row goes last."""

    def structures(self, *, older_than_s: float) -> int:
        """Remove one deleted structure that no job needs, with its receptors and sites."""

    def database_identity(self) -> str:
        """Return what tells this database from every other, and from its own copies."""

    def unused_files(self, kind: FileKind, names: Sequence[str]) -> list[str]:
        """Return those of the named files that no row refers to, deleted rows included."""

    def lock_file(self, name: str) -> bool:
        """Let nobody begin to refer to a file before this transaction ends; False while a backup copies files.

        See `StoredFiles.keep`.
        """


class StoredFiles(Protocol):
    """Rows that are about to refer to files."""

    def keep(self, name: str) -> None:
        """Let no sweep remove a file before this transaction ends, when a row that refers to it counts."""
