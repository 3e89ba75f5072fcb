"""What a job was to make, when nobody will make it any more."""

from collections.abc import Mapping

from molecular_analysis_dashboard.domain.jobs import Job, JobKind
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

CANCELLED: Mapping[str, object] = {
    "code": "cancelled",
    "message": "Its job was cancelled before it was done.",
    "details": {},
}


def give_up_product(uow: UnitOfWork, job: Job, error: Mapping[str, object]) -> None:
    """Mark the receptor or library of a job that ended without it as failed; one that is ready stays so."""
    if job.kind is JobKind.PREPARE and job.receptor_id is not None:
        uow.structures.receptor_failed(job.receptor_id, error)
    if job.kind is JobKind.INGEST and job.library_id is not None:
        uow.libraries.fail(job.library_id, error)
