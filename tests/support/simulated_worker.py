"""A worker without chemistry: it drives the real ledger through its ports, so that the request side can be tested."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molecular_analysis_dashboard.adapters.chemistry.ligand_properties import ligand_properties
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.statistics.agreement import rank_agreement
from molecular_analysis_dashboard.adapters.statistics.enrichment import evaluate
from molecular_analysis_dashboard.domain.analyses import AnalysedPose, PoseAnalysis, PoseFailure
from molecular_analysis_dashboard.domain.catalog import Ligand, Rejection
from molecular_analysis_dashboard.domain.docking import (
    DockedLigand,
    LigandOutcome,
    Pose,
    RejectedLigand,
    SearchSummary,
    StateScore,
)
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, JobKind, NewTask, TaskKind, Worker
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.redocking import NativeScore, Redocked, RedockOutcome
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason
from molecular_analysis_dashboard.domain.rescoring import NewPoseScore, PoseOutcome, RescoredPose, Rescoring
from molecular_analysis_dashboard.domain.results import NewResult, StoredPose
from molecular_analysis_dashboard.domain.scheduling import QUEUE_ANALYSE, QUEUE_MAINTENANCE, QUEUE_PREPARE, dock_queue
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.use_cases.evaluate_job import EvaluateJob
from molecular_analysis_dashboard.use_cases.heartbeat import Watch

BUILD = "vina-1.2.7-test"
RECEPTOR_PDBQT = b"REMARK prepared\nATOM      1  CA  ALA A   1       0.000   0.000   0.000  1.00  0.00     0.000 C \n"
RECEPTOR_PDB = b"ATOM      1  CA  ALA A   1       0.000   0.000   0.000  1.00  0.00           C  \n"
REPORT: dict[str, object] = {
    "notes": [
        {
            "residue": "A:HIS 57",
            "action": "kept",
            "message": "Kept as it is.",
            "severity": "info",
            "distance_angstrom": None,
        }
    ],
    "steps": ["waters removed"],
    "n_residues": 1,
    "n_atoms": 1,
    "versions": {"meeko": "0"},
}


class _NeverDrained:
    def seconds_left(self) -> float | None:
        return None


@dataclass(frozen=True)
class SimulatedWorker:
    """Takes tasks of one organization and ends them as told."""

    database: SqlDatabase
    results: BlobStore
    org_id: UUID
    worker: Worker

    @classmethod
    def start(
        cls,
        database: SqlDatabase,
        results: BlobStore,
        org_id: UUID,
        *,
        build: str = BUILD,
        schema: Mapping[str, object] = MappingProxyType({}),
    ) -> "SimulatedWorker":
        """Register a live worker with one engine build that reads parameters of this schema."""
        queues = (QUEUE_PREPARE, QUEUE_MAINTENANCE, QUEUE_ANALYSE, dock_queue(build))
        software = {"packages": {"rdkit": "0"}}
        schemas = {build: schema} if schema else {}
        worker = Worker(
            new_id(), "test", 1, "0", queues, (build,), 2, 2.0, parameter_schemas=schemas, software=software
        )
        with database.begin(SystemScope()) as uow:
            uow.workers.register(worker)
            uow.commit()
        return cls(database, results, org_id, worker)

    def end(self) -> None:
        with self.database.begin(SystemScope()) as uow:
            uow.workers.ended(self.worker.id)
            uow.commit()

    def beat(self) -> None:
        with self.database.begin(SystemScope()) as uow:
            uow.workers.beat(self.worker, draining=False)
            uow.commit()

    def claim(self, job_id: UUID) -> ClaimedTask:
        """Take a waiting task of a job, the first written first."""
        with self.database.begin(SystemScope()) as uow:
            waiting = [
                task for queue in uow.dispatch.pending_queues() for task in uow.dispatch.release(queue, job_id, 1)
            ]
            claimed = [uow.ledger.claim(task.id, worker_id=self.worker.id, slot_pid=1) for task in waiting[:1]]
            assert claimed, "the job has no waiting task"
            assert claimed[0] is not None
            uow.jobs.started(job_id)
            uow.commit()
        return claimed[0]

    def finish(self, task: ClaimedTask, cause: EndCause = EndCause.COMPLETED) -> None:
        """End an attempt and let the reconciler end the job, if that was its last task."""
        with self.database.begin(SystemScope()) as uow:
            assert uow.ledger.end(task, cause)
            uow.commit()
        self.end_jobs()

    def end_jobs(self) -> None:
        """Let the reconciler end the jobs that have nothing left to do."""
        with self.database.begin(SystemScope()) as uow:
            for job_id in uow.control.ended_jobs():
                uow.control.finish_job(job_id)
            uow.commit()

    def prepare(
        self,
        job_id: UUID,
        receptor_id: UUID,
        pockets: Sequence[Pocket] | None = None,
        *,
        receptor_pdbqt: bytes = RECEPTOR_PDBQT,
    ) -> None:
        """Do a receptor's job."""
        task = self.claim(job_id)
        pdbqt = self.results.put([receptor_pdbqt], max_bytes=10**6).sha256
        pdb = self.results.put([RECEPTOR_PDB], max_bytes=10**6).sha256
        with self.database.begin(TenantScope(self.org_id)) as uow:
            uow.structures.receptor_ready(
                receptor_id,
                pdbqt_sha256=pdbqt,
                pdb_sha256=pdb,
                content_hash=content_hash({"pdbqt": receptor_pdbqt.decode()}),
                report=REPORT,
                pockets=pockets,
            )
            uow.commit()
        self.finish(task)

    def ingest(
        self,
        job_id: UUID,
        library_id: UUID,
        smiles: Mapping[str, str],
        rejected: Sequence[int] = (),
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Do a library's job: each SMILES is one line; `rejected` are further lines that nobody can read."""
        task = self.claim(job_id)
        ligands = [
            replace(_ligand(library_id, line, name, text), notes=(notes[name],) if name in notes else ())
            for line, (name, text) in enumerate(smiles.items(), 1)
        ]
        refused = [
            Rejection(line, line, f"bad-{line}", "=1+1", RejectionReason.UNREADABLE_RECORD, "It cannot be read.")
            for line in rejected
        ]
        with self.database.begin(TenantScope(self.org_id)) as uow:
            uow.libraries.add_batch(library_id, ligands, refused)
            uow.libraries.finish(library_id)
            uow.commit()
        self.finish(task)

    def plan(self, job_id: UUID, *, tasks: int = 1) -> None:
        """Cut a screen into so many tasks."""
        task = self.claim(job_id)
        with self.database.begin(TenantScope(self.org_id)) as uow:
            job = uow.jobs.get(job_id)
            assert job.library_id is not None
            libraries = [job.library_id]
            if job.kind is JobKind.VALIDATE:
                libraries.append(uow.validations.get(job_id).decoys_library_id)
            ids = [
                ligand.id
                for library_id in libraries
                for ligand in uow.libraries.to_plan(library_id, after=None, limit=100_000)
            ]
            queue = dock_queue(str(job.engine_build))
            new = [
                NewTask(new_id(), job_id, TaskKind.DOCK, queue, tuple(ids[n::tasks]), float(tasks - n))
                for n in range(tasks)
            ]
            uow.jobs.add_tasks([one for one in new if one.ligand_ids])
            uow.jobs.planned(job_id, ligands=len(ids), cost_s=1.0, to=None, complete=True)
            uow.commit()
        self.finish(task)

    def dock(
        self,
        job_id: UUID,
        outcomes: Mapping[str, float | RejectionReason],
        *,
        end: bool = True,
        side_chains_pdb: str = "",
    ) -> ClaimedTask:
        """Take one task and record its ligands by name: a score, or why there is none; and what else moved."""
        task = self.claim(job_id)
        with self.database.begin(TenantScope(self.org_id)) as uow:
            ligands = uow.libraries.ligands_by_id(task.ligand_ids)
        for ligand in ligands.values():
            if ligand.name in outcomes:
                self.record(task, ligand, outcomes[ligand.name], side_chains_pdb)
        if end:
            self.finish(task)
        return task

    def redock(self, job_id: UUID, outcome: Sequence[float] | RejectionReason, *, side_chains_pdb: str = "") -> None:
        """Do one run of a redocking: the RMSD of its poses, the best score first, or why there is none."""
        task = self.claim(job_id)
        result: RedockOutcome
        if isinstance(outcome, RejectionReason):
            result = RejectedLigand(outcome, SENTENCES[outcome])
        else:
            pose = docked("CCO", -7.0, n_poses=len(outcome), side_chains_pdb=side_chains_pdb)
            result = Redocked(pose, tuple(outcome), NativeScore(-5.0, -6.0, 0.5))
        with self.database.begin(TenantScope(self.org_id)) as uow:
            assert uow.redockings.record(task, task.ligand_ids[0], result, {"worker": "test", "seed": 7})
            uow.commit()
        self.finish(task)

    def evaluate(self, job_id: UUID) -> None:
        """Do the last task of a redocking, validation or rescoring."""
        task = self.claim(job_id)
        assert task.kind is TaskKind.EVALUATE
        EvaluateJob(self.database, evaluate, rank_agreement)(task, Watch(task, lambda: None, _NeverDrained()))
        self.finish(task)

    def analyse(self, job_id: UUID, outcomes: Mapping[str, PoseAnalysis | PoseFailure]) -> None:
        """Do all tasks of a job of analyses: record those named; every pose of a ligand gets the same."""
        with self.database.begin(TenantScope(self.org_id)) as uow:
            waiting = uow.jobs.pending_tasks(job_id, limit=1000)
        for _ in range(waiting):
            self._analyse(job_id, outcomes)

    def _analyse(self, job_id: UUID, outcomes: Mapping[str, PoseAnalysis | PoseFailure]) -> None:
        task = self.claim(job_id)
        with self.database.begin(TenantScope(self.org_id)) as uow:
            screen_id = uow.jobs.get(job_id).screen_id
            assert screen_id is not None
            for pose in uow.results.poses(screen_id, task.ligand_ids):
                if pose.name in outcomes and pose.rank == 1:
                    both = [AnalysedPose(pose.state_no, rank, outcomes[pose.name]) for rank in (1, 2)]
                    uow.ledger.own(task)
                    assert uow.analyses.record(task, screen_id, pose.ligand_id, both)
            uow.commit()
        self.finish(task)

    def rescore(self, job_id: UUID, outcomes: Mapping[str, Sequence[float | RejectionReason]]) -> None:
        """Do all tasks of a rescoring but the last: record those named, an outcome for each pose."""
        with self.database.begin(TenantScope(self.org_id)) as uow:
            waiting = uow.jobs.pending_tasks(job_id, limit=1000)
        for _ in range(waiting):
            self._rescore(job_id, outcomes)

    def _rescore(self, job_id: UUID, outcomes: Mapping[str, Sequence[float | RejectionReason]]) -> None:
        task = self.claim(job_id)
        assert task.kind is TaskKind.RESCORE
        with self.database.begin(TenantScope(self.org_id)) as uow:
            rescoring = uow.rescorings.get(job_id)
            for ligand_id in task.ligand_ids:
                poses = uow.results.poses(rescoring.screen_id, [ligand_id])[: rescoring.max_poses]
                told = outcomes.get(poses[0].name, ())
                scores = [
                    NewPoseScore(pose.state_no, pose.rank, pose.score_kcal_mol, _rescored(pose, outcome, rescoring))
                    for pose, outcome in zip(poses, told, strict=False)
                ]
                if scores:
                    assert uow.rescorings.record(task, ligand_id, scores)
            uow.commit()
        self.finish(task)

    def record(
        self, task: ClaimedTask, ligand: Ligand, outcome: float | RejectionReason, side_chains_pdb: str = ""
    ) -> None:
        result: LigandOutcome
        if isinstance(outcome, RejectionReason):
            result = RejectedLigand(outcome, SENTENCES[outcome])
        else:
            result = docked(ligand.smiles, outcome, side_chains_pdb=side_chains_pdb)
        with self.database.begin(SystemScope()) as uow:
            assert uow.ledger.record(
                task, NewResult(ligand.id, result, {"worker": "test", "seed": 7, "notes": ["Removed: HCl."]})
            )
            uow.commit()


def docked(smiles: str, score_kcal_mol: float, *, n_poses: int = 2, side_chains_pdb: str = "") -> DockedLigand:
    """Return a ligand as an engine would, with poses that lie apart and a real molecule below them."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    positions = mol.GetConformer().GetPositions()
    poses = tuple(
        Pose(
            rank,
            score_kcal_mol + 0.5 * (rank - 1),
            struct.pack(f"<{positions.size}f", *(positions + rank).ravel().tolist()),
            side_chains_pdb=side_chains_pdb,
        )
        for rank in range(1, n_poses + 1)
    )
    return DockedLigand(
        state_smiles=smiles,
        state_mol_block=Chem.MolToMolBlock(mol),
        poses=poses,
        heavy_atoms=mol.GetNumHeavyAtoms(),
        states=(StateScore(smiles, score_kcal_mol),),
        steps=("embedded",),
        seed=7,
        seconds_cpu=1.25,
        search=SearchSummary(rounds=3, converged=True, score_spread_kcal_mol=0.25),
        properties=ligand_properties(smiles),
    )


def _rescored(pose: StoredPose, outcome: float | RejectionReason, rescoring: Rescoring) -> PoseOutcome:
    """Return a pose as an engine would; a relaxed one has moved by 1 Å."""
    if isinstance(outcome, RejectionReason):
        return RejectedLigand(outcome, SENTENCES[outcome], 0.5)
    if not rescoring.method.relax:
        return RescoredPose(outcome, 0.5)
    numbers = len(pose.coordinates) // 4
    moved = [x + (n % 3 == 0) for n, x in enumerate(struct.unpack(f"<{numbers}f", pose.coordinates))]
    return RescoredPose(outcome, 0.5, 1.0, struct.pack(f"<{numbers}f", *moved))


def _ligand(library_id: UUID, line: int, name: str, smiles: str) -> Ligand:
    mol = Chem.MolFromSmiles(smiles)
    return Ligand(
        id=new_id(),
        library_id=library_id,
        record=line,
        line=line,
        name=name,
        smiles=Chem.MolToSmiles(mol),
        inchikey=f"{line:014d}-UHFFFAOYSA-N",
        heavy_atoms=mol.GetNumHeavyAtoms(),
        torsions=1,
        molecular_weight=100.1 + line,
        base_cost_s=0.1 * mol.GetNumHeavyAtoms(),
    )
