"""A docking task: ligand after ligand through the engine process, each recorded under the fence."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.catalog import Ligand
from molecular_analysis_dashboard.domain.docking import DockedLigand, LigandOutcome
from molecular_analysis_dashboard.domain.errors import Superseded
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, Job, JobState
from molecular_analysis_dashboard.domain.ligands import LigandInput
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import NewResult
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, SiteSpec
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.blame import ask_fairly
from molecular_analysis_dashboard.use_cases.docking_site import load_site, open_site, stored_site
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.persistence import persist
from molecular_analysis_dashboard.use_cases.repeated_losses import ask_a_person
from molecular_analysis_dashboard.use_cases.run_task import Stopped

log = structlog.get_logger(__name__)

# Rejections that, when every ligand gets them, speak of the receptor or the installation and not of the ligands.
_SUSPICIOUS = frozenset(
    {
        RejectionReason.ENGINE_CRASH,
        RejectionReason.TIMEOUT,
        RejectionReason.OUT_OF_MEMORY,
        RejectionReason.PREPARATION_FAILED,
        RejectionReason.OUTSIDE_BOX,
        RejectionReason.NO_POSE,
    }
)
_OF_THE_BOX = frozenset({RejectionReason.OUTSIDE_BOX, RejectionReason.NO_POSE})
# A ligand that was in the engine when this many attempts were lost is run alone in a fresh process.
LOSSES_BEFORE_ALONE = 2
ALIKE_FAILURES = "job.alike_failures"


@dataclass(frozen=True)
class Policy:
    """Limits of blame; see the settings of the same names."""

    max_losses_per_ligand: int
    pause_after_alike_failures: int
    patience_s: float


class DockLigands:
    """Handles tasks of kind ``dock``."""

    def __init__(
        self,
        database: Database,
        results_store: BlobStore,
        process: ChemistryProcess,
        policy: Policy,
        *,
        worker: str,
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._database = database
        self._results_store = results_store
        self._process = process
        self._policy = policy
        self._worker = worker
        self._telemetry = telemetry

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Dock what an earlier attempt has not recorded."""
        scope = TenantScope(task.org_id)
        with self._database.begin(scope) as uow:
            job = uow.jobs.get(task.job_id)
            receptor, box, protocol = stored_site(uow, job)
            ligands = uow.libraries.ligands_by_id(task.ligand_ids)
            recorded = uow.ledger.recorded(task)
            losses = uow.ledger.losses(task)
        site = load_site(self._results_store, receptor, box, protocol, job.engine_build or "")
        watch.n_scored = sum(recorded.values())
        watch.n_rejected = len(recorded) - watch.n_scored
        todo = [ligands[ligand_id] for ligand_id in task.ligand_ids if ligand_id not in recorded]
        self._check_losses(task, todo, losses)
        open_site(self._process, site)
        self._note_current(task, todo[0].id if todo else None)
        for number, ligand in enumerate(todo):
            watch.may_yield = number + 1 < len(todo)
            if watch.must_stop:
                raise Stopped
            alone = losses.get(ligand.id, 0) >= LOSSES_BEFORE_ALONE
            following = todo[number + 1].id if number + 1 < len(todo) else None
            with self._telemetry.tracing.span("ligand", ligand_id=str(ligand.id)):
                outcome = self._dock(site, ligand, alone=alone, watch=watch)
                self._record(task, job, site, ligand, outcome, following)
            if isinstance(outcome, DockedLigand):
                watch.n_scored += 1
            else:
                watch.n_rejected += 1

    def _dock(self, site: SiteSpec, ligand: Ligand, *, alone: bool, watch: Watch) -> LigandOutcome:
        wanted = LigandInput(str(ligand.id), ligand.name, ligand.smiles, ligand.drawn_smiles)
        if alone:
            self._process.restart()
        return ask_fairly(
            self._process, watch, lambda: self._process.dock(site, wanted), ligand_id=str(ligand.id), name=ligand.name
        )

    def _record(
        self,
        task: ClaimedTask,
        job: Job,
        site: SiteSpec,
        ligand: Ligand,
        outcome: LigandOutcome,
        following: UUID | None,
    ) -> None:
        result = NewResult(ligand.id, outcome, self._provenance(task, job, site, ligand, outcome))

        def record() -> bool:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                is_new = uow.ledger.record(task, result)
                uow.ledger.set_current(task, following)
                self._pause_if_alike(uow, job, outcome)
                uow.commit()
            return is_new

        try:
            if persist(record, patience_s=self._policy.patience_s):
                self._telemetry.counters.ligand_recorded(outcome)
        except Superseded:
            self._count_refused(task)
            raise

    def _provenance(
        self, task: ClaimedTask, job: Job, site: SiteSpec, ligand: Ligand, outcome: LigandOutcome
    ) -> dict[str, object]:
        return {
            "engine_build": job.engine_build,
            "receptor_hash": site.receptor_hash,
            "protocol_hash": site.protocol.content_hash,
            "box": {"center": list(site.box.center), "size": list(site.box.size)},
            "seed": outcome.seed if isinstance(outcome, DockedLigand) else None,
            "notes": list(ligand.notes),
            "steps": list(outcome.steps) if isinstance(outcome, DockedLigand) else [],
            "threads": 1,
            "worker": self._worker,
            "task_id": str(task.id),
            "attempt_no": task.attempt_no,
        }

    def _pause_if_alike(self, uow: UnitOfWork, job: Job, outcome: LigandOutcome) -> None:
        if isinstance(outcome, DockedLigand) or outcome.reason not in _SUSPICIOUS:
            return
        enough, reason = self._policy.pause_after_alike_failures, outcome.reason
        if not uow.ledger.fails_alike(job.id, reason, enough=enough) or uow.jobs.has_event(job.id, ALIKE_FAILURES):
            return
        suspect = "the search box" if reason in _OF_THE_BOX else "the receptor and the box"
        sentence = (
            f"No ligand is scored and {enough} were rejected alike ({reason}), the last because: {outcome.message} "
            f"Check {suspect}, then resume or cancel."
        )
        if uow.jobs.change_state(job.id, JobState.PAUSED, reason=sentence):
            uow.jobs.unreleased_tasks_to_pending(job.id)
            uow.jobs.add_event(job.id, ALIKE_FAILURES, {"reason": reason, "rejected": enough})

    def _check_losses(self, task: ClaimedTask, todo: list[Ligand], losses: dict[UUID, int]) -> None:
        """Ask for a person when one ligand was in the engine at too many losses; again at each loss after that."""
        for ligand in todo:
            if losses.get(ligand.id, 0) < self._policy.max_losses_per_ligand:
                continue
            sentence = (
                f"Workers or engines were lost {losses[ligand.id]} times while {ligand.name or ligand.smiles} was "
                "docked, with no evidence against it; look at the workers' memory and logs, then resume or cancel."
            )
            ask_a_person(self._database, task, sentence, {"ligand_id": str(ligand.id), "losses": losses[ligand.id]})

    def _note_current(self, task: ClaimedTask, ligand_id: UUID | None) -> None:
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.set_current(task, ligand_id)
            uow.commit()

    def _count_refused(self, task: ClaimedTask) -> None:
        log.warning("result.refused", answer=BeatAnswer.SUPERSEDED)
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.count_refused(task)
            uow.commit()
