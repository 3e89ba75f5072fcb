"""What redockings and validations found."""

from uuid import UUID

from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Services
from molecular_analysis_dashboard.presentation.api.downloads import SDF, attachment
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.schemas import validation as schemas
from molecular_analysis_dashboard.presentation.api.schemas.sites import SiteCheck
from molecular_analysis_dashboard.use_cases import read_validation

router = api_router("/jobs/{job_id}", "validation")
_CSV = "text/csv; charset=utf-8"


@router.get(
    "/redocking",
    response_model=schemas.Redocking,
    responses=error_responses(404, 409),
    operation_id="get_redocking",
)
def get_redocking(services: Services, caller: Caller, job_id: UUID) -> schemas.Redocking:
    """Read a redocking with its runs and, once all of them have ended, its verdict."""
    with services.database.begin(caller.scope) as uow:
        read_validation.redocking_job(uow, job_id)
        found, runs = uow.redockings.get(job_id), uow.redockings.runs(job_id)
    return schemas.Redocking(
        job_id=job_id,
        native=schemas.NativeLigand.model_validate(found.native),
        checks=[SiteCheck.model_validate(check) for check in found.checks],
        runs=[schemas.RedockingRun.model_validate(run) for run in runs],
        verdict=None if found.verdict is None else schemas.RedockingVerdict.model_validate(found.verdict),
        judged_at=found.judged_at,
    )


@router.get(
    "/redocking/runs.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **error_responses(404, 409)},
    operation_id="export_redocking",
)
def export_redocking(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download score and RMSD of every pose of every run as CSV."""
    with services.database.begin(caller.scope) as uow:
        job = read_validation.redocking_job(uow, job_id)
        text = read_validation.runs_csv(uow.redockings.runs(job_id))
    return attachment([text], f"{job.name}.csv", _CSV)


@router.get(
    "/redocking/poses.sdf",
    response_class=StreamingResponse,
    responses={200: {"content": {SDF: {}}}, **error_responses(404, 409)},
    operation_id="get_redocking_poses",
)
def get_redocking_poses(services: Services, caller: Caller, job_id: UUID) -> StreamingResponse:
    """Download the poses of all runs as SDF, each with its RMSD to the native one."""
    with services.database.begin(caller.scope) as uow:
        job = read_validation.redocking_job(uow, job_id)
        poses = uow.redockings.poses(job_id)
    return attachment(read_validation.poses_sdf(services.chemistry, poses), f"{job.name}-poses.sdf", SDF)


@router.get(
    "/validation",
    response_model=schemas.Validation,
    responses=error_responses(404, 409),
    operation_id="get_validation",
)
def get_validation(services: Services, caller: Caller, job_id: UUID) -> schemas.Validation:
    """Read how well a validation's ranking tells actives from decoys, with the points of the ROC curve."""
    with services.database.begin(caller.scope) as uow:
        read_validation.validation_job(uow, job_id)
        return schemas.Validation.model_validate(uow.validations.get(job_id))
