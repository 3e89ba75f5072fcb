"""Taking the database out: what it held at one moment, and its dump."""

import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from molecular_analysis_dashboard.adapters.persistence.postgres_programs import (
    PostgresPrograms,
    address_of,
    child_environment,
    last_line,
)
from molecular_analysis_dashboard.domain.backups import DatabaseContents, StoredFile
from molecular_analysis_dashboard.domain.errors import Misconfigured, ResourceLost

_CHUNK_BYTES = 1024 * 1024

# Which column names a file of which store; a test finds every such column.
FILE_COLUMNS = (
    ("structures", "sha256", "uploads"),
    ("libraries", "sha256", "uploads"),
    ("receptors", "pdbqt_sha256", "results"),
    ("receptors", "pdb_sha256", "results"),
)

_TABLES: LiteralString = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
_ROLES: LiteralString = """
    SELECT DISTINCT granted.rolname
    FROM pg_class c, aclexplode(c.relacl) acl JOIN pg_roles granted ON granted.oid = acl.grantee
    WHERE c.relnamespace = 'public'::regnamespace AND granted.oid <> c.relowner ORDER BY 1
"""


def referenced_files(connection: psycopg.Connection[Any]) -> frozenset[StoredFile]:
    """Every file that some row refers to, as the connection sees the rows."""
    files = set()
    for table, column, store in FILE_COLUMNS:
        query = sql.SQL("SELECT DISTINCT {0} FROM public.{1} WHERE {0} IS NOT NULL").format(
            sql.Identifier(column), sql.Identifier(table)
        )
        files |= {StoredFile(store, row[0]) for row in connection.execute(query)}
    return frozenset(files)


class PgDumpSnapshot:
    """Implements `DatabaseSnapshot` in a transaction whose snapshot `pg_dump` shares."""

    def __init__(self, connection: psycopg.Connection[Any], programs: PostgresPrograms, conninfo: str) -> None:
        self._connection = connection
        self._programs = programs
        self._conninfo = conninfo
        # The transaction only waits while the dump runs, however long that takes.
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        connection.commit()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        self._id = self._value("SELECT pg_export_snapshot()")
        self.contents = self._contents()

    def dump(self) -> Iterator[bytes]:
        """See `DatabaseSnapshot.dump`."""
        shown, secrets = address_of(self._conninfo)
        command = [self._programs.path("pg_dump"), "--format=custom", "--schema=public", f"--snapshot={self._id}"]
        with tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                [*command, f"--dbname={shown}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=child_environment(secrets),
            )
            output = process.stdout
            assert output is not None
            try:
                with output:
                    while piece := output.read(_CHUNK_BYTES):
                        yield piece
                status = process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if status:
                stderr.seek(0)
                raise ResourceLost(f"pg_dump failed: {last_line(stderr.read())}", code="dump_failed", status=status)

    def _contents(self) -> DatabaseContents:
        tables = [row[0] for row in self._connection.execute(_TABLES)]
        if "alembic_version" not in tables:
            raise Misconfigured(
                "The database has no schema, so there is nothing to back up. Check the address of the database.",
                code="no_schema",
            )
        counts = {
            table: self._value(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table)))
            for table in tables
        }
        return DatabaseContents(
            revision=self._value("SELECT version_num FROM public.alembic_version"),
            server_major=self._connection.info.server_version // 10_000,
            dump_major=self._programs.major,
            tables=counts,
            roles=tuple(row[0] for row in self._connection.execute(_ROLES)),
            files=tuple(sorted(referenced_files(self._connection))),
        )

    def _value(self, query: LiteralString | sql.Composed) -> Any:  # noqa: ANN401
        row = self._connection.execute(query).fetchone()
        assert row is not None, "every query here has a row"
        return row[0]
