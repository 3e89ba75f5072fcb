"""Whatever an operator gets wrong, every process says so in one line, and goes on as soon as it is put right."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.support.ledger_stack import LedgerStack, ledger_stack
from tests.support.mad_command import free_port
from tests.support.next_release import next_release
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.infrastructure.migrations import head_revision, migrate
from molecular_analysis_dashboard.infrastructure.settings import load_settings

PACKAGE = "molecular_analysis_dashboard"
WORKER = ("celery", "-A", f"{PACKAGE}.infrastructure.celery_app", "worker", "-c", "1", "-l", "warning")
FLOWER = ("celery", "-A", f"{PACKAGE}.infrastructure.celery_app", "flower")
API = ("gunicorn", "-c", f"python:{PACKAGE}.presentation.api.gunicorn_conf", f"{PACKAGE}.presentation.api.main:app")
COMPANION = (f"{PACKAGE}.infrastructure.companion", "{}")
COMPANION_TELLS = ("companion.waits", "companion.goes_on")
NO_DATABASE = "postgresql://mad:hush-hush@127.0.0.1:1/mad"


@dataclass
class Process:
    """A started process with the lines that it has logged."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.logged() if line["event"] == event]

    def wait_for(self, event: str, count: int = 1, timeout_s: float = 60) -> list[dict[str, Any]]:
        def there() -> list[dict[str, Any]]:
            found = self.lines(event)
            return found if len(found) >= count else []

        return wait_until(there, timeout_s, lambda: f"{event} was not logged: {self.log.read_text()[-3000:]}")


@contextmanager
def started(folder: Path, module: Sequence[str], environment: dict[str, str]) -> Iterator[Process]:
    log = folder / f"{module[0].rpartition('.')[2]}-{free_port()}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env=environment, cwd=folder, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        yield Process(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.wait(60) is not None
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


@pytest.fixture(scope="module")
def stack() -> Iterator[LedgerStack]:
    with ledger_stack() as stack:
        yield stack


def execute(stack: LedgerStack, *statements: str) -> None:
    with stack.database.begin(SystemScope()) as uow:
        for statement in statements:
            uow.connection.execute(text(statement))
        uow.commit()


def failing(url: str) -> dict[str, str]:
    """The checks that fail, with what `/ready` says; nothing while the server does not answer."""
    try:
        answer = httpx.get(f"{url}/ready")
    except httpx.TransportError:
        return {}
    return {check["name"]: check["message"] for check in answer.json()["checks"] if not check["ok"]}


@pytest.mark.parametrize("module", [API, WORKER, FLOWER, COMPANION], ids=["api", "worker", "flower", "companion"])
def test_refused_settings_end_each_process_with_one_line(tmp_path: Path, module: tuple[str, ...]) -> None:
    environment = {"PATH": os.environ["PATH"], "ENV": "production", "MAD_LEASE_S": "soon"}
    with started(tmp_path, module, environment) as process:
        assert process.process.wait(60) == 9
    (line,) = process.log.read_text().splitlines()
    told = json.loads(line)
    assert (told["event"], told["code"]) == ("start.refused", "settings_refused")
    for part in ("MAD_LEASE_S=soon: must be a valid number", "SECRET_KEY is not set", "POSTGRES_PASSWORD is not set"):
        assert part in told["message"]


def test_worker_of_another_pool_is_refused(stack: LedgerStack, tmp_path: Path) -> None:
    with started(tmp_path, (*WORKER, "--pool", "solo"), stack.environment) as process:
        assert process.process.wait(60) == 9
    (told,) = process.lines("start.refused")
    assert "prefork" in told["message"]


def test_worker_without_a_database_waits_and_says_so_once(stack: LedgerStack, tmp_path: Path) -> None:
    with started(tmp_path, WORKER, stack.environment | {"DATABASE_URL": NO_DATABASE}) as worker:
        (told,) = worker.wait_for("start.waits")
        assert told["code"] == "database_unreachable"
        assert "Connection refused" in told["reason"]
        # Ends at once when told to.
        worker.process.terminate()
        assert worker.process.wait(20) == 0
    assert len(worker.lines("start.waits")) == 1
    assert "hush-hush" not in worker.log.read_text()


def test_worker_and_api_wait_for_a_schema_that_serves_them_and_then_work_on_that_of_the_next_release(
    stack: LedgerStack, tmp_path: Path
) -> None:
    execute(
        stack,
        "UPDATE alembic_version SET version_num = '39990101_far'",
        "COMMENT ON TABLE alembic_version IS 'serves code at 39990101_far'",
    )
    port = free_port()
    bind = {"PORT": str(port), "WEB_CONCURRENCY": "1"}
    url = f"http://127.0.0.1:{port}"
    with (
        started(tmp_path, WORKER, stack.environment) as worker,
        started(tmp_path, API, stack.environment | bind) as api,
    ):
        (told,) = worker.wait_for("start.waits")
        assert told["code"] == "schema_unusable"
        assert "39990101_far, which this release" in told["reason"]
        job_id = stack.submit({"ethanol": "CCO", "propanol": "CCCO"})
        api.wait_for("Application startup complete.")
        assert failing(url) == {"migrations": told["reason"]}
        assert stack.scalar("SELECT count(*) FROM workers") == 0
        execute(stack, f"UPDATE alembic_version SET version_num = '{head_revision()}'")
        with next_release(tmp_path):
            migrate(load_settings(stack.environment))
        stack.wait_completed(job_id, 90)
        assert {row[0] for row in stack.fingerprint(job_id).values()} == {"scored"}
        assert failing(url) == {}
        assert httpx.get(f"{url}/api/v1/jobs").status_code == 200
        assert len(worker.lines("start.waits")) == len(worker.lines("start.goes_on")) == 1
        assert "29990101_next, newer than this release" in worker.lines("schema.newer")[0]["message"]
    execute(
        stack,
        f"UPDATE alembic_version SET version_num = '{head_revision()}'",
        "ALTER TABLE jobs DROP COLUMN colour",
        "ALTER TABLE results DROP COLUMN verdict",
        "DROP TABLE remarks",
    )


def test_api_names_each_failing_check_and_logs_it_once_per_change(stack: LedgerStack, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.touch()
    port = free_port()
    environment = stack.environment | {"PORT": str(port), "WEB_CONCURRENCY": "1", "UPLOADS_DIR": str(uploads)}
    url = f"http://127.0.0.1:{port}"
    with started(tmp_path, API, environment) as api:
        # In the log before anybody asks.
        api.wait_for("ready.failed")
        api.wait_for("Application startup complete.")
        assert failing(url) == {"storage": "The store of uploads cannot be written to."}
        assert stack.servers.postgres_pid is not None
        os.kill(stack.servers.postgres_pid, signal.SIGQUIT)
        try:
            wait_until(lambda: failing(url).keys() == {"database", "migrations", "storage"}, 20, "not noticed")
            for _ in range(3):
                assert failing(url).keys() == {"database", "migrations", "storage"}
        finally:
            stack.servers.restart_postgres()
        wait_until(lambda: failing(url).keys() == {"storage"}, 20, "PostgreSQL is back, but not noticed")
        uploads.unlink()
        wait_until(lambda: httpx.get(f"{url}/ready").status_code == 200, 20, "the folder is there, but not noticed")
        logged = [line["check"] for line in api.lines("ready.failed")]
        passed = {line["check"] for line in api.lines("ready.passes")}
    assert logged.count("storage") == 1
    # The server says another sentence while it goes down than once it is gone.
    assert 1 <= logged.count("database") <= 3
    assert passed == {"storage", "database", "migrations"}


def test_worker_whose_database_goes_away_says_so_once_and_goes_on(stack: LedgerStack, tmp_path: Path) -> None:
    with started(tmp_path, WORKER, stack.environment) as worker:
        registered = "SELECT count(*) FROM workers WHERE pid = :pid AND ended_at IS NULL"
        wait_until(lambda: stack.scalar(registered, pid=worker.process.pid), 60, "the worker does not register")
        assert stack.servers.postgres_pid is not None
        os.kill(stack.servers.postgres_pid, signal.SIGQUIT)
        worker.wait_for("companion.waits")
        stack.servers.restart_postgres()
        execute(stack, "ALTER DATABASE mad SET default_transaction_read_only = on")
        stack.servers.restart_postgres()
        try:
            wait_until(
                lambda: "database_read_only" in {line["code"] for line in worker.lines("companion.waits")},
                30,
                lambda: worker.log.read_text(),
            )
        finally:
            execute(
                stack,
                "SET TRANSACTION READ WRITE",
                "ALTER DATABASE mad RESET default_transaction_read_only",
            )
        stack.servers.restart_postgres()
        job_id = stack.submit({"ethanol": "CCO"})
        stack.wait_completed(job_id, 90)
        told = [(line["event"], line.get("reason")) for line in worker.logged() if line["event"] in COMPANION_TELLS]
    assert told[-1][0] == "companion.goes_on"
    assert all(line != following for line, following in pairwise(told)), told
