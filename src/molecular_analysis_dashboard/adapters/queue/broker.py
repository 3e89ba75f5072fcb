"""Sending task ids through Celery, and noticing when Redis forgot them."""

from uuid import uuid4

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.jobs import ReleasedTask, TaskKind
from molecular_analysis_dashboard.ports.telemetry import SILENT, Tracing

# Celery's names of our tasks: what Flower shows.
TASK_NAMES = {kind: f"mad.{kind.value}" for kind in TaskKind}
PRIORITY_STEPS = [0, 5]
_FIRST, _USUAL = PRIORITY_STEPS
_EPOCH_KEY = "mad:broker-epoch"


class CeleryTaskQueue:
    """Implements `ports.queue.TaskQueue` on Celery over Redis.

    A random value under a key without expiry tells whether Redis still holds what was sent: after a flush, or a
    start without its append-only file, the key is gone with the messages.
    """

    def __init__(self, app: Celery, redis: Redis, tracing: Tracing = SILENT.tracing) -> None:
        self._app = app
        self._tracing = tracing
        self._redis = redis
        self._epoch: bytes | None = None

    def send(self, task: ReleasedTask) -> None:
        """Send one id; ResourceLost when the broker is out of reach."""
        try:
            if task.origin.traceparent is None:
                self._send(task, {})
            else:
                with self._tracing.span("send task", parent=task.origin.traceparent, **task.ids):
                    self._send(task, {"traceparent": self._tracing.traceparent() or task.origin.traceparent})
        except (OperationalError, RedisError, OSError) as error:
            raise _lost(error) from error

    def _send(self, task: ReleasedTask, headers: dict[str, str]) -> None:
        self._app.send_task(
            TASK_NAMES[task.kind],
            args=[str(task.id)],
            kwargs={"job_id": str(task.job_id)},
            task_id=str(task.id),
            queue=task.queue,
            priority=_FIRST if task.overtakes else _USUAL,
            headers=headers,
            retry=False,
        )

    def lost_everything(self) -> bool:
        """Whether the broker's contents were lost since the last call (or since anybody last looked)."""
        try:
            epoch = self._redis.get(_EPOCH_KEY)
            if not isinstance(epoch, bytes):
                self._redis.set(_EPOCH_KEY, uuid4().hex, nx=True)
                self._epoch = None
                return True
        except (RedisError, OSError) as error:
            raise _lost(error) from error
        changed = self._epoch is not None and epoch != self._epoch
        self._epoch = epoch
        return changed


def _lost(error: BaseException) -> ResourceLost:
    return ResourceLost(
        "Redis is out of reach; tasks wait in the database meanwhile.", code="broker_unreachable", reason=str(error)
    )
