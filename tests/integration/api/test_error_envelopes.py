"""Every error has the envelope, its status and a request id, wherever it comes from."""

import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.support.live_server import LiveServer

from molecular_analysis_dashboard.domain.errors import EngineFailed, ResourceLost
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.presentation.api.application import create_app

# Well formed, and of no job; fixed, as it is part of the tests' names.
NOBODY_S_JOB = "22f2a143-e3d8-4241-8120-3df2cd555f58"


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
        ("GET", f"/api/v1/jobs/{NOBODY_S_JOB}", {}, 404, "job_not_found"),
        ("GET", "/api/v1/jobs?limit=x", {}, 422, "validation_failed"),
        ("GET", "/api/v1/jobs?cursor=x", {}, 422, "invalid_cursor"),
        ("POST", "/api/v1/jobs", {"json": {}}, 422, "validation_failed"),
        ("POST", "/api/v1/jobs", {"content": b"{"}, 400, "malformed_json"),
        ("POST", "/api/v1/jobs", {"content": b'{"a": "\xff"}'}, 400, None),
        ("POST", "/api/v1/jobs", {"content": b"[" * 100_000}, 400, None),
        ("POST", "/api/v1/protocols", {"json": {"name": "x", "protocol": {"seed": 0}}}, 422, "validation_failed"),
        ("POST", "/api/v1/protocols", {"content": b'{"name":"x","protocol":{"n_poses":NaN}}'}, 422, None),
        ("POST", "/api/v1/protocols", {"content": b" " * 17_000_000}, 413, "too_large"),
        ("POST", "/api/v1/protocols", {"content": b'{"name": "x", "name": "y"}'}, 400, "malformed_json"),
        ("POST", "/api/v1/libraries", {"content": b'{"name": "x", "smiles": "C", "name": "y"}'}, 400, "malformed_json"),
        ("POST", "/api/v1/jobs", {"content": b'{"priority": ' + b"9" * 5000 + b"}"}, 400, "malformed_json"),
        ("GET", "/api/v1/jobs/", {}, 404, "not_found"),
        ("GET", "/api/v1/jobs?bogus=1", {}, 422, "unknown_parameter"),
        ("GET", f"/api/v1/jobs/{NOBODY_S_JOB}?limit=1", {}, 422, "unknown_parameter"),
        ("POST", "/api/v1/protocols?name=x", {"json": {"name": "x"}}, 422, "unknown_parameter"),
        ("POST", "/api/v1/jobs", {"data": {"name": "x"}}, 415, "unsupported_media_type"),
        ("POST", "/api/v1/jobs", {"files": {"file": b"x"}}, 415, "unsupported_media_type"),
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


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/health", "GET, HEAD"),
        ("/api/v1/jobs", "GET, HEAD, POST"),
        (f"/api/v1/jobs/{NOBODY_S_JOB}", "DELETE, GET, HEAD"),
        (f"/api/v1/jobs/{NOBODY_S_JOB}/cancel", "POST"),
    ],
)
def test_a_method_that_is_not_allowed_is_told_which_are(client: httpx.Client, address: str, allowed: str) -> None:
    assert client.put(address).headers["Allow"] == allowed


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/xml", ""])
def test_a_body_that_is_not_sent_as_json_is_refused(client: httpx.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post("/api/v1/protocols", content=b'{"name": "x"}', headers=headers)

    assert answer.status_code == 415
    assert "application/json" in envelope(answer)["message"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.lab+json"])
def test_json_is_taken_under_each_of_its_names(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/api/v1/protocols", content=b'{"name": "x"}', headers={"Content-Type": content_type})

    assert answer.status_code in (200, 201)


def test_an_unknown_parameter_is_named_beside_those_there_are(client: httpx.Client) -> None:
    error = envelope(client.get("/api/v1/jobs?kidn=screen&limit=2"))

    assert "“kidn”" in error["message"]
    assert error["details"] == {"unknown": ["kidn"], "known": ["cursor", "kind", "limit"]}


@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics", "/", "/docs", "/openapi.json", "/api/v1/jobs"])
def test_head_is_answered_as_get_without_the_body(client: httpx.Client, address: str) -> None:
    head, get = client.head(address), client.get(address)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers["X-Request-ID"]


def test_head_of_what_is_not_there_is_the_status_alone(client: httpx.Client) -> None:
    answers = [client.head(address) for address in ("/nope", f"/api/v1/jobs/{NOBODY_S_JOB}", "/api/v1/jobs?bogus=1")]

    assert [answer.status_code for answer in answers] == [404, 404, 422]
    assert client.head(f"/api/v1/jobs/{NOBODY_S_JOB}/cancel").status_code == 405


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"a" 1}', "Expecting ':' delimiter (at character 5)."),
        (b'{"seed": 1, "seed": 2}', "The key “seed” stands twice in one object."),
        (b'{"a": "\xff"}', "It is not UTF-8 text."),
        (b'{"a":' * 100_000, "It is nested too deeply."),
        (b'{"seed": ' + b"1" * 5000 + b"}", "A number has more than 300 digits."),
    ],
)
def test_a_body_that_is_no_json_says_what_is_wrong(client: httpx.Client, content: bytes, sentence: str) -> None:
    answer = client.post("/api/v1/protocols", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    error = envelope(answer)
    assert error["message"] == f"The body is no valid JSON: {sentence}"
    assert sentence.startswith(error["details"]["problem"])


def test_problems_beyond_the_third_are_counted(client: httpx.Client) -> None:
    body = {"name": "x", "protocol": {"seed": 0, "n_poses": 0, "engine": "?", "scoring": "?", "x": [True]}}
    error = envelope(client.post("/api/v1/protocols", json=body))

    assert error["message"].endswith("(and 2 more).")
    assert len(error["details"]["problems"]) == 5
    given = {problem["where"]: problem["given"] for problem in error["details"]["problems"]}
    assert given["body.protocol.x"] == "[true]"


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
