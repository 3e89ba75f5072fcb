"""What happened to jobs: pages to poll, and live streams to listen to."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Request, Response

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Limit, Services
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Event, EventPage
from molecular_analysis_dashboard.presentation.api.streaming import job_stream, organization_stream

job_events_router = api_router("/jobs", "events")
router = api_router("/events", "events")

EventCursor = Annotated[
    str | None,
    Query(max_length=64, description="Cursor of the last event seen; absent: from the beginning of the job."),
]
LastEventId = Annotated[
    str | None, Header(max_length=64, description="As browsers send it when they reconnect; wins over `after`.")
]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-Sent Events: `id` is the cursor, `event` the type, `data` the event as JSON. "
        "The event `stream.end` says that no more will come.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}


@job_events_router.get(
    "/{job_id}/events", response_model=EventPage, responses=error_responses(404), operation_id="list_job_events"
)
def list_job_events(
    services: Services, caller: Caller, job_id: UUID, after: EventCursor = None, limit: Limit = 100
) -> EventPage:
    """List a job's events, oldest first."""
    with services.database.begin(caller.scope) as uow:
        uow.jobs.get(job_id)
        found = uow.events.after(after or "", job_id=job_id, limit=limit)
    following = found[-1].cursor if found else after or ""
    return EventPage(items=[Event.model_validate(event) for event in found], next_cursor=following)


@job_events_router.get(
    "/{job_id}/events/stream",
    response_class=Response,
    responses={
        **_STREAM,
        204: {"description": "The job has ended and there is nothing behind the cursor: do not reconnect."},
        **error_responses(404),
    },
    operation_id="stream_job_events",
)
async def stream_job_events(
    request: Request,
    services: Services,
    caller: Caller,
    job_id: UUID,
    after: EventCursor = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a job live; the stream ends when the job has ended and everything was told."""
    return await job_stream(
        request.app.state.event_hub, services.database, caller.scope, job_id, last_event_id or after or ""
    )


@router.get(
    "/stream",
    response_class=Response,
    responses={**_STREAM, **error_responses()},
    operation_id="stream_events",
)
async def stream_events(
    request: Request,
    services: Services,
    caller: Caller,
    after: Annotated[
        str | None, Query(max_length=64, description="Cursor of the last event seen; absent: from now on.")
    ] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow all jobs of the organization live."""
    return await organization_stream(
        request.app.state.event_hub, services.database, caller.scope, last_event_id or after
    )
