"""Each variable of the contract has its effect: the stack runs with other values than the defaults."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.deployment.stack import PASSWORD, Stack
from tests.deployment.test_screen import flower
from tests.support.waiting import wait_until


def psql(stack: Stack, query: str) -> str:
    postgres = stack.containers("postgres")[0]
    return stack.execute(postgres, "psql", "-U", "lab", "-d", "screens", "-Atc", query).strip()


@pytest.fixture(scope="module")
def celery(stack: Stack) -> dict[str, Any]:
    """What Flower says about one worker."""
    with flower(stack) as client:
        found: dict[str, Any] = wait_until(
            lambda: client.get("/api/workers?refresh=1").json(), 120, "Flower shows no worker", interval_s=2
        )
    worker = next(iter(found.values()))
    assert isinstance(worker, dict)
    return worker


def test_port_and_host_are_where_the_api_listens(stack: Stack) -> None:
    script = (
        "import pathlib; rows = [r.split() for r in pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]]; "
        "print(*sorted({r[1] for r in rows if r[3] == '0A' and r[1].startswith('00000000')}))"
    )
    listening = stack.execute(stack.containers("api")[0], "python", "-c", script).split()
    assert listening == [f"00000000:{stack.port:04X}"]


def test_web_concurrency_wins_over_uvicorn_workers_and_the_mismatch_is_logged(stack: Stack) -> None:
    container = stack.containers("api")[0]
    processes = stack.docker("top", container, "-eo", "pid,args").splitlines()
    assert len([line for line in processes if "gunicorn" in line and "docker-init" not in line]) == 2, "master and one"
    assert any("WEB_CONCURRENCY=1 and UVICORN_WORKERS=3 differ" in line for line in stack.logs(container))


def test_log_level_lets_debug_lines_through(stack: Stack) -> None:
    for service in ("api", "worker"):
        assert any(json.loads(line)["level"] == "debug" for line in stack.logs(stack.containers(service)[0])), service


def test_postgres_has_the_user_the_database_the_port_and_the_password(stack: Stack) -> None:
    assert psql(stack, "SELECT current_user, current_database(), current_setting('port')") == "lab|screens|5544"
    used = psql(stack, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'lab' AND client_addr IS NOT NULL")
    assert int(used) > 0, "over the network, so with the password from the file"


def test_database_url_is_used_with_any_driver_and_an_encoded_password(stack: Stack) -> None:
    url = f"postgresql+asyncpg://lab:{quote(PASSWORD, safe='')}@postgres:5544/screens?ssl=disable"
    told = stack.run(
        *("docker", "compose", "run", "--rm", "--no-deps", "-e", "DATABASE_URL", "-e", "POSTGRES_PASSWORD_FILE="),
        *("-e", "POSTGRES_HOST=nowhere", "-e", "POSTGRES_PASSWORD=unused-unused", "migrate", "alembic", "current"),
        DATABASE_URL=url,
    )
    assert "(head)" in told


def test_wrong_password_is_told_in_one_line(stack: Stack) -> None:
    wrong = "-e POSTGRES_PASSWORD_FILE= -e POSTGRES_PASSWORD=wrong-password-1"
    told = stack.run("sh", "-c", f"docker compose run --rm --no-deps -T {wrong} migrate && exit 1 || true")
    (line,) = [line for line in told.splitlines() if "password authentication failed" in line]
    assert json.loads(line)["event"] == "migration.failed"
    assert "Traceback" not in told
    assert "wrong-password-1" not in told


def test_broker_and_result_backend_are_the_databases_that_were_named(stack: Stack) -> None:
    redis = stack.containers("redis")[0]

    def keys(number: int) -> str:
        return stack.execute(redis, "redis-cli", "-p", "6390", "-n", str(number), "keys", "*")

    assert "_kombu.binding." in keys(4)
    assert "celery-task-meta-" in keys(5)
    assert "_kombu" not in keys(3)
    assert stack.execute(redis, "redis-cli", "-p", "6390", "config", "get", "appendonly").split() == [
        "appendonly",
        "yes",
    ]


def test_worker_has_its_slots_prefetch_and_late_acknowledgement(celery: dict[str, Any]) -> None:
    assert celery["stats"]["pool"]["max-concurrency"] == 1
    assert celery["stats"]["prefetch_count"] == 2
    assert celery["conf"]["task_acks_late"] is True
    assert celery["conf"]["worker_send_task_events"] is True


def test_late_acknowledgement_can_be_switched_off(stack: Stack) -> None:
    module = "molecular_analysis_dashboard.infrastructure.celery_app"
    script = f"from {module} import celery_app; print(celery_app.conf.task_acks_late)"
    told = stack.run(
        *("docker", "compose", "run", "--rm", "--no-deps", "-T", "worker", "python", "-c", script),
        CELERY_ACKS_LATE="false",
    )
    assert told.split()[-1] == "False"


def test_files_lie_in_the_folders_that_were_named(stack: Stack) -> None:
    for service in ("api", "worker"):
        listed = stack.execute(stack.containers(service)[0], "ls", "/data/uploads", "/data/results")
        assert {"there", "here"} <= set(listed.split())
