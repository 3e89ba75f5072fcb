"""What endpoints are given: the services of this process, the principal, and common parameters."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.bootstrap import ApiServices
from molecular_analysis_dashboard.presentation.api.cursors import decode
from molecular_analysis_dashboard.presentation.api.schemas.common import MAX_PAGE

_bearer = HTTPBearer(
    auto_error=False,
    description="The static token (`MAD_STATIC_TOKEN`). An installation without one listens on loopback only and "
    "takes every request for the local user's.",
)


def services_of(request: Request) -> ApiServices:
    """Return what this process was put together of."""
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(services_of)]


def current_principal(
    services: Services, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None
) -> Principal:
    """Say who is asking; Unauthenticated without valid credentials where credentials are required."""
    return services.sign_in(credentials.credentials if credentials else None)


async def named_principal(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
    """Put the organization into every further log line of the request; asynchronous, or the lines would not see it."""
    structlog.contextvars.bind_contextvars(org_id=str(principal.org_id))
    return principal


Caller = Annotated[Principal, Depends(named_principal)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


def after_id(listing: str, cursor: str | None) -> UUID | None:
    """Read the cursor of a listing that is ordered by creation."""
    if cursor is None:
        return None
    (id_,) = decode(listing, cursor, (UUID,))
    return id_ if isinstance(id_, UUID) else None
