"""Asking for analyses of a screen's poses: by a user, and by a completed screen itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.analyses import ANALYSIS_COST_S, MAX_LIGANDS, LigandChoice
from molecular_analysis_dashboard.domain.errors import Conflict, ResourceLost
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import Job, JobKind, NewTask, Origin, TaskKind
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.domain.scheduling import QUEUE_ANALYSE, CostedLigand, cut_into_chunks
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.ligand_choice import chosen_ligands
from molecular_analysis_dashboard.use_cases.start_job import job_of, new_job
from molecular_analysis_dashboard.use_cases.submit_once import Submitted, submit_once

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AnalysisRequest:
    """What a user asks for.

    Parameters
    ----------
    choice : LigandChoice
        Among the hits that pass `where`, by docking score.
    said : mapping
        The request in its own words: equal requests under one key are one.
    """

    screen_id: UUID
    choice: LigandChoice
    where: HitFilter
    max_poses: int
    name: str | None
    priority: int
    said: Mapping[str, object]


def submit_analysis(
    database: Database,
    principal: Principal,
    request: AnalysisRequest,
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
        ``not_a_screen``, ``nothing_to_analyse`` or ``idempotency_key_reused``.
    InvalidInput
        ``too_many_ligands`` or ``hits_unknown``.
    """

    def write(uow: UnitOfWork) -> Job:
        screen = _screen(uow, request.screen_id)
        ligand_ids = chosen_ligands(uow, screen, request.choice, request.where, verb="analyse", limit=MAX_LIGANDS)
        name = request.name or _name(screen)
        job = replace(
            new_job(principal, JobKind.ANALYSE, name, origin),
            priority=request.priority,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
        )
        return _write(uow, screen, job, ligand_ids, request.max_poses, target_s)

    request_hash = content_hash({"screen_id": str(request.screen_id), **request.said})
    return submit_once(database, principal, idempotency_key, request_hash, write)


class StartAnalyses:
    """Asks for the analyses that completed screens were promised; one round of the leader.

    A screen is complete before that and whatever comes of it: this happens in transactions of its own.
    """

    def __init__(self, database: Database, *, target_s: float) -> None:
        self._database = database
        self._target_s = target_s

    def __call__(self) -> None:
        """Start what is due; a screen that resists keeps no other from its analyses."""
        with self._database.begin(SystemScope()) as uow:
            due = uow.analyses.screens_due()
        for screen in due:
            try:
                self._start(screen)
            except ResourceLost:
                raise
            except Exception:
                log.exception("analysis.not_started", **screen.ids)

    def _start(self, screen: Job) -> None:
        with self._database.begin(TenantScope(screen.org_id)) as uow:
            screen = uow.jobs.get(screen.id, lock=True)
            if screen.analyse_top is None:
                return
            uow.analyses.asked(screen.id)
            ligand_ids = uow.results.best(screen.id, HitFilter(), skip=0, limit=min(screen.analyse_top, MAX_LIGANDS))
            if ligand_ids and screen.protocol_id is not None:
                max_poses = uow.protocols.get(screen.protocol_id).protocol.analyses.max_poses
                job = job_of(screen.org_id, screen.created_by, JobKind.ANALYSE, _name(screen), screen.origin)
                job = replace(job, priority=screen.priority)
                job = _write(uow, screen, job, ligand_ids, max_poses, self._target_s)
                log.info("analysis.started", screen_id=str(screen.id), ligands=len(ligand_ids), **job.ids)
            uow.commit()


def _screen(uow: UnitOfWork, screen_id: UUID) -> Job:
    job = uow.jobs.get(screen_id)
    if job.kind is not JobKind.SCREEN:
        raise Conflict(f"A {job.kind} job has no poses to analyse.", code="not_a_screen", kind=job.kind)
    return job


def _name(screen: Job) -> str:
    return f"Analyse {screen.name}"[:200]


def _write(uow: UnitOfWork, screen: Job, job: Job, ligand_ids: Sequence[UUID], max_poses: int, target_s: float) -> Job:
    """Write the job with all its tasks, best ligands first."""
    costed = [CostedLigand(ligand_id, ANALYSIS_COST_S) for ligand_id in ligand_ids]
    cost_s = ANALYSIS_COST_S * len(costed)
    slots = uow.workers.slots().get(QUEUE_ANALYSE, 1)
    chunks = cut_into_chunks(costed, runs=1.0, remaining_cost_s=cost_s, slots=slots, target_s=target_s)
    job = replace(
        job,
        spec={"max_poses": max_poses},
        structure_id=screen.structure_id,
        receptor_id=screen.receptor_id,
        site_id=screen.site_id,
        screen_id=screen.id,
        n_ligands=len(costed),
        cost_s=cost_s,
    )
    tasks = [
        NewTask(new_id(), job.id, TaskKind.ANALYSE, QUEUE_ANALYSE, ligand_ids=chunk.ligand_ids, cost_s=chunk.cost_s)
        for chunk in chunks
    ]
    uow.jobs.add(job, tasks)
    return uow.jobs.get(job.id)
