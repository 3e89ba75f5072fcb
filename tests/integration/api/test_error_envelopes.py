"""Every error has the envelope, its status and a request id, wherever it comes from."""

import logging
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from tests.support.live_server import LiveServer

from molecular_analysis_dashboard.domain.errors import EngineFailed, ResourceLost
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.presentation.api.application import create_app


def envelope(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["message"].endswith((".", "?", ">"))
    assert error["request_id"] == answer.headers["X-Request-ID"]
    return error


@pytest.mark.parametrize(
    ("method", "address", "request_", "status", "code"),
    [
        ("GET", "/nope", {}, 404, "not_found"),
        ("GET", "/api/v1/nope", {}, 404, "not_found"),
        ("GET", "/assets/../../etc/passwd", {}, 404, "not_found"),
        ("GET", "/assets/%2e%2e/%2e%2e/__init__.py", {}, 404, "not_found"),
        ("PUT", "/api/v1/jobs", {}, 405, "method_not_allowed"),
        ("POST", "/health", {}, 405, "method_not_allowed"),
        ("GET", "/api/v1/jobs/not-a-uuid", {}, 422, "validation_failed"),
        ("GET", f"/api/v1/jobs/{uuid4()}", {}, 404, "job_not_found"),
        ("GET", "/api/v1/jobs?limit=x", {}, 422, "validation_failed"),
        ("GET", "/api/v1/jobs?cursor=x", {}, 422, "invalid_cursor"),
        ("POST", "/api/v1/jobs", {"json": {}}, 422, "validation_failed"),
        ("POST", "/api/v1/jobs", {"content": b"{"}, 400, "malformed_json"),
        ("POST", "/api/v1/jobs", {"content": b'{"a": "\xff"}'}, 400, None),
        ("POST", "/api/v1/jobs", {"content": b"[" * 100_000}, 400, None),
        ("POST", "/api/v1/protocols", {"json": {"name": "x", "protocol": {"seed": 0}}}, 422, "validation_failed"),
        ("POST", "/api/v1/protocols", {"content": b'{"name":"x","protocol":{"n_poses":NaN}}'}, 422, None),
        ("POST", "/api/v1/protocols", {"content": b" " * 17_000_000}, 413, "too_large"),
    ],
)
def test_an_error_has_its_status_and_its_code(
    client: httpx.Client, method: str, address: str, request_: dict[str, Any], status: int, code: str | None
) -> None:
    headers = {"Content-Type": "application/json"} if "content" in request_ else {}
    answer = client.request(method, address, headers=headers, **request_)

    assert answer.status_code == status, answer.text
    error = envelope(answer)
    assert code is None or error["code"] == code


def test_a_method_that_is_not_allowed_is_told_which_are(client: httpx.Client) -> None:
    assert client.put("/health").headers["Allow"] == "GET"


def test_a_refused_value_is_named_with_its_place(client: httpx.Client) -> None:
    body = {"name": "x", "protocol": {"effort": {"exhaustiveness": 0}, "seed": 0}}
    error = envelope(client.post("/api/v1/protocols", json=body))

    places = {problem["where"] for problem in error["details"]["problems"]}
    assert places == {"body.protocol.effort.exhaustiveness", "body.protocol.seed"}


def test_a_request_id_comes_back(client: httpx.Client) -> None:
    answer = client.get("/api/v1/nope", headers={"X-Request-ID": "mine-1"})

    assert envelope(answer)["request_id"] == "mine-1"
    assert client.get("/health", headers={"X-Request-ID": "mine-2"}).headers["X-Request-ID"] == "mine-2"


def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: httpx.Client) -> None:
    answer = client.get("/health", headers={"X-Request-ID": 'a" b'})

    assert len(answer.headers["X-Request-ID"]) == 32


def test_a_request_id_is_kept_with_the_job(client: httpx.Client) -> None:
    body = {"name": "x", "smiles": "C"}
    job = client.post("/api/v1/libraries", json=body, headers={"X-Request-ID": "mine-3"}).json()["job"]

    assert client.get(f"/api/v1/jobs/{job['id']}").json()["request_id"] == "mine-3"


@pytest.fixture
def broken(settings: Settings) -> Any:
    """A server with defects."""
    app: FastAPI = create_app(settings)

    @app.get("/broken")
    def fail() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/engine")
    def fail_engine() -> None:
        raise EngineFailed("an internal sentence")

    @app.get("/lost")
    def lose() -> None:
        raise ResourceLost("The database is out of reach.", code="database_unreachable", reason="host=10.0.0.1")

    with LiveServer(app) as server, server.client() as client:
        yield client


@pytest.mark.parametrize("address", ["/broken", "/engine"])
def test_a_defect_tells_its_name_in_the_log_and_nothing_else(
    broken: httpx.Client, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = broken.get(address, headers={"X-Request-ID": "broken-1"})

    assert answer.status_code == 500
    error = envelope(answer)
    assert error["code"] == "internal_error"
    assert error["request_id"] == "broken-1"
    assert error["details"]["error_id"] in error["message"]
    assert "hunter2" not in answer.text
    assert "internal sentence" not in answer.text
    assert broken.get("/health").status_code == 200


def test_a_lost_resource_asks_for_patience_without_saying_where_it_was(broken: httpx.Client) -> None:
    answer = broken.get("/lost")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert envelope(answer)["details"] == {}
    assert "10.0.0.1" not in answer.text
