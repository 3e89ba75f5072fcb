"""Liveness, readiness and metrics; the reference page and the dashboard."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import SMILES, Bench
from tests.support.live_server import LiveServer
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.migrations import migrate
from molecular_analysis_dashboard.infrastructure.readiness import Readiness
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.presentation.api.application import create_app
from molecular_analysis_dashboard.presentation.api.routers import web


@pytest.fixture(scope="module")
def own_servers() -> Iterator[EmbeddedServers]:
    """Servers that these tests may stop."""
    with temporary_servers() as servers:
        yield servers


@pytest.fixture
def own_settings(own_servers: EmbeddedServers, tmp_path: Path) -> Settings:
    return load_settings(
        {
            "DATABASE_URL": own_servers.addresses.database_url,
            "REDIS_URL": own_servers.addresses.redis_url,
            "UPLOADS_DIR": str(tmp_path / "uploads"),
            "RESULTS_DIR": str(tmp_path / "results"),
        }
    )


@pytest.fixture
def own_client(own_settings: Settings) -> Iterator[httpx.Client]:
    with LiveServer(create_app(own_settings)) as server, server.client() as client:
        yield client


def failing(client: httpx.Client) -> tuple[int, list[str]]:
    answer = client.get("/ready")
    body = answer.json()
    assert body["status"] == ("ready" if answer.status_code == 200 else "not_ready")
    assert [check["name"] for check in body["checks"]] == ["database", "migrations", "broker", "storage"]
    return answer.status_code, [check["name"] for check in body["checks"] if not check["ok"]]


def test_a_server_gets_ready_step_by_step(
    own_servers: EmbeddedServers, own_settings: Settings, own_client: httpx.Client
) -> None:
    assert failing(own_client) == (503, ["migrations"])
    (check,) = [check for check in own_client.get("/ready").json()["checks"] if not check["ok"]]
    assert "alembic upgrade head" in check["message"]

    migrate(own_settings)
    assert failing(own_client) == (200, [])

    assert own_servers.redis_pid is not None
    os.kill(own_servers.redis_pid, signal.SIGKILL)
    wait_until(lambda: failing(own_client) == (503, ["broker"]), 20, "Redis is gone, but ready")
    own_servers.restart_redis()
    wait_until(lambda: failing(own_client) == (200, []), 20, "Redis is back, but not ready")


def test_without_a_database_the_server_lives_and_says_so(
    own_servers: EmbeddedServers, own_settings: Settings, own_client: httpx.Client
) -> None:
    migrate(own_settings)
    assert own_client.get("/api/v1/jobs").status_code == 200
    assert own_servers.postgres_pid is not None
    os.kill(own_servers.postgres_pid, signal.SIGQUIT)
    try:
        wait_until(
            lambda: failing(own_client) == (503, ["database", "migrations"]), 20, "PostgreSQL is gone, but ready"
        )
        assert own_client.get("/health").status_code == 200
        answer = own_client.get("/api/v1/jobs")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unreachable")
        assert "mad_ledger_up 0.0" in own_client.get("/metrics").text
    finally:
        own_servers.restart_postgres()
    wait_until(lambda: failing(own_client) == (200, []), 20, "PostgreSQL is back, but not ready")
    assert own_client.get("/api/v1/jobs").status_code == 200


def test_storage_that_cannot_be_written_to_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = settings.storage.model_copy(update={"results_dir": tmp_path / "file"})
    with (
        LiveServer(create_app(settings.model_copy(update={"storage": storage}))) as server,
        server.client() as client,
    ):
        assert failing(client) == (503, ["storage"])
        assert str(tmp_path) not in client.get("/ready").text


def test_callers_that_overlap_all_get_an_answer(client: httpx.Client) -> None:
    def ask(_number: int) -> set[int]:
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            return {own.get("/ready").status_code for _ in range(10)}

    with ThreadPoolExecutor(8) as callers:
        assert set().union(*callers.map(ask, range(8))) == {200}


def test_a_check_that_fails_in_any_way_is_named() -> None:
    def broken() -> None:
        raise RuntimeError("a defect with the password hunter2")

    readiness = Readiness({"first": broken, "second": lambda: None})
    first, second = readiness()
    readiness.close()
    assert (first.name, first.ok) == ("first", False)
    assert "hunter2" not in first.message
    assert (second.name, second.ok) == ("second", True)


def test_health_touches_nothing(tmp_path: Path) -> None:
    nowhere = load_settings(
        {
            "DATABASE_URL": "postgresql://x:x@127.0.0.1:1/x",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "UPLOADS_DIR": str(tmp_path / "uploads"),
            "RESULTS_DIR": str(tmp_path / "results"),
        }
    )
    with LiveServer(create_app(nowhere)) as server, server.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert failing(client) == (503, ["database", "migrations", "broker"])
    assert not (tmp_path / "uploads" / "x").exists()


def test_metrics_count_requests_by_route_and_read_the_ledger(bench: Bench) -> None:
    job_id = bench.submit()
    bench.worker.plan(job_id, tasks=3)
    bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0), end=False)
    bench.client.get(f"/api/v1/jobs/{job_id}")
    bench.client.get(f"/api/v1/jobs/{UUID(int=1)}")
    bench.client.get("/made/up/by/a/client")

    lines = bench.client.get("/metrics").text.splitlines()
    queue = f'queue="dock.{bench.worker.worker.engine_builds[0]}"'
    assert "mad_ledger_up 1.0" in lines
    assert f"mad_queue_depth{{{queue}}} 2.0" in lines
    assert f"mad_tasks_running{{{queue}}} 1.0" in lines
    assert f"mad_slots{{{queue}}} 2.0" in lines
    assert any(line.startswith('mad_jobs{state="running"}') for line in lines)
    # Where there is nothing stands a zero.
    assert {'mad_queue_depth{queue="prepare"} 0.0', 'mad_tasks_running{queue="prepare"} 0.0'} <= set(lines)
    assert 'mad_jobs{state="paused"} 0.0' in lines
    counted = [line for line in lines if line.startswith("mad_http_request_seconds_count")]
    assert any('route="/api/v1/jobs/{job_id}",status="200"' in line for line in counted)
    assert any('route="/api/v1/jobs/{job_id}",status="404"' in line for line in counted)
    assert any('route="unmatched",status="404"' in line for line in counted)
    assert str(job_id) not in "".join(counted)


def test_the_reference_page_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    answer = client.get("/docs")

    assert answer.status_code == 200
    assert "/api/v1/jobs/{job_id}/events/stream" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_the_dashboard_is_served_with_its_assets(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets" / "index-1a2b.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(web, "STATIC", tmp_path)

    page, asset = client.get("/"), client.get("/assets/index-1a2b.js")
    assert page.text == "<!doctype html><title>page</title>"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.headers["Content-Security-Policy"]
    assert (asset.text, asset.headers["Cache-Control"]) == ("1", "public, max-age=31536000, immutable")
    assert asset.headers["Content-Type"].startswith("text/javascript")
    for address in ("/assets/../secret.txt", "/assets/%2e%2e/secret.txt", "/assets/", "/assets/nope.js"):
        assert client.get(address).status_code == 404


def test_without_a_dashboard_the_page_says_so(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "STATIC", tmp_path)
    answer = client.get("/")

    assert answer.status_code == 200
    assert "without building the front end" in answer.text
    assert 'href="/docs"' in answer.text
