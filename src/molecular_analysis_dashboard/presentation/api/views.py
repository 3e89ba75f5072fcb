"""Answers that are more than the domain object's own attributes."""

from molecular_analysis_dashboard.domain import catalog, jobs
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job, JobCounts
from molecular_analysis_dashboard.presentation.api.schemas.protocols import DockingProtocol, Protocol
from molecular_analysis_dashboard.presentation.api.schemas.sites import BindingSite

# Kept beside the site's origin, and shown as a field of their own.
_CHECKS = "checks"


def job_view(job: jobs.Job, counts: jobs.JobCounts) -> Job:
    """Show a job with its counts."""
    shown = {name: getattr(job, name) for name in Job.model_fields if hasattr(job, name)}
    more = {
        "counts": JobCounts.model_validate(counts),
        "estimated_cpu_s": job.cost_s,
        "request_id": job.origin.request_id,
    }
    return Job.model_validate(shown | more)


def site_view(site: catalog.BindingSite) -> BindingSite:
    """Show a binding site with the volume and the checks of its box."""
    details = dict(site.details)
    checks = details.pop(_CHECKS, [])
    return BindingSite.model_validate(
        {
            "id": site.id,
            "structure_id": site.structure_id,
            "name": site.name,
            "origin": site.origin,
            "center": site.box.center,
            "size": site.box.size,
            "volume_angstrom3": site.box.volume_angstrom3,
            "details": details,
            "checks": checks,
            "created_by": site.created_by,
            "created_at": site.created_at,
        }
    )


def protocol_view(version: catalog.ProtocolVersion) -> Protocol:
    """Show a version with its content."""
    return Protocol(
        id=version.id,
        name=version.name,
        version=version.version,
        content_hash=version.content_hash,
        protocol=DockingProtocol.model_validate(version.protocol.as_json()),
        created_by=version.created_by,
        created_at=version.created_at,
    )
