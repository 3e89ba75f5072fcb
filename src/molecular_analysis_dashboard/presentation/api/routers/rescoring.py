"""Rescorings: ask for one of a screen's poses, and read the new ranking beside the old one."""

from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.domain import rescoring as domain
from molecular_analysis_dashboard.domain.jobs import Job as DomainJob
from molecular_analysis_dashboard.domain.rescoring import RescoringOrder
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import decode, encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services
from molecular_analysis_dashboard.presentation.api.downloads import SDF, attachment
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.idempotency import REPLAYED, IdempotencyKey, answer
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.request_ids import origin_of
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job
from molecular_analysis_dashboard.presentation.api.schemas.rescoring import (
    RescoredLigand,
    RescoredLigandPage,
    Rescoring,
    RescoringCreate,
)
from molecular_analysis_dashboard.use_cases import read_rescoring
from molecular_analysis_dashboard.use_cases.submit_rescoring import RescoringRequest, submit_rescoring

router = api_router("/jobs/{job_id}", "rescoring")
_CSV = "text/csv; charset=utf-8"


@router.post(
    "/rescorings",
    status_code=202,
    response_model=Job,
    responses={**REPLAYED, **error_responses(404, 409)},
    operation_id="submit_rescoring",
)
def create_rescoring(
    request: Request,
    response: Response,
    services: Services,
    caller: Caller,
    job_id: UUID,
    body: RescoringCreate | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Have poses of a screen or validation scored by another engine or scoring function, also while it runs.

    The docking scores stay as they are; a screen may be rescored in many ways.
    """
    body = body or RescoringCreate()
    wanted = RescoringRequest(
        screen_id=job_id,
        engine=body.engine,
        scoring=body.scoring,
        relax=body.relax,
        choice=body.choice,
        where=body.where,
        max_poses=body.max_poses,
        name=body.name,
        priority=body.priority,
        said=body.model_dump(mode="json"),
    )
    submitted = submit_rescoring(
        services.database,
        caller,
        wanted,
        idempotency_key=idempotency_key,
        target_s=services.settings.ledger.task_target_s,
        origin=origin_of(request),
    )
    return answer(submitted, response)


@router.get("/rescoring", response_model=Rescoring, responses=error_responses(404, 409), operation_id="get_rescoring")
def get_rescoring(services: Services, caller: Caller, job_id: UUID) -> Rescoring:
    """Read what a job rescores and, once it has completed, how well its ranking agrees with that of the docking."""
    with services.database.begin(caller.scope) as uow:
        return Rescoring.model_validate(read_rescoring.rescoring_job(uow, uow.jobs.get(job_id)))


@router.get(
    "/rescoring/ligands",
    response_model=RescoredLigandPage,
    responses=error_responses(404, 409),
    operation_id="list_rescored",
)
def list_rescored(
    services: Services,
    caller: Caller,
    job_id: UUID,
    order: RescoringOrder = RescoringOrder.SCORE,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RescoredLigandPage:
    """List the ligands that have a new score with both scores and ranks, also while the job runs."""
    listing = f"rescored.{order}"
    position = None if cursor is None else decode(listing, cursor, (float, UUID))
    with services.database.begin(caller.scope) as uow:
        read_rescoring.rescoring_job(uow, uow.jobs.get(job_id))
        after = None if position is None else (position[0], position[1])
        found = uow.rescorings.ligands(job_id, order=order, after=after, limit=limit + 1)
    return _page(found, limit, listing, by_docking=order is RescoringOrder.DOCKED_SCORE)


@router.get(
    "/rescoring/refused",
    response_model=RescoredLigandPage,
    responses=error_responses(404, 409),
    operation_id="list_refused",
)
def list_refused(
    services: Services, caller: Caller, job_id: UUID, cursor: Cursor = None, limit: Limit = 50
) -> RescoredLigandPage:
    """List the ligands none of whose poses has a new score, with the reason, best docking score first."""
    listing = "refused"
    position = None if cursor is None else decode(listing, cursor, (float, UUID))
    with services.database.begin(caller.scope) as uow:
        read_rescoring.rescoring_job(uow, uow.jobs.get(job_id))
        after = None if position is None else (position[0], position[1])
        found = uow.rescorings.refused(job_id, after=after, limit=limit + 1)
    return _page(found, limit, listing, by_docking=True)


@router.get(
    "/rescoring/ligands.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **error_responses(404, 409)},
    operation_id="export_rescored",
)
def export_rescored(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download the new ranking beside the old one as CSV; ligands without a new score come last, with the reason."""
    job = _rescoring_job(services, caller, job_id)
    return attachment(read_rescoring.ligands_csv(services.database, caller.scope, job), f"{job.name}.csv", _CSV)


@router.get(
    "/rescoring/poses.sdf",
    response_class=StreamingResponse,
    responses={200: {"content": {SDF: {}}}, **error_responses(404, 409)},
    operation_id="get_rescored_poses",
)
def get_rescored_poses(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download every pose that has a new score as SDF, best ligand first: where relaxing led, if it did."""
    job = _rescoring_job(services, caller, job_id)
    records = read_rescoring.poses_sdf(services.database, services.chemistry, caller.scope, job)
    return attachment(records, f"{job.name}-poses.sdf", SDF)


def _rescoring_job(services: Services, caller: Caller, job_id: UUID) -> DomainJob:
    with services.database.begin(caller.scope) as uow:
        job = uow.jobs.get(job_id)
        read_rescoring.rescoring_job(uow, job)
    return job


def _page(found: list[domain.RescoredLigand], limit: int, listing: str, *, by_docking: bool) -> RescoredLigandPage:
    def cursor_of(ligand: domain.RescoredLigand) -> str:
        value = ligand.docked_score_kcal_mol if by_docking else ligand.score_kcal_mol
        return encode(listing, value or 0.0, ligand.ligand_id)

    items, following = cut(found, limit, cursor_of)
    return RescoredLigandPage(items=[RescoredLigand.model_validate(item) for item in items], next_cursor=following)
