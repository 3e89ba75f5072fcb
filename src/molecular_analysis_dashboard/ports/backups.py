"""What backing up and restoring need of the database and of the file that holds a backup."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from molecular_analysis_dashboard.domain.backups import DatabaseContents, Manifest, Part, StoredFile


class DatabaseSnapshot(Protocol):
    """The database as it was at one moment, whatever is written meanwhile."""

    @property
    def contents(self) -> DatabaseContents:
        """What the database held at that moment."""

    def dump(self) -> Iterator[bytes]:
        """Yield everything in the database at that moment.

        Raises
        ------
        ResourceLost
            When the server goes away, or the program that dumps fails.
        """


class DatabaseCopies(Protocol):
    """Takes the database out and puts it back; ResourceLost while it is out of reach."""

    def snapshot(self) -> AbstractContextManager[DatabaseSnapshot]:
        """Hold on to the present moment for the length of a block.

        Raises
        ------
        Misconfigured
            When the programs of PostgreSQL are missing or older than the server, or there is no schema.
        """

    def files(self) -> frozenset[StoredFile]:
        """Every file that some row refers to now."""

    def require_empty(self) -> None:
        """Refuse a database that holds anything.

        Raises
        ------
        Conflict
            With what it holds, or which worker uses it.
        """

    def restore(self, dump: Iterator[bytes], manifest: Manifest) -> None:
        """Put a dump into an empty database in one transaction, fit to go on in this cluster.

        Whatever goes wrong, in `dump` too, the database stays as it was.

        Raises
        ------
        Misconfigured
            When the programs are missing or too old, or the cluster lacks a role.
        ResourceLost
            When the server goes away, or a program fails.
        """


class BackupWriter(Protocol):
    """A backup in the making."""

    def add(self, name: str, content: Iterator[bytes], *, sha256: str | None = None) -> Part | None:
        """Append a part; None, and nothing appended, if its bytes are not those of `sha256`.

        Whatever goes wrong in `content` is raised, and nothing is appended.
        """

    def finish(self, manifest: Manifest) -> None:
        """Append the manifest; the backup appears under its name when the block ends."""


class BackupReader(Protocol):
    """A backup that is whole as far as its manifest tells."""

    @property
    def manifest(self) -> Manifest:
        """What it says about itself."""

    def read(self, part: Part) -> Iterator[bytes]:
        """Yield a part; InvalidInput (``backup_damaged``) at the latest at its end if it is not what was written."""


# Phase, how much is done, and of how much; a total of 0 is not known.
Report = Callable[[str, int, int], None]
