"""A worker put together: its identity, its slots and its companion process.

The Celery main process opens no database connection: its slots fork from it, at any time. Each slot makes its own
after the fork, and the companion speaks for the worker as a whole.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from celery import bootsteps
from pydantic import TypeAdapter
from redis import Redis

from molecular_analysis_dashboard.adapters.chemistry.records import read_records
from molecular_analysis_dashboard.adapters.engines.autogrid import beside_native, find_autogrid
from molecular_analysis_dashboard.adapters.engines.native_builds import usable_builds
from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.adapters.engines.registry import builds_of, schema_of, usable_engines
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.queue.drain import SharedDrain
from molecular_analysis_dashboard.adapters.queue.wake import RedisWake
from molecular_analysis_dashboard.adapters.statistics.agreement import rank_agreement
from molecular_analysis_dashboard.adapters.statistics.enrichment import evaluate
from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import TaskKind, Worker
from molecular_analysis_dashboard.domain.scheduling import (
    QUEUE_ANALYSE,
    QUEUE_MAINTENANCE,
    QUEUE_PREPARE,
    dock_queue,
)
from molecular_analysis_dashboard.infrastructure import worker_metrics
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.infrastructure.software import installed_software
from molecular_analysis_dashboard.infrastructure.tracing import start_tracing
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.ports.telemetry import Telemetry
from molecular_analysis_dashboard.use_cases.analyse_poses import AnalysePoses
from molecular_analysis_dashboard.use_cases.dock_ligands import DockLigands, Policy
from molecular_analysis_dashboard.use_cases.evaluate_job import EvaluateJob
from molecular_analysis_dashboard.use_cases.heartbeat import Heartbeat
from molecular_analysis_dashboard.use_cases.ingest_library import IngestLibrary
from molecular_analysis_dashboard.use_cases.plan_job import PlanJob
from molecular_analysis_dashboard.use_cases.prepare_receptor import PrepareReceptor
from molecular_analysis_dashboard.use_cases.redock_native import RedockNative
from molecular_analysis_dashboard.use_cases.rescore_poses import RescorePoses
from molecular_analysis_dashboard.use_cases.run_task import RunTask, TaskHandler

log = structlog.get_logger(__name__)

# Finished work is held this long while the database is away, then left to another attempt.
_PATIENCE_S = 300.0
# A starved job gets a slot at the next ligand boundary after its task has waited this long.
_YIELD_AFTER_S = 2.0
_PARENT_CHECK_S = 0.5
_COMPANION_CHECK_S = 1.0
_GOODBYE_S = 5.0
# What an engine process needs of the environment; secrets are none of its business.
_ENGINE_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class _Identity:
    """What slots inherit from the worker that forks them."""

    worker_id: UUID
    host: str
    main_pid: int
    beat_interval_s: float
    drain: SharedDrain
    builds: tuple[EngineBuild, ...]
    build_folders: Mapping[str, Path]
    parameter_schemas: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Slot:
    """One prefork child: takes tasks, one at a time."""

    run_task: RunTask
    engine: EngineProcess
    telemetry: Telemetry


_identity: _Identity | None = None
_slot: Slot | None = None
_companion: "subprocess.Popen[bytes] | None" = None


def prepare(settings: Settings) -> list[str]:
    """Make this worker's identity, before the fork; return the queues that it can serve."""
    global _identity
    worker_metrics.make_folder(settings)
    beat_interval_s = settings.ledger.heartbeat_interval_s
    folder = settings.docking.engine_builds_dir
    programs = settings.docking.programs
    native = beside_native(usable_builds(Path(folder) if folder else None), find_autogrid(programs.autogrid))
    engines = usable_engines(programs)
    builds = (*(build for engine in engines for build in builds_of(engine)), *(found.build for found in native))
    by_name = {engine.build.engine: engine for engine in engines}
    _identity = _Identity(
        new_id(),
        socket.gethostname(),
        os.getpid(),
        beat_interval_s,
        SharedDrain(),
        builds,
        {found.build.build_id: found.folder for found in native},
        # A build of an engine reads what the installed one does.
        {build.build_id: schema_of(by_name[build.engine], build) for build in builds if build.engine in by_name},
    )
    return [QUEUE_PREPARE, QUEUE_ANALYSE, QUEUE_MAINTENANCE, *(dock_queue(build.build_id) for build in builds)]


def current_slot() -> Slot:
    """Return the slot of this process."""
    if _slot is None:
        raise Misconfigured("This process is no worker slot; tasks run only in a worker's prefork pool.")
    return _slot


def start_slot(settings: Settings) -> None:
    """Put this prefork child together."""
    global _slot
    identity = _require_identity()
    _watch_parent(identity.main_pid)
    structlog.contextvars.bind_contextvars(worker_id=str(identity.worker_id))
    # Before the first connection is made: connections are traced or not from their beginning.
    tracing = start_tracing(settings, "mad-worker", takes_celery_tasks=True)
    telemetry = Telemetry(worker_metrics.build_counters(settings), tracing)
    redis = Redis.from_url(settings.queue.redis_url, socket_connect_timeout=2)
    ledger = settings.ledger
    engine = EngineProcess(
        memory_bytes=settings.docking.engine_memory_bytes,
        dock_timeout_s=settings.docking.ligand_timeout_s,
        preparation_timeout_s=settings.docking.preparation_timeout_s,
        analysis_timeout_s=settings.docking.analysis_timeout_s,
        warm_sites=settings.docking.warm_receptors,
        environment={name: os.environ[name] for name in _ENGINE_ENVIRONMENT if name in os.environ},
        engine_commands=settings.docking.engine_commands,
        autogrid_command=settings.docking.programs.autogrid,
        log_level=settings.runtime.log_level,
        telemetry=telemetry,
        build_folders=identity.build_folders,
    )
    heartbeat = Heartbeat(
        SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=1),
        RedisWake(redis),
        identity.drain,
        interval_s=ledger.heartbeat_interval_s,
        yield_after_s=_YIELD_AFTER_S,
        end_idle_engine=engine.restart,
        telemetry=telemetry,
    )
    heartbeat.start()
    database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=1)
    blobs = build_blobs(settings)
    policy = Policy(ledger.max_losses_per_ligand, ledger.pause_after_alike_failures, _PATIENCE_S)

    bounded_records = partial(read_records, max_decompressed_bytes=settings.limits.max_decompressed_bytes)
    handlers: dict[TaskKind, TaskHandler] = {
        TaskKind.PLAN: PlanJob(database, target_s=ledger.task_target_s, window_tasks=ledger.planning_window_tasks),
        TaskKind.DOCK: DockLigands(
            database,
            blobs.results,
            engine,
            policy,
            worker=f"{identity.host}:{identity.worker_id}",
            telemetry=telemetry,
        ),
        TaskKind.REDOCK: RedockNative(
            database, blobs.uploads, blobs.results, engine, policy, worker=f"{identity.host}:{identity.worker_id}"
        ),
        TaskKind.RESCORE: RescorePoses(database, blobs.results, engine, policy),
        TaskKind.EVALUATE: EvaluateJob(database, evaluate, rank_agreement),
        TaskKind.PREPARE: PrepareReceptor(database, blobs.uploads, blobs.results, engine),
        TaskKind.INGEST: IngestLibrary(database, blobs.uploads, engine, bounded_records),
        TaskKind.ANALYSE: AnalysePoses(
            database,
            blobs.results,
            engine,
            max_losses_per_ligand=ledger.max_losses_per_ligand,
            patience_s=_PATIENCE_S,
        ),
    }
    run_task = RunTask(
        database,
        heartbeat,
        engine,
        handlers,
        worker_id=identity.worker_id,
        slot_pid=os.getpid(),
        patience_s=_PATIENCE_S,
        telemetry=telemetry,
    )
    _slot = Slot(run_task, engine, telemetry)


def end_slot() -> None:
    """End the engine process of this prefork child; the kernel would, but it leaves the scratch folder."""
    if _slot is not None:
        _slot.engine.restart()
        _slot.telemetry.tracing.close()


def begin_drain(settings: Settings) -> None:
    """Tell slots and companion that this worker stops; safe in a signal handler."""
    _require_identity().drain.begin(settings.ledger.drain_grace_s)
    if _companion is not None and _companion.poll() is None:
        _companion.send_signal(signal.SIGTERM)


def _require_identity() -> _Identity:
    if _identity is None:
        raise Misconfigured("This process was not started as a worker.")
    return _identity


def _watch_parent(main_pid: int) -> None:
    """End this slot when its worker is gone; the kernel then ends the engine process."""

    def watch() -> None:
        while os.getppid() == main_pid:
            threading.Event().wait(_PARENT_CHECK_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class CompanionStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the companion process with the worker and restarts it when it dies; `end_companion` ends it last."""

    requires = ("celery.worker.components:Pool", "celery.worker.components:Timer", "celery.worker.components:Hub")

    def start(self, worker: Any) -> None:
        """Start the companion once the queues are known."""
        identity = _require_identity()
        self._worker = Worker(
            id=identity.worker_id,
            host=identity.host,
            pid=identity.main_pid,
            version=package_version(),
            queues=tuple(worker.app.amqp.queues.consume_from),
            engine_builds=tuple(build.build_id for build in identity.builds),
            scoring_functions={build.build_id: build.scoring_functions for build in identity.builds},
            parameter_schemas=identity.parameter_schemas,
            concurrency=worker.concurrency,
            beat_interval_s=identity.beat_interval_s,
            software=installed_software(identity.builds),
        )
        self._launch()
        worker.timer.call_repeatedly(_COMPANION_CHECK_S, self._keep)

    def _launch(self) -> None:
        global _companion
        body = TypeAdapter(Worker).dump_json(self._worker).decode()
        _companion = subprocess.Popen(
            [sys.executable, "-m", "molecular_analysis_dashboard.infrastructure.companion", body],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _keep(self) -> None:
        if _companion is not None and _companion.poll() is not None and not _draining():
            log.error("companion.ended", status=_companion.returncode)
            self._launch()


def end_companion(settings: Settings) -> None:
    """Close the companion's pipe: it notes that the worker ended, and goes."""
    if _companion is None or _companion.stdin is None:
        return
    _companion.stdin.close()
    try:
        _companion.wait(timeout=_GOODBYE_S)
    except subprocess.TimeoutExpired:
        _companion.kill()
        _companion.wait()
    worker_metrics.remove_folder(settings)


def _draining() -> bool:
    return _require_identity().drain.seconds_left() is not None
