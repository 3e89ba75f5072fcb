"""What all the other tests have left in the logs."""

import json
import re

import httpx
import pytest
from tests.deployment.stack import SECRETS, TOKEN, Stack

OURS = ("migrate", "api", "worker", "flower")
# Nginx has no other form for its error log.
NGINX_ERROR = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(warn|error|crit|alert|emerg)\] ")


@pytest.mark.parametrize("service", OURS)
def test_every_log_line_is_json_and_none_holds_a_secret(stack: Stack, service: str) -> None:
    for container in stack.containers(service):
        lines = stack.logs(container)
        assert lines
        for line in lines:
            assert {"event", "level", "timestamp"} <= set(json.loads(line)), line
        text = "\n".join(lines)
        for secret in (*SECRETS.values(), SECRETS["flower_basic_auth"].partition(":")[2]):
            assert secret not in text


def test_proxy_logs_all_but_its_errors_as_json(stack: Stack) -> None:
    httpx.get(f"{stack.url}/health?token={TOKEN}").raise_for_status()
    text = stack.docker("logs", stack.containers("proxy")[0])
    lines = [json.loads(line) for line in text.splitlines() if not NGINX_ERROR.match(line)]
    assert any(line["path"] == "/health" and line["status"] == 200 for line in lines)
    assert TOKEN not in text
