"""What surrounds every request: its id, its place in logs and metrics, the answer to defects, the limit of its size.

And HEAD, wherever GET works.
"""

import time
from uuid import uuid4

import structlog
from anyio import CancelScope
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from molecular_analysis_dashboard.infrastructure.bootstrap import ApiServices
from molecular_analysis_dashboard.infrastructure.logging import bind_ids
from molecular_analysis_dashboard.presentation.api.errors import error_response
from molecular_analysis_dashboard.presentation.api.metrics import REQUESTS_IN_PROGRESS, observe_request
from molecular_analysis_dashboard.presentation.api.request_ids import HEADER, choose_request_id

log = structlog.get_logger(__name__)

# Bodies that are held in memory as a whole.
MAX_JSON_BYTES = 16 * 1024 * 1024
# Boundaries, headers and small fields of a form, beside its file.
_FORM_OVERHEAD_BYTES = 64 * 1024


class RequestContext:
    """Gives each request an id, binds it to every log line, counts the request, and answers defects."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(Headers(scope=scope).get(HEADER))
        scope["mad.request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
                # To the first byte: a stream or a long download would say nothing about the server.
                observe_request(scope, status, time.perf_counter() - started)
            await send(message)

        ids = {"request_id": request_id, **scope["app"].state.services.tracing.ids()}
        with bind_ids(**ids), REQUESTS_IN_PROGRESS.track_inprogress():
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                error_id = uuid4().hex[:12]
                log.exception("request.defect", error_id=error_id, method=scope["method"], path=scope["path"])
                if status:
                    raise  # The server breaks the transfer off, so that nobody takes half an answer for a whole one.
                answer = error_response(
                    Request(scope), 500, "internal_error",
                    f"The server has a defect. Its log names it {error_id}.", {"error_id": error_id},
                )  # fmt: skip
                await answer(scope, receive, send_with_id)


class HeadRequests:
    """Answers HEAD with the head of what GET would answer; the body is not made, however long it would be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with CancelScope() as rest:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    rest.cancel()

            # The server below keeps its own scope, and so knows that no body belongs to this answer.
            await self._app({**scope, "method": "GET"}, receive, send_head)


class BodyLimit:
    """Refuses bodies beyond the limit: by the declared length before a byte is read, and by count while reading."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = _limit_of(scope["path"], headers, scope["app"].state.services)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await _too_large(Request(scope), limit)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, _sentence(limit))
            return message

        await self._app(scope, receive_counted, send)


def _limit_of(path: str, headers: Headers, services: ApiServices) -> int:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return MAX_JSON_BYTES
    if path == "/api/v1/structures":
        return services.max_structure_upload_bytes + _FORM_OVERHEAD_BYTES
    if path == "/api/v1/libraries":
        return services.settings.limits.max_upload_bytes + _FORM_OVERHEAD_BYTES
    return MAX_JSON_BYTES


def _too_large(request: Request, limit: int) -> ASGIApp:
    return error_response(request, 413, "too_large", _sentence(limit), {"max_bytes": limit})


def _sentence(limit: int) -> str:
    return f"The request is larger than {limit} bytes. Send less at once, or ask the operator for a higher limit."
