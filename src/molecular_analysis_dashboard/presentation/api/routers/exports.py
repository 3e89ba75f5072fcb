"""Downloads of whole results, streamed in constant memory."""

from uuid import UUID

from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Services
from molecular_analysis_dashboard.presentation.api.downloads import SDF, attachment
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.use_cases import export_results
from molecular_analysis_dashboard.use_cases.provenance import provenance_json

router = api_router("/jobs/{job_id}/export", "exports")
_CSV = "text/csv; charset=utf-8"


@router.get(
    "/hits.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **error_responses(404, 409)},
    operation_id="export_hits",
)
def export_hits(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download the ranked hits as CSV, best score first."""
    job = export_results.screen(services.database, caller.scope, job_id)
    rows = export_results.hits_csv(services.database, caller.scope, job.id)
    return attachment(rows, f"{job.name}-hits.csv", _CSV)


@router.get(
    "/poses.sdf",
    response_class=StreamingResponse,
    responses={200: {"content": {SDF: {}}}, **error_responses(404, 409)},
    operation_id="export_poses",
)
def export_poses(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download all poses as SDF, best hit first."""
    job = export_results.screen(services.database, caller.scope, job_id)
    records = export_results.poses_sdf(services.database, services.chemistry, caller.scope, job.id)
    return attachment(records, f"{job.name}-poses.sdf", SDF)


@router.get(
    "/rejected.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **error_responses(404, 409)},
    operation_id="export_rejected",
)
def export_rejected(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download everything that has no score as CSV, by line of the library's file."""
    job = export_results.screen(services.database, caller.scope, job_id)
    rows = export_results.rejected_csv(services.database, caller.scope, job)
    return attachment(rows, f"{job.name}-rejected.csv", _CSV)


@router.get(
    "/provenance.json",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {}}}, **error_responses(404, 409)},
    operation_id="export_provenance",
)
def export_provenance(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download everything that the results depend on, with the seed and steps of every hit or run."""
    job = export_results.docking(services.database, caller.scope, job_id)
    parts = provenance_json(services.database, caller.scope, job, api_version=services.version)
    return attachment(parts, f"{job.name}-provenance.json", "application/json")
