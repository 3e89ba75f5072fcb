from functools import partial
from uuid import UUID

import pytest
from tests.integration.ledger.bench import QUEUE, Bench, at_once

from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, JobState, Origin


def claim_one(bench: Bench, task_id: UUID, number: int) -> ClaimedTask | None:
    del number
    return bench.claim(task_id)


def test_sixteen_slots_claim_a_task_and_one_gets_it(bench: Bench) -> None:
    for _ in range(5):
        (task_id,) = bench.tasks(bench.job(1))
        claimed = [task for task in at_once(16, partial(claim_one, bench, task_id)) if task is not None]
        assert [task.attempt_no for task in claimed] == [1]
        assert bench.scalar("SELECT count(*) FROM attempts WHERE task_id = :id", id=task_id) == 1


def test_sixteen_slots_claim_sixteen_tasks_and_each_gets_one(bench: Bench) -> None:
    tasks = bench.tasks(bench.job(*[1] * 16))
    claimed = at_once(16, lambda number: bench.claim(tasks[number]))
    assert {task.id for task in claimed if task} == set(tasks)


def test_claim_tells_all_that_the_slot_needs(bench: Bench) -> None:
    job_id = bench.job(3)
    (task_id,) = bench.tasks(job_id)
    task = bench.take(task_id)
    assert (task.job_id, task.org_id, task.attempt_no) == (job_id, bench.principal.org_id, 1)
    assert len(task.ligand_ids) == 3
    row = bench.rows("SELECT * FROM attempts WHERE task_id = :id", id=task_id)[0]
    assert (row.worker_id, row.slot_pid, row.end_cause) == (bench.worker.id, 1, None)


@pytest.mark.parametrize(
    "state",
    [JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED, JobState.COMPLETED, JobState.FAILED],
)
def test_task_of_a_job_that_does_not_work_is_not_to_be_had(bench: Bench, state: JobState) -> None:
    (task_id,) = bench.tasks(bench.job(1, state=state))
    assert bench.claim(task_id) is None
    assert bench.rows("SELECT 1 FROM attempts") == []


def test_task_of_a_deleted_job_is_not_to_be_had(bench: Bench) -> None:
    job_id = bench.job(1)
    bench.execute("UPDATE jobs SET deleted_at = now() WHERE id = :id", id=job_id)
    assert bench.claim(bench.tasks(job_id)[0]) is None


@pytest.mark.parametrize("cause", [EndCause.COMPLETED, EndCause.FAILED, EndCause.CANCELLED])
def test_task_that_has_ended_is_not_to_be_had(bench: Bench, cause: EndCause) -> None:
    (task_id,) = bench.tasks(bench.job(1))
    assert bench.end(bench.take(task_id), cause)
    assert bench.claim(task_id) is None


def test_unknown_task_is_not_to_be_had(bench: Bench) -> None:
    assert bench.claim(new_id()) is None


@pytest.mark.parametrize("cause", [EndCause.DRAINED, EndCause.YIELDED])
def test_task_that_was_handed_back_gets_the_next_attempt_number(bench: Bench, cause: EndCause) -> None:
    (task_id,) = bench.tasks(bench.job(1))
    assert bench.end(bench.take(task_id), cause)
    assert bench.take(task_id).attempt_no == 2


def test_cancel_and_claim_at_once_leave_no_task_that_waits_or_runs_unseen(bench: Bench) -> None:
    def cancel_or_claim(job_id: UUID, task_id: UUID, number: int) -> ClaimedTask | None:
        if number:
            return bench.claim(task_id)
        with bench.database.begin(bench.scope) as uow:
            uow.jobs.get(job_id, lock=True)
            uow.jobs.change_state(job_id, JobState.CANCELLING)
            uow.jobs.cancel_waiting_tasks(job_id)
            if uow.jobs.running_tasks(job_id) == 0:
                uow.jobs.change_state(job_id, JobState.CANCELLED)
            uow.commit()
        return None

    for _ in range(10):
        job_id = bench.job(1)
        (task_id,) = bench.tasks(job_id)
        answers = at_once(3, partial(cancel_or_claim, job_id, task_id))
        owned = [task for task in answers if task is not None]
        assert (bench.state(job_id), bench.states(job_id), len(owned)) in [
            ("cancelled", ["cancelled"], 0),
            ("cancelling", ["running"], 1),
        ]


def test_task_knows_the_request_that_asked_for_its_job(bench: Bench) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    job_id = bench.job(1, 1)
    bench.execute("UPDATE jobs SET request_id = 'r-1', traceparent = :t WHERE id = :id", t=traceparent, id=job_id)
    with bench.database.begin(SystemScope()) as uow:
        (released,) = uow.dispatch.release(QUEUE, job_id, 1)
        assert uow.jobs.get(job_id).origin == Origin("r-1", traceparent)
        uow.commit()
    assert released.origin == bench.take(released.id).origin == Origin("r-1", traceparent)
    assert released.ids == {
        "org_id": str(bench.principal.org_id),
        "job_id": str(job_id),
        "task_id": str(released.id),
        "request_id": "r-1",
    }
    bench.execute("UPDATE jobs SET n_ligands = 1000000000")
    (other,) = [task_id for task_id in bench.tasks(job_id) if task_id != released.id]
    assert bench.take(other).origin == Origin("r-1", f"{traceparent[:-2]}00")
