import random

import pytest
from tests.integration.ledger.bench import Bench, at_once

from molecular_analysis_dashboard.domain.errors import Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, JobState, NewTask, TaskKind
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases import plan_job
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.plan_job import PlanJob
from molecular_analysis_dashboard.use_cases.run_task import Stopped

BATCH = 7


class Interruption:
    """A drain that begins after so many looks."""

    def __init__(self, after: int) -> None:
        self.left = after

    def seconds_left(self) -> float | None:
        self.left -= 1
        return 10.0 if self.left < 0 else None


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_job, "BATCH_LIGANDS", BATCH)


def plan(database: Database, task: ClaimedTask, *, interrupted_after: int = 10**6, window_tasks: int = 10**6) -> None:
    watch = Watch(task, lambda: None, Interruption(interrupted_after))
    PlanJob(database, target_s=60.0, window_tasks=window_tasks)(task, watch)


def some_costs(count: int) -> list[float]:
    """Costs of which many are equal, so that the order must fall back on the id."""
    return [random.Random(count).choice((1.0, 1.0, 2.5, 0.1, 1 / 3, 20.0)) for _ in range(count)]


def planned_ids(bench: Bench) -> list[object]:
    return [row.id for row in bench.rows("SELECT unnest(ligand_ids) AS id FROM tasks WHERE kind = 'dock'")]


def all_ids(bench: Bench) -> list[object]:
    return [row.id for row in bench.rows("SELECT id FROM ligands ORDER BY base_cost_s DESC, id")]


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH, 50])
def test_every_ligand_is_planned_exactly_once(bench: Bench, count: int) -> None:
    job_id, plan_id = bench.screen(some_costs(count))
    plan(bench.database, bench.take(plan_id))
    assert sorted(map(str, planned_ids(bench))) == sorted(map(str, all_ids(bench)))
    job = bench.rows("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]
    assert (job.planning_complete, job.planned_ligands) == (True, count)
    assert job.planned_cost_s == pytest.approx(job.cost_s)


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 1, 3 * BATCH, 50])
@pytest.mark.parametrize("lost", [False, True])
def test_planner_that_is_interrupted_again_and_again_plans_every_ligand_once(
    bench: Bench, count: int, lost: bool
) -> None:
    job_id, plan_id = bench.screen(some_costs(count))
    for _ in range(count // BATCH + 2):
        task = bench.claim(plan_id)
        if task is None:
            break
        try:
            plan(bench.database, task, interrupted_after=0)
            bench.end(task)
        except Stopped:
            if lost:
                bench.silence(task, 100)
                with bench.database.begin(SystemScope()) as uow:
                    uow.control.reclaim(silent_s=12)
                    uow.commit()
            else:
                bench.end(task, EndCause.DRAINED)
    assert sorted(map(str, planned_ids(bench))) == sorted(map(str, all_ids(bench)))
    assert bench.scalar("SELECT planning_complete FROM jobs WHERE id = :id", id=job_id)


def test_longest_ligands_come_first(bench: Bench) -> None:
    _, plan_id = bench.screen(some_costs(40))
    plan(bench.database, bench.take(plan_id))
    rows = bench.rows("SELECT ligand_ids FROM tasks WHERE kind = 'dock' ORDER BY id")
    costs = {row.id: row.base_cost_s for row in bench.rows("SELECT id, base_cost_s FROM ligands")}
    for row in rows:
        own = [costs[id_] for id_ in row.ligand_ids]
        assert own == sorted(own, reverse=True)
    assert sorted(rows, key=lambda row: -costs[row.ligand_ids[0]])


def test_two_planners_of_one_job_plan_every_ligand_once(bench: Bench) -> None:
    job_id, plan_id = bench.screen(some_costs(50))
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.add_tasks([NewTask(new_id(), job_id, TaskKind.PLAN, "maintenance")])
        uow.commit()
    both = [bench.take(row.id) for row in bench.rows("SELECT id FROM tasks WHERE kind = 'plan'")]
    assert plan_id in {task.id for task in both}
    at_once(2, lambda number: plan(bench.database, both[number]))
    assert sorted(map(str, planned_ids(bench))) == sorted(map(str, all_ids(bench)))


def test_planner_leaves_off_when_enough_waits_and_goes_on_later(bench: Bench) -> None:
    job_id, plan_id = bench.screen([20.0] * 30)
    task = bench.take(plan_id)
    plan(bench.database, task, window_tasks=10)
    bench.end(task)
    waiting = bench.scalar("SELECT count(*) FROM tasks WHERE state = 'pending'")
    assert 10 <= waiting < 30
    assert not bench.scalar("SELECT planning_complete FROM jobs WHERE id = :id", id=job_id)
    with bench.database.begin(SystemScope()) as uow:
        assert uow.control.jobs_to_plan(low_water_tasks=5) == []
        assert uow.control.jobs_to_plan(low_water_tasks=waiting + 1) == [(bench.principal.org_id, job_id)]


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.CANCELLING])
def test_nothing_is_planned_for_a_job_that_is_held_or_ends(bench: Bench, state: JobState) -> None:
    job_id, plan_id = bench.screen([1.0] * 10)
    task = bench.take(plan_id)
    bench.change(job_id, state)
    plan(bench.database, task)
    assert planned_ids(bench) == []
    assert not bench.scalar("SELECT planning_complete FROM jobs WHERE id = :id", id=job_id)


def test_superseded_planner_plans_nothing(bench: Bench) -> None:
    _, plan_id = bench.screen([1.0] * 10)
    task = bench.take(plan_id)
    bench.end(task, EndCause.DRAINED)
    with pytest.raises(Superseded):
        plan(bench.database, task)
    assert planned_ids(bench) == []


@pytest.mark.parametrize(("actives", "decoys"), [(1, 0), (3, BATCH), (BATCH, 30), (20, 1)])
def test_a_validation_plans_both_libraries_once_longest_first(bench: Bench, actives: int, decoys: int) -> None:
    job_id, plan_id = bench.screen(some_costs(actives))
    library_id = bench.library(decoys, costs=some_costs(decoys))
    with bench.database.begin(bench.scope) as uow:
        uow.validations.add(job_id, library_id)
        uow.commit()
    bench.execute("UPDATE jobs SET kind = 'validate' WHERE id = :id", id=job_id)
    for _ in range((actives + decoys) // BATCH + 2):
        if (task := bench.claim(plan_id)) is None:
            break
        try:
            plan(bench.database, task, interrupted_after=1)
        except Stopped:
            bench.end(task, EndCause.DRAINED)
        else:
            bench.end(task)
    assert sorted(map(str, planned_ids(bench))) == sorted(map(str, all_ids(bench)))
    job = bench.rows("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]
    assert (job.planning_complete, job.planned_ligands) == (True, actives + decoys)
