"""The server as it is deployed: gunicorn with several workers and the packaged set-up."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.integration.api.test_events import listening
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.settings import Settings

APPLICATION = "molecular_analysis_dashboard.presentation.api.main:app"
CONFIGURATIONS = {
    "package": "python:molecular_analysis_dashboard.presentation.api.gunicorn_conf",
    "image": str(Path(__file__).parents[3] / "docker" / "gunicorn_conf.py"),
}


@dataclass
class Gunicorn:
    process: subprocess.Popen[bytes]
    log: Path
    url: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20)

    def workers(self) -> list[int]:
        return sorted(child.pid for child in psutil.Process(self.process.pid).children())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture(params=CONFIGURATIONS)
def gunicorn(
    request: pytest.FixtureRequest, settings: Settings, principal: Principal, tmp_path: Path
) -> Iterator[Gunicorn]:
    del principal
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "TMPDIR": str(tmp_path),
        "DATABASE_URL": settings.database.sqlalchemy_url,
        "REDIS_URL": settings.queue.redis_url,
        "UPLOADS_DIR": str(settings.storage.uploads_dir),
        "RESULTS_DIR": str(settings.storage.results_dir),
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
    }
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", CONFIGURATIONS[request.param], APPLICATION],
            cwd=tmp_path,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    server = Gunicorn(process, log, f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: log.read_text().count("startup complete") == 2, 60, lambda: log.read_text())
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)


def total(client: httpx.Client) -> float:
    counted = 'mad_http_request_seconds_count{method="GET",route="/health",status="200"}'
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(counted):
            return float(line.rpartition(" ")[2])
    return 0.0


def test_the_deployed_server_counts_survives_and_leaves_in_order(gunicorn: Gunicorn, tmp_path: Path) -> None:
    # Many connections spread over both workers; any of them answers for all.
    for _ in range(20):
        with gunicorn.client() as client:
            assert client.get("/health", headers={"X-Request-ID": "gunicorn-1"}).status_code == 200
    with gunicorn.client() as client:
        assert total(client) == 20

        first, second = gunicorn.workers()
        os.kill(first, signal.SIGKILL)
        wait_until(
            lambda: gunicorn.log.read_text().count("startup complete") == 3,
            60,
            lambda: f"no new worker: {gunicorn.log.read_text()}",
        )
        assert second in gunicorn.workers()
    with gunicorn.client() as client:
        assert total(client) == 20
        (own,) = [child for child in tmp_path.iterdir() if child.name.startswith("mad-metrics-")]

    with gunicorn.client() as client, listening(client, "/api/v1/events/stream") as listener:
        gunicorn.process.terminate()
        listener.wait_end()
    assert gunicorn.process.wait(20) == 0
    assert not own.exists()

    access = [line for line in gunicorn.lines() if line.get("event") == "request" and line["path"] == "/health"]
    assert len(access) == 20
    assert {line["request_id"] for line in access} == {"gunicorn-1"}
    assert not [line for line in gunicorn.lines() if line["level"] == "error" and "SIGKILL" not in line["event"]]
