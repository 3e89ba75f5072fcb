"""Analyses of a screen's poses: ask for more, read those of one ligand, group what was analysed."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Services
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.idempotency import REPLAYED, IdempotencyKey, answer
from molecular_analysis_dashboard.presentation.api.request_ids import origin_of
from molecular_analysis_dashboard.presentation.api.schemas.analyses import (
    AnalysisCreate,
    Cluster,
    ClusterList,
    LigandAnalysis,
)
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job
from molecular_analysis_dashboard.use_cases.read_analyses import (
    MAX_CLUSTERED,
    LigandCluster,
    Likeness,
    analysed_hits,
    cluster_hits,
    ligand_report,
)
from molecular_analysis_dashboard.use_cases.submit_analysis import AnalysisRequest, submit_analysis

router = api_router("/jobs/{job_id}", "analyses")


@router.post(
    "/analyses",
    status_code=202,
    response_model=Job,
    responses={**REPLAYED, **error_responses(404, 409)},
    operation_id="submit_analysis",
)
def create_analysis(
    request: Request,
    response: Response,
    services: Services,
    caller: Caller,
    job_id: UUID,
    body: AnalysisCreate | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Have poses of a screen analysed, also while it runs: without a body, of its best ligands.

    What is analysed already stays as it is.
    """
    body = body or AnalysisCreate()
    wanted = AnalysisRequest(
        screen_id=job_id,
        choice=body.choice,
        where=body.where,
        max_poses=body.max_poses,
        name=body.name,
        priority=body.priority,
        said=body.model_dump(mode="json"),
    )
    submitted = submit_analysis(
        services.database,
        caller,
        wanted,
        idempotency_key=idempotency_key,
        target_s=services.settings.ledger.task_target_s,
        origin=origin_of(request),
    )
    return answer(submitted, response)


@router.get(
    "/ligands/{ligand_id}/analysis",
    response_model=LigandAnalysis,
    responses=error_responses(404),
    operation_id="get_ligand_analysis",
)
def get_ligand_analysis(services: Services, caller: Caller, job_id: UUID, ligand_id: UUID) -> LigandAnalysis:
    """Read everything that is known about one hit: checks, interactions, strain, RMSD, descriptors, alerts, ranks."""
    with services.database.begin(caller.scope) as uow:
        report = ligand_report(uow, job_id, ligand_id)
    return LigandAnalysis.model_validate(
        {
            "ligand_id": report.hit.ligand_id,
            "name": report.hit.name,
            "ranks": {str(order): rank for order, rank in report.ranks.items()},
            "properties": report.hit.properties,
            "poses": report.poses,
            "rmsd_angstrom": report.rmsd_angstrom,
        }
    )


@router.get("/clusters", response_model=ClusterList, responses=error_responses(404), operation_id="list_clusters")
def list_clusters(
    services: Services,
    caller: Caller,
    job_id: UUID,
    by: Annotated[
        Likeness, Query(description="Morgan fingerprints of the ligands, or interactions of their best poses.")
    ] = Likeness.FINGERPRINT,
    least_similarity: Annotated[
        float, Query(gt=0, le=1, allow_inf_nan=False, description="Tanimoto, to the cluster's leader.")
    ] = 0.65,
    limit: Annotated[int, Query(ge=1, le=MAX_CLUSTERED, description="Most ligands, best score first.")] = 500,
) -> ClusterList:
    """Group the analysed hits; each cluster is led by its best score, and all its members are like the leader."""
    with services.database.begin(caller.scope) as uow:
        hits, interactions = analysed_hits(uow, job_id, limit)
    clusters = cluster_hits(services.chemistry, hits, interactions, by, least_similarity)
    return ClusterList(items=[_cluster(found) for found in clusters], n_ligands=len(hits))


def _cluster(found: LigandCluster) -> Cluster:
    leader = found.hits[0]
    ids = [hit.ligand_id for hit in found.hits]
    return Cluster(leader=leader.ligand_id, name=leader.name, size=len(ids), ligand_ids=ids)
