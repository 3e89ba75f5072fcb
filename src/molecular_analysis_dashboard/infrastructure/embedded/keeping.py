"""Starting again what dies, with growing pauses and a limit."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from . import logs
from .errors import ServerFailed, StackFailed
from .managed import DeathRecord, RestartPolicy


class Kept(Protocol):
    """Something that is kept running."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def log_file(self) -> Path:
        """Where a person finds out why it died."""
        ...

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        ...

    @property
    def last_exit(self) -> str:
        """How it ended, for a message."""
        ...

    def start(self) -> None:
        """Start it, or start it again."""
        ...

    def clear(self) -> None:
        """End what it left behind."""
        ...


class KeptServer:
    """One of the two servers, seen as something that is kept running."""

    def __init__(self, name: str, log_file: Path, pid: Callable[[], int | None], restart: Callable[[], None]) -> None:
        self.name = name
        self.log_file = log_file
        self._pid = pid
        self._restart = restart
        self.last_exit = "it ended by itself"

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        return self._pid()

    def start(self) -> None:
        """Start it again; a start that fails counts as one more death."""
        try:
            self._restart()
        except ServerFailed as error:
            self.last_exit = error.message

    def clear(self) -> None:
        """Nothing: a restart ends what a dead server left behind."""


class Keeper:
    """Watches one thing, starts it again as the policy says, and tells so in a sentence."""

    def __init__(self, kept: Kept, policy: RestartPolicy, tell: Callable[[str], None]) -> None:
        self.kept = kept
        self._policy = policy
        self._tell = tell
        self._record = DeathRecord(policy)
        self._restart_at_s: float | None = None

    @property
    def deaths(self) -> int:
        """How often it died since the stack started."""
        return self._record.total

    def look(self) -> bool:
        """See to it once; true when something changed.

        Raises
        ------
        StackFailed
            When it died as often as the policy allows.
        """
        if self._restart_at_s is None:
            if self.kept.pid is not None:
                return False
            self._died()
            return True
        if time.monotonic() < self._restart_at_s:
            return False
        self._restart_at_s = None
        self.kept.start()
        return True

    def _died(self) -> None:
        kept, now_s = self.kept, time.monotonic()
        kept.clear()
        delay_s = self._record.add(now_s)
        if delay_s is None:
            raise StackFailed(
                f"The process {kept.name} stopped {self._policy.limit} times within {self._policy.window_s:g} s "
                f"(last: {kept.last_exit}), so the stack was stopped. See {kept.log_file}.",
                process=kept.name,
                reason=kept.last_exit,
                log_file=str(kept.log_file),
                log=logs.tail(kept.log_file),
            )
        self._restart_at_s = now_s + delay_s
        self._tell(f"The process {kept.name} ended ({kept.last_exit}) and is started again. See {kept.log_file}.")
