"""Keeps the servers and the processes given to it running, and stops them in order."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import FrameType

from . import logs
from .child import start_ticks
from .errors import AlreadyRunning, StackFailed, unusable
from .keeping import Keeper, KeptServer
from .leftovers import end_session, send_signal
from .lock import FolderLock, holder_pid
from .managed import ManagedProcess, RestartPolicy, RunningProcess
from .servers import EmbeddedAddresses, EmbeddedServers
from .stack_state import (
    Phase,
    ProcessState,
    StackState,
    current_boot_id,
    lock_file,
    read_stack_state,
    recorded_state,
    request_stop,
    state_file,
    write_state,
)
from .waiting import wait_until

__all__ = ["ManagedProcess", "Plan", "RestartPolicy", "StackState", "Supervisor", "read_stack_state", "request_stop"]

_LOOK_EVERY_S = 0.2
_LEFTOVER_GRACE_S = 5.0

Plan = Callable[[EmbeddedAddresses], Sequence[ManagedProcess]]


class Supervisor:
    """Runs one stack: the two servers, then the given processes in order.

    Parameters
    ----------
    servers : EmbeddedServers
        Not started yet; their data folder is that of the stack.
    plan : Callable[[EmbeddedAddresses], Sequence[ManagedProcess]]
        Called once the servers answer; whatever must happen before the first process (migrations) happens in it.
    url : str, optional
        Where people reach the stack; only recorded.
    ports : Mapping[str, int], optional
        TCP ports that the processes listen on; only recorded.
    on_ready : Callable[[StackState], None], optional
        Called once everything is healthy.
    on_stop : Callable[[], None], optional
        Called when the stack begins to stop because it was asked to.
    on_trouble : Callable[[str], None], optional
        Told in a sentence of each process that ended and is started again.
    """

    def __init__(
        self,
        servers: EmbeddedServers,
        plan: Plan,
        *,
        url: str | None = None,
        ports: Mapping[str, int] | None = None,
        policy: RestartPolicy | None = None,
        on_ready: Callable[[StackState], None] | None = None,
        on_stop: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._servers = servers
        self._layout = servers.layout
        self._plan = plan
        self._url = url
        self._ports = dict(ports or {})
        self._policy = policy or RestartPolicy()
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._on_trouble = on_trouble
        self._stop_requests = 0
        self._started_at = ""
        self._addresses: EmbeddedAddresses | None = None
        self._running: list[RunningProcess] = []
        self._keepers: list[Keeper] = []

    def run(self) -> None:
        """Start the stack and keep it up until SIGINT, SIGTERM, SIGHUP or ``request_stop``; then stop it in order.

        Signals are heeded when this is the main thread. A second one kills the processes that take their time; the
        servers are always shut down properly.

        Raises
        ------
        AlreadyRunning
            When a stack runs on this data folder.
        StackFailed
            When a process does not become healthy, or dies too often.
        MadError
            Whatever the servers or the plan raise.
        """
        lock = self._take_lock()
        try:
            with _signals_call(self.request_stop):
                try:
                    self._start()
                    self._watch()
                finally:
                    self._stop()
        finally:
            state_file(self._layout).unlink(missing_ok=True)
            lock.release()

    def request_stop(self) -> None:
        """Make ``run`` stop the stack and return; from any thread, and from a signal handler."""
        self._stop_requests += 1

    def _take_lock(self) -> FolderLock:
        try:
            self._layout.create()
            lock = FolderLock(lock_file(self._layout))
            taken = lock.acquire()
        except OSError as error:
            raise unusable(self._layout.root, error) from error
        if taken:
            return lock
        state, pid = recorded_state(self._layout), holder_pid(lock_file(self._layout))
        url = state.url if state else None
        raise AlreadyRunning(
            f"{self._layout.root} is in use: it runs already as process {pid}{f' at {url}' if url else ''}. "
            "Use that one, stop it with mad down, or choose another folder with --data-dir.",
            data_dir=str(self._layout.root),
            pid=pid,
            url=url,
        )

    def _start(self) -> None:
        stale = recorded_state(self._layout)
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._record("starting")
        if stale is not None:
            _end_recorded(stale)
        self._addresses = self._servers.start()
        self._keepers = [Keeper(server, self._policy, self._on_trouble) for server in self._kept_servers()]
        self._record("starting")
        if self._stop_requests:
            return
        for managed in self._plan(self._addresses):
            if self._stop_requests:
                return
            self._start_process(managed)
        state = self._record("running")
        if self._on_ready:
            self._on_ready(state)

    def _kept_servers(self) -> tuple[KeptServer, KeptServer]:
        servers, folder = self._servers, self._layout.logs
        return (
            KeptServer("postgres", folder / "postgres.log", lambda: servers.postgres_pid, servers.restart_postgres),
            KeptServer("redis", folder / "redis.log", lambda: servers.redis_pid, servers.restart_redis),
        )

    def _start_process(self, managed: ManagedProcess) -> None:
        """Start one process and wait for its health; meanwhile everything started before is kept running."""
        process = RunningProcess(managed, self._layout.logs)
        self._running.append(process)
        process.start()
        self._keepers.append(Keeper(process, self._policy, self._on_trouble))
        self._record("starting")

        def settled() -> bool:
            self._look()
            return bool(self._stop_requests) or process.healthy()

        if not wait_until(settled, managed.start_timeout_s, poll_s=0.05):
            raise StackFailed(
                f"The process {process.name} was not ready after {managed.start_timeout_s:g} s, so the stack was "
                f"stopped. See {process.log_file}.",
                process=process.name,
                log_file=str(process.log_file),
                log=logs.tail(process.log_file),
            )

    def _watch(self) -> None:
        while not self._stop_requests:
            if self._look():
                self._record("running")
            time.sleep(_LOOK_EVERY_S)

    def _look(self) -> bool:
        return any([keeper.look() for keeper in self._keepers])

    def _stop(self) -> None:
        """Stop all processes side by side, then the servers, whatever happens on the way."""
        requests_before = max(self._stop_requests, 1)
        with ExitStack() as stops:
            stops.callback(self._servers.stop)
            for process in self._running:
                stops.callback(process.stop, impatient=lambda: self._stop_requests > requests_before)
            for process in self._running:
                process.ask_to_leave()
            self._record("stopping")
            if self._stop_requests:
                self._on_stop()

    def _record(self, phase: Phase) -> StackState:
        deaths = {keeper.kept.name: keeper.deaths for keeper in self._keepers}
        state = StackState(
            supervisor_pid=os.getpid(),
            supervisor_started_ticks=start_ticks(os.getpid()) or 0,
            boot_id=current_boot_id(),
            phase=phase,
            started_at=self._started_at,
            data_dir=str(self._layout.root),
            url=self._url,
            ports=self._ports,
            addresses=self._addresses,
            processes=tuple(
                ProcessState(
                    name=process.name,
                    pid=process.pid,
                    started_ticks=process.started_ticks,
                    log_file=str(process.log_file),
                    deaths=deaths.get(process.name, 0),
                    stop_signal=int(process.managed.stop_signal),
                    stop_timeout_s=process.managed.stop_timeout_s,
                )
                for process in self._running
            ),
        )
        try:
            write_state(self._layout, state)
        except OSError as error:
            raise unusable(self._layout.root, error) from error
        return state


def _end_recorded(stale: StackState) -> None:
    """End the processes of a stack whose supervisor was killed; they may hold the ports we need.

    Their servers ended with it, so a long grace would only delay the start: there is nobody to hand work back to.
    """
    if stale.boot_id != current_boot_id():
        return
    recorded = [(process, process.pid) for process in stale.processes]
    left = [(process, pid) for process, pid in recorded if pid is not None]
    for process, pid in reversed(left):
        grace_s = min(process.stop_timeout_s, _LEFTOVER_GRACE_S)
        for number, timeout_s in ((signal.Signals(process.stop_signal), grace_s), (signal.SIGKILL, 10)):
            if not send_signal(pid, process.started_ticks, number):
                break
            wait_until(lambda pid=pid, ticks=process.started_ticks: start_ticks(pid) != ticks, timeout_s)  # type: ignore[misc]
        end_session(pid, process.started_ticks)


@contextmanager
def _signals_call(request_stop: Callable[[], None]) -> Iterator[None]:
    """Turn the signals that ask a program to leave into stop requests, in the main thread."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        request_stop()

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN and number == signal.SIGHUP:
            continue  # nohup: the stack is meant to outlive its terminal
        try:
            before[number] = signal.signal(number, handle)
        except ValueError:  # not the main thread
            break
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
