"""Stopping a job for good, holding it, going on."""

from uuid import UUID

from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import Job, JobCounts, JobState, check_job_change
from molecular_analysis_dashboard.ports.queue import Wake
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.job_products import CANCELLED, give_up_product


def cancel(database: Database, wake: Wake, scope: TenantScope, job_id: UUID) -> tuple[Job, JobCounts]:
    """Cancel a job: what waits never starts, what runs is stopped, what is finished stays.

    A job with nothing running is cancelled at once, with or without a worker; asking twice changes nothing.

    Raises
    ------
    Conflict
        With code ``job_state`` if the job has ended otherwise.
    """
    with database.begin(scope) as uow:
        job = uow.jobs.get(job_id, lock=True)
        if job.state not in (JobState.CANCELLING, JobState.CANCELLED):
            check_job_change(job.state, JobState.CANCELLING)
            _begin_cancel(uow, job)
        uow.commit()
    # Only for speed: a heartbeat tells every slot the same within its interval.
    wake.send()
    return _answer(database, scope, job_id)


def pause(database: Database, scope: TenantScope, job_id: UUID) -> tuple[Job, JobCounts]:
    """Start no further task of a job; Conflict (``job_state``) if it has ended."""
    with database.begin(scope) as uow:
        job = uow.jobs.get(job_id, lock=True)
        if job.state is not JobState.PAUSED:
            check_job_change(job.state, JobState.PAUSED)
            uow.jobs.change_state(job_id, JobState.PAUSED, reason="Paused by a user.")
            uow.jobs.unreleased_tasks_to_pending(job_id)
        uow.commit()
    return _answer(database, scope, job_id)


def resume(database: Database, scope: TenantScope, job_id: UUID) -> tuple[Job, JobCounts]:
    """Go on with a paused job; Conflict (``job_state``) if it has ended or is being cancelled."""
    with database.begin(scope) as uow:
        job = uow.jobs.get(job_id, lock=True)
        if job.state not in (JobState.PLANNING, JobState.RUNNING):
            check_job_change(job.state, JobState.RUNNING)
            uow.jobs.change_state(job_id, JobState.RUNNING)
        uow.commit()
    return _answer(database, scope, job_id)


def delete(database: Database, wake: Wake, scope: TenantScope, job_id: UUID) -> None:
    """Delete a job that has ended, with its results; analyses and rescorings of a screen that still run are cancelled.

    Raises
    ------
    Conflict
        With code ``job_not_finished``.
    """
    with database.begin(scope) as uow:
        uow.jobs.delete(job_id)
        running = uow.jobs.unfinished_analyses(job_id)
        for analysis in running:
            _begin_cancel(uow, analysis)
        uow.commit()
    if running:
        wake.send()


def _begin_cancel(uow: UnitOfWork, job: Job) -> None:
    uow.jobs.change_state(job.id, JobState.CANCELLING)
    uow.jobs.cancel_waiting_tasks(job.id)
    if uow.jobs.running_tasks(job.id) == 0:
        uow.jobs.change_state(job.id, JobState.CANCELLED)
        give_up_product(uow, job, CANCELLED)


def _answer(database: Database, scope: TenantScope, job_id: UUID) -> tuple[Job, JobCounts]:
    """Read the job after the change: counting a large one takes longer than its row may be held."""
    with database.begin(scope) as uow:
        return uow.jobs.get(job_id), uow.jobs.counts(job_id)
