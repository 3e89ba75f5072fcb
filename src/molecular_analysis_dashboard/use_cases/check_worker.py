"""Whether a worker really consumes: what its container's health check asks.

A worker may live, beat and answer, and still take no task: Celery's consumer has been seen to stop after a reconnect
to Redis (celery/celery issues 8030, 10205). So four witnesses are heard: the main process answers over the broker; it
names every queue that it registered for; its companion beats in the database; and no task waits while a slot is free.
"""

import time
from collections.abc import Callable

from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import WorkerView
from molecular_analysis_dashboard.ports.queue import WorkerControl
from molecular_analysis_dashboard.ports.unit_of_work import Database

# Claiming a message takes milliseconds; ten seconds leave room for a loaded machine and a slow Redis.
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.5
# One look may fall between taking a lost task back and sending it again.
_CALM_LOOKS = 2


class WorkerUnfit(MadError):
    """The worker does not do its work; the message says what gave it away."""

    code = "worker_unfit"


class CheckWorker:
    """Hears the witnesses about the worker of one host.

    Parameters
    ----------
    database : Database
        The ledger.
    control : WorkerControl
        The worker's main process.
    host : str
        Where the worker runs, as it registered itself.
    allowance_s : float
        Seconds of silence after which a worker is taken for dead.
    pause : callable
        Waits for a number of seconds.
    """

    def __init__(
        self,
        database: Database,
        control: WorkerControl,
        host: str,
        *,
        allowance_s: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._control = control
        self._host = host
        self._allowance_s = allowance_s
        self._pause = pause

    def __call__(self) -> str:
        """Return a sentence on a worker that does its work.

        Raises
        ------
        WorkerUnfit
            If it does not.
        ResourceLost
            If the database or the broker is out of reach, so that nothing can be said about the worker.
        """
        before = self._control.pulse()
        if before is None:
            raise WorkerUnfit("The worker does not answer over Redis.", code="worker_silent")
        view = self._view(before.pid)
        if view.draining:
            return "The worker is stopping and hands its tasks back."
        missing = view.queues - self._control.consumed_queues()
        if missing:
            raise WorkerUnfit(f"The worker does not consume {', '.join(sorted(missing))}.", code="queue_not_consumed")
        if not self._catches_up(before.pid):
            after = self._control.pulse()
            if after is None or after.n_accepted <= before.n_accepted:
                raise WorkerUnfit(
                    f"Tasks wait and a slot is free, but the worker has taken none for {_PATIENCE_S:g} s.",
                    code="nothing_consumed",
                )
        return f"The worker consumes {', '.join(sorted(view.queues))}."

    def _view(self, pid: int) -> WorkerView:
        with self._database.begin(SystemScope()) as uow:
            view = uow.workers.view(self._host, pid)
        if view is None:
            raise WorkerUnfit(f"No worker of {self._host} is registered in the database.", code="worker_unknown")
        if view.silent_s > self._allowance_s:
            raise WorkerUnfit(f"The worker's last heartbeat is {view.silent_s:.0f} s old.", code="heartbeat_old")
        return view

    def _catches_up(self, pid: int) -> bool:
        """Whether free slots and waiting tasks come together within the patience."""
        calm = 0
        for _ in range(int(_PATIENCE_S / _LOOK_EVERY_S)):
            view = self._view(pid)
            calm = 0 if view.has_free_slot and view.task_waits else calm + 1
            if calm >= _CALM_LOOKS:
                return True
            self._pause(_LOOK_EVERY_S)
        return False
