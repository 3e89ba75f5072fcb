"""One program that the supervisor keeps running: what it is, how it is started, watched and ended."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import logs
from .child import start_ticks
from .launch import KILL_WAIT_S, launch
from .leftovers import end_session
from .waiting import wait_until


@dataclass(frozen=True)
class ManagedProcess:
    """A program to keep running beside the servers.

    Parameters
    ----------
    name : str
        Names the log file too.
    command : Sequence[str]
        Absolute path of the program, and its arguments.
    environment : Mapping[str, str]
        The whole environment of the program.
    stop_signal : signal.Signals
        Asks it to leave; also what it gets when the supervisor dies.
    stop_timeout_s : float
        How long it may take to leave before it is killed.
    health_check : Callable[[], bool], optional
        True once the program does its work; the next one starts only then.
    start_timeout_s : float
        How long the health check may take to become true.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    health_check: Callable[[], bool] | None = None
    start_timeout_s: float = 60.0


@dataclass(frozen=True)
class RestartPolicy:
    """When and how often something that died is started again.

    Parameters
    ----------
    limit : int
        That many deaths within ``window_s`` seconds end the stack.
    first_delay_s, longest_delay_s : float
        The wait before a restart doubles with each death in the window, between these bounds.
    """

    limit: int = 5
    window_s: float = 60.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 10.0


class DeathRecord:
    """Counts the deaths of one process against the policy."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._times_s: deque[float] = deque()
        self.total = 0

    def add(self, now_s: float) -> float | None:
        """Record a death; the seconds to wait before a restart, or None when the limit is reached."""
        self.total += 1
        self._times_s.append(now_s)
        while now_s - self._times_s[0] > self._policy.window_s:
            self._times_s.popleft()
        if len(self._times_s) >= self._policy.limit:
            return None
        delay_s = self._policy.first_delay_s * 2.0 ** (len(self._times_s) - 1)
        return min(delay_s, self._policy.longest_delay_s)


class RunningProcess:
    """A managed process with the child that presently runs it."""

    def __init__(self, managed: ManagedProcess, logs_folder: Path) -> None:
        self.managed = managed
        self.name = managed.name
        self.log_file = logs_folder / f"{managed.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.started_ticks = 0

    @property
    def pid(self) -> int | None:
        """Process number while the child runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def last_exit(self) -> str:
        """How the child ended, for a message."""
        code = self._process.poll() if self._process else None
        if code is None:
            return "still running"
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def start(self) -> None:
        """Start the child; does not wait for its health."""
        logs.rotate(self.log_file)
        self._process = launch(
            self.managed.command,
            log_file=self.log_file,
            death_signal=self.managed.stop_signal,
            environment=self.managed.environment,
        )
        self.started_ticks = start_ticks(self._process.pid) or 0

    def healthy(self) -> bool:
        """Whether the child runs and passes its health check, if it has one."""
        return self.pid is not None and (self.managed.health_check is None or self.managed.health_check())

    def clear(self) -> None:
        """End whatever a dead child left in its session."""
        if self._process is not None and self._process.poll() is not None:
            end_session(self._process.pid, self.started_ticks)

    def ask_to_leave(self) -> None:
        """Send the child its stop signal; does not wait."""
        if self._process is not None:
            self._process.send_signal(self.managed.stop_signal)

    def stop(self, impatient: Callable[[], bool]) -> None:
        """Wait for the child that was asked to leave, kill it after its time or when impatient, clear its session."""
        process = self._process
        if process is None:
            return
        wait_until(lambda: process.poll() is not None or impatient(), self.managed.stop_timeout_s)
        if process.poll() is None:
            process.kill()
            process.wait(KILL_WAIT_S)
        self.clear()
        self._process = None
