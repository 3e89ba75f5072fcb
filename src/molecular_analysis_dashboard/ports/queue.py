"""What use cases need of the broker: delivery of task ids, and a way to wake somebody early."""

from dataclasses import dataclass
from typing import Protocol

from molecular_analysis_dashboard.domain.jobs import ReleasedTask


@dataclass(frozen=True)
class WorkerPulse:
    """The answer of a worker's main process."""

    pid: int
    n_accepted: int


class TaskQueue(Protocol):
    """Delivers task ids to slots. It may lose or double them; the ledger does not mind."""

    def send(self, task: ReleasedTask) -> None:
        """Send one id; ResourceLost when the broker is out of reach."""

    def lost_everything(self) -> bool:
        """Whether the broker's contents were lost since the last call (or since anybody last looked)."""


class WorkerControl(Protocol):
    """Asks the main process of one worker through the broker; ResourceLost when the broker is out of reach."""

    def pulse(self) -> WorkerPulse | None:
        """Ask what it is and what it has accepted; None when it does not answer."""

    def consumed_queues(self) -> frozenset[str]:
        """Ask which queues it consumes; none when it does not answer."""


class Wake(Protocol):
    """Wakes heartbeats early. Losing a wake-up costs at most one heartbeat interval."""

    def send(self) -> None:
        """Wake every slot; never raises."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until woken, at most `timeout_s` seconds; return whether somebody woke us."""


class Drain(Protocol):
    """Whether this worker is being stopped."""

    def seconds_left(self) -> float | None:
        """Seconds of grace left once stopping has begun (may be negative), else None."""
