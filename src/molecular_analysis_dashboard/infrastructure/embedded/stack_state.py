"""What a running stack tells other processes about itself, and how they ask it to stop."""

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from .errors import StackFailed, StopFailed
from .leftovers import send_signal
from .lock import holder_pid, is_held
from .paths import DataLayout
from .servers import EmbeddedAddresses
from .waiting import wait_until

Phase = Literal["starting", "running", "stopping"]
_STATE_WAIT_S = 2.0


@dataclass(frozen=True)
class ProcessState:
    """One process of the stack as last recorded."""

    name: str
    pid: int | None
    started_ticks: int
    log_file: str
    deaths: int
    stop_signal: int
    stop_timeout_s: float


@dataclass(frozen=True)
class StackState:
    """A stack as last recorded by its supervisor.

    ``started_at`` is UTC in ISO 8601. Ticks since boot tell a process from a later one with the same number, as long
    as ``boot_id`` is that of the running system.
    """

    supervisor_pid: int
    supervisor_started_ticks: int
    boot_id: str
    phase: Phase
    started_at: str
    data_dir: str
    url: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    addresses: EmbeddedAddresses | None = None
    processes: tuple[ProcessState, ...] = ()


def lock_file(layout: DataLayout) -> Path:
    """The file whose lock the supervisor of a data folder holds."""
    return layout.run / "lock"


def state_file(layout: DataLayout) -> Path:
    """The file in which the supervisor records its state."""
    return layout.run / "stack.json"


def current_boot_id() -> str:
    """A name for the time since the machine (not the container) was started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def write_state(layout: DataLayout, state: StackState) -> None:
    """Replace the record in one step, so that a reader sees the old or the new one."""
    path = state_file(layout)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(state), indent=2))
    unfinished.replace(path)


def recorded_state(layout: DataLayout) -> StackState | None:
    """The record, current or stale; None when there is none, or a crash of the machine left it unreadable."""
    try:
        return _parsed(json.loads(state_file(layout).read_text()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def read_stack_state(data_dir: Path) -> StackState | None:
    """The state of the stack that runs on a data folder, or None when none runs.

    Raises
    ------
    StackFailed
        When a supervisor holds the folder but has not recorded its state.
    """
    layout = DataLayout(Path(data_dir).absolute())
    path = lock_file(layout)
    if not is_held(path):
        return None

    def settled() -> bool:
        state = recorded_state(layout)
        return not is_held(path) or (state is not None and state.supervisor_pid == holder_pid(path))

    if not wait_until(settled, _STATE_WAIT_S):
        pid = holder_pid(path)
        raise StackFailed(f"Process {pid} holds {data_dir} but recorded no state. End it and start again.", pid=pid)
    return recorded_state(layout) if is_held(path) else None


def request_stop(data_dir: Path, timeout_s: float = 60.0) -> bool:
    """Ask the stack on a data folder to stop, and wait until it has.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    StopFailed
        When it belongs to another account, or does not stop within ``timeout_s`` seconds.
    """
    state = read_stack_state(data_dir)
    if state is None:
        return False
    pid = state.supervisor_pid
    try:
        send_signal(pid, state.supervisor_started_ticks, signal.SIGTERM)
    except PermissionError as error:
        raise StopFailed(
            f"The stack of {data_dir} (process {pid}) belongs to another account. Stop it as that account, or as root.",
            pid=pid,
        ) from error
    path = lock_file(DataLayout(Path(data_dir).absolute()))
    if not wait_until(lambda: not is_held(path), timeout_s, poll_s=0.05):
        raise StopFailed(
            f"The stack of {data_dir} (process {pid}) did not stop within {timeout_s:g} s. "
            f"See {state.data_dir}/logs, or end the process.",
            pid=pid,
        )
    return True


def _parsed(record: dict[str, Any]) -> StackState:
    addresses = record["addresses"]
    return StackState(
        **{
            **record,
            "addresses": EmbeddedAddresses(**addresses) if addresses else None,
            "processes": tuple(ProcessState(**process) for process in record["processes"]),
        }
    )
