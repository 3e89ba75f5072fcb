"""What the leader does in PostgreSQL: leases, the register of workers, dispatch and recovery.

All times are compared by the database's clock. Every statement is idempotent and safe under two leaders.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.jobs import SqlJobs, write_event
from molecular_analysis_dashboard.adapters.persistence.rows import LIVE, RECORDED, Repository
from molecular_analysis_dashboard.domain.docking import KnownBuild
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import (
    EVALUATED_KINDS,
    JobState,
    Origin,
    ReleasedTask,
    TaskKind,
    TaskState,
    Worker,
    WorkerView,
)
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE, Demand
from molecular_analysis_dashboard.domain.traces import seen_by_task

_LEASE = text(
    """
    INSERT INTO leases (name, holder, epoch, held_since, expires_at)
    VALUES (:name, :holder, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => :ttl_s))
    ON CONFLICT (name) DO UPDATE SET
        epoch = leases.epoch + CASE WHEN leases.holder = :holder THEN 0 ELSE 1 END,
        held_since = CASE WHEN leases.holder = :holder THEN leases.held_since ELSE clock_timestamp() END,
        holder = :holder,
        expires_at = EXCLUDED.expires_at
    WHERE leases.holder = :holder OR leases.expires_at < clock_timestamp()
    RETURNING epoch, extract(epoch FROM clock_timestamp() - held_since)::float8 AS held_s
    """
)

_REGISTER = text(
    """
    INSERT INTO workers (
        id, host, pid, version, queues, engine_builds, scoring_functions, parameter_schemas, concurrency,
        beat_interval_s, software, state
    ) VALUES (
        :id, :host, :pid, :version, :queues, :engine_builds, :scoring_functions, :parameter_schemas, :concurrency,
        :beat_interval_s, :software, :state
    )
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), state = :state, ended_at = NULL
    """
).bindparams(*(bindparam(name, type_=JSONB) for name in ("scoring_functions", "parameter_schemas", "software")))

_VIEW = text(
    """
    SELECT w.queues, extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS silent_s,
           w.state = 'draining' AS draining,
           w.concurrency > (SELECT count(*) FROM tasks r WHERE r.state = 'running' AND r.worker_id = w.id)
               AS has_free_slot,
           EXISTS (SELECT FROM tasks t WHERE t.state = 'released' AND t.queue = ANY (w.queues)) AS task_waits
    FROM workers w
    WHERE w.host = :host AND w.pid = :pid AND w.ended_at IS NULL
    ORDER BY w.started_at DESC LIMIT 1
    """
)

_RECLAIM = text(
    f"""
    WITH silent AS (
        SELECT id FROM tasks
        WHERE state = 'running' AND heartbeat_at < clock_timestamp() - make_interval(secs => :silent_s)
        FOR UPDATE SKIP LOCKED
    ), back AS (
        UPDATE tasks t
        SET state = CASE WHEN j.state IN ('cancelling', 'failed') THEN 'cancelled' ELSE 'pending' END,
            finished_at = CASE WHEN j.state IN ('cancelling', 'failed') THEN clock_timestamp() END,
            worker_id = NULL, released_at = NULL,
            (n_scored, n_rejected) = (
                {RECORDED}
            )
        FROM silent, jobs j
        WHERE t.id = silent.id AND j.id = t.job_id
        RETURNING t.id, t.org_id, t.job_id, t.kind, t.queue, t.attempt_no, t.n_scored, t.n_rejected, j.request_id
    ), ended AS (
        UPDATE attempts a SET ended_at = clock_timestamp(), end_cause = 'lost'
        FROM back WHERE a.task_id = back.id AND a.attempt_no = back.attempt_no
    )
    SELECT * FROM back
    """
)

_RETIRE = text(
    """
    UPDATE workers SET state = 'gone', ended_at = clock_timestamp()
    WHERE ended_at IS NULL AND heartbeat_at < clock_timestamp() - make_interval(secs => :silent_s)
    RETURNING id
    """
)

_BUILDS = text(
    f"""
    SELECT build_id,
           coalesce(sum(concurrency) FILTER (WHERE 'dock.' || build_id = ANY (queues) AND {LIVE}), 0) AS live_slots,
           max(started_at) AS seen_at,
           (array_agg(scoring_functions -> build_id ORDER BY started_at DESC))[1] AS scoring_functions,
           (array_agg(parameter_schemas -> build_id ORDER BY started_at DESC))[1] AS parameter_schema
    FROM workers, unnest(engine_builds) AS build_id
    GROUP BY build_id
    ORDER BY 2 DESC, 3 DESC, 1
    """
)

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

_TO_PLAN = text(
    """
    SELECT j.org_id, j.id FROM jobs j
    WHERE j.state IN ('planning', 'running') AND NOT j.planning_complete AND j.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = j.id AND t.kind = 'plan'
                      AND t.state IN ('pending', 'released', 'running'))
      AND (SELECT count(*) FROM (SELECT FROM tasks t WHERE t.job_id = j.id AND t.state = 'pending'
                                 LIMIT :low_water) waiting) < :low_water
    """
)

# A failed task ends its job at once, unless somebody has asked for its cancellation: then what runs is awaited.
_ENDED = text(
    """
    SELECT j.id, j.org_id, j.kind, j.state, j.n_ligands, failed.error, failed.found IS NOT NULL AS has_failed
    FROM jobs j
    LEFT JOIN LATERAL (SELECT true AS found, t.error FROM tasks t
                       WHERE t.job_id = j.id AND t.state = 'failed' LIMIT 1) failed ON true
    WHERE j.finished_at IS NULL
      AND (CAST(:job_id AS uuid) IS NULL OR j.id = :job_id)
      AND (j.planning_complete OR j.state = 'cancelling' OR failed.found)
      AND ((failed.found AND j.state <> 'cancelling')
           OR NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = j.id AND t.state IN ('pending', 'released', 'running')))
    FOR NO KEY UPDATE OF j SKIP LOCKED
    """
)

_EVALUATION = text(
    """
    INSERT INTO tasks (id, org_id, job_id, kind, queue, state)
    SELECT :id, :org_id, :job_id, 'evaluate', :queue, 'pending'
    WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = :job_id AND t.kind = 'evaluate')
    """
)

# An attempt may hand its task back, or a planner be sent, just while the job is told to end: neither saw the other.
_CANCEL_LEFTOVERS = text(
    """
    UPDATE tasks t SET state = 'cancelled', finished_at = clock_timestamp()
    FROM jobs j
    WHERE j.id = t.job_id AND t.state IN ('pending', 'released')
      AND j.state IN ('cancelling', 'cancelled', 'failed', 'completed')
    """
)


class SqlControl(Repository):
    """Implements `ports.repositories.Control`."""

    def hold_lease(self, name: str, holder: UUID, *, ttl_s: float) -> tuple[int, float] | None:
        """Take or renew a lease; return (epoch, seconds held) or None while somebody else holds it."""
        row = self._connection.execute(_LEASE, {"name": name, "holder": holder, "ttl_s": ttl_s}).one_or_none()
        return None if row is None else (row.epoch, row.held_s)

    def drop_lease(self, name: str, holder: UUID) -> None:
        """Give a lease back so that the next leader need not wait."""
        self._connection.execute(
            text("UPDATE leases SET expires_at = clock_timestamp() WHERE name = :name AND holder = :holder"),
            {"name": name, "holder": holder},
        )

    def server_started_at(self) -> datetime:
        """When this PostgreSQL server started."""
        started: datetime = self._connection.execute(text("SELECT pg_postmaster_start_time()")).scalar_one()
        return started

    def register(self, worker: Worker) -> None:
        """Enter a worker that starts."""
        self.worker_beat(worker, draining=False)

    def worker_beat(self, worker: Worker, *, draining: bool) -> None:
        """Say that a worker lives; one that was given up as gone comes back."""
        self._connection.execute(
            _REGISTER,
            {
                "id": worker.id,
                "host": worker.host,
                "pid": worker.pid,
                "version": worker.version,
                "queues": list(worker.queues),
                "engine_builds": list(worker.engine_builds),
                "scoring_functions": dict(worker.scoring_functions),
                "parameter_schemas": dict(worker.parameter_schemas),
                "concurrency": worker.concurrency,
                "beat_interval_s": worker.beat_interval_s,
                "software": dict(worker.software),
                "state": "draining" if draining else "live",
            },
        )

    def worker_ended(self, worker_id: UUID) -> None:
        """Note that a worker stopped by itself."""
        self._connection.execute(
            text("UPDATE workers SET state = 'stopped', ended_at = clock_timestamp() WHERE id = :id"),
            {"id": worker_id},
        )

    def view_worker(self, host: str, pid: int) -> WorkerView | None:
        """Return the worker of this process, None if it is not registered or has ended."""
        row = self._connection.execute(_VIEW, {"host": host, "pid": pid}).one_or_none()
        if row is None:
            return None
        return WorkerView(frozenset(row.queues), row.silent_s, row.draining, row.has_free_slot, row.task_waits)

    def workers_of(self, job_id: UUID) -> list[Worker]:
        """Return the workers that took tasks of a job, in the order in which they started."""
        rows = self._connection.execute(
            text(
                "SELECT id, host, pid, version, queues, engine_builds, concurrency, beat_interval_s, software "
                "FROM workers WHERE id IN (SELECT worker_id FROM attempts WHERE job_id = :job_id) "
                "ORDER BY started_at, id"
            ),
            {"job_id": job_id},
        ).mappings()
        return [
            Worker(**{**row, "queues": tuple(row["queues"]), "engine_builds": tuple(row["engine_builds"])})
            for row in rows
        ]

    def retire_workers(self, *, silent_s: float) -> list[UUID]:
        """Note workers that fell silent as gone."""
        return list(self._connection.execute(_RETIRE, {"silent_s": silent_s}).scalars())

    def reclaim(self, *, silent_s: float) -> list[ReleasedTask]:
        """End attempts that fell silent as lost and put their tasks back."""
        rows = self._connection.execute(_RECLAIM, {"silent_s": silent_s}).all()
        for row in rows:
            payload = {
                "task_id": str(row.id),
                "cause": "lost",
                "scored": row.n_scored,
                "rejected": row.n_rejected,
            }
            write_event(self._connection, row.org_id, row.job_id, "task.ended", payload)
        return [
            ReleasedTask(row.id, row.org_id, row.job_id, TaskKind(row.kind), row.queue, origin=Origin(row.request_id))
            for row in rows
        ]

    def slots(self) -> dict[str, int]:
        """Return live slots per queue."""
        rows = self._connection.execute(
            text(
                f"SELECT queue, sum(concurrency) AS n FROM workers, unnest(queues) AS queue WHERE {LIVE} GROUP BY queue"
            )
        )
        return {row.queue: int(row.n) for row in rows}

    def engine_builds(self) -> list[KnownBuild]:
        """Return every engine build known with its live slots: those of live workers first, then the latest seen."""
        rows = self._connection.execute(_BUILDS)
        return [
            KnownBuild(
                row.build_id, int(row.live_slots), tuple(row.scoring_functions or ()), row.parameter_schema or {}
            )
            for row in rows
        ]

    def running_tasks(self) -> dict[str, int]:
        """Return running tasks per queue."""
        return self._tasks_per_queue(TaskState.RUNNING)

    def jobs_by_state(self) -> dict[str, int]:
        """Return how many jobs, not deleted, are in each state."""
        rows = self._connection.execute(
            text("SELECT state, count(*) AS n FROM jobs WHERE deleted_at IS NULL GROUP BY state")
        )
        return {row.state: row.n for row in rows}

    def in_flight(self) -> dict[str, int]:
        """Return released and running tasks per queue."""
        return self._tasks_per_queue(TaskState.RELEASED, TaskState.RUNNING)

    def queue_depths(self) -> dict[str, int]:
        """Return tasks per queue that wait for a slot; those of a paused job wait for a person and do not count."""
        return {row.queue: row.n for row in self._connection.execute(_DEPTHS)}

    def pending_queues(self) -> list[str]:
        """Return queues that have pending tasks."""
        return list(self._tasks_per_queue(TaskState.PENDING))

    def _tasks_per_queue(self, *states: TaskState) -> dict[str, int]:
        # Literals, not parameters: only they let the planner use the index of open tasks.
        among = ", ".join(f"'{state.value}'" for state in states)
        rows = self._connection.execute(
            text(f"SELECT queue, count(*) AS n FROM tasks WHERE state IN ({among}) GROUP BY queue")
        )
        return {row.queue: row.n for row in rows}

    def try_lock_dispatch(self) -> bool:
        """Let no other dispatcher count and release before this transaction ends; False if one is at it."""
        query = "SELECT pg_try_advisory_xact_lock(hashtextextended('mad:dispatch', 0))"
        return bool(self._connection.execute(text(query)).scalar_one())

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

    def jobs_to_plan(self, *, low_water_tasks: int) -> list[tuple[UUID, UUID]]:
        """Return (org, job) of working jobs whose planned tasks run low and that no plan task serves."""
        rows = self._connection.execute(_TO_PLAN, {"low_water": low_water_tasks})
        return [(row.org_id, row.id) for row in rows]

    def cancel_leftovers(self) -> None:
        """Cancel what waits of jobs that end or have ended."""
        self._connection.execute(_CANCEL_LEFTOVERS)

    def ended_jobs(self) -> list[UUID]:
        """Return unfinished jobs with nothing left to do, or with a failed task."""
        return [row.id for row in self._connection.execute(_ENDED, {"job_id": None})]

    def finish_job(self, job_id: UUID) -> JobState | None:
        """Bring one such job to its final state, or return None when another did or it is not due.

        A job that is evaluated gets the task for it first.
        """
        row = self._connection.execute(_ENDED, {"job_id": job_id}).one_or_none()
        if row is None:
            return None
        jobs = SqlJobs(self._connection, self._scope)
        target, error = JobState.COMPLETED, None
        if row.state == JobState.CANCELLING:
            target = JobState.CANCELLED
        elif row.has_failed:
            target, error = JobState.FAILED, row.error
            jobs.cancel_waiting_tasks(job_id)
        elif missing := jobs.counts(job_id).waiting:
            target, error = JobState.FAILED, _unaccounted(missing)
        elif row.kind in EVALUATED_KINDS and self._add_evaluation(row.org_id, job_id):
            return None
        jobs.change_state(job_id, target, error=error)
        return target

    def _add_evaluation(self, org_id: UUID, job_id: UUID) -> bool:
        """Add the task that concludes a job, under the lock of the job's row; False if it was there already."""
        parameters = {"id": new_id(), "org_id": org_id, "job_id": job_id, "queue": QUEUE_MAINTENANCE}
        return bool(self._connection.execute(_EVALUATION, parameters).rowcount)


def _unaccounted(missing: int) -> dict[str, object]:
    message = f"All tasks have ended, but {missing} ligands have no outcome: a defect. Please report it with the logs."
    return {"code": "ligands_unaccounted", "message": message, "details": {"ligands": missing}}
