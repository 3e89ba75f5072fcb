"""Request ids: taken from the client where they are usable, else made here; and what a job keeps of its request."""

import re
from uuid import uuid4

from starlette.requests import Request

from molecular_analysis_dashboard.domain.jobs import Origin
from molecular_analysis_dashboard.infrastructure.bootstrap import ApiServices

HEADER = "X-Request-ID"
# What may go into a log line and a header without a second thought.
_USABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")


def choose_request_id(given: str | None) -> str:
    """Return the client's id if it is usable, else a new one."""
    return given if given is not None and _USABLE.fullmatch(given) else uuid4().hex


def request_id_of(request: Request) -> str:
    """Return the id of a request."""
    id_: str = request.scope["mad.request_id"]
    return id_


def origin_of(request: Request) -> Origin:
    """Return what a job that this request asks for keeps of it."""
    services: ApiServices = request.app.state.services
    return Origin(request_id_of(request), services.tracing.traceparent())
