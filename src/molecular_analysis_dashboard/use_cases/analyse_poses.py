"""An analysis task: pose after pose through the chemistry process, each ligand recorded under the fence."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.analyses import (
    AnalysedPose,
    AnalysisSite,
    NotAnalysed,
    PoseAnalysis,
    PosedLigand,
    PoseFailure,
)
from molecular_analysis_dashboard.domain.catalog import Receptor
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, Job
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, ExitCause, ProcessEnded
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.persistence import persist
from molecular_analysis_dashboard.use_cases.run_task import Stopped

log = structlog.get_logger(__name__)

_REASON_FOR_EXIT = {
    ExitCause.CRASH: NotAnalysed.CRASH,
    ExitCause.TIMEOUT: NotAnalysed.TIMEOUT,
    ExitCause.OUT_OF_MEMORY: NotAnalysed.OUT_OF_MEMORY,
}
_LOST = PoseFailure(NotAnalysed.LOST, "Workers were lost repeatedly while this ligand was analysed.")


class AnalysePoses:
    """Handles tasks of kind ``analyse``.

    Parameters
    ----------
    max_losses_per_ligand : int
        A ligand that was current when so many attempts were lost is not tried again. Docking asks a person then; an
        analysis is worth less than that.
    patience_s : float
        How long finished work is held while the database is out of reach, in seconds.
    """

    def __init__(
        self,
        database: Database,
        results_store: BlobStore,
        process: ChemistryProcess,
        *,
        max_losses_per_ligand: int,
        patience_s: float,
    ) -> None:
        self._database = database
        self._results_store = results_store
        self._process = process
        self._max_losses_per_ligand = max_losses_per_ligand
        self._patience_s = patience_s

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Analyse what neither this task nor a successful one before it has recorded."""
        with self._database.begin(TenantScope(task.org_id)) as uow:
            job = uow.jobs.get(task.job_id)
            screen = uow.jobs.get(_required(job.screen_id))
            receptor = uow.structures.get_receptor(_required(screen.receptor_id), deleted=True)
            box = uow.structures.get_site(_required(screen.site_id), deleted=True).box
            flexible = uow.protocols.get(_required(screen.protocol_id)).protocol.flexible_residues
            done = uow.analyses.done(task, screen.id)
            losses = uow.ledger.losses(task)
        watch.n_scored = sum(done.values())
        watch.n_rejected = len(done) - watch.n_scored
        todo = [ligand_id for ligand_id in task.ligand_ids if ligand_id not in done]
        site = self._load(receptor, box)
        for number, ligand_id in enumerate(todo):
            watch.may_yield = number + 1 < len(todo)
            if watch.must_stop:
                raise Stopped
            poses = self._begin(task, screen.id, ligand_id, _max_poses(job))
            if losses.get(ligand_id, 0) >= self._max_losses_per_ligand:
                outcomes: list[PoseAnalysis | PoseFailure] = [_LOST] * len(poses)
            else:
                found = (self._analyse(site, poses, index, watch) for index in range(len(poses)))
                outcomes = [_with_caveat(outcome, flexible) for outcome in found]
            self._record(task, screen.id, ligand_id, poses, outcomes)
            if isinstance(outcomes[0], PoseAnalysis):
                watch.n_scored += 1
            else:
                watch.n_rejected += 1

    def _load(self, receptor: Receptor, box: SearchBox) -> AnalysisSite:
        """Read the protonated receptor that was docked into; no connection is held meanwhile."""
        if receptor.pdb_sha256 is None:
            raise EngineFailed("The receptor is not prepared.", code="receptor_not_ready")
        with self._results_store.open(receptor.pdb_sha256) as stream:
            return AnalysisSite(receptor.pdb_sha256, stream.read().decode(), box)

    def _begin(self, task: ClaimedTask, screen_id: UUID, ligand_id: UUID, max_poses: int) -> list[StoredPose]:
        """Note that this ligand comes next, and read its poses, best first."""
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.set_current(task, ligand_id)
            poses = uow.results.poses(screen_id, [ligand_id])[:max_poses]
            uow.commit()
        if not poses:
            raise EngineFailed("A ligand of this task has no poses in its screen.", code="poses_missing")
        return poses

    def _analyse(
        self, site: AnalysisSite, poses: Sequence[StoredPose], index: int, watch: Watch
    ) -> PoseAnalysis | PoseFailure:
        """Analyse one pose; blame it only when its own process ended on it the same way twice."""
        pose = poses[index]
        better = tuple(other.coordinates for other in poses[:index])
        posed = PosedLigand(str(pose.ligand_id), pose.mol_block, pose.coordinates, better)
        seen: list[ExitCause] = []
        while True:
            try:
                return self._process.analyse(site, posed)
            except InvalidInput as error:
                return PoseFailure(NotAnalysed.UNREADABLE, error.message)
            except ProcessEnded as ended:
                if ended.cause is ExitCause.STOPPED or watch.must_stop:
                    raise Stopped from ended
                log.warning("pose.process_ended", ligand_id=posed.ligand_id, rank=pose.rank, **ended.details)
                if ended.cause is ExitCause.KILLED and seen:
                    raise Stopped(EndCause.LOST) from ended
                if ended.cause in seen:
                    return PoseFailure(_REASON_FOR_EXIT[ended.cause], ended.message)
                seen.append(ended.cause)
                self._process.restart()

    def _record(
        self,
        task: ClaimedTask,
        screen_id: UUID,
        ligand_id: UUID,
        poses: Sequence[StoredPose],
        outcomes: Sequence[PoseAnalysis | PoseFailure],
    ) -> None:
        rows = [AnalysedPose(pose.state_no, pose.rank, outcome) for pose, outcome in zip(poses, outcomes, strict=True)]

        def record() -> None:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                uow.ledger.own(task)
                uow.analyses.record(task, screen_id, ligand_id, rows)
                uow.commit()

        persist(record, patience_s=self._patience_s)


def _with_caveat(outcome: PoseAnalysis | PoseFailure, flexible: Sequence[str]) -> PoseAnalysis | PoseFailure:
    """Say of checks and interactions that they know the receptor only as it was before side chains moved."""
    if not flexible or not isinstance(outcome, PoseAnalysis):
        return outcome
    caveat = f"Judged with the side chains of {', '.join(flexible)} where they were before docking."
    told = {name: " ".join(filter(None, (outcome.problems.get(name), caveat))) for name in ("checks", "interactions")}
    return replace(outcome, problems={**outcome.problems, **told})


def _required(id_: UUID | None) -> UUID:
    if id_ is None:
        raise EngineFailed("The job names no screen, or its screen no receptor or site.", code="job_incomplete")
    return id_


def _max_poses(job: Job) -> int:
    """Return how many poses of each ligand the job was asked for."""
    return int(str(job.spec["max_poses"]))
