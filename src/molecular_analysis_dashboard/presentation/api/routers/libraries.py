"""Libraries: upload or paste ligands, see what was read and what was not."""

from collections.abc import Callable
from functools import partial
from json import JSONDecodeError
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from molecular_analysis_dashboard.domain import catalog, jobs
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import decode, encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.downloads import attachment
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.json_bodies import malformed
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.request_ids import origin_of
from molecular_analysis_dashboard.presentation.api.schemas.common import FileName, Name
from molecular_analysis_dashboard.presentation.api.schemas.libraries import (
    Library,
    LibraryAccepted,
    LibraryFromText,
    LibraryPage,
    Ligand,
    LigandPage,
    Rejection,
    RejectionPage,
)
from molecular_analysis_dashboard.presentation.api.uploads import (
    FILE_QUERY,
    handle,
    incoming_file,
    media_type_of,
    upload_body,
)
from molecular_analysis_dashboard.presentation.api.views import job_view
from molecular_analysis_dashboard.use_cases.export_results import library_rejections_csv
from molecular_analysis_dashboard.use_cases.libraries import PastedText, add_library

log = structlog.get_logger(__name__)
router = api_router("/libraries", "libraries")
_LISTING, _LIGANDS, _REJECTIONS = "libraries", "ligands", "rejections"


@router.post(
    "",
    status_code=202,
    response_model=LibraryAccepted,
    responses=error_responses(413, 415),
    openapi_extra=upload_body(LibraryFromText.model_json_schema()),
    operation_id="upload_library",
)
async def upload_library(
    request: Request,
    services: Services,
    caller: Caller,
    file_name: Annotated[FileName | None, Query(description=FILE_QUERY)] = None,
    name: Annotated[Name | None, Query(description="The file's name without its ending when absent.")] = None,
) -> LibraryAccepted:
    """Upload ligands (SMILES, SDF, MOL2, CSV; also gzipped) or paste SMILES as JSON; a job reads them."""
    add: Callable[..., tuple[catalog.Library, jobs.Job, jobs.JobCounts]] = partial(
        add_library,
        services.database,
        services.uploads,
        caller,
        max_bytes=services.settings.limits.max_upload_bytes,
        origin=origin_of(request),
    )
    if media_type_of(request) == "application/json":
        pasted = await _pasted(request)
        work = partial(add, PastedText(pasted.name, pasted.smiles))
    else:
        work = partial(add, incoming_file(request, file_name=file_name, name=name))
    library, job, counts = await handle(work, request.app.state.upload_limiter)
    log.info("job.submitted", kind=job.kind, job_id=str(job.id))
    return LibraryAccepted(library=Library.model_validate(library), job=job_view(job, counts))


async def _pasted(request: Request) -> LibraryFromText:
    try:
        return LibraryFromText.model_validate(await request.json())
    except JSONDecodeError as error:
        raise malformed(error) from error
    except ValidationError as error:
        raise RequestValidationError([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]) from error


@router.get("", response_model=LibraryPage, responses=error_responses(), operation_id="list_libraries")
def list_libraries(services: Services, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> LibraryPage:
    """List libraries, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.libraries.page(after=after_id(_LISTING, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
    return LibraryPage(items=[Library.model_validate(item) for item in items], next_cursor=following)


@router.get("/{library_id}", response_model=Library, responses=error_responses(404), operation_id="get_library")
def get_library(services: Services, caller: Caller, library_id: UUID) -> catalog.Library:
    """Read one library with its counts."""
    with services.database.begin(caller.scope) as uow:
        return uow.libraries.get(library_id)


@router.get(
    "/{library_id}/ligands", response_model=LigandPage, responses=error_responses(404), operation_id="list_ligands"
)
def list_ligands(
    services: Services,
    caller: Caller,
    library_id: UUID,
    noted: Annotated[bool, Query(description="Only ligands with a note.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LigandPage:
    """List ligands in input order."""
    with services.database.begin(caller.scope) as uow:
        uow.libraries.get(library_id)
        found = uow.libraries.ligand_page(
            library_id, after_record=_after(_LIGANDS, cursor), limit=limit + 1, noted_only=noted
        )
    items, following = cut(found, limit, lambda item: encode(_LIGANDS, item.record))
    return LigandPage(items=[Ligand.model_validate(item) for item in items], next_cursor=following)


@router.get(
    "/{library_id}/rejections",
    response_model=RejectionPage,
    responses=error_responses(404),
    operation_id="list_rejections",
)
def list_rejections(
    services: Services, caller: Caller, library_id: UUID, cursor: Cursor = None, limit: Limit = 50
) -> RejectionPage:
    """List records that are no ligands, in input order, each with its line and reason."""
    with services.database.begin(caller.scope) as uow:
        uow.libraries.get(library_id)
        found = uow.libraries.rejection_page(library_id, after_record=_after(_REJECTIONS, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_REJECTIONS, item.record))
    return RejectionPage(items=[Rejection.model_validate(item) for item in items], next_cursor=following)


@router.get(
    "/{library_id}/rejections.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **error_responses(404)},
    operation_id="export_rejections",
)
def export_rejections(services: Services, caller: Caller, library_id: UUID) -> StreamingResponse:
    """Download all rejections: line, name, input, reason, message."""
    with services.database.begin(caller.scope) as uow:
        library = uow.libraries.get(library_id)
    rows = library_rejections_csv(services.database, caller.scope, library_id)
    return attachment(rows, f"{library.name}-rejections.csv", "text/csv; charset=utf-8")


@router.delete("/{library_id}", status_code=204, responses=error_responses(404, 409), operation_id="delete_library")
def delete_library(services: Services, caller: Caller, library_id: UUID) -> None:
    """Delete a library; refused while an unfinished job needs it. Results keep their copies."""
    with services.database.begin(caller.scope) as uow:
        uow.libraries.delete(library_id)
        uow.commit()


def _after(listing: str, cursor: str | None) -> int:
    if cursor is None:
        return 0
    (record,) = decode(listing, cursor, (int,))
    return int(record)
