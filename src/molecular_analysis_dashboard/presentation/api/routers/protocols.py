"""Protocols: immutable, versioned recipes."""

from uuid import UUID

from fastapi import Response

from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.schemas.protocols import Protocol, ProtocolCreate, ProtocolPage
from molecular_analysis_dashboard.presentation.api.views import protocol_view
from molecular_analysis_dashboard.use_cases.protocols import save_protocol

router = api_router("/protocols", "protocols")
_LISTING = "protocols"


@router.post(
    "",
    status_code=201,
    response_model=Protocol,
    responses={200: {"model": Protocol, "description": "This version was there already."}, **error_responses()},
    operation_id="create_protocol",
)
def create_protocol(services: Services, caller: Caller, body: ProtocolCreate, response: Response) -> Protocol:
    """Save a recipe. Changed content under a known name makes a new version; versions never change."""
    protocol = DockingProtocol.from_json(body.protocol.model_dump())
    with services.database.begin(caller.scope) as uow:
        version, created = save_protocol(uow, caller, body.name, protocol)
        uow.commit()
    response.status_code = 201 if created else 200
    return protocol_view(version)


@router.get("", response_model=ProtocolPage, responses=error_responses(), operation_id="list_protocols")
def list_protocols(services: Services, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> ProtocolPage:
    """List protocol versions, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.protocols.page(after=after_id(_LISTING, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
    return ProtocolPage(items=[protocol_view(item) for item in items], next_cursor=following)


@router.get("/{protocol_id}", response_model=Protocol, responses=error_responses(404), operation_id="get_protocol")
def get_protocol(services: Services, caller: Caller, protocol_id: UUID) -> Protocol:
    """Read one version."""
    with services.database.begin(caller.scope) as uow:
        return protocol_view(uow.protocols.get(protocol_id))
