"""What the proxy's configuration promises; the deployment tests see it work."""

import re

import pytest
from tests.unit.deployment.conftest import ROOT

FOLDER = ROOT / "deploy" / "proxy"
MAIN = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
LOCATIONS = (FOLDER / "locations.inc.template").read_text(encoding="utf-8")
SERVERS = {name: (FOLDER / f"{name}.conf.template").read_text(encoding="utf-8") for name in ("plain", "tls")}


def location(name: str) -> str:
    found = re.search(rf"^location {re.escape(name)} \{{(.*?)^\}}", LOCATIONS, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("text", [MAIN, LOCATIONS, *SERVERS.values()], ids=["main", "locations", *SERVERS])
def test_braces_and_directives_are_closed(text: str) -> None:
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", re.sub(r"\$\{\w+\}", "", code))
    assert unquoted.count("{") == unquoted.count("}")
    for line in map(str.strip, unquoted.splitlines()):
        assert not line or line[-1] in "{};" or "log_format" in code, line


def test_the_api_is_resolved_at_each_request() -> None:
    assert "resolver 127.0.0.11 valid=2s" in MAIN
    assert "set $mad_api http://api:${PORT};" in LOCATIONS
    assert set(re.findall(r"proxy_pass (\S+);", LOCATIONS)) == {"$mad_api"}
    assert "upstream " not in MAIN


def test_uploads_are_streamed_and_the_api_alone_limits_them() -> None:
    assert "client_max_body_size 0;" in MAIN
    assert "proxy_request_buffering off;" in MAIN
    assert "proxy_max_temp_file_size 0;" in MAIN


def test_live_streams_are_neither_buffered_nor_compressed_nor_cut_off() -> None:
    stream = location("~ /events/stream$")
    assert {"proxy_buffering off;", "gzip off;", "proxy_read_timeout 1h;"} <= set(map(str.strip, stream.splitlines()))
    assert "text/event-stream" not in MAIN


def test_request_ids_are_passed_or_made() -> None:
    assert "proxy_set_header X-Request-ID $mad_request_id;" in MAIN
    assert "default $request_id;" in MAIN
    assert "proxy_set_header" not in LOCATIONS, "a header set in a location drops all those of the server"


def test_metrics_are_for_private_addresses() -> None:
    lines = [line.strip() for line in location("= /metrics").splitlines() if line.strip()]
    assert lines[-2:] == ["deny all;", "proxy_pass $mad_api;"]
    assert all(line.startswith("allow ") for line in lines[:-2])


def test_rates_and_connections_of_one_client_are_limited() -> None:
    assert "limit_req zone=requests burst=${PROXY_RATE_BURST} nodelay;" in LOCATIONS
    assert "limit_conn connections 100;" in LOCATIONS
    assert all("rate=${PROXY_RATE};" in server for server in SERVERS.values())


def test_errors_of_the_proxy_have_the_envelope_of_the_api() -> None:
    for name, code in (("@limited", "too_many_requests"), ("@unavailable", "unavailable")):
        assert f'{{"error":{{"code":"{code}","message":"' in location(name)
        assert '"request_id":"$mad_request_id"' in location(name)
    assert "proxy_intercept_errors" not in MAIN + LOCATIONS


def test_the_log_line_holds_no_query_and_no_header_of_the_client() -> None:
    (line,) = re.findall(r"log_format lines escape=json(.*?);", MAIN, re.DOTALL)
    assert "$request_uri" not in line
    assert "$args" not in line
    assert "$http_" not in line


def test_tls_takes_its_files_from_secrets_and_no_old_protocol() -> None:
    assert "ssl_certificate /run/secrets/tls_certificate;" in SERVERS["tls"]
    assert "ssl_certificate_key /run/secrets/tls_key;" in SERVERS["tls"]
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in SERVERS["tls"]
    assert "ssl_certificate" not in SERVERS["plain"]


def test_no_address_of_a_machine_stands_in_the_configuration() -> None:
    hosts = set(re.findall(r"https?://([\w.-]+)", MAIN + LOCATIONS + "".join(SERVERS.values())))
    assert hosts == {"api"}
