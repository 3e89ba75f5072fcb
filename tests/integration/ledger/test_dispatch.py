from collections import Counter
from uuid import UUID

import pytest
from tests.integration.ledger.bench import QUEUE, Bench, at_once

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import JobState, ReleasedTask
from molecular_analysis_dashboard.use_cases.dispatch_tasks import IN_FLIGHT_PER_SLOT, DispatchTasks


class Broker:
    """Takes ids; may be out of reach, and may forget everything."""

    def __init__(self, *, room: int = 10**6) -> None:
        self.sent: list[ReleasedTask] = []
        self.room = room
        self.lost = False

    def send(self, task: ReleasedTask) -> None:
        if len(self.sent) >= self.room:
            raise ResourceLost("The broker is away.")
        self.sent.append(task)

    def lost_everything(self) -> bool:
        lost, self.lost = self.lost, False
        return lost


def dispatch(bench: Bench, broker: Broker | None = None) -> list[ReleasedTask]:
    broker = broker or Broker()
    DispatchTasks(bench.database, broker)()
    return broker.sent


def test_dispatcher_does_not_wait_for_another_that_is_stuck(bench: Bench) -> None:
    bench.job(1)
    with bench.database.begin(SystemScope()) as uow:
        assert uow.dispatch.try_lock()
        assert dispatch(bench) == []
    assert len(dispatch(bench)) == 1


def recall(bench: Bench, job_id: UUID) -> int:
    with bench.database.begin(SystemScope()) as uow:
        count = uow.dispatch.recall(QUEUE, job_id)
        uow.commit()
    return count


def take_back_lost(bench: Bench, *, older_than_s: float = 10.0, only_if_idle: bool = True) -> list[UUID]:
    with bench.database.begin(SystemScope()) as uow:
        lost = uow.dispatch.take_back_lost(older_than_s=older_than_s, only_if_idle=only_if_idle)
        uow.commit()
    return lost


def in_flight(bench: Bench) -> int:
    return int(bench.scalar("SELECT count(*) FROM tasks WHERE state IN ('released', 'running')"))


def colleague(bench: Bench) -> UUID:
    """A second user of the laboratory."""
    other = Principal(new_id(), bench.principal.org_id)
    with bench.database.begin(SystemScope()) as uow:
        uow.identities.ensure_member(other, organization="laboratory", email="b@example.org", display_name="B")
        uow.commit()
    return other.user_id


def test_release_takes_the_longest_first_and_never_more_than_asked(bench: Bench) -> None:
    job_id = bench.job(1, 5, 3, 4, 2)
    costs = {row.id: row.cost_s for row in bench.rows("SELECT id, cost_s FROM tasks")}
    assert [costs[id_] for id_ in bench.release(job_id, 1)] == [5.0]
    assert sorted(costs[id_] for id_ in bench.release(job_id, 2)) == [3.0, 4.0]
    assert len(bench.release(job_id, 10)) == 2
    assert bench.release(job_id, 10) == []


def test_releases_at_once_never_exceed_what_was_asked_nor_share_a_task(bench: Bench) -> None:
    # A locking subquery with a limit, run once per row, chose more than its limit.
    job_id = bench.job(*[1] * 60)
    batches = at_once(16, lambda _: bench.release(job_id, 3))
    assert all(len(batch) <= 3 for batch in batches)
    released = [id_ for batch in batches for id_ in batch]
    assert len(set(released)) == len(released) == bench.states(job_id).count("released")


def test_dispatcher_keeps_twice_the_slots_in_flight(bench: Bench) -> None:
    bench.job(*[1] * 20)
    assert len(dispatch(bench)) == IN_FLIGHT_PER_SLOT * 2
    assert dispatch(bench) == []


@pytest.mark.parametrize("rounds", range(5))
def test_two_dispatchers_at_once_stay_within_the_limit(bench: Bench, rounds: int) -> None:
    del rounds
    for _ in range(3):
        bench.job(*[1] * 10)
    sent = [task.id for tasks in at_once(4, lambda _: dispatch(bench)) for task in tasks]
    assert len(sent) == len(set(sent)) == in_flight(bench) == IN_FLIGHT_PER_SLOT * 2


def test_nothing_is_released_to_a_queue_that_nobody_serves(bench: Bench) -> None:
    bench.job(1, queue="dock.other")
    assert dispatch(bench) == []


@pytest.mark.parametrize("change", ["state = 'draining'", "ended_at = now()", "heartbeat_at = now() - interval '7 s'"])
def test_worker_that_leaves_or_is_silent_gets_nothing(bench: Bench, change: str) -> None:
    bench.job(1)
    bench.execute(f"UPDATE workers SET {change}")
    assert dispatch(bench) == []


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.CANCELLING, JobState.FAILED])
def test_nothing_of_a_job_that_does_not_work_is_released(bench: Bench, state: JobState) -> None:
    bench.job(1, 1, state=state)
    assert dispatch(bench) == []


def test_users_share_what_there_is(bench: Bench) -> None:
    mine = bench.job(*[1] * 20)
    theirs = bench.job(*[1] * 20, owner=colleague(bench))
    assert Counter(task.job_id for task in dispatch(bench)) == {mine: 2, theirs: 2}


def test_higher_priority_goes_first(bench: Bench) -> None:
    bench.job(*[1] * 20)
    urgent = bench.job(*[1] * 20, priority=1)
    assert {task.job_id for task in dispatch(bench)} == {urgent}


def test_job_without_anything_in_flight_gets_a_place_that_a_rich_one_gives_up(bench: Bench) -> None:
    large = bench.job(*[1] * 20)
    assert len(dispatch(bench)) == 4
    small = bench.job(1)
    (sent,) = dispatch(bench)
    assert (sent.job_id, sent.overtakes) == (small, True)
    assert bench.states(large).count("released") == 3
    assert in_flight(bench) == 4


def test_only_the_first_task_of_an_idle_job_overtakes(bench: Bench) -> None:
    bench.job(*[1] * 20)
    assert [task.overtakes for task in dispatch(bench)] == [True, False, False, False]


def test_running_tasks_are_not_recalled(bench: Bench) -> None:
    job_id = bench.job(1, 1)
    running, waiting = bench.release(job_id, 2)
    bench.take(running)
    assert recall(bench, job_id) == 1
    assert recall(bench, job_id) == 0
    assert bench.scalar("SELECT state FROM tasks WHERE id = :id", id=waiting) == "pending"


def test_recalled_task_may_still_be_claimed_by_its_message(bench: Bench) -> None:
    job_id = bench.job(1)
    (task_id,) = bench.release(job_id, 1)
    recall(bench, job_id)
    assert bench.claim(task_id) is not None


def test_tasks_that_the_broker_did_not_take_wait_again(bench: Bench) -> None:
    job_id = bench.job(*[1] * 4)
    broker = Broker(room=1)
    with pytest.raises(ResourceLost):
        dispatch(bench, broker)
    assert sorted(bench.states(job_id)) == ["pending", "pending", "pending", "released"]


def test_broker_that_forgot_everything_is_told_again(bench: Bench) -> None:
    job_id = bench.job(*[1] * 4)
    broker = Broker()
    dispatch(bench, broker)
    bench.take(broker.sent[0].id)
    broker.lost = True
    dispatch(bench, broker)
    assert {task.id for task in broker.sent[4:]} == set(bench.tasks(job_id)) - {broker.sent[0].id}


def test_message_is_lost_only_when_a_slot_idles_and_time_has_passed(bench: Bench) -> None:
    job_id = bench.job(*[1] * 3)
    first, second, third = bench.release(job_id, 3, ago_s=5.0)
    assert take_back_lost(bench) == []
    for task_id in (first, second):
        bench.take(task_id)
    bench.execute("UPDATE tasks SET released_at = now() - interval '1 h' WHERE id = :id", id=third)
    # Both slots work: the message may well be waiting behind them.
    assert take_back_lost(bench) == []
    idle = bench.register(slots=1, queues=("dock.other",))
    assert take_back_lost(bench) == []
    bench.register(slots=1)
    assert take_back_lost(bench) == [third]
    assert bench.scalar("SELECT released_at FROM tasks WHERE id = :id", id=third) is None
    del idle


def test_waiting_tasks_are_counted_per_queue(bench: Bench) -> None:
    bench.release(bench.job(1, 1, 1), 1)
    bench.job(1, queue="dock.other")
    with bench.database.begin(SystemScope()) as uow:
        assert uow.dispatch.queue_depths() == {QUEUE: 3, "dock.other": 1}
        assert uow.workers.slots() == {QUEUE: 2, "maintenance": 2, "prepare": 2}


def test_tasks_of_a_paused_job_do_not_wait_for_workers(bench: Bench) -> None:
    paused = bench.job(1, 1, 1)
    bench.job(1)
    bench.release(paused, 1)
    with bench.database.begin(SystemScope()) as uow:
        uow.jobs.change_state(paused, JobState.PAUSED, reason="Paused by a user.")
        uow.commit()
    with bench.database.begin(SystemScope()) as uow:
        assert uow.dispatch.queue_depths() == {QUEUE: 1}
