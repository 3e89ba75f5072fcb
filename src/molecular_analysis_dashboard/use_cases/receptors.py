"""Asking for a receptor: the request is written, a worker prepares it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import ReadyState, Receptor
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.jobs import Job, JobKind, Origin
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job


def request_receptor(
    uow: UnitOfWork,
    principal: Principal,
    structure_id: UUID,
    options: ReceptorOptions,
    *,
    name: str | None,
    origin: Origin,
) -> tuple[Receptor, Job]:
    """Write a receptor to be prepared and the job that does it; NotFound without the structure."""
    structure = uow.structures.get(structure_id)
    receptor = Receptor(
        id=new_id(),
        structure_id=structure_id,
        name=name or structure.name,
        options=options.as_json(),
        state=ReadyState.PREPARING,
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    uow.structures.add_receptor(receptor)
    job = replace(
        new_job(principal, JobKind.PREPARE, f"Prepare {receptor.name}", origin),
        spec={"receptor_id": str(receptor.id)},
        structure_id=structure_id,
        receptor_id=receptor.id,
    )
    job = start_job(uow, job)
    return uow.structures.get_receptor(receptor.id), job


def pockets_of(receptor: Receptor) -> tuple[Pocket, ...]:
    """Return the pockets of a ready receptor, the best first, else raise Conflict.

    Raises
    ------
    Conflict
        ``receptor_not_ready`` or ``pockets_unknown``.
    """
    found = require_ready(receptor).pockets
    if found is None:
        raise Conflict(
            f"The pockets of the receptor {receptor.name} are not known: an earlier release prepared it, or the search "
            "for them failed. Prepare the structure again.",
            code="pockets_unknown",
            receptor_id=str(receptor.id),
        )
    return found


def require_ready(receptor: Receptor) -> Receptor:
    """Return the receptor if it can be used, else raise Conflict (``receptor_not_ready``)."""
    if receptor.state is ReadyState.READY:
        return receptor
    what = (
        "is still being prepared; wait for its job"
        if receptor.state is ReadyState.PREPARING
        else "could not be prepared; its error says why"
    )
    raise Conflict(
        f"The receptor {receptor.name} {what}.",
        code="receptor_not_ready",
        receptor_id=str(receptor.id),
        state=receptor.state,
        error=receptor.error,
    )
