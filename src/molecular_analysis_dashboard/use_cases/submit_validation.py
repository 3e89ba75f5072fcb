"""Submitting a validation: one screen over actives and decoys, whose ranking is then judged."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.errors import InvalidInput
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
class ValidationRequest:
    """What a user asks for."""

    receptor_id: UUID
    site_id: UUID
    actives_library_id: UUID
    decoys_library_id: UUID
    protocol_id: UUID
    name: str | None = None
    priority: int = 0

    @property
    def request_hash(self) -> str:
        """SHA-256 of the whole request: equal requests under one key are one."""
        return content_hash({"kind": JobKind.VALIDATE} | {key: str(value) for key, value in asdict(self).items()})


def submit_validation(
    database: Database,
    check: FlexibleResiduesCheck,
    principal: Principal,
    request: ValidationRequest,
    *,
    idempotency_key: str | None,
    origin: Origin,
) -> Submitted:
    """Write the job, or find the one that this key has written.

    Raises
    ------
    Conflict
        As for a screen.
    InvalidInput
        ``site_of_other_structure``, ``same_library``, or as `FlexibleResiduesCheck` refuses.
    """
    earlier = find_submitted(database, principal, idempotency_key, request.request_hash)
    if earlier is not None:
        return earlier
    check(principal, request.receptor_id, request.site_id, request.protocol_id)

    def write(uow: UnitOfWork) -> Job:
        return _write(uow, principal, request, idempotency_key, origin)

    return submit_once(database, principal, idempotency_key, request.request_hash, write)


def _write(uow: UnitOfWork, principal: Principal, request: ValidationRequest, key: str | None, origin: Origin) -> Job:
    inputs = docking_inputs(uow, request.receptor_id, request.site_id, request.protocol_id)
    actives = with_ligands(uow.libraries.get(request.actives_library_id))
    decoys = with_ligands(uow.libraries.get(request.decoys_library_id))
    if actives.id == decoys.id:
        raise InvalidInput("Actives and decoys are the same library. Give two.", code="same_library")
    name = request.name or f"{actives.name} against {decoys.name} on {inputs.receptor.name}"[:200]
    n_ligands = actives.n_ligands + decoys.n_ligands
    base_cost_s = actives.base_cost_s + decoys.base_cost_s
    job = replace(
        new_job(principal, JobKind.VALIDATE, name, origin),
        spec={"actives_sha256": actives.sha256, "decoys_sha256": decoys.sha256},
        library_id=actives.id,
        priority=request.priority,
        idempotency_key=key,
        request_hash=request.request_hash,
        n_ligands=n_ligands,
        cost_s=base_cost_s * search_runs(inputs.protocol.protocol) + PREPARATION_COST_S * n_ligands,
    )
    written = start_job(uow, inputs.on(job))
    uow.validations.add(written.id, decoys.id)
    return written
