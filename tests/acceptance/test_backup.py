"""An installation at work is backed up, and another one goes on with it as if nothing had been."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.support.contents import files_of, rows_of
from tests.support.ledger_stack import LedgerStack, ledger_stack
from tests.support.live_server import LiveServer
from tests.support.mad_command import Result

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.settings import load_settings
from molecular_analysis_dashboard.presentation.api.application import create_app
from molecular_analysis_dashboard.presentation.api.dependencies import current_principal

LIGANDS = {f"alcohol-{n}": "C" * n + "O" for n in range(1, 25)}
DONE = dict(list(LIGANDS.items())[:4])
# 0.3 s of locked search per ligand: the backup falls into the middle.
EFFORT = 30


def mad(stack: LedgerStack, *arguments: object) -> Result:
    command = [sys.executable, "-m", "molecular_analysis_dashboard.presentation.cli", *map(str, arguments)]
    ran = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False)
    return Result(ran.returncode, ran.stdout, ran.stderr)


@contextmanager
def api_of(stack: LedgerStack) -> Iterator[httpx.Client]:
    app = create_app(load_settings(stack.environment))
    app.dependency_overrides[current_principal] = lambda: Principal(stack.user_id, stack.org_id)
    with LiveServer(app) as server, server.client() as client:
        yield client


def exports(stack: LedgerStack, job_id: object) -> dict[str, str]:
    """What a user sees of a screen."""
    with api_of(stack) as client:
        pages = {
            name: client.get(f"/api/v1/jobs/{job_id}/{name}")
            for name in ("hits", "export/hits.csv", "export/poses.sdf", "export/rejected.csv", "events")
        }
    assert {answer.status_code for answer in pages.values()} == {200}, pages
    return {name: answer.text for name, answer in pages.items()}


@pytest.fixture(scope="module")
def stack() -> Iterator[LedgerStack]:
    with ledger_stack() as stack:
        yield stack


@pytest.fixture
def other(stack: LedgerStack, tmp_path: Path) -> Iterator[LedgerStack]:
    """Servers of another installation, without a schema."""
    with temporary_servers() as servers:
        addresses = servers.addresses
        environment = stack.environment | {
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "UPLOADS_DIR": str(tmp_path / "uploads"),
            "RESULTS_DIR": str(tmp_path / "results"),
        }
        database = SqlDatabase(addresses.database_url)
        other = replace(stack, servers=servers, folder=tmp_path, database=database, environment=environment, workers=[])
        yield other
        other.stop_workers()
        database.close()


def test_job_that_was_running_when_backed_up_is_finished_elsewhere_with_the_same_results(
    stack: LedgerStack, other: LedgerStack, tmp_path: Path
) -> None:
    stack.start_worker()
    finished = stack.submit(DONE)
    stack.wait_completed(finished)
    running = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(running, 3)
    backup = mad(stack, "backup", tmp_path, "--json")
    assert backup.code == 0, backup.stderr
    held = backup.json["tables"]["results"]
    assert len(DONE) + 3 <= held < len(DONE) + len(LIGANDS)
    stack.wait_completed(running)
    stack.stop_workers()

    restored = mad(other, "restore", backup.json["path"])
    assert restored.code == 0, restored.stderr
    assert len(other.fingerprint(running)) == held - len(DONE)
    assert files_of(load_settings(other.environment)) == files_of(load_settings(stack.environment))
    assert exports(other, finished) == exports(stack, finished)
    seen = json.loads(exports(other, running)["events"])["next_cursor"]

    other.start_worker()
    other.wait_completed(running)
    assert other.fingerprint(running) == stack.fingerprint(running)
    lost = "SELECT count(*) FROM attempts WHERE job_id = :id AND end_cause = 'lost'"
    assert other.scalar(lost, id=running) >= 1
    # A client that had followed the job hears of its end, and the listing has each event once.
    with api_of(other) as client:
        told = client.get(f"/api/v1/jobs/{running}/events", params={"after": seen, "limit": 200}).json()["items"]
        everything = client.get(f"/api/v1/jobs/{running}/events", params={"limit": 200}).json()["items"]
    assert told[-1]["type"] == "job.state"
    assert told[-1]["payload"]["state"] == "completed"
    assert everything[-len(told) :] == told
    assert rows_of(load_settings(other.environment))["ligands"] == rows_of(load_settings(stack.environment))["ligands"]
