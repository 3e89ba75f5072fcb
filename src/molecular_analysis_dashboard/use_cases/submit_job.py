"""Submitting a screen: checked, pinned to an engine build, written once whatever the client repeats."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.domain.jobs import Job, JobKind, Origin
from molecular_analysis_dashboard.domain.scheduling import PREPARATION_COST_S, search_runs
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.docking_request import docking_inputs, with_ligands
from molecular_analysis_dashboard.use_cases.flexible_residues import FlexibleResiduesCheck
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job
from molecular_analysis_dashboard.use_cases.submit_once import Submitted, find_submitted, submit_once


@dataclass(frozen=True)
class ScreenRequest:
    """What a user asks for."""

    receptor_id: UUID
    site_id: UUID
    library_id: UUID
    protocol_id: UUID
    name: str | None = None
    priority: int = 0

    @property
    def request_hash(self) -> str:
        """SHA-256 of the whole request: equal requests under one key are one."""
        return content_hash({key: str(value) for key, value in asdict(self).items()})


def submit_screen(
    database: Database,
    check: FlexibleResiduesCheck,
    principal: Principal,
    request: ScreenRequest,
    *,
    idempotency_key: str | None,
    origin: Origin,
) -> Submitted:
    """Write the job, or find the one that this key has written.

    Raises
    ------
    Conflict
        ``receptor_not_ready``, ``library_not_ready``, ``library_empty``, ``no_engine``, ``idempotency_key_reused``.
    InvalidInput
        ``site_of_other_structure``, or as `FlexibleResiduesCheck` refuses.
    """
    earlier = find_submitted(database, principal, idempotency_key, request.request_hash)
    if earlier is not None:
        return earlier
    check(principal, request.receptor_id, request.site_id, request.protocol_id)

    def write(uow: UnitOfWork) -> Job:
        return _write(uow, principal, request, idempotency_key, origin)

    return submit_once(database, principal, idempotency_key, request.request_hash, write)


def _write(uow: UnitOfWork, principal: Principal, request: ScreenRequest, key: str | None, origin: Origin) -> Job:
    inputs = docking_inputs(uow, request.receptor_id, request.site_id, request.protocol_id)
    library = with_ligands(uow.libraries.get(request.library_id))
    name = request.name or f"{library.name} on {inputs.receptor.name}"[:200]
    runs = search_runs(inputs.protocol.protocol)
    job = replace(
        new_job(principal, JobKind.SCREEN, name, origin),
        spec={"library_sha256": library.sha256},
        library_id=library.id,
        analyse_top=inputs.protocol.protocol.analyses.top or None,
        priority=request.priority,
        idempotency_key=key,
        request_hash=request.request_hash,
        n_ligands=library.n_ligands,
        cost_s=library.base_cost_s * runs + PREPARATION_COST_S * library.n_ligands,
    )
    return start_job(uow, inputs.on(job))
