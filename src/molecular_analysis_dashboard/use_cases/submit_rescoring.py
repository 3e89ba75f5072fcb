"""Asking for the poses of a screen to be scored by another engine or scoring function."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import LigandChoice
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.errors import Conflict, EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.jobs import SCREENING_KINDS, Job, JobKind, NewTask, Origin, TaskKind
from molecular_analysis_dashboard.domain.rescoring import MAX_LIGANDS, POSE_COST_S, Rescoring, RescoringMethod
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.domain.scheduling import CostedLigand, cut_into_chunks, dock_queue
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.engines import build_for, check_engine, default_scoring
from molecular_analysis_dashboard.use_cases.ligand_choice import chosen_ligands
from molecular_analysis_dashboard.use_cases.start_job import new_job, start_job
from molecular_analysis_dashboard.use_cases.submit_once import Submitted, submit_once


@dataclass(frozen=True)
class RescoringRequest:
    """What a user asks for.

    Parameters
    ----------
    engine, scoring : str, optional
        None for what the screen docked with; for a scoring function that another engine lacks, that engine's default.
    choice : LigandChoice
        Among the hits that pass `where`, by docking score.
    max_poses : int, optional
        None for all poses of each ligand.
    said : mapping
        The request in its own words: equal requests under one key are one.
    """

    screen_id: UUID
    engine: str | None
    scoring: str | None
    relax: bool
    choice: LigandChoice
    where: HitFilter
    max_poses: int | None
    name: str | None
    priority: int
    said: Mapping[str, object]


def submit_rescoring(
    database: Database,
    principal: Principal,
    request: RescoringRequest,
    *,
    idempotency_key: str | None,
    target_s: float,
    origin: Origin,
) -> Submitted:
    """Write the job, or find the one that this key has written.

    Parameters
    ----------
    target_s : float
        CPU seconds of one task.

    Raises
    ------
    NotFound
        Without the screen.
    Conflict
        ``not_a_screen``, ``side_chains_moved``, ``nothing_to_rescore``, ``no_engine`` or ``idempotency_key_reused``.
    InvalidInput
        ``nothing_to_change``, ``engine_unknown``, ``scoring_unsupported``, ``too_many_ligands`` or ``hits_unknown``.
    """

    def write(uow: UnitOfWork) -> Job:
        screen = _screen(uow, request.screen_id)
        rescoring = _rescoring(uow, screen, request)
        ligand_ids = chosen_ligands(uow, screen, request.choice, request.where, verb="rescore", limit=MAX_LIGANDS)
        job = replace(
            new_job(principal, JobKind.RESCORE, request.name or _name(screen, rescoring.method), origin),
            id=rescoring.job_id,
            priority=request.priority,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
        )
        return _write(uow, screen, job, rescoring, ligand_ids, target_s)

    request_hash = content_hash({"screen_id": str(request.screen_id), **request.said})
    return submit_once(database, principal, idempotency_key, request_hash, write)


def _screen(uow: UnitOfWork, screen_id: UUID) -> Job:
    job = uow.jobs.get(screen_id)
    if job.kind not in SCREENING_KINDS:
        raise Conflict(f"A {job.kind} job has no poses to rescore.", code="not_a_screen", kind=job.kind)
    return job


def _rescoring(uow: UnitOfWork, screen: Job, request: RescoringRequest) -> Rescoring:
    docked = _docked_with(uow, screen)
    _refuse_moved_side_chains(docked)
    if request.engine is None and request.scoring is None and not request.relax:
        raise InvalidInput(
            f"These poses were docked by {docked.engine} with the scoring function {docked.scoring}. Name another "
            "engine or scoring function, or ask for relaxed poses; to see the same score in place again, name it.",
            code="nothing_to_change",
            engine=docked.engine,
            scoring=docked.scoring,
        )
    engine = request.engine or docked.engine
    scoring = request.scoring or default_scoring(uow, engine, docked.scoring)
    method = RescoringMethod(engine, scoring, request.relax)
    check_engine(uow, method.protocol)
    max_poses = request.max_poses or docked.n_poses
    return Rescoring(new_id(), screen.id, method, docked.engine, docked.scoring, max_poses)


def _refuse_moved_side_chains(docked: DockingProtocol) -> None:
    """Refuse poses whose side chains moved: no site of a rescoring has the receptor of any one pose."""
    if docked.flexible_residues:
        raise Conflict(
            f"These poses were found while side chains moved ({', '.join(docked.flexible_residues)}), and rescoring "
            "knows the receptor only as it was before. Dock again with the other scoring function instead.",
            code="side_chains_moved",
            flexible_residues=list(docked.flexible_residues),
        )


def _docked_with(uow: UnitOfWork, screen: Job) -> DockingProtocol:
    if screen.protocol_id is None:
        raise EngineFailed("The screen names no protocol.", code="job_incomplete")
    return uow.protocols.get(screen.protocol_id).protocol


def _name(screen: Job, method: RescoringMethod) -> str:
    return f"Rescore {screen.name} by {method.label}"[:200]


def _write(
    uow: UnitOfWork, screen: Job, job: Job, rescoring: Rescoring, ligand_ids: Sequence[UUID], target_s: float
) -> Job:
    """Write the job with all its tasks, best ligands first, pinned to a build of its engine."""
    method = rescoring.method
    build = build_for(uow, method.engine, method.scoring)
    costed = [CostedLigand(ligand_id, POSE_COST_S * rescoring.max_poses) for ligand_id in ligand_ids]
    cost_s = sum(ligand.base_cost_s for ligand in costed)
    queue = dock_queue(build)
    slots = uow.workers.slots().get(queue, 1)
    chunks = cut_into_chunks(costed, runs=1.0, remaining_cost_s=cost_s, slots=slots, target_s=target_s)
    job = replace(
        job,
        # What was docked, and how, stands with the screen.
        spec={**_place(screen), **asdict(method), "max_poses": rescoring.max_poses},
        structure_id=screen.structure_id,
        receptor_id=screen.receptor_id,
        site_id=screen.site_id,
        screen_id=screen.id,
        engine_build=build,
        n_ligands=len(costed),
        cost_s=cost_s,
    )
    tasks = [NewTask(new_id(), job.id, TaskKind.RESCORE, queue, chunk.ligand_ids, chunk.cost_s) for chunk in chunks]
    written = start_job(uow, job, tasks)
    uow.rescorings.add(rescoring)
    return written


def _place(screen: Job) -> dict[str, object]:
    return {name: screen.spec[name] for name in ("receptor_hash", "box") if name in screen.spec}
