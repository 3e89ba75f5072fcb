"""A real screen through the proxy, and the same one while its services are killed, cut off and started again."""

import subprocess
import time

import httpx
import pytest
from tests.deployment.engine import restart_command
from tests.deployment.report import Table
from tests.deployment.screens import N_RECORDS, Fingerprint, Screens
from tests.deployment.stack import FLOWER_LOGIN, Stack
from tests.support.waiting import wait_until


def flower(stack: Stack) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{stack.flower_port}", auth=FLOWER_LOGIN, timeout=60)


def finish_equal(screens: Screens, job_id: str, undisturbed: Fingerprint) -> None:
    assert screens.wait_final(job_id).state == "completed"
    assert screens.fingerprint(job_id) == undisturbed


def test_flower_shows_workers_and_tasks_behind_its_password(
    stack: Stack, undisturbed: Fingerprint, table: Table
) -> None:
    assert undisturbed
    with flower(stack) as client:
        for path in ("/", "/workers", "/tasks", "/api/workers", "/api/tasks"):
            assert client.get(path, auth=None).status_code == 401
            assert client.get(path, auth=("watcher", "wrong")).status_code == 401
        workers = wait_until(
            lambda: found if len(found := client.get("/api/workers?refresh=1").json()) == 3 else {},
            120,
            "Flower does not show three workers",
            interval_s=2,
        )
        tasks = client.get("/api/tasks").json()
    assert {queue["name"].partition(".")[0] for w in workers.values() for queue in w["active_queues"]} == {
        *("analyse", "dock", "maintenance", "prepare")
    }
    assert {"mad.dock", "mad.plan", "mad.prepare", "mad.ingest"} <= {task["name"] for task in tasks.values()}
    table.add("Flower behind its password", f"{len(workers)} workers, {len(tasks)} tasks")


@pytest.mark.parametrize("service", ["worker", "api", "redis", "postgres"])
def test_killed_container_loses_nothing(
    stack: Stack, screens: Screens, undisturbed: Fingerprint, table: Table, service: str
) -> None:
    job = screens.submit(f"killed {service}")
    screens.wait_done(job.id, 3)
    victim = stack.containers(service)[0]
    stack.docker("kill", "--signal", "KILL", victim)
    before = _recorded(screens, job.id)
    if service == "worker":
        # The others go on with its ligands; it comes back later.
        screens.wait_done(job.id, before + 2)
    killed = time.monotonic()
    stack.docker("start", victim)
    screens.wait_done(job.id, min(before + 1, N_RECORDS - 1))
    table.add(f"killed {service}", f"next result {time.monotonic() - killed:.0f} s after its start")
    finish_equal(screens, job.id, undisturbed)
    stack.wait_healthy([service])


def _recorded(screens: Screens, job_id: str) -> int:
    """How many results there are, as far as anybody can still say so."""
    try:
        return screens.n_done(job_id)
    except Exception:  # whatever a server without its database answers
        return 3


def test_worker_that_was_cut_off_loses_nothing(
    stack: Stack, screens: Screens, undisturbed: Fingerprint, table: Table
) -> None:
    job = screens.submit("cut off")
    screens.wait_done(job.id, 2)
    worker, network = stack.containers("worker")[0], f"{stack.project}_appnet"
    stack.docker("network", "disconnect", network, worker)
    before = screens.n_done(job.id)
    screens.wait_done(job.id, before + 3)
    stack.docker("network", "connect", "--alias", "worker", network, worker)
    finish_equal(screens, job.id, undisturbed)
    stack.wait_healthy(["worker"])
    table.add("worker cut off and reconnected", "same results, healthy again")


def test_stopped_worker_hands_its_tasks_back(
    stack: Stack, screens: Screens, undisturbed: Fingerprint, table: Table
) -> None:
    job = screens.submit("stopped")
    screens.wait_done(job.id, 2)
    worker = stack.containers("worker")[0]
    began = time.monotonic()
    stack.docker("stop", worker)
    took = time.monotonic() - began
    assert stack.inspect(worker)["State"]["ExitCode"] == 0, "SIGTERM did not arrive, or the grace was too short"
    stack.docker("start", worker)
    finish_equal(screens, job.id, undisturbed)
    table.add("stopped worker", f"left by itself after {took:.0f} s")


def test_down_and_up_keep_the_data(
    stack: Stack, screens: Screens, undisturbed_job: str, undisturbed: Fingerprint, table: Table
) -> None:
    stack.compose("down", "--timeout", "60")
    began = time.monotonic()
    stack.compose("up", "-d", "--scale", "api=2", "--scale", "worker=3")
    stack.wait_ready()
    table.add("down and up", f"ready after {time.monotonic() - began:.0f} s, data kept")
    assert screens.fingerprint(undisturbed_job) == undisturbed
    again = screens.submit("after up")
    finish_equal(screens, again.id, undisturbed)


def test_restarted_engine_loses_nothing(stack: Stack, screens: Screens, undisturbed: Fingerprint, table: Table) -> None:
    """Only where that disturbs nobody else, or where a command is named; else the table says why not."""
    command = restart_command(stack)
    if isinstance(command, str):
        table.add("restarted engine", f"NOT RUN: {command}")
        return
    job = screens.submit("restarted engine")
    screens.wait_done(job.id, 2)
    subprocess.run(command, check=True)
    table.add("restarted engine", f"ready again after {stack.wait_ready():.0f} s")
    finish_equal(screens, job.id, undisturbed)
    stack.wait_healthy(["postgres", "redis", "api", "worker", "flower", "proxy"])


def test_one_request_can_be_followed_from_the_proxy_to_the_worker(stack: Stack) -> None:
    request_id = "followed-through-all-logs"
    with stack.http() as client:
        client.post(
            "/api/v1/libraries",
            params={"file_name": "one.smi", "name": "one"},
            content=b"CCO ethanol\n",
            headers={"X-Request-ID": request_id},
        ).raise_for_status()

    def silent() -> list[str]:
        return [
            service
            for service in ("proxy", "api", "worker")
            if not any(request_id in line for name in stack.containers(service) for line in stack.logs(name))
        ]

    wait_until(lambda: not silent(), 60, lambda: f"not in the logs of {silent()}", interval_s=1)
