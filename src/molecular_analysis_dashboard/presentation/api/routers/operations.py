"""Liveness, readiness and metrics: for machines, without credentials."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from molecular_analysis_dashboard.presentation.api.dependencies import Services
from molecular_analysis_dashboard.presentation.api.metrics import render_metrics

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadinessCheck(BaseModel):
    """One thing that must work."""

    name: str
    ok: bool
    message: str


class Readiness(BaseModel):
    """Whether requests can be served."""

    status: Literal["ready", "not_ready"]
    checks: list[ReadinessCheck]


@router.get("/health", operation_id="get_health")
async def get_health() -> Health:
    """Say that the process lives; touches nothing else."""
    return Health()


@router.get(
    "/ready",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "A check fails; it is named."}},
    operation_id="get_readiness",
)
def get_readiness(services: Services) -> JSONResponse:
    """Check database, migrations, broker and storage."""
    checks = [ReadinessCheck(name=check.name, ok=check.ok, message=check.message) for check in services.readiness()]
    ready = all(check.ok for check in checks)
    body = Readiness(status="ready" if ready else "not_ready", checks=checks)
    return JSONResponse(body.model_dump(), 200 if ready else 503, headers={"Cache-Control": "no-store"})


@router.get("/metrics", response_class=Response, operation_id="get_metrics")
def get_metrics(services: Services) -> Response:
    """Return metrics in Prometheus' text format."""
    return Response(render_metrics(services.database), headers={"Content-Type": CONTENT_TYPE_LATEST})
