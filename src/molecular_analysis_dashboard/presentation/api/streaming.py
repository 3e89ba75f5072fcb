"""Live events as Server-Sent Events: resume behind a cursor without gap or duplicate, end when all is told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi import Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import FINAL_JOB_STATES
from molecular_analysis_dashboard.domain.results import Event, cursor_position
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.presentation.api.event_hub import EventHub
from molecular_analysis_dashboard.presentation.api.schemas import jobs as schemas

KEEP_ALIVE_S = 15
_RETRY_MS = 2000
_SHUTDOWN_GRACE_S = 2.0
_PAGE = 500
_END = ServerSentEvent(event="stream.end", data="{}")


async def job_stream(hub: EventHub, database: Database, scope: TenantScope, job_id: UUID, after: str) -> Response:
    """Answer with the events of one job behind a cursor, until the job has ended and all of them were sent."""

    def last_of_ended_job() -> str | None:
        """Cursor of the job's last event if it has ended; NotFound if it is not this organization's."""
        with database.begin(scope) as uow:
            return uow.events.last_cursor(job_id) if uow.jobs.get(job_id).is_final else None

    start = cursor_position(after)
    last = await to_thread.run_sync(last_of_ended_job)
    if last is not None and cursor_position(last) <= start:
        # An EventSource that gets 204 does not reconnect (HTML, 9.2.1).
        return Response(status_code=204)

    async def events() -> AsyncGenerator[ServerSentEvent]:
        until = last
        async for event in _follow(hub, _reader(database, scope, job_id), lambda new: new.job_id == job_id, after):
            yield _message(event)
            if until is None and _ends_job(event):
                until = await to_thread.run_sync(last_of_ended_job)
            if until is not None and event.position >= cursor_position(until):
                break
        yield _END

    return _stream(events())


async def organization_stream(hub: EventHub, database: Database, scope: TenantScope, after: str | None) -> Response:
    """Answer with the events of all jobs of an organization behind a cursor, or from now on."""

    def latest() -> str:
        with database.begin(scope) as uow:
            return uow.events.latest_cursor()

    if after is not None:
        cursor_position(after)
    start = after if after is not None else await to_thread.run_sync(latest)

    async def events() -> AsyncGenerator[ServerSentEvent]:
        mine = _follow(hub, _reader(database, scope, None), lambda new: new.org_id == scope.org_id, start)
        async for event in mine:
            yield _message(event)

    return _stream(events())


def _stream(events: AsyncGenerator[ServerSentEvent]) -> EventSourceResponse:
    stopping = anyio.Event()
    return EventSourceResponse(
        _until(stopping, events),
        ping=KEEP_ALIVE_S,
        sep="\n",
        shutdown_event=stopping,
        shutdown_grace_period=_SHUTDOWN_GRACE_S,
    )


async def _until(stopping: anyio.Event, events: AsyncGenerator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    """Pass events on; when the server stops, end the answer in order, so that the client resumes elsewhere."""
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(events, None))
            try:
                await asyncio.wait({stopped, following}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    with anyio.CancelScope(shield=True), suppress(asyncio.CancelledError):
                        await following
            message = None if following.cancelled() else following.result()
            if message is None:
                return
            yield message
    finally:
        stopped.cancel()
        with anyio.CancelScope(shield=True):
            await events.aclose()


def _reader(database: Database, scope: TenantScope, job_id: UUID | None) -> Callable[[str], list[Event]]:
    def read(cursor: str) -> list[Event]:
        with database.begin(scope) as uow:
            return uow.events.after(cursor, job_id=job_id, limit=_PAGE)

    return read


async def _follow(
    hub: EventHub, read: Callable[[str], list[Event]], wanted: Callable[[Event], bool], cursor: str
) -> AsyncIterator[Event]:
    """Yield each event behind the cursor once, in order: from the database, then from the feed.

    The listener joins the feed before it reads: an event is readable by then, or will be fed.
    """
    async with hub.subscribe(wanted) as subscription:
        while True:
            while page := await to_thread.run_sync(read, cursor):
                for event in page:
                    yield event
                cursor = page[-1].cursor
            while (fed := await subscription.next()) is not None:
                if fed.position > cursor_position(cursor):
                    yield fed
                    cursor = fed.cursor


def _ends_job(event: Event) -> bool:
    return event.type == "job.state" and event.payload.get("state") in FINAL_JOB_STATES


def _message(event: Event) -> ServerSentEvent:
    body = schemas.Event.model_validate(event).model_dump_json()
    return ServerSentEvent(data=body, event=event.type, id=event.cursor, retry=_RETRY_MS)
