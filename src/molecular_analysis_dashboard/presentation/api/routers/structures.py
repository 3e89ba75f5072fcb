"""Structures: upload, list, read, download, delete."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.domain import catalog
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.downloads import blob_response
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.schemas.common import FileName, Name
from molecular_analysis_dashboard.presentation.api.schemas.structures import Structure, StructurePage
from molecular_analysis_dashboard.presentation.api.uploads import FILE_QUERY, handle, incoming_file, upload_body
from molecular_analysis_dashboard.use_cases.structures import add_structure

router = api_router("/structures", "structures")
_LISTING = "structures"


@router.post(
    "",
    status_code=201,
    response_model=Structure,
    responses=error_responses(413, 415),
    openapi_extra=upload_body(),
    operation_id="upload_structure",
)
async def upload_structure(
    request: Request,
    services: Services,
    caller: Caller,
    file_name: Annotated[FileName | None, Query(description=FILE_QUERY)] = None,
    name: Annotated[Name | None, Query(description="The file's name without its ending when absent.")] = None,
) -> catalog.Structure:
    """Upload a macromolecule: PDB, mmCIF or PDBQT, also gzipped. It is kept byte for byte."""
    incoming = incoming_file(request, file_name=file_name, name=name)
    add = partial(
        add_structure,
        services.database,
        services.uploads,
        services.chemistry,
        caller,
        incoming,
        max_bytes=services.max_structure_upload_bytes,
    )
    return await handle(add, request.app.state.upload_limiter)


@router.get("", response_model=StructurePage, responses=error_responses(), operation_id="list_structures")
def list_structures(services: Services, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> StructurePage:
    """List structures, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.structures.page(after=after_id(_LISTING, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
    return StructurePage(items=[Structure.model_validate(item) for item in items], next_cursor=following)


@router.get("/{structure_id}", response_model=Structure, responses=error_responses(404), operation_id="get_structure")
def get_structure(services: Services, caller: Caller, structure_id: UUID) -> catalog.Structure:
    """Read one structure with its summary."""
    with services.database.begin(caller.scope) as uow:
        return uow.structures.get(structure_id)


@router.get(
    "/{structure_id}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, **error_responses(404)},
    operation_id="download_structure",
)
def download_structure(services: Services, caller: Caller, structure_id: UUID) -> StreamingResponse:
    """Download the file exactly as it was uploaded."""
    with services.database.begin(caller.scope) as uow:
        structure = uow.structures.get(structure_id)
    return blob_response(services.uploads, structure.sha256, structure.file_name, "application/octet-stream")


@router.delete("/{structure_id}", status_code=204, responses=error_responses(404, 409), operation_id="delete_structure")
def delete_structure(services: Services, caller: Caller, structure_id: UUID) -> None:
    """Delete a structure with its receptors and binding sites; refused while an unfinished job needs them."""
    with services.database.begin(caller.scope) as uow:
        uow.structures.delete(structure_id)
        uow.commit()
