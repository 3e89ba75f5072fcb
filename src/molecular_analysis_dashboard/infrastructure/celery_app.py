"""The Celery application: ``celery -A molecular_analysis_dashboard.infrastructure.celery_app worker``.

Celery delivers task ids and shows what runs; what is done, and by whom, is decided in Postgres.
"""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from celery import Celery, Task, signals
from celery.apps import worker as celery_worker
from click.core import ParameterSource
from kombu.entity import Exchange, Queue

from molecular_analysis_dashboard.adapters.queue.broker import TASK_NAMES
from molecular_analysis_dashboard.domain.errors import Misconfigured, ResourceLost
from molecular_analysis_dashboard.domain.jobs import TaskKind
from molecular_analysis_dashboard.infrastructure.celery_settings import configured_celery
from molecular_analysis_dashboard.infrastructure.database_watch import wait_for_database
from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors
from molecular_analysis_dashboard.infrastructure.refusal import refusal_in_one_line
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings


def build_celery_app(settings: Settings, *, sends_only: bool = False) -> Celery:
    """Build the application from settings, with our tasks registered."""
    app = configured_celery(settings, sends_only=sends_only)
    for kind in TaskKind:
        _register(app, kind)
    return app


def _register(app: Celery, kind: TaskKind) -> None:
    @app.task(  # type: ignore[untyped-decorator]
        bind=True,
        name=TASK_NAMES[kind],
        # Infrastructure only; chemistry never comes back as an exception.
        autoretry_for=(ResourceLost,),
        retry_backoff=True,
        retry_backoff_max=60,
        retry_jitter=True,
        max_retries=10,
    )
    def run(self: Task, task_id: str, job_id: str) -> dict[str, str]:
        from molecular_analysis_dashboard.infrastructure.worker import current_slot

        del self
        return {"job_id": job_id, "result": current_slot().run_task(UUID(task_id))}


with refusal_in_one_line():
    settings = load_settings()
celery_app = build_celery_app(settings)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(loglevel: int | str | None = None, **_: Any) -> None:
    """Log as JSON to standard output, at the level of the command line or else of the settings."""
    level = logging.getLevelName(loglevel).lower() if isinstance(loglevel, int) else loglevel
    context = click.get_current_context(silent=True)
    if context is not None and context.get_parameter_source("loglevel") is ParameterSource.DEFAULT:
        level = None  # Celery's own default, which nobody chose
    configure_logging(level or settings.runtime.log_level, json=True, stream="stdout")
    log_uncaught_errors()


@signals.celeryd_init.connect  # type: ignore[untyped-decorator]
def _prepare_worker(conf: Any, **_: Any) -> None:
    """Before queues are chosen and anything forks: wait for a database that this worker may work on.

    Then let it consume all that it can run.
    """
    from molecular_analysis_dashboard.infrastructure import worker

    configure_logging(settings.runtime.log_level, json=True, stream="stdout")
    wait_for_database(settings)
    with refusal_in_one_line():
        queues = worker.prepare(settings)
    conf.task_queues = [
        Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]
        for name in queues
    ]


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _add_companion(sender: Any, **_: Any) -> None:
    from molecular_analysis_dashboard.infrastructure.worker import CompanionStep

    with refusal_in_one_line():
        if "prefork" not in sender.pool_cls.__module__:
            raise Misconfigured("Workers need Celery's prefork pool: each slot is a process beside its engine process.")
    sender.app.steps["worker"].add(CompanionStep)
    # Celery writes its farewell as bare text, past all logging.
    celery_worker.safe_say = _say_in_json


def _say_in_json(message: str, _stream: object = None) -> None:
    """Write a line of a signal handler, where logging might wait for a lock that the interrupted code holds."""
    told = {
        "event": message,
        "level": "info",
        "logger": "celery.apps.worker",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    os.write(1, f"{json.dumps(told)}\n".encode())


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _start_slot(**_: Any) -> None:
    from molecular_analysis_dashboard.infrastructure import worker

    worker.start_slot(settings)


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _end_slot(**_: Any) -> None:
    from molecular_analysis_dashboard.infrastructure import worker

    worker.end_slot()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _begin_drain(**_: Any) -> None:
    from molecular_analysis_dashboard.infrastructure import worker

    worker.begin_drain(settings)


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _end_companion(**_: Any) -> None:
    """After the last slot: bootsteps stop in the reverse order of their start, which would be too early."""
    from molecular_analysis_dashboard.infrastructure import worker

    worker.end_companion(settings)
