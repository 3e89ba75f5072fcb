"""A ledger to work at: jobs, tasks and ligands written straight through the repositories, without chemistry."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.catalog import Library, Ligand, ProtocolVersion, ReadyState
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, Pose, RejectedLigand, StateScore
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import (
    ClaimedTask,
    EndCause,
    Job,
    JobKind,
    JobState,
    NewTask,
    TaskKind,
    Worker,
)
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import NewResult
from molecular_analysis_dashboard.domain.scheduling import dock_queue, docking_cost_s, search_runs

T = TypeVar("T")

BUILD = "test-1.0"
QUEUE = dock_queue(BUILD)
NOW = datetime.now(UTC)
SCORED = DockedLigand("C", "mol block", (Pose(1, -7.0, b"\0" * 12),), 1, (StateScore("C", -7.0),), (), 1, 0.1)


def rejected(reason: RejectionReason = RejectionReason.NO_POSE) -> RejectedLigand:
    return RejectedLigand(reason, "A sentence.", 0.1)


def at_once(count: int, action: Callable[[int], T]) -> list[T]:
    """Do one thing in so many threads that all start together."""
    barrier = Barrier(count)

    def start(number: int) -> T:
        barrier.wait(10)
        return action(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


@dataclass(frozen=True)
class Bench:
    """One organization's view of an empty ledger, and the system's."""

    database: SqlDatabase
    principal: Principal
    worker: Worker

    @property
    def scope(self) -> TenantScope:
        return self.principal.scope

    def job(
        self,
        *sizes: int,
        state: JobState = JobState.RUNNING,
        kind: JobKind = JobKind.SCREEN,
        planned: bool = True,
        priority: int = 0,
        queue: str = QUEUE,
        owner: UUID | None = None,
    ) -> UUID:
        """Write a job with one docking task for each number of ligands."""
        job_id, library_id = new_id(), self.library(sum(sizes)) if sizes else None
        with self.database.begin(self.scope) as uow:
            found = uow.libraries.to_plan(library_id, after=None, limit=10**6) if library_id else []
            ids = iter([ligand.id for ligand in found])
            # Ids of one millisecond are in no order, and these are to be in that of writing.
            task_ids = sorted(new_id() for _ in sizes)
            tasks = [
                NewTask(task_id, job_id, TaskKind.DOCK, queue, tuple(next(ids) for _ in range(size)), float(size))
                for task_id, size in zip(task_ids, sizes, strict=True)
            ]
            uow.jobs.add(
                Job(
                    id=job_id,
                    org_id=self.principal.org_id,
                    kind=kind,
                    state=state,
                    name="job",
                    created_by=owner or self.principal.user_id,
                    created_at=NOW,
                    library_id=library_id,
                    priority=priority,
                    engine_build=BUILD,
                    n_ligands=sum(sizes),
                    planning_complete=planned,
                ),
                tasks,
            )
            uow.commit()
        return job_id

    def library(self, count: int, *, costs: Sequence[float] = (), state: ReadyState = ReadyState.READY) -> UUID:
        """Write a library of made-up ligands."""
        library_id = new_id()
        rows = [ligand(library_id, n, base_cost_s=costs[n - 1] if costs else 1.0) for n in range(1, count + 1)]
        with self.database.begin(self.scope) as uow:
            owner = self.principal.user_id
            uow.libraries.add(Library(library_id, "l", "l.smi", "0" * 64, 1, state, owner, NOW))
            uow.libraries.add_batch(library_id, rows, [])
            uow.commit()
        return library_id

    def screen(self, costs: Sequence[float]) -> tuple[UUID, UUID]:
        """Write a screen that is still to be planned; return its id and that of its plan task."""
        job_id, plan_id, library_id = new_id(), new_id(), self.library(len(costs), costs=costs)
        recipe = DockingProtocol(engine="test", scoring=str(job_id))
        version = ProtocolVersion(new_id(), str(job_id), 1, recipe, recipe.content_hash, self.principal.user_id, NOW)
        with self.database.begin(self.scope) as uow:
            uow.protocols.add(version)
            uow.jobs.add(
                Job(
                    id=job_id,
                    org_id=self.principal.org_id,
                    kind=JobKind.SCREEN,
                    state=JobState.PLANNING,
                    name="screen",
                    created_by=self.principal.user_id,
                    created_at=NOW,
                    library_id=library_id,
                    protocol_id=version.id,
                    engine_build=BUILD,
                    n_ligands=len(costs),
                    cost_s=sum(docking_cost_s(cost, search_runs(recipe)) for cost in costs),
                ),
                [NewTask(plan_id, job_id, TaskKind.PLAN, "maintenance")],
            )
            uow.commit()
        return job_id, plan_id

    def tasks(self, job_id: UUID) -> list[UUID]:
        """Ids of a job's tasks in the order in which they were written."""
        return [row.id for row in self.rows("SELECT id FROM tasks WHERE job_id = :id ORDER BY id", id=job_id)]

    def states(self, job_id: UUID) -> list[str]:
        """States of a job's tasks in the order in which they were written."""
        return [row.state for row in self.rows("SELECT state FROM tasks WHERE job_id = :id ORDER BY id", id=job_id)]

    def state(self, job_id: UUID) -> str:
        return str(self.scalar("SELECT state FROM jobs WHERE id = :id", id=job_id))

    def register(self, *, slots: int = 2, queues: tuple[str, ...] = (QUEUE,), draining: bool = False) -> Worker:
        worker = Worker(new_id(), "host", 1, "0", queues, (BUILD,), slots, 2.0)
        with self.database.begin(SystemScope()) as uow:
            uow.workers.beat(worker, draining=draining)
            uow.commit()
        return worker

    def claim(self, task_id: UUID, worker: Worker | None = None) -> ClaimedTask | None:
        with self.database.begin(SystemScope()) as uow:
            task = uow.ledger.claim(task_id, worker_id=(worker or self.worker).id, slot_pid=1)
            uow.commit()
        return task

    def take(self, task_id: UUID, worker: Worker | None = None) -> ClaimedTask:
        task = self.claim(task_id, worker)
        assert task is not None
        return task

    def record(self, task: ClaimedTask, ligand_id: UUID, outcome: DockedLigand | RejectedLigand = SCORED) -> bool:
        with self.database.begin(self.scope) as uow:
            fresh = uow.ledger.record(task, NewResult(ligand_id, outcome, {}))
            uow.commit()
        return fresh

    def end(self, task: ClaimedTask, cause: EndCause = EndCause.COMPLETED, **error: object) -> bool:
        with self.database.begin(SystemScope()) as uow:
            ended = uow.ledger.end(task, cause, error=error or None)
            uow.commit()
        return ended

    def change(self, job_id: UUID, target: JobState) -> None:
        with self.database.begin(self.scope) as uow:
            assert uow.jobs.change_state(job_id, target)
            uow.commit()

    def silence(self, task: ClaimedTask, seconds: float) -> None:
        """Let the last beat of a task be so long ago."""
        self.execute(
            "UPDATE tasks SET heartbeat_at = clock_timestamp() - make_interval(secs => :s) WHERE id = :id",
            s=seconds,
            id=task.id,
        )

    def release(self, job_id: UUID, count: int, *, ago_s: float = 0.0) -> list[UUID]:
        """Release tasks of a job as if so long ago."""
        with self.database.begin(SystemScope()) as uow:
            released = [task.id for task in uow.dispatch.release(QUEUE, job_id, count)]
            uow.commit()
        self.execute(
            "UPDATE tasks SET released_at = clock_timestamp() - make_interval(secs => :s) WHERE id = ANY (:ids)",
            s=ago_s,
            ids=released,
        )
        return released

    def finish_jobs(self) -> list[tuple[UUID, JobState]]:
        with self.database.begin(SystemScope()) as uow:
            uow.control.cancel_leftovers()
            finished = [(job_id, uow.control.finish_job(job_id)) for job_id in uow.control.ended_jobs()]
            uow.commit()
        return [(job_id, state) for job_id, state in finished if state is not None]

    def execute(self, statement: str, **parameters: Any) -> None:
        with self.database.begin(SystemScope()) as uow:
            uow.connection.execute(text(statement), parameters)
            uow.commit()

    def rows(self, query: str, **parameters: Any) -> Sequence[Any]:
        with self.database.begin(SystemScope()) as uow:
            return uow.connection.execute(text(query), parameters).all()

    def scalar(self, query: str, **parameters: Any) -> Any:
        (row,) = self.rows(query, **parameters)
        return row[0]


def ligand(library_id: UUID, number: int, *, smiles: str = "", base_cost_s: float = 1.0) -> Ligand:
    """Return a made-up ligand; its SMILES is its own unless one is given."""
    return Ligand(
        id=new_id(),
        library_id=library_id,
        record=number,
        line=number,
        name=f"ligand-{number}",
        smiles=smiles or f"[{number}C]",
        inchikey=f"{number:014d}-UHFFFAOYSA-N",
        heavy_atoms=10,
        torsions=1,
        molecular_weight=100.0,
        base_cost_s=base_cost_s,
    )
