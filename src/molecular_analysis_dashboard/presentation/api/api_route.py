"""What holds for every address of the product: no parameter and no content type is taken for another in silence."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.api.json_bodies import read_json
from molecular_analysis_dashboard.presentation.api.uploads import media_type_of

_PREFIX = "/api/v1"
_SHOWN_CHARACTERS = 100


class ApiRoute(APIRoute):
    """Refuses parameters that the address does not know, and bodies that are not sent as what it takes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the checks before the framework's own."""
        handle = super().get_route_handler()
        known = _query_names(self.dependant)
        takes_json = self.body_field is not None

        async def checked(request: Request) -> Response:
            _refuse_unknown(request, known)
            strict = _StrictRequest(request.scope, request.receive)
            if takes_json:
                await _require_json(strict)
            return await handle(strict)

        return checked


class _StrictRequest(Request):
    async def json(self) -> object:
        return read_json(await self.body())


def api_router(path: str, tag: str) -> APIRouter:
    """Return the router of one resource below ``/api/v1``."""
    return APIRouter(prefix=_PREFIX + path, tags=[tag], route_class=ApiRoute)


def _query_names(dependant: Dependant) -> set[str]:
    own: set[str] = set()
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            # A model stands for many parameters.
            own |= set(kind.model_fields)
        else:
            own.add(field.alias)
    return own.union(*(_query_names(part) for part in dependant.dependencies))


def _refuse_unknown(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if not unknown:
        return
    shown = ", ".join(f"“{name[:_SHOWN_CHARACTERS]}”" for name in unknown)
    allowed = f"It takes: {', '.join(sorted(known))}." if known else "It takes none."
    raise InvalidInput(
        f"This address does not take the query parameter {shown}. {allowed}",
        code="unknown_parameter",
        unknown=[name[:_SHOWN_CHARACTERS] for name in unknown],
        known=sorted(known),
    )


async def _require_json(request: Request) -> None:
    media_type = media_type_of(request)
    if media_type == "application/json" or media_type.endswith("+json"):
        return
    if media_type or await request.body():
        given = f"not {media_type[:_SHOWN_CHARACTERS]}" if media_type else "and say so"
        raise HTTPException(415, f"This address takes JSON, {given}. Send Content-Type: application/json.")
