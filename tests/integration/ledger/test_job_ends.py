from uuid import UUID

import pytest
from tests.integration.ledger.bench import NOW, Bench, at_once, rejected

from molecular_analysis_dashboard.domain.catalog import ReadyState, Receptor, Structure
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import EndCause, Job, JobKind, JobState, NewTask, TaskKind
from molecular_analysis_dashboard.use_cases.reconcile import Allowances, Calm, Reconcile

ERROR = {"code": "engine_failed", "message": "It broke."}


def test_job_whose_tasks_are_all_done_is_completed(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    first, second = (bench.take(id_) for id_ in bench.tasks(job_id))
    for task in (first, second):
        assert bench.finish_jobs() == []
        bench.record(task, task.ligand_ids[0])
        bench.end(task)
    assert bench.finish_jobs() == [(job_id, JobState.COMPLETED)]
    assert bench.finish_jobs() == []
    assert bench.scalar("SELECT finished_at IS NOT NULL FROM jobs WHERE id = :id", id=job_id)


def test_job_that_is_still_being_planned_is_not_completed(bench: Bench) -> None:
    job_id = bench.job(1, planned=False)
    bench.end(bench.take(bench.tasks(job_id)[0]))
    assert bench.finish_jobs() == []


def test_job_without_any_ligand_is_completed(bench: Bench) -> None:
    job_id = bench.job(state=JobState.PLANNING)
    assert bench.finish_jobs() == [(job_id, JobState.COMPLETED)]


def test_paused_job_whose_tasks_are_all_done_is_completed(bench: Bench) -> None:
    job_id = bench.job(1)
    task = bench.take(bench.tasks(job_id)[0])
    bench.change(job_id, JobState.PAUSED)
    bench.record(task, task.ligand_ids[0])
    bench.end(task)
    assert bench.finish_jobs() == [(job_id, JobState.COMPLETED)]


def test_job_with_a_ligand_unaccounted_for_is_never_called_completed(bench: Bench) -> None:
    job_id = bench.job(2)
    task = bench.take(bench.tasks(job_id)[0])
    bench.record(task, task.ligand_ids[0])
    bench.end(task)
    assert bench.finish_jobs() == [(job_id, JobState.FAILED)]
    error = bench.scalar("SELECT error FROM jobs WHERE id = :id", id=job_id)
    assert (error["code"], error["details"]) == ("ligands_unaccounted", {"ligands": 1})


def test_paused_job_with_waiting_tasks_stays_paused(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    bench.end(bench.take(bench.tasks(job_id)[0]))
    bench.change(job_id, JobState.PAUSED)
    assert bench.finish_jobs() == []


def test_failed_task_fails_its_job_with_its_error_and_stops_the_rest(bench: Bench) -> None:
    job_id = bench.job(2, 1, 1, 1)
    broken, running = (bench.take(id_) for id_ in bench.tasks(job_id)[:2])
    bench.record(broken, broken.ligand_ids[0])
    bench.record(broken, broken.ligand_ids[1], rejected())
    bench.end(broken, EndCause.FAILED, **ERROR)
    assert bench.finish_jobs() == [(job_id, JobState.FAILED)]
    assert bench.finish_jobs() == []
    assert bench.states(job_id) == ["failed", "running", "cancelled", "cancelled"]
    with bench.database.begin(bench.scope) as uow:
        job, counts = uow.jobs.get(job_id), uow.jobs.counts(job_id)
    assert job.error == ERROR
    assert (counts.scored, counts.rejected, counts.cancelled, counts.waiting) == (1, 1, 3, 0)
    assert bench.end(running, EndCause.CANCELLED)


def test_failed_task_fails_a_job_that_is_still_being_planned(bench: Bench) -> None:
    job_id = bench.job(1, planned=False)
    bench.end(bench.take(bench.tasks(job_id)[0]), EndCause.FAILED, **ERROR)
    assert bench.finish_jobs() == [(job_id, JobState.FAILED)]


def test_job_is_cancelled_when_nothing_of_it_runs_any_more(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    task = bench.take(bench.tasks(job_id)[0])
    bench.change(job_id, JobState.CANCELLING)
    assert bench.finish_jobs() == []
    bench.end(task, EndCause.CANCELLED)
    assert bench.finish_jobs() == [(job_id, JobState.CANCELLED)]
    assert bench.states(job_id) == ["cancelled", "cancelled"]


@pytest.mark.parametrize("cause", [EndCause.DRAINED, EndCause.YIELDED])
def test_task_handed_back_while_its_job_is_cancelled_does_not_keep_it_open(bench: Bench, cause: EndCause) -> None:
    job_id = bench.job(1)
    task = bench.take(bench.tasks(job_id)[0])
    bench.change(job_id, JobState.CANCELLING)
    bench.end(task, cause)
    assert bench.finish_jobs() == [(job_id, JobState.CANCELLED)]
    assert bench.states(job_id) == ["cancelled"]


def test_task_handed_back_after_its_job_failed_waits_for_nobody(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    broken, running = (bench.take(id_) for id_ in bench.tasks(job_id))
    bench.end(broken, EndCause.FAILED, **ERROR)
    bench.finish_jobs()
    bench.end(running, EndCause.DRAINED)
    assert bench.finish_jobs() == []
    assert bench.states(job_id) == ["failed", "cancelled"]


def test_failed_task_of_a_cancelled_job_is_not_reported_before_the_job_has_ended(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    broken, running = (bench.take(id_) for id_ in bench.tasks(job_id))
    bench.end(broken, EndCause.FAILED, **ERROR)
    bench.change(job_id, JobState.CANCELLING)
    assert bench.finish_jobs() == []
    bench.end(running, EndCause.CANCELLED)
    assert bench.finish_jobs() == [(job_id, JobState.CANCELLED)]


def test_two_leaders_finish_each_job_once(bench: Bench) -> None:
    jobs = {bench.job() for _ in range(10)}
    finished = [job_id for batch in at_once(4, lambda _: bench.finish_jobs()) for job_id, _ in batch]
    assert sorted(map(str, finished)) == sorted(map(str, jobs))
    assert bench.scalar("SELECT count(*) FROM events WHERE payload ->> 'state' = 'completed'") == 10


def reconcile(bench: Bench) -> Reconcile:
    return Reconcile(bench.database, Calm(12.0), Allowances(12.0, 10.0, 200))


def write_product_job(bench: Bench, kind: JobKind) -> UUID:
    """Write a job that makes a library or a receptor, and let one attempt own it."""
    owner, job_id, structure_id, receptor_id = bench.principal.user_id, new_id(), new_id(), new_id()
    library_id = bench.library(3, state=ReadyState.PREPARING)
    with bench.database.begin(bench.scope) as uow:
        uow.structures.add(Structure(structure_id, "s", "s.pdb", "0" * 64, 1, {}, owner, NOW))
        uow.structures.add_receptor(Receptor(receptor_id, structure_id, "r", {}, ReadyState.PREPARING, owner, NOW))
        job = Job(
            id=job_id,
            org_id=bench.principal.org_id,
            kind=kind,
            state=JobState.RUNNING,
            name="product",
            created_by=owner,
            created_at=NOW,
            receptor_id=receptor_id if kind is JobKind.PREPARE else None,
            library_id=library_id if kind is JobKind.INGEST else None,
            planning_complete=True,
        )
        uow.jobs.add(job, [NewTask(new_id(), job_id, TaskKind(kind.value), "prepare")])
        uow.commit()
    return job_id


@pytest.mark.parametrize("kind", [JobKind.INGEST, JobKind.PREPARE])
@pytest.mark.parametrize("cause", [EndCause.CANCELLED, EndCause.FAILED])
def test_what_a_job_was_to_make_is_failed_with_it(bench: Bench, kind: JobKind, cause: EndCause) -> None:
    job_id = write_product_job(bench, kind)
    task = bench.take(bench.tasks(job_id)[0])
    if cause is EndCause.CANCELLED:
        bench.change(job_id, JobState.CANCELLING)
    bench.end(task, cause, **ERROR)
    reconcile(bench).finish_jobs()
    row = bench.rows(f"SELECT state, error FROM {'libraries' if kind is JobKind.INGEST else 'receptors'}")[0]
    assert row.state == "failed"
    assert row.error["code"] == ("cancelled" if cause is EndCause.CANCELLED else "engine_failed")


def test_library_of_a_failed_screen_stays_ready(bench: Bench) -> None:
    job_id = bench.job(2)
    bench.end(bench.take(bench.tasks(job_id)[0]), EndCause.FAILED, **ERROR)
    reconcile(bench).finish_jobs()
    assert bench.state(job_id) == "failed"
    assert bench.scalar("SELECT state FROM libraries") == "ready"
    assert bench.scalar("SELECT count(*) FROM ligands") == 2


def test_job_that_runs_out_of_planned_tasks_gets_one_planner(bench: Bench) -> None:
    job_id = bench.job(1, 1, planned=False)
    bench.job(1, planned=True)
    bench.job(1, planned=False, state=JobState.PAUSED)

    def to_plan(low_water: int) -> list[tuple[UUID, UUID]]:
        with bench.database.begin(SystemScope()) as uow:
            return uow.control.jobs_to_plan(low_water_tasks=low_water)

    assert to_plan(2) == []
    assert to_plan(3) == [(bench.principal.org_id, job_id)]
    reconcile(bench)()
    planners = "SELECT count(*) FROM tasks WHERE kind = 'plan' AND job_id = :id"
    assert bench.scalar(planners, id=job_id) == 1
    reconcile(bench)()
    assert bench.scalar(planners, id=job_id) == 1


def test_planner_sent_to_a_job_that_has_just_ended_waits_for_nobody(bench: Bench) -> None:
    job_id = bench.job(state=JobState.CANCELLED)
    bench.execute("UPDATE jobs SET finished_at = now()")
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.add_tasks([NewTask(new_id(), job_id, TaskKind.PLAN, "maintenance")])
        uow.commit()
    bench.finish_jobs()
    assert bench.states(job_id) == ["cancelled"]


def test_reconciler_reclaims_only_after_it_has_watched_undisturbed(bench: Bench) -> None:
    task = bench.take(bench.tasks(bench.job(1))[0])
    bench.silence(task, 3600)
    now_s = 1000.0
    round_ = Reconcile(bench.database, Calm(12.0, now=lambda: now_s, slept=lambda: 0.0), Allowances(12.0, 10.0, 200))
    for _ in range(12):
        round_()
        assert bench.states(task.job_id) == ["running"]
        now_s += 1.0
    round_()
    assert bench.states(task.job_id) == ["pending"]
    row = bench.rows("SELECT state, ended_at FROM workers")[0]
    assert tuple(row) == ("live", None)
