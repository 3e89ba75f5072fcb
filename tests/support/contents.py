"""What an installation holds, in a form that compares."""

from typing import Any

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.settings import Settings

# Whose holder is gone after a restore.
PASSING = frozenset({"leases", "workers"})


def rows_of(settings: Settings) -> dict[str, list[str]]:
    """Every row of every table that a restore must bring back, as text."""
    database = SqlDatabase(settings.database.sqlalchemy_url)
    found = {}
    with database.begin(SystemScope()) as uow:
        for table in sorted(metadata.tables.keys() - PASSING):
            rows = uow.connection.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1")).scalars()
            found[table] = list(rows)
    database.close()
    return found


def files_of(settings: Settings) -> dict[str, bytes]:
    """Every file of both stores."""
    blobs = build_blobs(settings)
    return {
        f"{name}/{info.sha256}": store.read_range(info.sha256, 0, info.size_bytes)
        for name, store in (("uploads", blobs.uploads), ("results", blobs.results))
        for info in store.list()
    }


def tables_in(settings: Settings) -> set[str]:
    """Names of all tables, partitions included."""
    database = SqlDatabase(settings.database.sqlalchemy_url)
    with database.begin(SystemScope()) as uow:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        names: set[Any] = set(uow.connection.execute(text(query)).scalars())
    database.close()
    return names
