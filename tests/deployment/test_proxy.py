"""The proxy does what it promises: streams in both directions, ids, compression, limits, TLS."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from tests.deployment.report import Table
from tests.deployment.stack import Stack, free_port
from tests.support.waiting import wait_until

MEGABYTE = 1 << 20
# More than the memory of proxy (48 MB) and API (400 MB).
UPLOAD_MB = 480


def test_requests_without_the_token_are_refused(stack: Stack) -> None:
    answer = httpx.get(f"{stack.url}/api/v1/jobs")
    assert answer.status_code == 401
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_request_ids_are_passed_on_or_made(stack: Stack) -> None:
    with stack.http() as client:
        assert client.get("/health", headers={"X-Request-ID": "my-own-1"}).headers["x-request-id"] == "my-own-1"
        made = client.get("/health", headers={"X-Request-ID": "not usable"}).headers["x-request-id"]
    assert len(made) == 32


def test_answers_are_compressed(stack: Stack) -> None:
    with stack.http() as client:
        assert client.get("/openapi.json").headers["content-encoding"] == "gzip"
        assert "<script" in client.get("/").text, "the dashboard is in the image"


def test_replicas_share_the_requests(stack: Stack) -> None:
    with stack.http() as client:
        for _ in range(20):
            client.get("/health").raise_for_status()
    for container in stack.containers("api"):
        assert any('"172.' in line and '"/health"' in line for line in stack.logs(container)), container


def test_upload_beyond_all_memory_limits_streams_through(stack: Stack, table: Table) -> None:
    def lines() -> Iterator[bytes]:
        for _ in range(UPLOAD_MB):
            yield b"C" * (MEGABYTE - 1) + b"\n"

    with stack.http(timeout=600.0) as client:
        answer = client.post(
            "/api/v1/libraries",
            params={"file_name": "large.smi", "name": "large"},
            content=lines(),
            headers={"Content-Type": "application/octet-stream"},
        )
        assert answer.status_code in (201, 202), answer.text
        client.post(f"/api/v1/jobs/{answer.json()['job']['id']}/cancel")
    for service in ("api", "proxy"):
        for container in stack.containers(service):
            found = stack.inspect(container)
            assert found["State"]["OOMKilled"] is False
            assert found["RestartCount"] == 0
            assert found["HostConfig"]["Memory"] < UPLOAD_MB * MEGABYTE
    table.add("upload through 48 MB proxy and 400 MB API", f"{UPLOAD_MB} MB")


def test_upload_beyond_the_limit_is_refused_by_the_api(stack: Stack) -> None:
    with stack.http() as client:
        answer = client.post(
            "/api/v1/jobs", content=b" " * (17 * MEGABYTE), headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_live_events_pass_at_once(stack: Stack) -> None:
    arrived = threading.Event()

    def listen() -> None:
        with stack.http() as client, client.stream("GET", "/api/v1/events/stream") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in answer.headers
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    arrived.set()
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    with stack.http() as client:

        def upload() -> bool:
            parameters = {"file_name": f"{uuid4().hex}.smi", "name": "small"}
            client.post("/api/v1/libraries", params=parameters, content=b"CCO ethanol\n").raise_for_status()
            return arrived.wait(10)

        wait_until(upload, 60, "no event arrived while the stream was open")


@pytest.fixture(scope="module")
def secure(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the TLS profile, whose proxy lets one request pass each second and ten more at once."""
    port, certificate, key = free_port(), stack.secrets / "tls.crt", stack.secrets / "tls.key"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *made, *names], check=True, capture_output=True)
    key.chmod(0o444)
    variables = {"TLS_PORT": str(port), "TLS_ADDRESS": "127.0.0.1", "PROXY_RATE": "1r/s", "PROXY_RATE_BURST": "10"}
    variables |= {"TLS_CERTIFICATE_FILE": str(certificate), "TLS_KEY_FILE": str(key)}
    compose = ("docker", "compose", "--profile", "tls")
    stack.run(*compose, "up", "-d", "--no-recreate", "--no-deps", "proxy-tls", **variables)
    try:
        stack.wait_healthy(["proxy-tls"])
        context = ssl.create_default_context(cafile=certificate)
        with httpx.Client(base_url=f"https://localhost:{port}", verify=context, timeout=60) as client:
            yield client
    finally:
        stack.run(*compose, "rm", "--force", "--stop", "proxy-tls", **variables)


def test_certificates_from_files_serve_https(stack: Stack, secure: httpx.Client, table: Table) -> None:
    certificate, address = stack.secrets / "tls.crt", str(secure.base_url.join("/health"))
    told = stack.run("curl", "-sSi", "--cacert", str(certificate), address)
    assert told.startswith("HTTP/2 200")
    assert "strict-transport-security: max-age=31536000" in told
    refused = stack.run("sh", "-c", f"curl -sS --tls-max 1.1 --cacert '{certificate}' {address} && exit 1 || true")
    assert "200" not in refused
    table.add("TLS profile", "HTTP/2, 1.2 and newer, certificate from files")


def test_rate_of_one_client_is_limited_in_the_envelope_of_the_api(secure: httpx.Client, table: Table) -> None:
    def ask(_: int) -> httpx.Response:
        return secure.get("/health")

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(200)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    error = refused[0].json()["error"]
    assert (error["code"], error["request_id"]) == ("too_many_requests", refused[0].headers["x-request-id"])
    assert refused[0].headers["retry-after"] == "1"
    wait_until(lambda: secure.get("/health").status_code == 200, 30, "the limit does not let go", interval_s=1.5)
    table.add("200 requests at once, 10 allowed", f"{len(refused)} refused with 429")
