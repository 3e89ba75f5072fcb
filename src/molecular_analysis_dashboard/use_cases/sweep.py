"""The sweeps: rows of what is deleted go in batches, and files that no row refers to go after them."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import structlog

from molecular_analysis_dashboard.domain.errors import NotFound
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.sweep import FileKind, Sweep
from molecular_analysis_dashboard.ports.unit_of_work import Database

log = structlog.get_logger(__name__)

GoOn = Callable[[], bool]

# Ligands with all their poses, or rows of other tables: a transaction of well under a second.
BATCH_ROWS = 1000
_BATCH_FILES = 1000
# However soon deleted things are to go, an upload may be on its way for long.
_TEMPORARY_S = 86_400.0


class SweepRows:
    """Removes the rows of deleted jobs, libraries and structures, and what failed libraries left.

    Parameters
    ----------
    older_than_s : float
        How long something stays after it was deleted, in seconds.
    """

    def __init__(self, database: Database, *, older_than_s: float, batch_rows: int = BATCH_ROWS) -> None:
        self._database = database
        age = older_than_s
        self._steps: Mapping[str, Callable[[Sweep], int]] = {
            "makers": lambda sweep: sweep.hide_makers(older_than_s=age),
            "jobs": lambda sweep: sweep.jobs(older_than_s=age, limit=batch_rows),
            "failed_libraries": lambda sweep: sweep.failed_libraries(limit=batch_rows),
            "libraries": lambda sweep: sweep.libraries(older_than_s=age, limit=batch_rows),
            "structures": lambda sweep: sweep.structures(older_than_s=age),
        }

    def __call__(self, go_on: GoOn = lambda: True) -> None:
        """Sweep until nothing is left, or until `go_on` says no between two batches."""
        # What goes in one pass may have kept something else until then.
        while any((removed := {name: self._repeat(step, go_on) for name, step in self._steps.items()}).values()):
            log.info("sweep.rows", **removed)

    def _repeat(self, step: Callable[[Sweep], int], go_on: GoOn) -> int:
        total = 0
        while go_on() and (count := self._batch(step)):
            total += count
        return total

    def _batch(self, step: Callable[[Sweep], int]) -> int:
        with self._database.begin(SystemScope()) as uow:
            count = step(uow.sweep)
            uow.commit()
        return count


class SweepFiles:
    """Removes files that no row refers to, and what interrupted writers left, where the files are this database's.

    A row is written after its file, so a file without one may be on its way: it stays while it is young. Whoever is
    about to refer to an old one is kept out, file by file, by a lock in the database; see `keep_file`.

    Parameters
    ----------
    older_than_s : float
        How long a file that nothing refers to stays, in seconds.
    """

    def __init__(self, database: Database, stores: Mapping[FileKind, BlobStore], *, older_than_s: float) -> None:
        self._database = database
        self._stores = stores
        self._older_than_s = older_than_s

    def __call__(self, go_on: GoOn = lambda: True) -> None:
        """Look at every file once, or until `go_on` says no."""
        for kind, store in self._stores.items():
            if self._is_ours(kind, store):
                self._sweep(kind, store, go_on)

    def _is_ours(self, kind: FileKind, store: BlobStore) -> bool:
        """Whether no other database keeps its files there: to this one they would all look unused."""
        with self._database.begin(SystemScope()) as uow:
            database = uow.sweep.database_identity()
        owner = store.claim(database)
        if owner != database:
            log.warning("sweep.files_of_another_database", kind=kind, owner=owner, database=database)
        return owner == database

    def _sweep(self, kind: FileKind, store: BlobStore, go_on: GoOn) -> None:
        temporary = store.sweep_temporary(older_than_s=max(self._older_than_s, _TEMPORARY_S))
        removed = sum(self._remove(kind, store, name) for name in self._unused(kind, store, go_on))
        if temporary or removed:
            log.info("sweep.files", kind=kind, removed=removed, temporary=temporary)

    def _unused(self, kind: FileKind, store: BlobStore, go_on: GoOn) -> Iterator[str]:
        names = (info.sha256 for info in store.list())
        while go_on() and (batch := list(islice(names, _BATCH_FILES))):
            with self._database.begin(SystemScope()) as uow:
                unused = uow.sweep.unused_files(kind, batch)
            yield from (name for name in unused if go_on())

    def _remove(self, kind: FileKind, store: BlobStore, name: str) -> bool:
        with self._database.begin(SystemScope()) as uow:
            locked = uow.sweep.lock_file(name)
            if not locked or not uow.sweep.unused_files(kind, [name]) or self._is_young(store, name):
                return False
            store.delete(name)
        return True

    def _is_young(self, store: BlobStore, name: str) -> bool:
        try:
            return store.age_s(name) < self._older_than_s
        except NotFound:
            return True  # another leader was quicker
