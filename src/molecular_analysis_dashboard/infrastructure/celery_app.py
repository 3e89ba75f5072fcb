"""The Celery application: ``celery -A molecular_analysis_dashboard.infrastructure.celery_app worker``.

Celery delivers task ids and shows what runs; what is done, and by whom, is decided in Postgres.
"""

from typing import Any
from uuid import UUID

from celery import Celery, Task, signals
from kombu.entity import Exchange, Queue

from molecular_analysis_dashboard.adapters.queue.broker import PRIORITY_STEPS, TASK_NAMES
from molecular_analysis_dashboard.domain.errors import Misconfigured, ResourceLost
from molecular_analysis_dashboard.domain.jobs import TaskKind
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE
from molecular_analysis_dashboard.infrastructure.database_watch import wait_for_database
from molecular_analysis_dashboard.infrastructure.logging import configure_logging
from molecular_analysis_dashboard.infrastructure.refusal import refusal_in_one_line
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings

# Longer than any task should run: the ledger, not Redis, decides when a delivery is repeated.
_VISIBILITY_TIMEOUT_S = 6 * 3600
_IMPATIENT = {"socket_connect_timeout": 2, "socket_timeout": 5}
# Flower's memory of outcomes; the product never reads the result backend.
_RESULT_EXPIRY_S = 3600


def build_celery_app(settings: Settings, *, sends_only: bool = False) -> Celery:
    """Build the application from settings, with our tasks registered.

    One that only sends has no result backend: nobody waits for outcomes there, and it need not subscribe to them.
    And it gives up on a silent broker, because the leader has more to do; a worker's consumer waits for messages.
    """
    backend = "disabled://" if sends_only else settings.queue.result_backend
    app = Celery("molecular_analysis_dashboard", broker=settings.queue.broker_url, backend=backend)
    app.conf.update(
        task_acks_late=settings.queue.acks_late,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUE_MAINTENANCE,
        task_default_delivery_mode="persistent",
        task_send_sent_event=True,
        task_track_started=True,
        result_expires=_RESULT_EXPIRY_S,
        worker_concurrency=settings.queue.worker_concurrency,
        worker_prefetch_multiplier=settings.queue.prefetch_multiplier,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # A lost broker connection must not end work that the ledger still owns.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": _VISIBILITY_TIMEOUT_S,
            "queue_order_strategy": "priority",
            "priority_steps": PRIORITY_STEPS,
            "socket_keepalive": True,
            "health_check_interval": 10,
            **(_IMPATIENT if sends_only else {}),
        },
        task_serializer="json",
        accept_content=["json"],
    )
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
    """Log as JSON to standard output, at the level of the command line or of the settings."""
    import logging

    level = logging.getLevelName(loglevel).lower() if isinstance(loglevel, int) else loglevel
    configure_logging(level or settings.runtime.log_level, json=True, stream="stdout")


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
