"""The companion of a worker: speaks for it in the database, and leads when it holds the lease.

It runs as a process of its own, because the Celery main process forks slots and must hold no connection. SIGTERM means
that the worker drains; the end of standard input means that the worker has stopped. The kernel ends it with the worker.
"""

import contextlib
import os
import select
import signal
import sys
import time

import structlog
from pydantic import TypeAdapter
from redis import Redis

from molecular_analysis_dashboard.adapters.engines.parent_death import die_with_parent
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.queue.broker import CeleryTaskQueue
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import Worker
from molecular_analysis_dashboard.infrastructure import worker_metrics
from molecular_analysis_dashboard.infrastructure.celery_app import build_celery_app
from molecular_analysis_dashboard.infrastructure.database_watch import DatabaseWatch, Troubles
from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors
from molecular_analysis_dashboard.infrastructure.refusal import refusal_in_one_line
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.infrastructure.sweeper import Sweeper
from molecular_analysis_dashboard.infrastructure.tracing import start_tracing
from molecular_analysis_dashboard.ports.telemetry import Telemetry
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE
from molecular_analysis_dashboard.use_cases.dispatch_tasks import DispatchTasks
from molecular_analysis_dashboard.use_cases.reconcile import Allowances, Calm, Reconcile
from molecular_analysis_dashboard.use_cases.submit_analysis import StartAnalyses

# Run as a program, this module is called __main__.
log = structlog.get_logger(__spec__.name)

_LEASE = "leader"
_NO_BEATS = frozenset({DATABASE_UNREACHABLE, "database_full", "database_read_only", "schema_unusable"})
_LOOK_EVERY_S = 10.0
# Short beside the worker allowance: when the database is back, nobody shall be taken for dead.
_LONGEST_PAUSE_S = 2.0
# The worker waits five seconds for the goodbye.
_LAST_BATCH_S = 2.0


class Companion:
    """The loop: beat for the worker, hold the lease, dispatch, reconcile; the leader's sweeps run beside it."""

    def __init__(self, settings: Settings, worker: Worker, telemetry: Telemetry) -> None:
        self._counters = telemetry.counters
        self._settings = settings.ledger
        self._worker = worker
        self._database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=1)
        self._watch = DatabaseWatch(self._database.engine)
        self._troubles = Troubles("companion", longest_pause_s=_LONGEST_PAUSE_S)
        redis = Redis.from_url(settings.queue.redis_url, socket_connect_timeout=2, socket_timeout=5)
        queue = CeleryTaskQueue(build_celery_app(settings, sends_only=True), redis, telemetry.tracing)
        self._dispatch = DispatchTasks(self._database, queue)
        self._calm = Calm(self._settings.worker_allowance_s)
        self._reconcile = Reconcile(
            self._database,
            self._calm,
            Allowances(
                self._settings.worker_allowance_s, self._settings.resend_after_s, self._settings.planning_window_tasks
            ),
            telemetry,
        )
        self._start_analyses = StartAnalyses(self._database, target_s=self._settings.task_target_s)
        self._sweeper = Sweeper(settings, lambda: self._epoch is not None)
        self._draining = False
        self._epoch: int | None = None
        self._next_look = self._next_beat = self._next_lease = self._next_reconcile = 0.0

    def begin_drain(self, *_: object) -> None:
        """Note that the worker stops (a signal handler)."""
        self._draining = True
        self._next_beat = 0.0

    def run(self) -> None:
        """Loop until standard input ends."""
        self._sweeper.start()
        pause_s = self._settings.dispatch_interval_s
        while not _input_ended(pause_s):
            try:
                self._round(time.monotonic())
            except ResourceLost as error:
                # Beats are missing only while the database cannot take them; the broker has no part in them.
                if error.error_code in _NO_BEATS:
                    self._calm.disturb()
                self._troubles.met(error)
                pause_s = self._troubles.pause_s
            else:
                self._troubles.over()
                pause_s = self._settings.dispatch_interval_s
        self._sweeper.stop(timeout_s=_LAST_BATCH_S)
        with contextlib.suppress(ResourceLost):
            self._say_goodbye()

    def _round(self, now: float) -> None:
        if now >= self._next_look:
            # A worker that does not beat gets no work: so it waits for a schema that it knows.
            self._watch.look()
            self._next_look = now + _LOOK_EVERY_S
        if now >= self._next_beat:
            self._beat()
            self._next_beat = now + self._settings.heartbeat_interval_s
        if self._draining:
            self._resign()
            return
        if now >= self._next_lease:
            self._seek_lease()
            self._next_lease = now + self._settings.lease_s / 5
        if self._epoch is None:
            return
        if now >= self._next_reconcile:
            started = time.monotonic()
            self._reconcile()
            self._start_analyses()
            self._counters.reconciled(time.monotonic() - started)
            self._next_reconcile = now + self._settings.reconcile_interval_s
        started = time.monotonic()
        self._counters.dispatched(self._dispatch(), time.monotonic() - started)
        self._reconcile.finish_jobs()

    def _beat(self) -> None:
        with self._database.begin(SystemScope()) as uow:
            uow.workers.beat(self._worker, draining=self._draining)
            uow.commit()

    def _seek_lease(self) -> None:
        with self._database.begin(SystemScope()) as uow:
            held = uow.control.hold_lease(_LEASE, self._worker.id, ttl_s=self._settings.lease_s)
            uow.commit()
        epoch = held[0] if held else None
        if epoch != self._epoch:
            self._calm.disturb()
            log.info("leader.changed", leads=epoch is not None, epoch=epoch)
        self._lead(epoch)

    def _resign(self) -> None:
        if self._epoch is None:
            return
        with self._database.begin(SystemScope()) as uow:
            uow.control.drop_lease(_LEASE, self._worker.id)
            uow.commit()
        self._lead(None)

    def _lead(self, epoch: int | None) -> None:
        self._epoch = epoch
        self._counters.leads(epoch is not None)

    def _say_goodbye(self) -> None:
        self._resign()
        with self._database.begin(SystemScope()) as uow:
            uow.workers.ended(self._worker.id)
            uow.commit()
        log.info("worker.ended")


def _input_ended(timeout_s: float) -> bool:
    """Wait for the end of standard input, at most `timeout_s` seconds."""
    readable = select.select([sys.stdin], [], [], timeout_s)[0]
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)


def main() -> None:
    """Run: ``companion.py WORKER_AS_JSON``."""
    die_with_parent(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with refusal_in_one_line():
        settings = load_settings()
    configure_logging(settings.runtime.log_level, json=True, stream="stdout")
    log_uncaught_errors()
    worker = TypeAdapter(Worker).validate_json(sys.argv[1])
    telemetry = Telemetry(worker_metrics.build_counters(settings), start_tracing(settings, "mad-companion"))
    companion = Companion(settings, worker, telemetry)
    signal.signal(signal.SIGTERM, companion.begin_drain)
    with structlog.contextvars.bound_contextvars(worker_id=str(worker.id)):
        worker_metrics.serve(settings)
        companion.run()
    telemetry.tracing.close()


if __name__ == "__main__":
    main()
