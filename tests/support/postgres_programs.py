"""Another PostgreSQL for the integration tests than that of the wheel."""

import os
from dataclasses import replace
from pathlib import Path

from molecular_analysis_dashboard.infrastructure.embedded.binaries import ServerBinaries, locate_server_binaries

VARIABLE = "MAD_TEST_POSTGRES_BIN"


def chosen_binaries() -> ServerBinaries | None:
    """Return the programs in the folder that MAD_TEST_POSTGRES_BIN names, None if it names none."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder == Path():
        return None
    ours = locate_server_binaries()
    tools = {tool: folder / tool for tool in ("postgres", "initdb", "psql", "pg_dump", "pg_restore")}
    assert all(path.is_file() for path in tools.values()), f"{VARIABLE}={folder} lacks programs of PostgreSQL"
    # The system's own programs are readable by everybody and stay where they are.
    return replace(ours, **tools, root=Path("/"), parts=(ours.redis_server.parent,))
