"""A rescoring task: pose after pose through the engine process, each ligand recorded under the fence."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.analyses import PosedLigand
from molecular_analysis_dashboard.domain.catalog import Receptor
from molecular_analysis_dashboard.domain.errors import EngineFailed, Superseded
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Job
from molecular_analysis_dashboard.domain.rescoring import (
    MARGIN_ANGSTROM,
    NewPoseScore,
    RescoredPose,
    Rescoring,
)
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import RescoringProcess, SiteSpec
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.blame import ask_fairly
from molecular_analysis_dashboard.use_cases.dock_ligands import LOSSES_BEFORE_ALONE, Policy
from molecular_analysis_dashboard.use_cases.docking_site import load_site, open_site
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.persistence import persist
from molecular_analysis_dashboard.use_cases.repeated_losses import ask_a_person
from molecular_analysis_dashboard.use_cases.run_task import Stopped

log = structlog.get_logger(__name__)


class RescorePoses:
    """Handles tasks of kind ``rescore``."""

    def __init__(self, database: Database, results_store: BlobStore, process: RescoringProcess, policy: Policy) -> None:
        self._database = database
        self._results_store = results_store
        self._process = process
        self._policy = policy

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Rescore what an earlier attempt has not recorded."""
        with self._database.begin(TenantScope(task.org_id)) as uow:
            job = uow.jobs.get(task.job_id)
            rescoring = uow.rescorings.get(job.id)
            receptor, box = _place(uow, job)
            done = uow.rescorings.done(task)
            losses = uow.ledger.losses(task)
        site = load_site(self._results_store, receptor, box, rescoring.method.protocol, job.engine_build or "")
        watch.n_scored = sum(done.values())
        watch.n_rejected = len(done) - watch.n_scored
        todo = [ligand_id for ligand_id in task.ligand_ids if ligand_id not in done]
        self._check_losses(task, todo, losses)
        if todo:
            open_site(self._process, site)
        for number, ligand_id in enumerate(todo):
            watch.may_yield = number + 1 < len(todo)
            if watch.must_stop:
                raise Stopped
            poses = self._begin(task, rescoring, ligand_id)
            if losses.get(ligand_id, 0) >= LOSSES_BEFORE_ALONE:
                self._process.restart()
            scores = [self._rescore(site, pose, rescoring, watch) for pose in poses]
            self._record(task, ligand_id, scores)
            is_scored = any(isinstance(score.outcome, RescoredPose) for score in scores)
            watch.n_scored += is_scored
            watch.n_rejected += not is_scored

    def _begin(self, task: ClaimedTask, rescoring: Rescoring, ligand_id: UUID) -> list[StoredPose]:
        """Note that this ligand comes next, and read its poses, best first."""
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.set_current(task, ligand_id)
            poses = uow.results.poses(rescoring.screen_id, [ligand_id])[: rescoring.max_poses]
            uow.commit()
        if not poses:
            raise EngineFailed("A ligand of this task has no poses in its screen.", code="poses_missing")
        return poses

    def _rescore(self, site: SiteSpec, pose: StoredPose, rescoring: Rescoring, watch: Watch) -> NewPoseScore:
        posed = PosedLigand(str(pose.ligand_id), pose.mol_block, pose.coordinates)
        outcome = ask_fairly(
            self._process,
            watch,
            lambda: self._process.rescore(site, posed, relax=rescoring.method.relax),
            ligand_id=posed.ligand_id,
            pose=str(pose.rank),
        )
        return NewPoseScore(pose.state_no, pose.rank, pose.score_kcal_mol, outcome)

    def _record(self, task: ClaimedTask, ligand_id: UUID, scores: Sequence[NewPoseScore]) -> None:
        def record() -> None:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                uow.rescorings.record(task, ligand_id, scores)
                uow.commit()

        try:
            persist(record, patience_s=self._policy.patience_s)
        except Superseded:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                uow.ledger.count_refused(task)
                uow.commit()
            raise

    def _check_losses(self, task: ClaimedTask, todo: Sequence[UUID], losses: dict[UUID, int]) -> None:
        """Ask for a person when one ligand was in the engine at too many losses; again at each loss after that."""
        for ligand_id in todo:
            if (lost := losses.get(ligand_id, 0)) >= self._policy.max_losses_per_ligand:
                sentence = (
                    f"Workers or engines were lost {lost} times while the ligand {ligand_id} was rescored, with no "
                    "evidence against it; look at the workers' memory and logs, then resume or cancel."
                )
                ask_a_person(self._database, task, sentence, {"ligand_id": str(ligand_id), "losses": lost})


def _place(uow: UnitOfWork, job: Job) -> tuple[Receptor, SearchBox]:
    """Return where the screen docked, with room around its box: poses may stand at the walls, or just beyond."""
    if job.receptor_id is None or job.site_id is None:
        raise EngineFailed("The job names no receptor or site.", code="job_incomplete")
    receptor = uow.structures.get_receptor(job.receptor_id, deleted=True)
    return receptor, uow.structures.get_site(job.site_id, deleted=True).box.widened(MARGIN_ANGSTROM)
