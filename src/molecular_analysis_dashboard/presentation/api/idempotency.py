"""What routes share that submit jobs: the key that makes a repeated request harmless, and the answer to it."""

from typing import Annotated, Any

import structlog
from fastapi import Header, Response

from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job
from molecular_analysis_dashboard.presentation.api.views import job_view
from molecular_analysis_dashboard.use_cases.submit_once import Submitted

log = structlog.get_logger(__name__)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of the client's choice, new for each intent: repeating a request with its key returns "
        "its job instead of submitting another.",
    ),
]
REPLAYED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Job,
        "description": "This request was handled before; its job as it stands now.",
        "headers": {"Idempotent-Replay": {"schema": {"type": "string", "enum": ["true"]}}},
    }
}


def answer(submitted: Submitted, response: Response) -> Job:
    """Return the job, and tell by status and header whether an earlier request had submitted it."""
    if submitted.replayed:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    log.info("job.submitted", kind=submitted.job.kind, job_id=str(submitted.job.id), replayed=submitted.replayed)
    return job_view(submitted.job, submitted.counts)
