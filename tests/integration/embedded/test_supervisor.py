import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from molecular_analysis_dashboard.infrastructure.embedded.child import start_ticks
from molecular_analysis_dashboard.infrastructure.embedded.errors import StopFailed
from molecular_analysis_dashboard.infrastructure.embedded.supervisor import (
    StackState,
    read_stack_state,
    request_stop,
)
from molecular_analysis_dashboard.infrastructure.embedded.waiting import wait_until

PROGRAM = Path(__file__).with_name("stack_program.py")
SERVE = "exec sleep 600"

Process = dict[str, object]
StartStack = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_stack(data_dir: Path) -> Iterator[StartStack]:
    """Start a stack of shell scripts as another process; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*processes: Process, **order: object) -> subprocess.Popen[str]:
        text = json.dumps({"data_dir": str(data_dir), "processes": processes, **order})
        stack = subprocess.Popen(
            [sys.executable, str(PROGRAM), text],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(stack)
        return stack

    yield start
    for stack in started:
        if stack.poll() is None:
            stack.terminate()
        stack.communicate(timeout=60)


def running(data_dir: Path) -> StackState:
    """The state of the stack once everything is up."""

    def up() -> bool:
        state = read_stack_state(data_dir)
        return state is not None and state.phase == "running"

    assert wait_until(up, 30)
    state = read_stack_state(data_dir)
    assert state is not None
    return state


def pid_of(state: StackState, name: str) -> int:
    pid = next(process.pid for process in state.processes if process.name == name)
    assert pid
    return pid


def deaths_of(data_dir: Path, name: str) -> int:
    state = read_stack_state(data_dir)
    return next((process.deaths for process in state.processes if process.name == name), 0) if state else 0


def ended(*pids: int) -> bool:
    return all(start_ticks(pid) is None for pid in pids)


def servers_of(state: StackState) -> list[int]:
    """Process numbers of the two servers below a supervisor."""
    children = psutil.Process(state.supervisor_pid).children()
    return [child.pid for child in children if child.name() in ("postgres", "redis-server")]


def log_of(data_dir: Path, name: str) -> str:
    path = data_dir / "logs" / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_stack_runs_processes_with_the_addresses_and_stops_on_request(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack({"name": "api", "script": f"echo $DATABASE_URL; {SERVE}"}, {"name": "worker", "script": SERVE})
    state = running(data_dir)
    assert state.supervisor_pid == stack.pid
    assert (state.url, state.ports) == ("http://127.0.0.1:1", {"api": 1})
    assert [process.name for process in state.processes] == ["api", "worker"]
    assert state.addresses
    greeting = f"{state.addresses.database_url}\n"
    assert wait_until(lambda: log_of(data_dir, "api") == greeting, 10)
    pids = [*(pid_of(state, name) for name in ("api", "worker")), *servers_of(state)]
    assert len(pids) == 4
    assert request_stop(data_dir)
    assert stack.wait(10) == 0
    assert ended(*pids)
    assert read_stack_state(data_dir) is None
    assert not request_stop(data_dir)


def test_processes_stop_side_by_side_and_the_database_last(start_stack: StartStack, data_dir: Path, base: Path) -> None:
    """Each leaves only once the other has been asked to, and a table is read at the very end."""
    farewell = f"trap 'touch {base}/%s; while [ ! -e {base}/%s ]; do sleep 0.05; done; exit 0' TERM; "
    wait = "echo up; while :; do sleep 0.05; done"
    stack = start_stack(
        {"name": "first", "script": farewell % ("first", "second") + wait},
        {"name": "second", "script": farewell % ("second", "first") + wait},
    )
    running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "first") == log_of(data_dir, "second") == "up\n", 10)
    request_stop(data_dir)
    _, told = stack.communicate(timeout=10)
    assert told == "stopping\n"
    assert "database system is shut down" in "".join(p.read_text() for p in data_dir.glob("logs/postgres/*.log"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_everything_cleanly(start_stack: StartStack, data_dir: Path, number: signal.Signals) -> None:
    stack = start_stack({"name": "api", "script": SERVE})
    state = running(data_dir)
    pids = [pid_of(state, "api"), *servers_of(state)]
    os.killpg(stack.pid, number)
    assert stack.wait(30) == 0
    assert ended(*pids)
    assert read_stack_state(data_dir) is None


def test_signal_during_the_start_stops_it(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack({"name": "api", "script": SERVE, "ready_file": "/nonexistent"})
    assert wait_until(lambda: read_stack_state(data_dir) is not None, 30)
    stack.send_signal(signal.SIGINT)
    assert stack.wait(30) == 0
    assert read_stack_state(data_dir) is None


def test_next_process_starts_only_when_the_one_before_is_healthy(
    start_stack: StartStack, data_dir: Path, base: Path
) -> None:
    ready = base / "ready"
    start_stack(
        {"name": "api", "script": f"sleep 0.5; touch {ready}; {SERVE}", "ready_file": str(ready)},
        {"name": "worker", "script": f"test -e {ready} && echo after; {SERVE}"},
    )
    running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "worker") == "after\n", 10)


def test_process_that_never_becomes_healthy_stops_the_stack(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack({"name": "api", "script": SERVE, "ready_file": "/nonexistent"})
    _, message = stack.communicate(timeout=30)
    assert stack.returncode == 1
    assert message.startswith("stack_failed: The process api was not ready after 2 s")
    assert str(data_dir / "logs" / "api.log") in message


def test_killed_process_is_started_again(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack({"name": "api", "script": SERVE}, {"name": "worker", "script": SERVE})
    before = running(data_dir)
    os.kill(pid_of(before, "worker"), signal.SIGKILL)

    def restarted() -> bool:
        state = read_stack_state(data_dir)
        assert state
        worker = next(process for process in state.processes if process.name == "worker")
        return worker.pid not in (None, pid_of(before, "worker")) and worker.deaths == 1

    assert wait_until(restarted, 10)
    assert pid_of(running(data_dir), "api") == pid_of(before, "api")
    request_stop(data_dir)
    _, told = stack.communicate(timeout=10)
    log = data_dir / "logs" / "worker.log"
    assert told.splitlines()[0] == f"The process worker ended (signal SIGKILL) and is started again. See {log}."


def test_killed_process_leaves_no_children_behind(start_stack: StartStack, data_dir: Path) -> None:
    start_stack({"name": "api", "script": "sleep 600 & echo $!; wait"})
    state = running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "api").strip().isdigit(), 10)
    child = int(log_of(data_dir, "api"))
    os.kill(pid_of(state, "api"), signal.SIGKILL)
    assert wait_until(lambda: ended(child), 10)


def test_process_that_keeps_dying_stops_the_stack_and_names_its_log(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack({"name": "api", "script": SERVE}, {"name": "worker", "script": "echo no licence; exit 3"})
    _, message = stack.communicate(timeout=60)
    assert stack.returncode == 1
    assert message.count("The process worker ended (exit code 3) and is started again.") == 4
    assert message.splitlines()[-1].startswith(
        "stack_failed: The process worker stopped 5 times within 60 s (last: exit code 3)"
    )
    assert str(data_dir / "logs" / "worker.log") in message
    assert log_of(data_dir, "worker") == "no licence\n" * 5
    assert read_stack_state(data_dir) is None


@pytest.mark.parametrize("server", ["postgres", "redis-server"])
def test_killed_server_comes_back_at_the_same_address(start_stack: StartStack, data_dir: Path, server: str) -> None:
    start_stack({"name": "api", "script": SERVE})
    state = running(data_dir)
    assert state.addresses
    url = state.addresses.database_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    supervisor = psutil.Process(state.supervisor_pid)

    def server_pids() -> set[int]:
        return {child.pid for child in supervisor.children() if child.name() == server and ended(child.pid) is False}

    (old,) = server_pids()
    os.kill(old, signal.SIGKILL)

    def kept() -> bool:
        try:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT value FROM kept").fetchone() == (7,)
        except psycopg.OperationalError:
            return False

    assert wait_until(lambda: bool(server_pids() - {old}) and kept(), 30)
    assert running(data_dir).addresses == state.addresses


def test_next_start_ends_what_a_killed_supervisor_left_and_takes_its_port(
    start_stack: StartStack, data_dir: Path
) -> None:
    stubborn = (
        "import signal, socket, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); s = socket.socket(); "
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', {port})); s.listen(); "
        "print('listening', flush=True); signal.pause()"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = f'exec "{sys.executable}" -I -S -c "{stubborn.format(port=port)}"'
    api: Process = {"name": "api", "script": script, "stop_timeout_s": 0.3}
    first = start_stack(api)
    left = pid_of(running(data_dir), "api")
    assert wait_until(lambda: log_of(data_dir, "api") == "listening\n", 10)
    first.kill()
    first.wait()
    assert read_stack_state(data_dir) is None
    assert not ended(left)
    start_stack(api)
    running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "api") == "listening\nlistening\n", 10)
    assert ended(left)
    assert deaths_of(data_dir, "api") == 0


def test_second_start_names_the_running_one_and_does_no_harm(start_stack: StartStack, data_dir: Path) -> None:
    start_stack({"name": "api", "script": SERVE})
    before = running(data_dir)
    second = start_stack({"name": "api", "script": SERVE})
    _, message = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"already as process {before.supervisor_pid} at http://127.0.0.1:1" in message
    assert running(data_dir) == before
    assert not ended(pid_of(before, "api"))


def test_process_that_ignores_its_signal_is_killed_after_its_time(start_stack: StartStack, data_dir: Path) -> None:
    stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    start_stack({"name": "api", "script": stubborn, "stop_timeout_s": 0.3})
    state = running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "api") == "up\n", 10)
    request_stop(data_dir, timeout_s=20)
    assert ended(pid_of(state, "api"))


def test_second_signal_hurries_a_slow_stop(start_stack: StartStack, data_dir: Path) -> None:
    stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    stack = start_stack({"name": "api", "script": stubborn, "stop_timeout_s": 600})
    running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "api") == "up\n", 10)
    with pytest.raises(StopFailed, match=f"process {stack.pid}"):
        request_stop(data_dir, timeout_s=0.5)
    state = read_stack_state(data_dir)
    assert state is not None
    assert state.phase == "stopping"
    assert request_stop(data_dir, timeout_s=20)
    assert stack.wait(10) == 0


def test_failing_plan_stops_the_servers(start_stack: StartStack, data_dir: Path) -> None:
    stack = start_stack(plan_fails=True)
    _, message = stack.communicate(timeout=30)
    assert (stack.returncode, message) == (1, "invalid_input: the plan failed\n")
    assert read_stack_state(data_dir) is None
    assert not list((data_dir / "sockets").iterdir())


def test_grown_log_is_set_aside_at_the_start(start_stack: StartStack, data_dir: Path) -> None:
    (data_dir / "logs").mkdir(parents=True)
    with (data_dir / "logs" / "api.log").open("wb") as log:
        log.truncate(6 * 1024 * 1024)
    start_stack({"name": "api", "script": f"echo fresh; {SERVE}"})
    running(data_dir)
    assert wait_until(lambda: log_of(data_dir, "api") == "fresh\n", 10)
    assert (data_dir / "logs" / "api.log.1").stat().st_size == 6 * 1024 * 1024


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"phase": "running"}'])
def test_folder_without_a_running_stack_has_no_state(data_dir: Path, content: str | None) -> None:
    if content is not None:
        (data_dir / "run").mkdir(parents=True)
        (data_dir / "run" / "lock").write_text(str(os.getpid()))
        (data_dir / "run" / "stack.json").write_text(content)
    assert read_stack_state(data_dir) is None
    assert not request_stop(data_dir)


def test_unreadable_record_of_a_crashed_machine_does_not_hinder_a_start(
    start_stack: StartStack, data_dir: Path
) -> None:
    (data_dir / "run").mkdir(parents=True)
    (data_dir / "run" / "stack.json").write_text("\0" * 100)
    start_stack({"name": "api", "script": SERVE})
    running(data_dir)
