"""Results of a screen: ranked hits, rejected ligands, poses."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.responses import Response

from molecular_analysis_dashboard.domain import results as domain
from molecular_analysis_dashboard.domain.results import HitOrder
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import decode, encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services
from molecular_analysis_dashboard.presentation.api.downloads import SDF, content_disposition
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.schemas.hit_filters import HitQuery
from molecular_analysis_dashboard.presentation.api.schemas.results import (
    Hit,
    HitDetail,
    HitPage,
    PoseScore,
    RejectedItem,
    RejectedPage,
)
from molecular_analysis_dashboard.use_cases.export_results import ligand_poses_sdf
from molecular_analysis_dashboard.use_cases.read_results import RejectedPosition, rejected_page, sort_value

router = api_router("/jobs", "results")


@router.get("/{job_id}/hits", response_model=HitPage, responses=error_responses(404), operation_id="list_hits")
def list_hits(
    services: Services,
    caller: Caller,
    job_id: UUID,
    query: Annotated[HitQuery, Query()],
) -> HitPage:
    """List hits in a stable order, also while the job runs."""
    where, order, cursor, limit = query.as_filter(), query.order, query.cursor, query.limit
    listing = f"hits.{order}"
    position: tuple[object, UUID] | None = None
    if cursor is not None:
        value, ligand_id = decode(listing, cursor, (str if order is HitOrder.NAME else float, UUID))
        position = (value, ligand_id)
    with services.database.begin(caller.scope) as uow:
        uow.jobs.get(job_id)
        found = uow.results.hits(job_id, order=order, where=where, after=position, limit=limit + 1)
        total = uow.results.count_hits(job_id, where) if query.with_total else None
    items, following = cut(found, limit, lambda hit: encode(listing, sort_value(hit, order), hit.ligand_id))
    return HitPage(items=[Hit.model_validate(hit) for hit in items], next_cursor=following, total=total)


@router.get(
    "/{job_id}/hits/{ligand_id}", response_model=HitDetail, responses=error_responses(404), operation_id="get_hit"
)
def get_hit(services: Services, caller: Caller, job_id: UUID, ligand_id: UUID) -> HitDetail:
    """Read one hit with the scores of its poses and everything that its score depends on."""
    with services.database.begin(caller.scope) as uow:
        uow.jobs.get(job_id)
        hit = uow.results.hit(job_id, ligand_id)
        poses = uow.results.poses(job_id, [ligand_id])
    return _detail(hit, poses)


@router.get(
    "/{job_id}/rejected", response_model=RejectedPage, responses=error_responses(404), operation_id="list_rejected"
)
def list_rejected(
    services: Services, caller: Caller, job_id: UUID, cursor: Cursor = None, limit: Limit = 50
) -> RejectedPage:
    """List what has no score, by line: records that were unreadable and ligands that could not be docked."""
    listing, position = "rejected", RejectedPosition()
    if cursor is not None:
        record, line, ligand_id = decode(listing, cursor, (int, int, UUID))
        position = RejectedPosition(record, line, ligand_id)
    with services.database.begin(caller.scope) as uow:
        found = rejected_page(uow, uow.jobs.get(job_id), after=position, limit=limit + 1)
    items, following = cut(
        found,
        limit,
        lambda item: encode(listing, item.position.record, item.position.line, item.position.ligand_id),
    )
    return RejectedPage(items=[RejectedItem.model_validate(item) for item in items], next_cursor=following)


@router.get(
    "/{job_id}/ligands/{ligand_id}/poses.sdf",
    response_class=Response,
    responses={200: {"content": {SDF: {}}}, **error_responses(404)},
    operation_id="get_poses",
)
def get_poses(services: Services, caller: Caller, job_id: UUID, ligand_id: UUID) -> Response:
    """Read the poses of one ligand as SDF, best first, with bond orders and all hydrogens."""
    name, text = ligand_poses_sdf(services.database, services.chemistry, caller.scope, job_id, ligand_id)
    return Response(text, media_type=SDF, headers=content_disposition(f"{name}-poses.sdf"))


def _detail(hit: domain.Hit, poses: list[domain.StoredPose]) -> HitDetail:
    scores = [
        PoseScore(rank=pose.rank, score_kcal_mol=pose.score_kcal_mol, side_chains_pdb=pose.side_chains_pdb or None)
        for pose in poses
    ]
    plain = Hit.model_validate(hit).model_dump()
    return HitDetail(**plain, poses=scores, provenance=dict(hit.provenance))
