"""What a backup consists of and says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from molecular_analysis_dashboard.domain.errors import Misconfigured

FORMAT = 1
DATABASE_PART = "database.dump"


@dataclass(frozen=True, order=True)
class StoredFile:
    """A file that the database refers to: the store that holds it, and the SHA-256 that names it there."""

    store: str
    sha256: str

    @property
    def part(self) -> str:
        """Its name in a backup."""
        return f"{self.store}/{self.sha256}"


@dataclass(frozen=True)
class LostFile:
    """A file that the database refers to, but that the store could not give when the backup was made."""

    store: str
    sha256: str
    reason: Literal["missing", "damaged"]


@dataclass(frozen=True)
class Part:
    """One part of a backup: name, SHA-256 of its bytes in hexadecimal, and their number."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class DatabaseContents:
    """What a database held at one moment.

    Attributes
    ----------
    revision : str
        Of the schema.
    server_major, dump_major : int
        Major versions of PostgreSQL: of the server, and of the program that dumps it.
    tables : Mapping[str, int]
        Rows by table; partitions count with their table.
    roles : tuple of str
        Roles that have rights on the tables, besides their owner.
    files : tuple of StoredFile
        Every file that some row refers to, ordered.
    """

    revision: str
    server_major: int
    dump_major: int
    tables: Mapping[str, int]
    roles: tuple[str, ...]
    files: tuple[StoredFile, ...]


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself; the last of its parts, and all others are in it."""

    format: int
    created_at: datetime
    version: str
    revision: str
    server_major: int
    dump_major: int
    tables: Mapping[str, int]
    roles: tuple[str, ...]
    parts: tuple[Part, ...]
    lost: tuple[LostFile, ...] = ()

    @property
    def database(self) -> Part:
        """The part that is the dump of the database."""
        return next(part for part in self.parts if part.name == DATABASE_PART)

    @property
    def files(self) -> tuple[tuple[StoredFile, Part], ...]:
        """The parts that are files of a store."""
        named = [(part.name.partition("/"), part) for part in self.parts if part.name != DATABASE_PART]
        return tuple((StoredFile(store, sha256), part) for (store, _, sha256), part in named)


class BackupIncomplete(Misconfigured):
    """The backup is written and good, but the installation had lost files before."""

    code = "files_lost"
