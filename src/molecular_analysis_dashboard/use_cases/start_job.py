"""Writing a job with its first task: everything that users ask for begins here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.jobs import (
    SCREENING_KINDS,
    Job,
    JobKind,
    JobState,
    NewTask,
    Origin,
    TaskKind,
)
from molecular_analysis_dashboard.domain.scheduling import QUEUE_MAINTENANCE, QUEUE_PREPARE
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

# What docks a library is planned first; redockings, analyses and rescorings bring their tasks along; the others are one
# task.
_FIRST_TASK: Mapping[JobKind, tuple[TaskKind, str]] = {
    JobKind.PREPARE: (TaskKind.PREPARE, QUEUE_PREPARE),
    JobKind.INGEST: (TaskKind.INGEST, QUEUE_PREPARE),
    JobKind.SCREEN: (TaskKind.PLAN, QUEUE_MAINTENANCE),
    JobKind.VALIDATE: (TaskKind.PLAN, QUEUE_MAINTENANCE),
}


def new_job(principal: Principal, kind: JobKind, name: str, origin: Origin) -> Job:
    """Return a job about to be written; the caller adds what it is about."""
    return job_of(principal.org_id, principal.user_id, kind, name, origin)


def job_of(org_id: UUID, owner_id: UUID, kind: JobKind, name: str, origin: Origin) -> Job:
    """Return a job about to be written for somebody who need not be there."""
    return Job(
        id=new_id(),
        org_id=org_id,
        kind=kind,
        state=JobState.PLANNING,
        name=name,
        created_by=owner_id,
        created_at=datetime.now(UTC),
        planning_complete=kind not in SCREENING_KINDS,
        origin=origin,
    )


def start_job(uow: UnitOfWork, job: Job, tasks: Sequence[NewTask] = ()) -> Job:
    """Write a job and its first tasks in the caller's transaction; workers take it from the database once committed."""
    if not tasks:
        task_kind, queue = _FIRST_TASK[job.kind]
        tasks = [NewTask(new_id(), job.id, task_kind, queue)]
    uow.jobs.add(job, tasks)
    return uow.jobs.get(job.id)
