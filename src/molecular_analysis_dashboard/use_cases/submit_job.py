"""Submitting a screen: checked, pinned to an engine build, written once whatever the client repeats."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import BindingSite, Library, ProtocolVersion, ReadyState, Receptor
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, NotFound
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.domain.jobs import Job, JobCounts, JobKind, Origin
from molecular_analysis_dashboard.domain.scheduling import PREPARATION_COST_S, search_runs
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.engines import choose_build
from molecular_analysis_dashboard.use_cases.receptors import require_ready
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job


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


@dataclass(frozen=True)
class Submitted:
    """The job, and whether an earlier request had written it already."""

    job: Job
    counts: JobCounts
    replayed: bool


def submit_screen(
    database: Database,
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
        ``site_of_other_structure``.
    """
    try:
        return _submit(database, principal, request, idempotency_key, origin)
    except Conflict as error:
        if error.error_code != "idempotency_race":
            raise
        # The other request with this key has committed by now: its row was what refused ours.
        return _submit(database, principal, request, idempotency_key, origin)


def _submit(
    database: Database, principal: Principal, request: ScreenRequest, key: str | None, origin: Origin
) -> Submitted:
    with database.begin(principal.scope) as uow:
        known = uow.jobs.find_by_key(key) if key is not None else None
        if known is not None:
            return _replay(uow, known, request)
        job = _write(uow, principal, request, key, origin)
        counts = uow.jobs.counts(job.id)
        uow.commit()
    return Submitted(job, counts, replayed=False)


def _replay(uow: UnitOfWork, known: Job, request: ScreenRequest) -> Submitted:
    if known.request_hash != request.request_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request. Choose a new key for a new intent.",
            code="idempotency_key_reused",
            job_id=str(known.id),
        )
    try:
        job = uow.jobs.get(known.id)
    except NotFound as gone:
        raise Conflict(
            "This Idempotency-Key belongs to a job that was deleted. Choose a new key for a new intent.",
            code="idempotency_key_reused",
            job_id=str(known.id),
        ) from gone
    return Submitted(job, uow.jobs.counts(job.id), replayed=True)


def _write(uow: UnitOfWork, principal: Principal, request: ScreenRequest, key: str | None, origin: Origin) -> Job:
    receptor = require_ready(uow.structures.get_receptor(request.receptor_id))
    site = _of_same_structure(uow.structures.get_site(request.site_id), receptor)
    library = _with_ligands(uow.libraries.get(request.library_id))
    protocol = uow.protocols.get(request.protocol_id)
    build = _build_for(uow, protocol)
    name = request.name or f"{library.name} on {receptor.name}"[:200]
    job = replace(
        new_job(principal, JobKind.SCREEN, name, origin),
        spec={
            "receptor_hash": receptor.content_hash,
            "box": asdict(site.box),
            "library_sha256": library.sha256,
            "protocol_hash": protocol.content_hash,
            "seed": protocol.protocol.seed,
        },
        structure_id=receptor.structure_id,
        receptor_id=receptor.id,
        site_id=site.id,
        library_id=library.id,
        protocol_id=protocol.id,
        engine_build=build,
        priority=request.priority,
        idempotency_key=key,
        request_hash=request.request_hash,
        n_ligands=library.n_ligands,
        cost_s=library.base_cost_s * search_runs(protocol.protocol) + PREPARATION_COST_S * library.n_ligands,
    )
    return start_job(uow, job)


def _of_same_structure(site: BindingSite, receptor: Receptor) -> BindingSite:
    if site.structure_id != receptor.structure_id:
        raise InvalidInput(
            "The binding site and the receptor belong to different structures. Choose a site of the receptor's.",
            code="site_of_other_structure",
            site_structure_id=str(site.structure_id),
            receptor_structure_id=str(receptor.structure_id),
        )
    return site


def _with_ligands(library: Library) -> Library:
    if library.state is not ReadyState.READY:
        what = "is still being read" if library.state is ReadyState.PREPARING else "could not be read"
        raise Conflict(
            f"The library {library.name} {what}.",
            code="library_not_ready",
            library_id=str(library.id),
            state=library.state,
            error=library.error,
        )
    if library.n_ligands == 0:
        raise Conflict(
            f"The library {library.name} holds no ligand: all {library.n_records} records were rejected.",
            code="library_empty",
            library_id=str(library.id),
        )
    return library


def _build_for(uow: UnitOfWork, protocol: ProtocolVersion) -> str:
    engine = protocol.protocol.engine
    build = choose_build(uow, engine)
    if build is None:
        raise Conflict(
            f"No worker has ever offered the engine {engine}. Start a worker that has it, then submit again.",
            code="no_engine",
            engine=engine,
        )
    return build
