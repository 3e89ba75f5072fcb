"""The planner: cuts a screen into tasks, incrementally and resumably."""

import heapq

from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.identity import TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import (
    WORKING_JOB_STATES,
    ClaimedTask,
    Job,
    JobKind,
    NewTask,
    TaskKind,
)
from molecular_analysis_dashboard.domain.scheduling import CostedLigand, cut_into_chunks, dock_queue, search_runs
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.run_task import Stopped

BATCH_LIGANDS = 5000


class PlanJob:
    """Handles tasks of kind ``plan``.

    Each batch of ligands, longest first, becomes tasks in one transaction that also moves the job's cursor, so an
    interrupted planner goes on where it stopped. It leaves off when `window_tasks` tasks wait; the reconciler sends
    another plan task when they run low.
    """

    def __init__(self, database: Database, *, target_s: float, window_tasks: int) -> None:
        self._database = database
        self._target_s = target_s
        self._window_tasks = window_tasks

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Plan until everything is planned or enough waits."""
        while self._plan_batch(task):
            if watch.must_stop:
                raise Stopped

    def _plan_batch(self, task: ClaimedTask) -> bool:
        """Plan one batch; return whether to go on."""
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.own(task)
            job = uow.jobs.get(task.job_id, lock=True)
            if job.planning_complete or job.state not in WORKING_JOB_STATES:
                return False
            if uow.jobs.pending_tasks(job.id, limit=self._window_tasks) >= self._window_tasks:
                return False
            ligands = self._next_ligands(uow, job)
            tasks = self._cut(uow, job, ligands)
            complete = len(ligands) < BATCH_LIGANDS
            last = ligands[-1] if ligands else None
            uow.jobs.add_tasks(tasks)
            uow.jobs.planned(
                job.id,
                ligands=len(ligands),
                cost_s=sum(new.cost_s for new in tasks),
                to=(last.base_cost_s, last.id) if last else None,
                complete=complete,
            )
            uow.jobs.add_event(job.id, "job.planned", {"ligands": job.planned_ligands + len(ligands)})
            uow.commit()
        return not complete

    def _next_ligands(self, uow: UnitOfWork, job: Job) -> list[CostedLigand]:
        if job.library_id is None:
            raise EngineFailed("The job names no library.", code="job_incomplete")
        after = None
        if job.planned_to_cost_s is not None and job.planned_to_ligand is not None:
            after = (job.planned_to_cost_s, job.planned_to_ligand)
        found = uow.libraries.to_plan(job.library_id, after=after, limit=BATCH_LIGANDS)
        if job.kind is not JobKind.VALIDATE:
            return found
        decoys = uow.libraries.to_plan(uow.validations.get(job.id).decoys_library_id, after=after, limit=BATCH_LIGANDS)
        merged = heapq.merge(found, decoys, key=lambda ligand: (-ligand.base_cost_s, ligand.id))
        return list(merged)[:BATCH_LIGANDS]

    def _cut(self, uow: UnitOfWork, job: Job, ligands: list[CostedLigand]) -> list[NewTask]:
        if job.protocol_id is None or job.engine_build is None:
            raise EngineFailed("The job names no protocol or engine.", code="job_incomplete")
        protocol = uow.protocols.get(job.protocol_id).protocol
        queue = dock_queue(job.engine_build)
        chunks = cut_into_chunks(
            ligands,
            runs=search_runs(protocol),
            remaining_cost_s=max(job.cost_s - job.planned_cost_s, 0.0),
            slots=uow.workers.slots().get(queue, 1),
            target_s=self._target_s,
        )
        return [
            NewTask(new_id(), job.id, TaskKind.DOCK, queue, ligand_ids=chunk.ligand_ids, cost_s=chunk.cost_s)
            for chunk in chunks
        ]
