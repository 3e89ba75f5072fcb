"""Submitting a redocking: the native ligand of a site, or one sent along, docked again by several runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import BindingSite
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.jobs import Job, JobKind, NewTask, Origin, TaskKind
from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.domain.redocking import (
    DEFAULT_RUNS,
    BondOrderSource,
    NativeMolecule,
    NewRun,
    Redocking,
    run_seeds,
)
from molecular_analysis_dashboard.domain.scheduling import base_cost_s, dock_queue, docking_cost_s, search_runs
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.docking_request import docking_inputs
from molecular_analysis_dashboard.use_cases.file_names import base_name
from molecular_analysis_dashboard.use_cases.flexible_residues import FlexibleResiduesCheck
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job
from molecular_analysis_dashboard.use_cases.submit_once import Submitted, find_submitted, submit_once

# Of a native ligand only the heavy atoms are known at once; drugs have about one torsion for five of them.
_HEAVY_ATOMS_PER_TORSION = 5


@dataclass(frozen=True)
class NativeFile:
    """A native ligand sent along, at its coordinates in the receptor's frame."""

    file_name: str
    content: str
    template: str | None = None


@dataclass(frozen=True)
class RedockingRequest:
    """What a user asks for; without `native` the ligand that the site was made from is docked."""

    receptor_id: UUID
    site_id: UUID
    protocol_id: UUID
    runs: int = DEFAULT_RUNS
    native: NativeFile | None = None
    name: str | None = None
    priority: int = 0

    @property
    def request_hash(self) -> str:
        """SHA-256 of the whole request: equal requests under one key are one."""
        return content_hash({"kind": JobKind.REDOCK} | {key: str(value) for key, value in asdict(self).items()})


@dataclass(frozen=True)
class _Native:
    molecule: NativeMolecule
    selector: str | None
    n_heavy_atoms: int
    checks: Sequence[Mapping[str, object]]


def submit_redocking(
    database: Database,
    uploads: BlobStore,
    chemistry: RequestChemistry,
    check: FlexibleResiduesCheck,
    principal: Principal,
    request: RedockingRequest,
    *,
    idempotency_key: str | None,
    origin: Origin,
) -> Submitted:
    """Write the job with a task for each run, or find the one that this key has written.

    Raises
    ------
    Conflict
        ``receptor_not_ready``, ``no_engine``, ``idempotency_key_reused``.
    InvalidInput
        ``site_of_other_structure``, ``no_native_ligand``, ``native_without_bond_orders``, ``native_outside``, or
        as `FlexibleResiduesCheck` refuses.
    """
    earlier = find_submitted(database, principal, idempotency_key, request.request_hash)
    if earlier is not None:
        return earlier
    check(principal, request.receptor_id, request.site_id, request.protocol_id)
    native = _native(database, uploads, chemistry, principal, request)
    if any(check["code"] == "native_outside" and check["severity"] == Severity.BLOCKING for check in native.checks):
        raise InvalidInput(
            "The whole native ligand lies outside the search box. Make a site around it.", code="native_outside"
        )

    def write(uow: UnitOfWork) -> Job:
        return _write(uow, principal, request, native, idempotency_key, origin)

    return submit_once(database, principal, idempotency_key, request.request_hash, write)


def _write(
    uow: UnitOfWork,
    principal: Principal,
    request: RedockingRequest,
    native: _Native,
    key: str | None,
    origin: Origin,
) -> Job:
    inputs = docking_inputs(uow, request.receptor_id, request.site_id, request.protocol_id)
    protocol = inputs.protocol.protocol
    base_s = base_cost_s(native.n_heavy_atoms, native.n_heavy_atoms // _HEAVY_ATOMS_PER_TORSION)
    cost_s = docking_cost_s(base_s, search_runs(protocol))
    name = request.name or f"Redock {native.molecule.name} in {inputs.receptor.name}"[:200]
    job = replace(
        new_job(principal, JobKind.REDOCK, name, origin),
        priority=request.priority,
        idempotency_key=key,
        request_hash=request.request_hash,
        n_ligands=request.runs,
        cost_s=cost_s * request.runs,
    )
    seeds = run_seeds(protocol.seed, request.runs)
    runs = [NewRun(new_id(), number, seed) for number, seed in enumerate(seeds, 1)]
    queue = dock_queue(inputs.engine_build)
    tasks = [NewTask(new_id(), job.id, TaskKind.REDOCK, queue, (run.id,), cost_s) for run in runs]
    written = start_job(uow, inputs.on(job), tasks)
    uow.redockings.add(Redocking(job.id, native.selector, native.molecule, tuple(native.checks)), runs)
    return written


def _native(
    database: Database, uploads: BlobStore, chemistry: RequestChemistry, principal: Principal, request: RedockingRequest
) -> _Native:
    with database.begin(principal.scope) as uow:
        site = uow.structures.get_site(request.site_id)
        structure = uow.structures.get(site.structure_id)
    if request.native is None:
        return _of_site(site)
    sent = request.native
    place = chemistry.native_of_file(sent.content, base_name(sent.file_name), sent.template)
    if place.mol_block is None:
        raise _without_bond_orders(place.name)
    with uploads.open(structure.sha256) as stream:
        data = stream.read()
    checks = chemistry.check_box(data, structure.file_name, site.box, place.coordinates)
    source = BondOrderSource.LIGAND_FILE if sent.template is None else BondOrderSource.TEMPLATE
    molecule = NativeMolecule(place.name, place.mol_block, source, place.warnings)
    return _Native(molecule, None, len(place.coordinates), [asdict(check) for check in checks])


def _of_site(site: BindingSite) -> _Native:
    """Return the ligand that a site was made from; its bond orders may be for a worker to find."""
    details: Mapping[str, object] = site.details
    native = details.get("native")
    if not isinstance(native, Mapping):
        raise InvalidInput(
            "This binding site was not made from a ligand. Send the native ligand along as SDF, or choose a site that "
            "was.",
            code="no_native_ligand",
            origin=site.origin,
        )
    name, selector = str(native["name"]), details.get("selector")
    if site.native_mol_block is None and selector is None:
        raise _without_bond_orders(name)
    source = BondOrderSource.TEMPLATE if "template" in details else BondOrderSource.LIGAND_FILE
    warnings, checks = details.get("warnings"), details.get("checks")
    molecule = NativeMolecule(
        name,
        site.native_mol_block,
        source if site.native_mol_block is not None else None,
        tuple(map(str, warnings)) if isinstance(warnings, list) else (),
    )
    return _Native(
        molecule,
        None if selector is None else str(selector),
        int(str(native["n_heavy_atoms"])),
        checks if isinstance(checks, list) else (),
    )


def _without_bond_orders(name: str) -> InvalidInput:
    return InvalidInput(
        f"The bond orders of {name} are not known. Send it as SDF or MOL2, or give its SMILES as a template.",
        code="native_without_bond_orders",
        name=name,
    )
