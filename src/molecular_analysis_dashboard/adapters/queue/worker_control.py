"""Asking a worker's main process over Celery's remote control."""

from collections.abc import Callable
from typing import Any, TypeVar

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.ports.queue import WorkerPulse

T = TypeVar("T")

# The main process answers between two events of its loop; nothing that it does there takes long.
_ANSWER_S = 5.0


class CeleryWorkerControl:
    """Implements `ports.queue.WorkerControl`.

    Parameters
    ----------
    app : Celery
        Any application on the worker's broker.
    redis : redis.Redis
        The same broker, asked first: Celery would try for seconds to reach one that is gone.
    node : str
        The worker's name in Celery, such as ``celery@host``.
    """

    def __init__(self, app: Celery, redis: Redis, node: str) -> None:
        self._redis = redis
        self._inspect = app.control.inspect(destination=[node], timeout=_ANSWER_S, limit=1)
        self._node = node

    def pulse(self) -> WorkerPulse | None:
        """Ask for its process id and how many messages it has accepted since it started."""
        stats: dict[str, Any] | None = self._ask(self._inspect.stats)
        return None if stats is None else WorkerPulse(stats["pid"], sum(stats["total"].values()))

    def consumed_queues(self) -> frozenset[str]:
        """Ask which queues it consumes."""
        queues: list[dict[str, Any]] | None = self._ask(self._inspect.active_queues)
        return frozenset(queue["name"] for queue in queues or ())

    def _ask(self, question: Callable[[], dict[str, T] | None]) -> T | None:
        try:
            self._redis.ping()
            answers = question()
        except (OperationalError, RedisError, OSError) as error:
            raise ResourceLost("Redis is out of reach.", code="broker_unreachable", reason=str(error)) from error
        return (answers or {}).get(self._node)
