"""The ASGI application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from anyio import to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from molecular_analysis_dashboard.infrastructure.bootstrap import build_api_services
from molecular_analysis_dashboard.infrastructure.settings import Settings, check_bind, load_settings
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.presentation.api.errors import install_error_handlers
from molecular_analysis_dashboard.presentation.api.event_hub import EventHub
from molecular_analysis_dashboard.presentation.api.middleware import BodyLimit, HeadRequests, RequestContext
from molecular_analysis_dashboard.presentation.api.routers import (
    analyses,
    documentation,
    events,
    exports,
    jobs,
    libraries,
    operations,
    protocols,
    receptors,
    rescoring,
    results,
    session,
    sites,
    structures,
    validation,
    web,
)
from molecular_analysis_dashboard.presentation.api.uploads import upload_limiter

log = structlog.get_logger(__name__)

_DESCRIPTION = """Dock and screen molecules on your own machines.

Every answer has an `X-Request-ID`; send your own to find a request in the server's log. Every error has the same
envelope, `{"error": {"code", "message", "details", "request_id"}}`. Listings come in pages: pass `next_cursor` as
`cursor` until it is null. Times are UTC, lengths Å, docking scores kcal/mol (lower is better).
"""

# Whether anything is traced is decided when the server starts; these are asked all the time, or stay open for hours.
_UNTRACED = ("/health", "/ready", "/metrics", "/events/stream")
_TELEMETRY: TelemetryConfig = {
    "auto_configure": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "exclude": lambda scope: scope["path"].endswith(_UNTRACED),
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; settings are read and services built when it starts, not when it is imported."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chosen = settings or load_settings()
        check_bind(chosen)
        for warning in chosen.warnings:
            log.warning("settings.doubtful", message=warning)
        services = build_api_services(chosen)
        app.state.services = services
        app.state.event_hub = EventHub(services.database)
        app.state.upload_limiter = upload_limiter()
        # Whatever is not in order is in the log from the start, not only once somebody asks /ready.
        await to_thread.run_sync(services.readiness)
        try:
            yield
        finally:
            await app.state.event_hub.close()
            services.close()

    app = FastAPI(
        title="Molecular Analysis Dashboard",
        version=package_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        telemetry=_TELEMETRY,
        # A redirect would answer a mistyped address without an envelope.
        redirect_slashes=False,
    )
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestContext)
    app.add_middleware(HeadRequests)
    install_error_handlers(app)
    for router in (
        session.router,
        structures.router,
        receptors.router,
        sites.router,
        libraries.router,
        protocols.router,
        jobs.router,
        jobs.engines_router,
        events.job_events_router,
        events.router,
        results.router,
        analyses.router,
        rescoring.router,
        exports.router,
        validation.router,
        operations.router,
        documentation.router,
        web.router,
    ):
        app.include_router(router)
    return app
