"""Errors on the wire: the one place that maps meaning to HTTP status, and gives every error one envelope."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from molecular_analysis_dashboard.domain.errors import (
    Conflict,
    InvalidInput,
    MadError,
    NotFound,
    PermissionDenied,
    PreparationFailed,
    ResourceLost,
    TooLarge,
    Unauthenticated,
)
from molecular_analysis_dashboard.presentation.api.request_ids import request_id_of
from molecular_analysis_dashboard.presentation.api.schemas.common import ErrorEnvelope

log = structlog.get_logger(__name__)

# The first class that fits decides; anything else is our own defect.
_STATUS: tuple[tuple[type[MadError], HTTPStatus], ...] = (
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PreparationFailed, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (PermissionDenied, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (ResourceLost, HTTPStatus.SERVICE_UNAVAILABLE),
)
_SENTENCES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The body cannot be read: it is no JSON in UTF-8, or nested too deeply."),
    404: ("not_found", "There is nothing at this address. The API's description is at /docs."),
    405: ("method_not_allowed", "This address does not take this method; the Allow header names those it takes."),
    413: ("too_large", "The request is larger than this server accepts."),
    415: ("unsupported_media_type", "This address does not take this content type."),
}
_RETRY_AFTER_S = 5
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_MAX_PROBLEMS = 50
# So many stand in the sentence; the details name them all.
_MAX_TOLD = 3
_MAX_SHOWN = 200


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare error responses for the OpenAPI document; 401, 422 and 503 go with every endpoint."""
    return {status: {"model": ErrorEnvelope} for status in sorted({401, 422, 503, *statuses})}


def error_response(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Build the envelope."""
    body = {"code": code, "message": message, "details": dict(details or {}), "request_id": request_id_of(request)}
    return JSONResponse({"error": body}, status, dict(headers or {}))


def status_of(error: MadError) -> HTTPStatus:
    """Return the HTTP status of an error by its meaning."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every kind of error that endpoints and the framework raise; defects are the outer middleware's."""
    app.add_exception_handler(MadError, _answer_mad_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)


async def _answer_mad_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MadError)
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    details: Mapping[str, Any] = error.details
    headers: dict[str, str] = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # What is out of reach, and where, is the operator's to know.
        log.error("request.resource_lost", code=error.error_code, message=error.message, details=error.details)
        details, headers = {}, {"Retry-After": str(_RETRY_AFTER_S)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer"}
    return error_response(request, status, error.error_code, error.message, details, headers)


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    for problem in found:
        if problem["type"] == "json_invalid":
            return _answer_malformed_json(request, problem)
    problems = [_problem(problem) for problem in found[:_MAX_PROBLEMS]]
    sentence = "; ".join(f"{problem['where']}: {problem['message']}" for problem in problems[:_MAX_TOLD])
    more = f" (and {len(found) - _MAX_TOLD} more)" if len(found) > _MAX_TOLD else ""
    return error_response(
        request, 422, "validation_failed", f"The request has values that cannot be used. {sentence}{more}.",
        {"problems": problems},
    )  # fmt: skip


def _answer_malformed_json(request: Request, problem: Mapping[str, Any]) -> JSONResponse:
    reason, position = str(problem["ctx"]["error"]), problem["loc"][-1]
    details = {"problem": reason, **({"position": position} if position else {})}
    place = f" (at character {position})" if position else ""
    return error_response(request, 400, "malformed_json", f"The body is no valid JSON: {reason}{place}.", details)


def _problem(problem: Mapping[str, Any]) -> dict[str, str]:
    # A value that is no JSON can only come from an address or a header, as text.
    given = json.dumps(problem.get("input"), ensure_ascii=False, default=str)
    return {
        "where": ".".join(str(part) for part in problem["loc"]),
        "type": str(problem["type"]),
        "message": str(problem["msg"]).removeprefix("Value error, "),
        "given": given if len(given) <= _MAX_SHOWN else f"{given[:_MAX_SHOWN]}…",
    }


async def _answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, sentence = _SENTENCES.get(error.status_code, ("http_error", ""))
    standard = {status.value: status.phrase for status in HTTPStatus}.get(error.status_code, "")
    # The framework's own 400 says less than ours.
    message = sentence if error.detail == standard or error.status_code == HTTPStatus.BAD_REQUEST else str(error.detail)
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    return error_response(request, error.status_code, code, message, headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return all methods of an address: the framework names those of one of its routes only."""
    scope, routes = request.scope, request.app.routes

    def taken(method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)

    allowed = [method for method in _METHODS if taken(method)]
    # A HEAD is answered wherever a GET is.
    return sorted({*allowed, "HEAD"}) if "GET" in allowed else allowed


async def _answer_nobody(request: Request, error: Exception) -> JSONResponse:
    """The client is gone; whatever is answered goes nowhere."""
    del error
    log.info("request.abandoned", path=request.url.path)
    return error_response(request, 400, "client_disconnected", "The request ended before it was complete.")
