"""Receptors: prepare a structure, read the report, download the result."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.domain import catalog
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.downloads import blob_response
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.request_ids import origin_of
from molecular_analysis_dashboard.presentation.api.schemas.receptors import (
    Pocket,
    PreparationReport,
    Receptor,
    ReceptorAccepted,
    ReceptorCreate,
    ReceptorPage,
    ReceptorPockets,
)
from molecular_analysis_dashboard.presentation.api.views import job_view
from molecular_analysis_dashboard.use_cases.receptors import pockets_of, request_receptor, require_ready

log = structlog.get_logger(__name__)
router = api_router("/receptors", "receptors")
_LISTING = "receptors"


class ReceptorFormat(StrEnum):
    """Files of a prepared receptor."""

    PDB = "pdb"
    PDBQT = "pdbqt"


@router.post(
    "",
    status_code=202,
    response_model=ReceptorAccepted,
    responses=error_responses(404),
    operation_id="prepare_receptor",
)
def prepare_receptor(request: Request, services: Services, caller: Caller, body: ReceptorCreate) -> ReceptorAccepted:
    """Prepare a structure for docking; the answer names the job that does it."""
    options = ReceptorOptions.from_json(body.options.model_dump())
    with services.database.begin(caller.scope) as uow:
        receptor, job = request_receptor(
            uow, caller, body.structure_id, options, name=body.name, origin=origin_of(request)
        )
        view = ReceptorAccepted(receptor=Receptor.model_validate(receptor), job=job_view(job, uow.jobs.counts(job.id)))
        uow.commit()
    log.info("job.submitted", kind=job.kind, job_id=str(job.id))
    return view


@router.get("", response_model=ReceptorPage, responses=error_responses(), operation_id="list_receptors")
def list_receptors(
    services: Services,
    caller: Caller,
    structure_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReceptorPage:
    """List receptors, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.structures.receptors(structure_id, after=after_id(_LISTING, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
    return ReceptorPage(items=[Receptor.model_validate(item) for item in items], next_cursor=following)


@router.get("/{receptor_id}", response_model=Receptor, responses=error_responses(404), operation_id="get_receptor")
def get_receptor(services: Services, caller: Caller, receptor_id: UUID) -> catalog.Receptor:
    """Read one receptor."""
    with services.database.begin(caller.scope) as uow:
        return uow.structures.get_receptor(receptor_id)


@router.get(
    "/{receptor_id}/report",
    response_model=PreparationReport,
    responses=error_responses(404, 409),
    operation_id="get_receptor_report",
)
def get_receptor_report(services: Services, caller: Caller, receptor_id: UUID) -> PreparationReport:
    """Read the preparation report: every residue that was changed or is a problem."""
    with services.database.begin(caller.scope) as uow:
        receptor = require_ready(uow.structures.get_receptor(receptor_id))
    return PreparationReport.model_validate(receptor.report)


@router.get(
    "/{receptor_id}/pockets",
    response_model=ReceptorPockets,
    responses=error_responses(404, 409),
    operation_id="get_receptor_pockets",
)
def get_receptor_pockets(services: Services, caller: Caller, receptor_id: UUID) -> ReceptorPockets:
    """List the pockets of a prepared receptor, the most promising first; a binding site can be made of each."""
    with services.database.begin(caller.scope) as uow:
        pockets = pockets_of(uow.structures.get_receptor(receptor_id))
    return ReceptorPockets(items=[Pocket.model_validate(pocket) for pocket in pockets])


@router.get(
    "/{receptor_id}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"chemical/x-pdb": {}, "chemical/x-pdbqt": {}}}, **error_responses(404, 409)},
    operation_id="download_receptor",
)
def download_receptor(
    services: Services,
    caller: Caller,
    receptor_id: UUID,
    format: Annotated[ReceptorFormat, Query(description="`pdb` to look at, `pdbqt` as the engine reads it.")],
) -> StreamingResponse:
    """Download the prepared receptor."""
    with services.database.begin(caller.scope) as uow:
        receptor = require_ready(uow.structures.get_receptor(receptor_id))
    sha256 = receptor.pdb_sha256 if format is ReceptorFormat.PDB else receptor.pdbqt_sha256
    return blob_response(services.results, str(sha256), f"{receptor.name}.{format}", f"chemical/x-{format}")
