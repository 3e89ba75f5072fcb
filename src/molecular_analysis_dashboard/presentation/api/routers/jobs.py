"""Jobs: submit, follow, control."""

from uuid import UUID

from fastapi import Request, Response

from molecular_analysis_dashboard.domain.jobs import JobKind, Origin
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.idempotency import REPLAYED, IdempotencyKey, answer
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.request_ids import origin_of
from molecular_analysis_dashboard.presentation.api.schemas.jobs import (
    EngineBuild,
    EngineList,
    Job,
    JobCreate,
    JobPage,
    RedockCreate,
    ScreenCreate,
    ValidateCreate,
    Waiting,
)
from molecular_analysis_dashboard.presentation.api.views import job_view
from molecular_analysis_dashboard.use_cases import control_job
from molecular_analysis_dashboard.use_cases.engines import known_engines
from molecular_analysis_dashboard.use_cases.explain_waiting import explain_waiting
from molecular_analysis_dashboard.use_cases.flexible_residues import FlexibleResiduesCheck
from molecular_analysis_dashboard.use_cases.submit_job import ScreenRequest, submit_screen
from molecular_analysis_dashboard.use_cases.submit_once import Submitted
from molecular_analysis_dashboard.use_cases.submit_redocking import NativeFile, RedockingRequest, submit_redocking
from molecular_analysis_dashboard.use_cases.submit_validation import ValidationRequest, submit_validation

router = api_router("/jobs", "jobs")
engines_router = api_router("/engines", "engines")
_LISTING = "jobs"


@router.post(
    "",
    status_code=202,
    response_model=Job,
    responses={**REPLAYED, **error_responses(404, 409)},
    operation_id="submit_job",
)
def submit_job(
    request: Request,
    response: Response,
    services: Services,
    caller: Caller,
    body: JobCreate,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Submit a screen, redocking or validation. It begins as soon as a worker is free; nothing else is to be done."""
    submitted = _submitted(services, caller, body, idempotency_key, origin_of(request))
    return answer(submitted, response)


@router.get("", response_model=JobPage, responses=error_responses(), operation_id="list_jobs")
def list_jobs(
    services: Services,
    caller: Caller,
    kind: JobKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JobPage:
    """List jobs with their counts, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.jobs.page(kind=kind, after=after_id(_LISTING, cursor), limit=limit + 1)
        items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
        counts = uow.jobs.counts_of([item.id for item in items])
    return JobPage(items=[job_view(item, counts[item.id]) for item in items], next_cursor=following)


@router.get("/{job_id}", response_model=Job, responses=error_responses(404), operation_id="get_job")
def get_job(services: Services, caller: Caller, job_id: UUID) -> Job:
    """Read one job with its counts."""
    with services.database.begin(caller.scope) as uow:
        return job_view(uow.jobs.get(job_id), uow.jobs.counts(job_id))


@router.post("/{job_id}/cancel", response_model=Job, responses=error_responses(404, 409), operation_id="cancel_job")
def cancel_job(services: Services, caller: Caller, job_id: UUID) -> Job:
    """Stop a job for good. Finished results stay; cancelling twice is no error."""
    job, counts = control_job.cancel(services.database, services.wake, caller.scope, job_id)
    return job_view(job, counts)


@router.post("/{job_id}/pause", response_model=Job, responses=error_responses(404, 409), operation_id="pause_job")
def pause_job(services: Services, caller: Caller, job_id: UUID) -> Job:
    """Start no further task; what runs goes on to its end."""
    return job_view(*control_job.pause(services.database, caller.scope, job_id))


@router.post("/{job_id}/resume", response_model=Job, responses=error_responses(404, 409), operation_id="resume_job")
def resume_job(services: Services, caller: Caller, job_id: UUID) -> Job:
    """Go on with a paused job."""
    return job_view(*control_job.resume(services.database, caller.scope, job_id))


@router.delete("/{job_id}", status_code=204, responses=error_responses(404, 409), operation_id="delete_job")
def delete_job(services: Services, caller: Caller, job_id: UUID) -> None:
    """Delete a job that has ended, with its results; what still analyses or rescores them is cancelled."""
    control_job.delete(services.database, services.wake, caller.scope, job_id)


@router.get("/{job_id}/waiting", response_model=Waiting, responses=error_responses(404), operation_id="explain_waiting")
def get_waiting(services: Services, caller: Caller, job_id: UUID) -> Waiting:
    """Say why the job is not further."""
    return Waiting.model_validate(explain_waiting(services.database, caller.scope, job_id))


@engines_router.get("", response_model=EngineList, responses=error_responses(), operation_id="list_engines")
def list_engines(services: Services, caller: Caller) -> EngineList:
    """List the engine builds that workers have, or had."""
    del caller
    return EngineList(items=[EngineBuild.model_validate(build) for build in known_engines(services.database)])


def _submitted(services: Services, caller: Caller, body: JobCreate, key: str | None, origin: Origin) -> Submitted:
    wanted = body.model_dump(exclude={"kind", "native"})
    check = FlexibleResiduesCheck(services.database, services.results, services.chemistry)
    match body:
        case ScreenCreate():
            screen = ScreenRequest(**wanted)
            return submit_screen(services.database, check, caller, screen, idempotency_key=key, origin=origin)
        case ValidateCreate():
            validation = ValidationRequest(**wanted)
            return submit_validation(services.database, check, caller, validation, idempotency_key=key, origin=origin)
        case RedockCreate(native=sent):
            native = None if sent is None else NativeFile(sent.file_name, sent.content, sent.template)
            return submit_redocking(
                services.database,
                services.uploads,
                services.chemistry,
                check,
                caller,
                RedockingRequest(**wanted, native=native),
                idempotency_key=key,
                origin=origin,
            )
