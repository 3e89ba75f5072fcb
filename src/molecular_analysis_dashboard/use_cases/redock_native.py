"""A redocking task: one run of the native ligand through the engine process, recorded under the fence."""

from collections.abc import Mapping
from dataclasses import asdict, replace

import structlog

from molecular_analysis_dashboard.domain.catalog import Structure
from molecular_analysis_dashboard.domain.errors import InvalidInput, Superseded
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Job
from molecular_analysis_dashboard.domain.redocking import Redocked, Redocking, RedockOutcome
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import RedockingProcess, SiteSpec
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.blame import ask_fairly
from molecular_analysis_dashboard.use_cases.dock_ligands import Policy
from molecular_analysis_dashboard.use_cases.docking_site import load_site, open_site, stored_site
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.persistence import persist
from molecular_analysis_dashboard.use_cases.repeated_losses import ask_a_person

log = structlog.get_logger(__name__)


class RedockNative:
    """Handles tasks of kind ``redock``."""

    def __init__(
        self,
        database: Database,
        uploads: BlobStore,
        results: BlobStore,
        process: RedockingProcess,
        policy: Policy,
        *,
        worker: str,
    ) -> None:
        self._database = database
        self._uploads = uploads
        self._results = results
        self._process = process
        self._policy = policy
        self._worker = worker

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Do the run that the task names, unless an earlier attempt has recorded it."""
        (run_id,) = task.ligand_ids
        with self._database.begin(TenantScope(task.org_id)) as uow:
            job = uow.jobs.get(task.job_id)
            redocking = uow.redockings.get(job.id)
            run = uow.redockings.run(run_id)
            structure = uow.structures.get(job.structure_id) if job.structure_id is not None else None
            receptor, box, protocol = stored_site(uow, job)
            losses = uow.ledger.losses(task).get(run_id, 0)
        if run.is_done:
            return
        self._check_losses(task, losses)
        site = load_site(self._results, receptor, box, replace(protocol, seed=run.seed), job.engine_build or "")
        self._note_current(task)
        native = redocking.native.mol_block or self._find_native(task, redocking, structure)
        open_site(self._process, site)
        outcome = ask_fairly(self._process, watch, lambda: self._process.redock(site, native), run=str(run.run_no))
        self._record(task, outcome, self._provenance(task, job, site, outcome))
        watch.n_scored, watch.n_rejected = int(isinstance(outcome, Redocked)), int(not isinstance(outcome, Redocked))

    def _find_native(self, task: ClaimedTask, redocking: Redocking, structure: Structure | None) -> str:
        """Take the ligand out of the structure with bond orders, and keep it with the redocking."""
        if structure is None or redocking.native_selector is None:
            raise _no_bond_orders(redocking)
        with self._uploads.open(structure.sha256) as stream:
            data = stream.read()
        found = self._process.read_native(data, structure.file_name, redocking.native_selector)
        if found.mol_block is None:
            raise _no_bond_orders(redocking)
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.own(task)
            uow.redockings.native_found(task.job_id, found)
            uow.commit()
        return found.mol_block

    def _record(self, task: ClaimedTask, outcome: RedockOutcome, provenance: Mapping[str, object]) -> None:
        def record() -> None:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                uow.redockings.record(task, task.ligand_ids[0], outcome, provenance)
                uow.commit()

        try:
            persist(record, patience_s=self._policy.patience_s)
        except Superseded:
            with self._database.begin(TenantScope(task.org_id)) as uow:
                uow.ledger.count_refused(task)
                uow.commit()
            raise

    def _provenance(self, task: ClaimedTask, job: Job, site: SiteSpec, outcome: RedockOutcome) -> dict[str, object]:
        docked = outcome.docked if isinstance(outcome, Redocked) else None
        return {
            "engine_build": job.engine_build,
            "receptor_hash": site.receptor_hash,
            "protocol_hash": site.protocol.content_hash,
            "box": {"center": list(site.box.center), "size": list(site.box.size)},
            "protocol_seed": site.protocol.seed,
            "seed": docked.seed if docked else None,
            "steps": list(docked.steps) if docked else [],
            "search": asdict(docked.search) if docked else None,
            "threads": 1,
            "worker": self._worker,
            "task_id": str(task.id),
            "attempt_no": task.attempt_no,
        }

    def _check_losses(self, task: ClaimedTask, losses: int) -> None:
        """Ask for a person when too many workers were lost at this run; again at each loss after that."""
        if losses < self._policy.max_losses_per_ligand:
            return
        sentence = (
            f"Workers or engines were lost {losses} times while the native ligand was docked, with no evidence "
            "against it; look at the workers' memory and logs, then resume or cancel."
        )
        ask_a_person(self._database, task, sentence, {"task_id": str(task.id), "losses": losses})

    def _note_current(self, task: ClaimedTask) -> None:
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.set_current(task, task.ligand_ids[0])
            uow.commit()


def _no_bond_orders(redocking: Redocking) -> InvalidInput:
    return InvalidInput(
        f"No source gives the bond orders of {redocking.native.name}. Redock it from its SDF, or give its SMILES as a "
        "template of the site.",
        code="native_without_bond_orders",
        name=redocking.native.name,
    )
