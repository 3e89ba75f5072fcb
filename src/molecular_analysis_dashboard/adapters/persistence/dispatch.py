"""The waiting line in PostgreSQL: what waits in which queue, and what is released to the broker."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.rows import LIVE, Repository
from molecular_analysis_dashboard.domain.jobs import Origin, ReleasedTask, TaskKind, TaskState
from molecular_analysis_dashboard.domain.scheduling import Demand
from molecular_analysis_dashboard.domain.traces import seen_by_task

_DEMANDS = text(
    """
    SELECT t.job_id, j.created_by, j.priority,
           count(*) FILTER (WHERE t.state <> 'pending') AS in_flight,
           count(*) FILTER (WHERE t.state = 'pending') AS pending
    FROM tasks t JOIN jobs j ON j.id = t.job_id
    WHERE t.queue = :queue AND t.state IN ('pending', 'released', 'running')
      AND j.state IN ('planning', 'running') AND j.deleted_at IS NULL
    GROUP BY t.job_id, j.created_by, j.priority, j.created_at
    ORDER BY j.created_at, t.job_id
    """
)

# The same jobs as in _DEMANDS: more workers would not make the tasks of others wait less.
_DEPTHS = text(
    """
    SELECT t.queue, count(*) AS n FROM tasks t JOIN jobs j ON j.id = t.job_id
    WHERE t.state IN ('pending', 'released') AND j.state IN ('planning', 'running') AND j.deleted_at IS NULL
    GROUP BY t.queue
    """
)

# Materialized: a locking subquery with a limit may otherwise run once per row and choose more than the limit.
_RELEASE = text(
    """
    WITH chosen AS MATERIALIZED (
        SELECT id FROM tasks WHERE queue = :queue AND job_id = :job_id AND state = 'pending'
        ORDER BY cost_s DESC, id LIMIT :count FOR UPDATE SKIP LOCKED
    )
    UPDATE tasks t SET state = 'released', released_at = clock_timestamp()
    FROM chosen, jobs j WHERE t.id = chosen.id AND j.id = :job_id
    RETURNING t.id, t.org_id, t.kind, j.n_ligands, j.request_id, j.traceparent
    """
)

_RECALL = text(
    """
    WITH chosen AS MATERIALIZED (
        SELECT id FROM tasks WHERE queue = :queue AND job_id = :job_id AND state = 'released'
        ORDER BY released_at DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE tasks t SET state = 'pending', released_at = NULL FROM chosen WHERE t.id = chosen.id
    """
)

# A released task that waits although a slot for its queue is free contradicts itself: its message is lost.
_TAKE_BACK_LOST = text(
    f"""
    UPDATE tasks t SET state = 'pending', released_at = NULL
    WHERE t.state = 'released'
      AND t.released_at < clock_timestamp() - make_interval(secs => :older_than_s)
      AND (NOT :only_if_idle OR EXISTS (
        SELECT FROM (SELECT * FROM workers WHERE {LIVE}) w
        WHERE t.queue = ANY (w.queues)
          AND w.concurrency > (SELECT count(*) FROM tasks r WHERE r.state = 'running' AND r.worker_id = w.id)
      ))
    RETURNING t.id
    """
)


class SqlDispatch(Repository):
    """Implements `ports.control.Dispatch`."""

    def try_lock(self) -> bool:
        """Let no other dispatcher count and release before this transaction ends; False if one is at it."""
        query = "SELECT pg_try_advisory_xact_lock(hashtextextended('mad:dispatch', 0))"
        return bool(self._connection.execute(text(query)).scalar_one())

    def pending_queues(self) -> list[str]:
        """Return queues that have pending tasks."""
        return list(self._tasks_per_queue(TaskState.PENDING))

    def in_flight(self) -> dict[str, int]:
        """Return released and running tasks per queue."""
        return self._tasks_per_queue(TaskState.RELEASED, TaskState.RUNNING)

    def running_tasks(self) -> dict[str, int]:
        """Return running tasks per queue."""
        return self._tasks_per_queue(TaskState.RUNNING)

    def _tasks_per_queue(self, *states: TaskState) -> dict[str, int]:
        # Literals, not parameters: only they let the planner use the index of open tasks.
        among = ", ".join(f"'{state.value}'" for state in states)
        rows = self._connection.execute(
            text(f"SELECT queue, count(*) AS n FROM tasks WHERE state IN ({among}) GROUP BY queue")
        )
        return {row.queue: row.n for row in rows}

    def queue_depths(self) -> dict[str, int]:
        """Return tasks per queue that wait for a slot; those of a paused job wait for a person and do not count."""
        return {row.queue: row.n for row in self._connection.execute(_DEPTHS)}

    def demands(self, queue: str) -> list[Demand]:
        """Return what jobs want of a queue, oldest job first."""
        rows = self._connection.execute(_DEMANDS, {"queue": queue})
        return [Demand(row.job_id, row.created_by, row.priority, row.in_flight, row.pending) for row in rows]

    def release(self, queue: str, job_id: UUID, count: int) -> list[ReleasedTask]:
        """Mark up to `count` pending tasks of a job as released, longest first."""
        rows = self._connection.execute(_RELEASE, {"queue": queue, "job_id": job_id, "count": count})
        released = []
        for row in rows:
            kind = TaskKind(row.kind)
            origin = seen_by_task(Origin(row.request_id, row.traceparent), row.id, kind, row.n_ligands)
            released.append(ReleasedTask(row.id, row.org_id, job_id, kind, queue, origin=origin))
        return released

    def recall(self, queue: str, job_id: UUID) -> int:
        """Put the last released task of a job that no slot claimed back to pending; return how many (0 or 1)."""
        return self._connection.execute(_RECALL, {"queue": queue, "job_id": job_id}).rowcount

    def take_back(self, task_ids: Sequence[UUID]) -> None:
        """Put released tasks back to pending because their message was not sent."""
        self._connection.execute(
            text(
                "UPDATE tasks SET state = 'pending', released_at = NULL "
                "WHERE state = 'released' AND id = ANY (CAST(:ids AS uuid[]))"
            ),
            {"ids": list(task_ids)},
        )

    def take_back_lost(self, *, older_than_s: float, only_if_idle: bool) -> list[UUID]:
        """Put back released tasks whose message must be lost."""
        parameters = {"older_than_s": older_than_s, "only_if_idle": only_if_idle}
        return list(self._connection.execute(_TAKE_BACK_LOST, parameters).scalars())
