"""Writing a job once, whatever the client repeats."""

from collections.abc import Callable
from dataclasses import dataclass

from molecular_analysis_dashboard.domain.errors import Conflict, NotFound
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.domain.jobs import Job, JobCounts
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True)
class Submitted:
    """The job, and whether an earlier request had written it already."""

    job: Job
    counts: JobCounts
    replayed: bool


def submit_once(
    database: Database, principal: Principal, key: str | None, request_hash: str, write: Callable[[UnitOfWork], Job]
) -> Submitted:
    """Write the job in one transaction, or find the one that this key has written.

    Raises
    ------
    Conflict
        ``idempotency_key_reused``; and whatever `write` raises.
    """
    try:
        return _submit(database, principal, key, request_hash, write)
    except Conflict as error:
        if error.error_code != "idempotency_race":
            raise
        # The other request with this key has committed by now: its row was what refused ours.
        return _submit(database, principal, key, request_hash, write)


def find_submitted(database: Database, principal: Principal, key: str | None, request_hash: str) -> Submitted | None:
    """Return the job that this key has written, None if there is none."""
    if key is None:
        return None
    with database.begin(principal.scope) as uow:
        known = uow.jobs.find_by_key(key)
        return None if known is None else _replay(uow, known, request_hash)


def _submit(
    database: Database, principal: Principal, key: str | None, request_hash: str, write: Callable[[UnitOfWork], Job]
) -> Submitted:
    with database.begin(principal.scope) as uow:
        known = uow.jobs.find_by_key(key) if key is not None else None
        if known is not None:
            return _replay(uow, known, request_hash)
        job = write(uow)
        counts = uow.jobs.counts(job.id)
        uow.commit()
    return Submitted(job, counts, replayed=False)


def _replay(uow: UnitOfWork, known: Job, request_hash: str) -> Submitted:
    if known.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request. Choose a new key for a new intent.",
            code="idempotency_key_reused",
            job_id=str(known.id),
        )
    try:
        job = uow.jobs.get(known.id)
    except NotFound as gone:
        raise Conflict(
            "This Idempotency-Key belongs to a job that was deleted. Choose a new key for a new intent.",
            code="idempotency_key_reused",
            job_id=str(known.id),
        ) from gone
    return Submitted(job, uow.jobs.counts(job.id), replayed=True)
