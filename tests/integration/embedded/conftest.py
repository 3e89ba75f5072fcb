import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers

Query = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that every account can pass through; pytest's own are closed, which root's servers cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(base: Path) -> Path:
    return base / "data"


@pytest.fixture
def servers(data_dir: Path) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(data_dir, durable=False) as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedServers]:
    """Servers for tests that only look."""
    with temporary_servers() as started:
        yield started


@pytest.fixture
def query() -> Query:
    """Run one statement on the database of some servers."""

    def run(servers: EmbeddedServers, statement: str) -> list[tuple[object, ...]]:
        address = servers.addresses.database_url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def as_root() -> bool:
    return os.geteuid() == 0
