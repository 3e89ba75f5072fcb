"""Migrations and integration tests on PostgreSQL 15, so that the contract's 16 lies between what is tested (15, 18)."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deployment.report import Table
from tests.deployment.stack import ROOT
from tests.support.postgres_programs import VARIABLE

# Where Debian's package postgresql-15 puts them.
_DEBIAN = "/usr/lib/postgresql/15/bin"
_FOLDERS = ("migrations", "ledger", "api")


def test_migrations_and_integration_tests_pass_on_postgresql_15(table: Table) -> None:
    programs = Path(os.environ.get(VARIABLE, _DEBIAN))
    if not (programs / "postgres").is_file():
        table.add("integration tests on PostgreSQL 15", f"NOT RUN: no {programs}; apt-get install postgresql-15")
        return
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/integration/{folder}" for folder in _FOLDERS)],
        cwd=ROOT,
        env=os.environ | {VARIABLE: str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    (counts,) = re.findall(r"^passed .*$", done.stdout, re.MULTILINE) or [""]
    table.add(f"integration tests on {version.strip()}", counts or "did not end")
    assert done.returncode == 0, done.stdout[-4000:]
