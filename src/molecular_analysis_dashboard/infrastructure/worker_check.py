"""The health check of a worker, put together."""

import socket

from redis import Redis

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.queue.worker_control import CeleryWorkerControl
from molecular_analysis_dashboard.infrastructure.celery_settings import configured_celery
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.use_cases.check_worker import CheckWorker

_TIMEOUT_S = 5


def check_worker(settings: Settings, node: str | None = None) -> str:
    """Say that the worker of this host consumes; `node` is its name in Celery if that is not ``celery@host``.

    Raises
    ------
    WorkerUnfit
        If it does not.
    ResourceLost
        If the database or the broker is out of reach.
    """
    host = socket.gethostname()
    database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=1)
    redis = Redis.from_url(settings.queue.redis_url, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S)
    with configured_celery(settings, sends_only=True) as app:
        control = CeleryWorkerControl(app, redis, node or f"celery@{host}")
        check = CheckWorker(database, control, host, allowance_s=settings.ledger.worker_allowance_s)
        try:
            return check()
        finally:
            redis.close()
            database.close()
