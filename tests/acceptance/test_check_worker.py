"""The health check of a worker tells one that works from one that only lives. All allowances are the defaults."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from tests.support.ledger_stack import LedgerStack, WorkerProcess
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.infrastructure.celery_app import build_celery_app
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.infrastructure.worker_check import check_worker
from molecular_analysis_dashboard.use_cases.check_worker import WorkerUnfit

NODE = f"w0@{socket.gethostname()}"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def worker(shared_stack: LedgerStack) -> Iterator[WorkerProcess]:
    yield shared_stack.start_worker(slots=1)
    shared_stack.stop_workers()


@pytest.fixture
def settings(shared_stack: LedgerStack, worker: WorkerProcess) -> Settings:
    assert worker.process.poll() is None
    return load_settings(shared_stack.environment)


@contextmanager
def suspended(*processes: psutil.Process) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def why_unfit(settings: Settings) -> str:
    """Return the code of what is wrong, "" if nothing is."""
    try:
        check_worker(settings, NODE)
    except WorkerUnfit as error:
        return error.error_code
    return ""


def run_command(stack: LedgerStack, *options: str, **environment: str) -> tuple[int, str]:
    """Run the command as a container's health check does; return its exit status and its one line."""
    command = [sys.executable, "-m", "molecular_analysis_dashboard.presentation.cli", "check-worker"]
    done = subprocess.run(
        [*command, "--node", NODE, *options],
        env=stack.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    return done.returncode, done.stdout


def test_idle_worker_is_fit(shared_stack: LedgerStack, settings: Settings) -> None:
    del settings
    status, line = run_command(shared_stack)
    assert (status, line.partition(" dock.")[0]) == (0, "The worker consumes analyse,"), line


def test_busy_worker_with_a_backlog_is_fit(shared_stack: LedgerStack, settings: Settings) -> None:
    job_id = shared_stack.submit({f"alkane-{n}": "C" * n for n in range(1, 9)}, exhaustiveness=60)
    shared_stack.wait_results(job_id, 1)
    assert why_unfit(settings) == ""
    shared_stack.wait_completed(job_id)


def test_worker_that_does_not_answer_is_unfit(settings: Settings, worker: WorkerProcess) -> None:
    with suspended(psutil.Process(worker.pid)):
        assert why_unfit(settings) == "worker_silent"
    wait_until(lambda: why_unfit(settings) == "", 30, "the worker did not recover")


def test_worker_whose_companion_is_silent_is_unfit(settings: Settings, worker: WorkerProcess) -> None:
    with suspended(worker.companion()):
        wait_until(lambda: why_unfit(settings) == "heartbeat_old", 60, "the silence was not noticed", interval_s=1)
    wait_until(lambda: why_unfit(settings) == "", 30, "the worker did not recover")


def test_worker_that_takes_none_of_the_waiting_tasks_is_unfit(
    shared_stack: LedgerStack, settings: Settings, worker: WorkerProcess
) -> None:
    """As after a lost consumer: the main process answers and names its queues, but no slot gets a message."""
    with suspended(*worker.slots()):
        job_id = shared_stack.submit({"methane": "C"})
        wait_until(lambda: why_unfit(settings) == "nothing_consumed", 60, "the idleness was not noticed")
    shared_stack.wait_completed(job_id)


def test_worker_that_no_longer_consumes_a_queue_is_unfit(settings: Settings) -> None:
    with build_celery_app(settings, sends_only=True) as app:
        app.control.cancel_consumer("maintenance", destination=[NODE], reply=True, timeout=10, limit=1)
        assert why_unfit(settings) == "queue_not_consumed"
        app.control.add_consumer("maintenance", destination=[NODE], reply=True, timeout=10, limit=1)
    assert why_unfit(settings) == ""


@pytest.mark.parametrize("address", ["DATABASE_URL", "REDIS_URL"])
def test_outage_is_no_verdict_on_the_worker(shared_stack: LedgerStack, settings: Settings, address: str) -> None:
    del settings
    nowhere = {"DATABASE_URL": "postgresql://mad@127.0.0.1:1/mad", "REDIS_URL": NOWHERE}[address]
    with pytest.raises(ResourceLost):
        check_worker(load_settings(shared_stack.environment | {address: nowhere}), NODE)


def test_outage_fails_the_command_unless_it_is_forgiven(shared_stack: LedgerStack) -> None:
    assert run_command(shared_stack, REDIS_URL=NOWHERE) == (1, "Redis is out of reach.\n")
    assert run_command(shared_stack, "--forgive-outages", REDIS_URL=NOWHERE) == (0, "Redis is out of reach.\n")


def test_host_without_a_worker_is_unfit(settings: Settings) -> None:
    with pytest.raises(WorkerUnfit, match="does not answer"):
        check_worker(settings, "nobody@nowhere")
