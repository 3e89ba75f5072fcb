"""Jobs in PostgreSQL: what was asked for, its state, and what explains it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, RowMapping, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from molecular_analysis_dashboard.adapters.persistence.rows import LIVE, Repository
from molecular_analysis_dashboard.adapters.persistence.tables import events, jobs, tasks
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.jobs import (
    FINAL_JOB_STATES,
    Job,
    JobCounts,
    JobKind,
    JobState,
    NewTask,
    Origin,
    TaskState,
    sources_of,
)

_COUNTS = text(
    """
    SELECT j.id, j.n_ligands, j.state,
           CASE WHEN j.kind = 'ingest' THEN coalesce(l.n_ligands, 0) ELSE 0 END AS read,
           coalesce(l.n_rejected, 0) + coalesce(d.n_rejected, 0) AS unreadable,
           coalesce(sum(t.n_scored), 0) AS scored, coalesce(sum(t.n_rejected), 0) AS rejected
    FROM jobs j LEFT JOIN libraries l ON l.id = j.library_id LEFT JOIN tasks t ON t.job_id = j.id
         LEFT JOIN validations v ON v.job_id = j.id LEFT JOIN libraries d ON d.id = v.decoy_library_id
    WHERE j.id = ANY (CAST(:job_ids AS uuid[]))
    GROUP BY j.id, l.id, d.id
    """
)

_WAITING = text(
    f"""
    WITH mine AS (SELECT DISTINCT queue FROM tasks WHERE job_id = :job_id AND state IN ('pending', 'released')),
    live AS (SELECT * FROM workers WHERE {LIVE}),
    able AS (
        SELECT id, concurrency FROM live
        WHERE queues && ARRAY(SELECT queue FROM mine) OR NOT EXISTS (SELECT FROM mine)
    )
    SELECT
      count(*) FILTER (WHERE t.state = 'pending') AS pending,
      count(*) FILTER (WHERE t.state = 'released') AS released,
      count(*) FILTER (WHERE t.state = 'running') AS running,
      (SELECT coalesce(sum(concurrency), 0) FROM able) AS slots,
      (SELECT count(*) FROM tasks r WHERE r.state = 'running' AND r.worker_id IN (SELECT id FROM able)) AS busy_slots,
      (SELECT count(*) FROM live) AS live_workers,
      (SELECT coalesce(sum(concurrency), 0) FROM live
        WHERE 'dock.' || (SELECT engine_build FROM jobs WHERE id = :job_id) = ANY (queues)) AS engine_slots,
      (SELECT count(DISTINCT o.job_id) FROM tasks o JOIN jobs j ON j.id = o.job_id
        WHERE o.queue IN (SELECT queue FROM mine) AND o.job_id <> :job_id
          AND o.state IN ('pending', 'released', 'running')
          AND j.state IN ('planning', 'running') AND j.deleted_at IS NULL) AS jobs_ahead
    FROM tasks t WHERE t.job_id = :job_id
    """
)


def write_event(connection: Connection, org_id: UUID, job_id: UUID, type_: str, payload: Mapping[str, object]) -> None:
    """Write an event in the caller's transaction, so that it is seen exactly when the change is."""
    connection.execute(insert(events).values(org_id=org_id, job_id=job_id, type=type_, payload=payload))


class SqlJobs(Repository):
    """Implements `ports.repositories.Jobs`."""

    def add(self, job: Job, first_tasks: Sequence[NewTask]) -> None:
        """Store a job with its first tasks, and its first event."""
        values = {
            "id": job.id,
            "org_id": self._org_id,
            "kind": job.kind,
            "state": job.state,
            "name": job.name,
            "spec": job.spec,
            "structure_id": job.structure_id,
            "receptor_id": job.receptor_id,
            "site_id": job.site_id,
            "library_id": job.library_id,
            "protocol_id": job.protocol_id,
            "screen_id": job.screen_id,
            "analyse_top": job.analyse_top,
            "engine_build": job.engine_build,
            "priority": job.priority,
            "idempotency_key": job.idempotency_key,
            "request_hash": job.request_hash,
            "n_ligands": job.n_ligands,
            "cost_s": job.cost_s,
            "planning_complete": job.planning_complete,
            "request_id": job.origin.request_id,
            "traceparent": job.origin.traceparent,
            "created_by": job.created_by,
        }
        try:
            self._connection.execute(insert(jobs).values(values))
        except IntegrityError as error:
            if "idempotency_key" not in str(error.orig):
                raise
            raise Conflict(
                "Another request with this Idempotency-Key is being handled; repeat it to get its job.",
                code="idempotency_race",
            ) from error
        self.add_tasks(first_tasks)
        self.add_event(job.id, "job.state", {"state": job.state})

    def get(self, job_id: UUID, *, lock: bool = False) -> Job:
        """Return one (locking its row if asked), or raise NotFound."""
        query = select(jobs).where(jobs.c.id == job_id, jobs.c.deleted_at.is_(None))
        # Not the key: writing an event of the job, as every end of a task does, must not wait for this lock.
        return job_of_row(self._one(query.with_for_update(key_share=True) if lock else query, "job", job_id))

    def find_by_key(self, idempotency_key: str) -> Job | None:
        """Return the job submitted with this key."""
        query = select(jobs).where(jobs.c.idempotency_key == idempotency_key)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else job_of_row(row)

    def page(self, *, kind: JobKind | None = None, after: UUID | None, limit: int) -> list[Job]:
        """Return jobs of one kind, or of all, newest first."""
        query = select(jobs).where(jobs.c.deleted_at.is_(None))
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        return [job_of_row(row) for row in self._newest_first(query, jobs, after, limit)]

    def counts(self, job_id: UUID) -> JobCounts:
        """Aggregate where the job's ligands are."""
        return self.counts_of([job_id])[job_id]

    def counts_of(self, job_ids: Sequence[UUID]) -> dict[UUID, JobCounts]:
        """Aggregate where the ligands of several jobs are."""
        rows = self._connection.execute(_COUNTS, {"job_ids": list(job_ids)})
        return {row.id: _counts(row) for row in rows}

    def running_tasks(self, job_id: UUID) -> int:
        """Count tasks of the job that an attempt owns."""
        running = (tasks.c.job_id == job_id) & (tasks.c.state == TaskState.RUNNING)
        return int(self._connection.execute(select(func.count()).select_from(tasks).where(running)).scalar_one())

    def change_state(
        self,
        job_id: UUID,
        target: JobState,
        *,
        reason: str | None = None,
        error: Mapping[str, object] | None = None,
    ) -> bool:
        """Make one allowed change and write its event; False if the present state does not allow it."""
        values: dict[str, object] = {"state": target, "reason": reason}
        if error is not None:
            values["error"] = error
        if target is JobState.RUNNING:
            values["started_at"] = func.coalesce(jobs.c.started_at, func.now())
        if target is JobState.CANCELLING:
            values["cancel_requested_at"] = func.now()
        if target in FINAL_JOB_STATES:
            values["finished_at"] = func.now()
        changed = self._connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(sources_of(target)))
            .values(values)
            .returning(jobs.c.org_id)
        ).scalar_one_or_none()
        if changed is None:
            return False
        payload = {"state": target, "reason": reason, "error": error}
        write_event(self._connection, changed, job_id, "job.state", {k: v for k, v in payload.items() if v is not None})
        return True

    def started(self, job_id: UUID) -> None:
        """Note that the first task of a job runs."""
        org_id = self._connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.PLANNING)
            .values(state=JobState.RUNNING, started_at=func.now())
            .returning(jobs.c.org_id)
        ).scalar_one_or_none()
        if org_id is not None:
            write_event(self._connection, org_id, job_id, "job.state", {"state": JobState.RUNNING})

    def has_event(self, job_id: UUID, type_: str, payload: Mapping[str, object] | None = None) -> bool:
        """Whether the job has an event of a type, with at least this payload."""
        query = select(events.c.id).where(events.c.job_id == job_id, events.c.type == type_).limit(1)
        if payload is not None:
            query = query.where(events.c.payload.contains(payload))
        return self._connection.execute(query).scalar() is not None

    def add_tasks(self, new: Sequence[NewTask]) -> None:
        """Store further tasks."""
        if not new:
            return
        self._connection.execute(
            insert(tasks),
            [
                {
                    "id": task.id,
                    "org_id": self._org_id,
                    "job_id": task.job_id,
                    "kind": task.kind,
                    "queue": task.queue,
                    "state": TaskState.PENDING,
                    "ligand_ids": list(task.ligand_ids),
                    "cost_s": task.cost_s,
                }
                for task in new
            ],
        )

    def planned(
        self, job_id: UUID, *, ligands: int, cost_s: float, to: tuple[float, UUID] | None, complete: bool
    ) -> None:
        """Move the planner's cursor."""
        values: dict[str, object] = {
            "planned_ligands": jobs.c.planned_ligands + ligands,
            "planned_cost_s": jobs.c.planned_cost_s + cost_s,
            "planning_complete": complete,
        }
        if to is not None:
            values |= {"planned_to_cost_s": to[0], "planned_to_ligand": to[1]}
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))

    def unreleased_tasks_to_pending(self, job_id: UUID) -> None:
        """Take back released tasks that no slot claimed."""
        released = (tasks.c.job_id == job_id) & (tasks.c.state == TaskState.RELEASED)
        self._connection.execute(update(tasks).where(released).values(state=TaskState.PENDING, released_at=None))

    def cancel_waiting_tasks(self, job_id: UUID) -> None:
        """Cancel every task of the job that no attempt owns."""
        waiting = (tasks.c.job_id == job_id) & tasks.c.state.in_((TaskState.PENDING, TaskState.RELEASED))
        self._connection.execute(update(tasks).where(waiting).values(state=TaskState.CANCELLED, finished_at=func.now()))

    def pending_tasks(self, job_id: UUID, *, limit: int) -> int:
        """Count tasks of the job that wait to be released, up to a limit."""
        pending = (tasks.c.job_id == job_id) & (tasks.c.state == TaskState.PENDING)
        some = select(tasks.c.id).where(pending).limit(limit).subquery()
        return int(self._connection.execute(select(func.count()).select_from(some)).scalar_one())

    def waiting_facts(self, job_id: UUID) -> Mapping[str, int]:
        """Count what explains why a job waits."""
        row = self._connection.execute(_WAITING, {"job_id": job_id}).mappings().one()
        return {key: int(value) for key, value in row.items()}

    def delete(self, job_id: UUID) -> None:
        """Hide a finished job."""
        if not self.get(job_id, lock=True).is_final:
            raise Conflict("This job has not ended; cancel it first.", code="job_not_finished", job_id=str(job_id))
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted_at=func.now()))

    def unfinished_analyses(self, screen_id: UUID) -> list[Job]:
        """Lock and return the jobs that analyse or rescore a screen and have not ended."""
        query = select(jobs).where(jobs.c.screen_id == screen_id, jobs.c.finished_at.is_(None))
        rows = self._connection.execute(query.with_for_update(key_share=True)).mappings()
        return [job_of_row(row) for row in rows]

    def add_event(self, job_id: UUID, type_: str, payload: Mapping[str, object]) -> None:
        """Write an event of the job."""
        write_event(self._connection, self._org_id, job_id, type_, payload)


def _counts(row: Row[Any]) -> JobCounts:
    unrecorded = row.n_ligands - row.scored - row.rejected
    stopped = row.state in (JobState.CANCELLED, JobState.FAILED)
    return JobCounts(
        n_input=row.n_ligands + row.read + row.unreadable,
        scored=row.scored,
        rejected=row.rejected,
        rejected_at_reading=row.unreadable,
        cancelled=unrecorded if stopped else 0,
        read=row.read,
    )


def job_of_row(row: RowMapping) -> Job:
    """Return the job that a row of `jobs` is."""
    return Job(
        id=row["id"],
        org_id=row["org_id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        name=row["name"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        spec=row["spec"],
        structure_id=row["structure_id"],
        receptor_id=row["receptor_id"],
        site_id=row["site_id"],
        library_id=row["library_id"],
        protocol_id=row["protocol_id"],
        screen_id=row["screen_id"],
        analyse_top=row["analyse_top"],
        engine_build=row["engine_build"],
        priority=row["priority"],
        idempotency_key=row["idempotency_key"],
        request_hash=row["request_hash"],
        reason=row["reason"],
        error=row["error"],
        n_ligands=row["n_ligands"],
        cost_s=row["cost_s"],
        planned_ligands=row["planned_ligands"],
        planned_cost_s=row["planned_cost_s"],
        planned_to_cost_s=row["planned_to_cost_s"],
        planned_to_ligand=row["planned_to_ligand"],
        planning_complete=row["planning_complete"],
        origin=Origin(row["request_id"], row["traceparent"]),
        started_at=row["started_at"],
        cancel_requested_at=row["cancel_requested_at"],
        finished_at=row["finished_at"],
    )
