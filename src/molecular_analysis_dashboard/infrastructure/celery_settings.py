"""What every Celery application of ours has in common, whether it works, sends or only watches."""

from celery import Celery

from molecular_analysis_dashboard.adapters.queue.broker import PRIORITY_STEPS
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE
from molecular_analysis_dashboard.infrastructure.settings import Settings

# Longer than any task should run: the ledger, not Redis, decides when a delivery is repeated.
_VISIBILITY_TIMEOUT_S = 6 * 3600
_IMPATIENT = {"socket_connect_timeout": 2, "socket_timeout": 5}
# Flower's memory of outcomes; the product never reads the result backend.
_RESULT_EXPIRY_S = 3600


def configured_celery(settings: Settings, *, sends_only: bool = False) -> Celery:
    """Build an application from settings, without tasks.

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
    return app
