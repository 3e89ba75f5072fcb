"""Embedded servers that vanish with their data, for tests and trials."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .binaries import ServerBinaries
from .servers import EmbeddedServers


@contextmanager
def temporary_servers(binaries: ServerBinaries | None = None) -> Iterator[EmbeddedServers]:
    """Started servers on a new folder below the system's temporary one, removed at the end.

    Without `binaries` they are those of the wheels.

    Nothing is forced to the disk. The folder is one that the servers' account can reach, which the folders that
    pytest hands out are not when root runs it.
    """
    folder = Path(tempfile.mkdtemp(prefix="mad-"))
    try:
        with EmbeddedServers(folder, binaries=binaries, durable=False) as servers:
            yield servers
    finally:
        shutil.rmtree(folder)
