"""Putting a dump back: one script, one transaction, carried out by `psql`.

`pg_restore` writes the dump as SQL; what has to come before and after is written around it. Without the last line, the
COMMIT, nothing has happened: it is sent only once the whole dump was read, checked and written.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from molecular_analysis_dashboard.adapters.persistence.migrations import MIGRATION_LOCK
from molecular_analysis_dashboard.adapters.persistence.postgres_programs import (
    PostgresPrograms,
    address_of,
    child_environment,
    last_line,
)
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.results import ERA_BITS

_CHUNK_BYTES = 1024 * 1024

# No migration may run meanwhile.
_BEFORE = f"""
BEGIN;
SET LOCAL lock_timeout = '30s';
SELECT pg_advisory_xact_lock({MIGRATION_LOCK});
DO $$ BEGIN
    CREATE ROLE mad_tenant NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'mad_tenant', 'MEMBER') THEN
        EXECUTE format('GRANT mad_tenant TO %I', current_user);
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO mad_tenant;
"""

# No worker and no leader of the other cluster is here, and this one's clock rules. Events go on in a new era, because
# the transaction ids of this cluster may be behind those of the other.
_AFTER = f"""
DELETE FROM public.leases;
UPDATE public.workers SET state = 'gone', ended_at = now() WHERE ended_at IS NULL;
UPDATE public.tasks SET heartbeat_at = least(heartbeat_at, now()) WHERE state = 'running';
SELECT pg_catalog.setval('public.events_id_seq',
    ((coalesce(pg_catalog.pg_sequence_last_value('public.events_id_seq'), 0) >> {ERA_BITS}) + 1) << {ERA_BITS});
ANALYZE;
COMMIT;
"""

# pg_restore writes settings that its own version knows; an older server refuses them.
_SETTINGS_OF_NEWER_SERVERS = (b"SET transaction_timeout",)


class _Program:
    """One of the two programs, with what it said on standard error."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, stdout: int) -> None:
        self._name = Path(command[0]).name
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stdout, stderr=self._stderr, env=dict(environment)
        )

    def require_success(self) -> None:
        """Wait for the end; ResourceLost with the program's own words unless it was a good one."""
        status = self.process.wait()
        if status:
            self._stderr.seek(0)
            said = last_line(self._stderr.read()) or f"it ended with status {status}"
            raise ResourceLost(
                f"The database could not be restored, and was left as it was: {self._name}: {said}",
                code="restore_failed",
                status=status,
            )

    def end(self) -> None:
        """Kill it if it still runs: what it has not committed is rolled back."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def restore_dump(programs: PostgresPrograms, conninfo: str, dump: Iterator[bytes], replaced: Sequence[str]) -> None:
    """Put a dump in the place of empty tables.

    Raises
    ------
    ResourceLost
        ``restore_failed``; the database is as it was.
    """
    shown, secrets = address_of(conninfo)
    to_sql = [programs.path("pg_restore"), "--schema=public", "--no-owner", "--file=-"]
    run_sql = [programs.path("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={shown}"]
    with ExitStack() as exits:
        writer = _Program(to_sql, child_environment({}), stdout=subprocess.PIPE)
        exits.callback(writer.end)
        runner = _Program(run_sql, child_environment(secrets), stdout=subprocess.DEVNULL)
        exits.callback(runner.end)
        try:
            _pass_through(dump, writer, _stdin(runner), _BEFORE + _drop(replaced))
            _stdin(runner).write(_AFTER.encode())
            _stdin(runner).close()
        except BrokenPipeError:
            runner.require_success()
            raise
        runner.require_success()


def _pass_through(dump: Iterator[bytes], writer: _Program, script: IO[bytes], before: str) -> None:
    """Write the dump as SQL into the script; whatever is wrong with the dump is raised."""
    script.write(before.encode())
    with ThreadPoolExecutor(1, thread_name_prefix="dump") as threads:
        feeding = threads.submit(_feed, dump, _stdin(writer))
        try:
            _copy_sql(writer, script)
        except BaseException:
            writer.process.kill()
            raise
        # What is wrong with the dump explains what pg_restore says about it.
        feeding.result()
    writer.require_success()


def _feed(dump: Iterator[bytes], stdin: IO[bytes]) -> None:
    with suppress(BrokenPipeError), stdin:
        # A program that ended early says why itself, and the rest of the dump is still checked.
        for piece in dump:
            with suppress(BrokenPipeError):
                stdin.write(piece)


def _copy_sql(writer: _Program, script: IO[bytes]) -> None:
    output = writer.process.stdout
    assert output is not None
    for line in output:
        if not line.startswith(_SETTINGS_OF_NEWER_SERVERS):
            script.write(line)
        if line.startswith(b"CREATE "):
            break
    shutil.copyfileobj(output, script, _CHUNK_BYTES)


def _drop(tables: Sequence[str]) -> str:
    names = ", ".join(f'public."{table}"' for table in tables)
    return f"DROP TABLE IF EXISTS {names} CASCADE;\n" if names else ""


def _stdin(program: _Program) -> IO[bytes]:
    assert program.process.stdin is not None
    return program.process.stdin
