from functools import partial
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.integration.ledger.bench import Bench, at_once

from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, EndCause, JobState

ALLOWANCE_S = 12.0


def beat(bench: Bench, task: ClaimedTask, *, may_yield: bool = True, n_scored: int = 0) -> BeatAnswer:
    with bench.database.begin(SystemScope()) as uow:
        answer = uow.ledger.beat(task, n_scored=n_scored, n_rejected=0, may_yield=may_yield, yield_after_s=2.0)
        uow.commit()
    return answer


def reclaim(bench: Bench) -> list[UUID]:
    with bench.database.begin(SystemScope()) as uow:
        lost = [task.id for task in uow.control.reclaim(silent_s=ALLOWANCE_S)]
        uow.commit()
    return lost


@pytest.fixture
def task(bench: Bench) -> ClaimedTask:
    return bench.take(bench.tasks(bench.job(4, 4))[0])


def test_living_attempt_goes_on_and_its_progress_is_seen(bench: Bench, task: ClaimedTask) -> None:
    bench.silence(task, 5)
    assert beat(bench, task, n_scored=3) is BeatAnswer.GO_ON
    assert bench.scalar("SELECT n_scored FROM tasks WHERE id = :id", id=task.id) == 3
    assert bench.scalar("SELECT clock_timestamp() - heartbeat_at < '2 s' FROM tasks WHERE id = :id", id=task.id)


@pytest.mark.parametrize("state", [JobState.CANCELLING, JobState.CANCELLED, JobState.FAILED])
def test_attempt_of_a_job_that_ends_is_told_to_stop(bench: Bench, task: ClaimedTask, state: JobState) -> None:
    bench.execute("UPDATE jobs SET state = :state", state=state)
    assert beat(bench, task) is BeatAnswer.CANCELLED


def test_what_runs_goes_on_while_the_job_is_paused(bench: Bench, task: ClaimedTask) -> None:
    bench.change(task.job_id, JobState.PAUSED)
    assert beat(bench, task) is BeatAnswer.GO_ON


def test_attempt_that_was_replaced_is_told_so(bench: Bench, task: ClaimedTask) -> None:
    bench.end(task, EndCause.DRAINED)
    assert beat(bench, task) is BeatAnswer.SUPERSEDED
    following = bench.take(task.id)
    assert beat(bench, task, n_scored=4) is BeatAnswer.SUPERSEDED
    assert beat(bench, following) is BeatAnswer.GO_ON
    assert bench.scalar("SELECT n_scored FROM tasks WHERE id = :id", id=task.id) == 0


def test_slot_is_asked_to_yield_to_a_job_that_starves(bench: Bench, task: ClaimedTask) -> None:
    bench.release(bench.job(1), 1, ago_s=3.0)
    assert beat(bench, task) is BeatAnswer.YIELD
    assert beat(bench, task, may_yield=False) is BeatAnswer.GO_ON


def test_nobody_yields_to_a_job_that_waits_for_a_moment_only(bench: Bench, task: ClaimedTask) -> None:
    bench.release(bench.job(1), 1, ago_s=1.0)
    assert beat(bench, task) is BeatAnswer.GO_ON


def test_nobody_yields_to_a_job_that_runs_elsewhere(bench: Bench, task: ClaimedTask) -> None:
    other = bench.job(1, 1)
    bench.take(bench.tasks(other)[0])
    bench.release(other, 1, ago_s=60.0)
    assert beat(bench, task) is BeatAnswer.GO_ON


def test_nobody_yields_to_its_own_job_or_to_another_queue(bench: Bench, task: ClaimedTask) -> None:
    bench.release(task.job_id, 1, ago_s=60.0)
    elsewhere = bench.job(1, queue="dock.other")
    bench.execute(
        "UPDATE tasks SET state = 'released', released_at = now() - interval '1 h' WHERE job_id = :id", id=elsewhere
    )
    assert beat(bench, task) is BeatAnswer.GO_ON


def test_slot_yields_to_another_kind_of_task_that_its_worker_could_take(bench: Bench, task: ClaimedTask) -> None:
    planned = bench.job(1, queue="maintenance")
    bench.execute(
        "UPDATE tasks SET state = 'released', released_at = now() - interval '3 s' WHERE job_id = :id", id=planned
    )
    assert beat(bench, task) is BeatAnswer.YIELD


def test_counts_do_not_fall_when_an_attempt_resumes(bench: Bench, task: ClaimedTask) -> None:
    bench.record(task, task.ligand_ids[0])
    bench.end(task, EndCause.DRAINED)
    assert beat(bench, bench.take(task.id)) is BeatAnswer.GO_ON
    assert bench.scalar("SELECT n_scored FROM tasks WHERE id = :id", id=task.id) == 1


def test_silent_attempt_is_lost_after_the_allowance_and_not_before(bench: Bench, task: ClaimedTask) -> None:
    bench.silence(task, ALLOWANCE_S - 1)
    assert reclaim(bench) == []
    bench.silence(task, ALLOWANCE_S + 1)
    assert reclaim(bench) == [task.id]
    assert reclaim(bench) == []
    row = bench.rows("SELECT end_cause, ended_at FROM attempts")[0]
    assert row.end_cause == "lost"
    assert row.ended_at is not None
    assert bench.take(task.id).attempt_no == 2


def test_beating_attempt_is_never_lost(bench: Bench, task: ClaimedTask) -> None:
    bench.silence(task, 3600)
    assert beat(bench, task) is BeatAnswer.GO_ON
    assert reclaim(bench) == []


@pytest.mark.parametrize("state", [JobState.CANCELLING, JobState.FAILED])
def test_lost_task_of_a_job_that_ends_does_not_wait_again(bench: Bench, task: ClaimedTask, state: JobState) -> None:
    bench.execute("UPDATE jobs SET state = :state", state=state)
    bench.silence(task, 100)
    assert reclaim(bench) == [task.id]
    assert bench.states(task.job_id)[0] == "cancelled"


def test_lost_attempts_keep_what_they_recorded(bench: Bench, task: ClaimedTask) -> None:
    bench.record(task, task.ligand_ids[0])
    bench.silence(task, 100)
    reclaim(bench)
    row = bench.rows("SELECT n_scored, n_rejected, worker_id, released_at FROM tasks WHERE id = :id", id=task.id)[0]
    assert tuple(row) == (1, 0, None, None)


def test_two_leaders_reclaim_each_task_once_and_lose_none(bench: Bench) -> None:
    tasks = [bench.take(id_) for id_ in bench.tasks(bench.job(*[1] * 30))]
    for task in tasks:
        bench.silence(task, 100)
    lost = at_once(4, lambda _: reclaim(bench))
    assert sorted(str(id_) for one in lost for id_ in one) == sorted(str(task.id) for task in tasks)
    assert bench.scalar("SELECT count(*) FROM events WHERE type = 'task.ended'") == 30


def beat_or_reclaim(bench: Bench, task: ClaimedTask, number: int) -> object:
    return reclaim(bench) if number else beat(bench, task)


def test_late_beat_and_reclaim_never_both_win(bench: Bench) -> None:
    for task_id in bench.tasks(bench.job(*[1] * 25)):
        task = bench.take(task_id)
        bench.silence(task, ALLOWANCE_S + 1)
        assert at_once(2, partial(beat_or_reclaim, bench, task)) in [
            [BeatAnswer.GO_ON, []],
            [BeatAnswer.SUPERSEDED, [task.id]],
        ]


def test_beat_that_is_under_way_saves_the_task(bench: Bench, task: ClaimedTask) -> None:
    bench.silence(task, 100)
    with bench.database.begin(SystemScope()) as uow:
        uow.ledger.beat(task, n_scored=0, n_rejected=0, may_yield=False, yield_after_s=2.0)
        assert reclaim(bench) == []
        uow.commit()
    assert reclaim(bench) == []


def test_write_that_is_under_way_holds_the_end_of_its_attempt_back(bench: Bench, task: ClaimedTask) -> None:
    wrote, ended = Event(), Event()

    def write_or_end(number: int) -> bool:
        if number:
            wrote.wait(10)
            answer = bench.end(task, EndCause.DRAINED)
            ended.set()
            return answer
        with bench.database.begin(bench.scope) as uow:
            uow.ledger.own(task)
            wrote.set()
            # The end can only come after this transaction.
            assert not ended.wait(0.2)
            uow.connection.execute(text("SELECT 1"))
            uow.commit()
        return True

    assert at_once(2, write_or_end) == [True, True]
