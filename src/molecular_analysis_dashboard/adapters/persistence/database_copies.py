"""The database of an installation taken out and put back with PostgreSQL's own programs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from molecular_analysis_dashboard.adapters.persistence.database_restore import restore_dump
from molecular_analysis_dashboard.adapters.persistence.database_snapshot import PgDumpSnapshot, referenced_files
from molecular_analysis_dashboard.adapters.persistence.postgres_programs import PostgresPrograms, programs_for
from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.domain.backups import Manifest, StoredFile
from molecular_analysis_dashboard.domain.errors import Conflict, Misconfigured, ResourceLost
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE
from molecular_analysis_dashboard.use_cases.sign_in import LOCAL

# A worker that has been silent for so long has stopped, whatever its row says.
_SILENT_S = 12.0
_TENANT_ROLE = "mad_tenant"
_TABLES = sql.SQL(
    "SELECT relname FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
)
_LIVE_WORKERS = sql.SQL(
    "SELECT host FROM public.workers "
    "WHERE ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => {}) LIMIT 1"
)
# What an installation has before anybody has put anything in.
_NOTHING = sql.SQL("false")
_NOT_CONTENT: Mapping[str, sql.Composable] = {
    "alembic_version": _NOTHING,
    "leases": _NOTHING,
    "workers": _NOTHING,
    "organizations": sql.SQL("id <> {}").format(LOCAL.org_id),
    "users": sql.SQL("id <> {}").format(LOCAL.user_id),
    "memberships": sql.SQL("user_id <> {}").format(LOCAL.user_id),
}


class PostgresCopies:
    """Implements `DatabaseCopies`.

    Parameters
    ----------
    conninfo : str
        Address of the database, with the password.
    connect_args : Mapping[str, int | str]
        Arguments of our own connections.
    program_folders : sequence of Path
        Where `pg_dump`, `pg_restore` and `psql` may be.
    """

    def __init__(
        self, conninfo: str, connect_args: Mapping[str, int | str], *, program_folders: Sequence[Path]
    ) -> None:
        self._conninfo = conninfo
        self._connect_args = connect_args
        self._program_folders = program_folders

    @contextmanager
    def snapshot(self) -> Iterator[PgDumpSnapshot]:
        """See `DatabaseCopies.snapshot`."""
        with self._connected() as connection:
            yield PgDumpSnapshot(connection, self._programs(connection), self._conninfo)

    def files(self) -> frozenset[StoredFile]:
        """See `DatabaseCopies.files`."""
        with self._connected() as connection:
            return referenced_files(connection)

    def require_empty(self) -> None:
        """See `DatabaseCopies.require_empty`."""
        with self._connected() as connection:
            self._tables_to_replace(connection)

    def restore(self, dump: Iterator[bytes], manifest: Manifest) -> None:
        """See `DatabaseCopies.restore`."""
        with self._connected() as connection:
            replaced = self._tables_to_replace(connection)
            programs = self._programs(connection, manifest.dump_major)
            self._require_roles(connection, manifest)
        restore_dump(programs, self._conninfo, dump, replaced)

    def _tables_to_replace(self, connection: psycopg.Connection[Any]) -> list[str]:
        """The tables of an empty installation; Conflict with what is in them otherwise."""
        tables = [row[0] for row in connection.execute(_TABLES)]
        if "workers" in tables:
            self._refuse_live_worker(connection)
        contents = {table: self._rows(connection, table) for table in tables}
        held = [f"{rows} {table}" for table, rows in contents.items() if rows]
        foreign = [
            f"the table {table}" for table in tables if table not in _NOT_CONTENT and table not in metadata.tables
        ]
        if held or foreign:
            raise Conflict(
                f"The database is not empty, it holds: {', '.join(held + foreign)}. Restore into a new installation.",
                code="not_empty",
                rows={table: rows for table, rows in contents.items() if rows},
            )
        return tables

    def _rows(self, connection: psycopg.Connection[Any], table: str) -> int:
        condition = _NOT_CONTENT.get(table, sql.SQL("true"))
        query = sql.SQL("SELECT count(*) FROM public.{} WHERE {}").format(sql.Identifier(table), condition)
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _refuse_live_worker(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute(_LIVE_WORKERS.format(_SILENT_S)).fetchone()
        if row:
            raise Conflict(
                f"A worker on {row[0]} uses this database. Stop the API and all workers, then restore.",
                code="worker_running",
                host=row[0],
            )

    def _require_roles(self, connection: psycopg.Connection[Any], manifest: Manifest) -> None:
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        missing = [role for role in manifest.roles if role not in known and role != _TENANT_ROLE]
        if missing:
            names = ", ".join(missing)
            raise Misconfigured(
                f"The backup gives rights to roles that this PostgreSQL does not have: {names}. Create each of them "
                "first (CREATE ROLE ... NOLOGIN), then restore.",
                code="roles_missing",
                roles=missing,
            )

    def _programs(self, connection: psycopg.Connection[Any], dump_major: int = 0) -> PostgresPrograms:
        server_major = connection.info.server_version // 10_000
        return programs_for(max(server_major, dump_major), self._program_folders)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with psycopg.connect(self._conninfo, **self._connect_args) as connection:  # type: ignore[arg-type]
                yield connection
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()
            raise ResourceLost(
                f"The database cannot be used: {reason[0] if reason else type(error).__name__}",
                code=DATABASE_UNREACHABLE,
            ) from error
