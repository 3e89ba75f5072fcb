"""The server as it is deployed: gunicorn with several workers and the packaged set-up."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from tests.integration.api.test_events import listening
from tests.support.gunicorn_server import PACKAGED, Gunicorn, gunicorn_server
from tests.support.simulated_worker import SimulatedWorker
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.settings import Settings

CONFIGURATIONS = {
    "package": PACKAGED,
    "image": str(Path(__file__).parents[3] / "docker" / "gunicorn_conf.py"),
}


@pytest.fixture(params=CONFIGURATIONS)
def gunicorn(
    request: pytest.FixtureRequest, settings: Settings, principal: Principal, tmp_path: Path
) -> Iterator[Gunicorn]:
    del principal
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "TMPDIR": str(tmp_path),
        "DATABASE_URL": settings.database.sqlalchemy_url,
        "REDIS_URL": settings.queue.redis_url,
        "UPLOADS_DIR": str(settings.storage.uploads_dir),
        "RESULTS_DIR": str(settings.storage.results_dir),
    }
    with gunicorn_server(tmp_path, environment, configuration=CONFIGURATIONS[request.param]) as server:
        yield server


def samples(client: httpx.Client) -> dict[str, float]:
    """What `/metrics` says: a series that stood there twice would be an error of the server."""
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
    assert len(found) == len(lines)
    return found


def holder_of_a_connection(gunicorn: Gunicorn) -> int:
    def holders() -> list[int]:
        return [
            pid
            for pid in gunicorn.workers()
            if any(open_.status == psutil.CONN_ESTABLISHED for open_ in psutil.Process(pid).net_connections())
        ]

    return wait_until(lambda: held[0] if len(held := holders()) == 1 else 0, 20, lambda: f"held by {holders()}")


def test_the_deployed_server_counts_survives_and_leaves_in_order(
    gunicorn: Gunicorn, worker: SimulatedWorker, tmp_path: Path
) -> None:
    counted = 'mad_http_request_seconds_count{method="GET",route="/health",status="200"}'
    slots = f'mad_slots{{queue="dock.{worker.worker.engine_builds[0]}"}}'
    # Many connections spread over both workers; any of them answers for all.
    for _ in range(20):
        with gunicorn.client() as client:
            assert client.get("/health", headers={"X-Request-ID": "gunicorn-1"}).status_code == 200
    for _ in range(6):
        worker.beat()
        with gunicorn.client() as client:
            found = samples(client)
            assert (found[counted], found[slots], found["mad_ledger_up"]) == (20, 2, 1)

    before = gunicorn.workers()
    with gunicorn.client() as client, listening(client, "/api/v1/events/stream") as listener:
        doomed = holder_of_a_connection(gunicorn)
        # The stream, and this very question.
        assert samples(client)["mad_http_requests_in_progress"] == 2
        os.kill(doomed, signal.SIGKILL)
        listener.wait_end()
    gunicorn.wait_started(3)
    assert set(before) - {doomed} < set(gunicorn.workers())
    for _ in range(6):
        worker.beat()
        with gunicorn.client() as client:
            found = samples(client)
            assert (found[counted], found[slots], found["mad_http_requests_in_progress"]) == (20, 2, 1)
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
