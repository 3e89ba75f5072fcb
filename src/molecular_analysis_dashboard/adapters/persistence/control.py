"""What the leader does in PostgreSQL: leases, recovery, and the ends of jobs.

All times are compared by the database's clock. Every statement is idempotent and safe under two leaders.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.jobs import SqlJobs, write_event
from molecular_analysis_dashboard.adapters.persistence.rows import RECORDED, Repository
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import EVALUATED_KINDS, JobState, Origin, ReleasedTask, TaskKind
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE

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
    """Implements `ports.control.Control`."""

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

    def jobs_by_state(self) -> dict[str, int]:
        """Return how many jobs, not deleted, are in each state."""
        rows = self._connection.execute(
            text("SELECT state, count(*) AS n FROM jobs WHERE deleted_at IS NULL GROUP BY state")
        )
        return {row.state: row.n for row in rows}

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
