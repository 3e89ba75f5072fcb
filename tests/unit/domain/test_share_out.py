from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.scheduling import Demand, richest, share_out

OWNERS = [UUID(int=1000 + number) for number in range(3)]


def job(number: int, *, owner: int = 0, priority: int = 0, in_flight: int = 0, pending: int = 100) -> Demand:
    return Demand(UUID(int=number), OWNERS[owner], priority, in_flight, pending)


@st.composite
def demands_of_several_jobs(draw: st.DrawFn) -> list[Demand]:
    count = draw(st.integers(0, 6))
    small = st.integers(0, 8)
    return [
        job(
            n,
            owner=draw(st.integers(0, 2)),
            priority=draw(st.integers(-1, 1)),
            in_flight=draw(small),
            pending=draw(small),
        )
        for n in range(count)
    ]


several = demands_of_several_jobs()
capacities = st.integers(-3, 30)


@given(capacities, several)
def test_every_place_is_used_and_none_twice(capacity: int, demands: list[Demand]) -> None:
    chosen = share_out(capacity, demands)
    assert len(chosen) == max(0, min(capacity, sum(demand.pending for demand in demands)))


@given(capacities, several)
def test_no_job_gets_more_than_it_has(capacity: int, demands: list[Demand]) -> None:
    given_out = Counter(share_out(capacity, demands))
    pending = {demand.job_id: demand.pending for demand in demands}
    assert all(count <= pending[job_id] for job_id, count in given_out.items())


@given(capacities, several)
def test_lower_priority_waits_until_the_higher_has_nothing_left(capacity: int, demands: list[Demand]) -> None:
    given_out = Counter(share_out(capacity, demands))
    unserved = [demand.priority for demand in demands if given_out[demand.job_id] < demand.pending]
    served = [demand.priority for demand in demands if given_out[demand.job_id]]
    assert not unserved or not served or min(served) >= max(unserved)


@given(capacities, several)
def test_same_demands_give_the_same_order(capacity: int, demands: list[Demand]) -> None:
    assert share_out(capacity, demands) == share_out(capacity, list(demands))


@given(capacities, several)
def test_less_room_only_cuts_the_end(capacity: int, demands: list[Demand]) -> None:
    assert share_out(capacity, demands) == share_out(30, demands)[: max(capacity, 0)]


@given(st.integers(1, 30), several, st.integers(0, 8))
def test_idle_job_of_a_user_with_nothing_in_flight_goes_first(
    capacity: int, demands: list[Demand], pending_of_others: int
) -> None:
    busy = [
        job(n, owner=n % 2, in_flight=demand.in_flight + 1, pending=pending_of_others)
        for n, demand in enumerate(demands)
    ]
    idle = job(99, owner=2)
    assert share_out(capacity, [*busy, idle])[0] == idle.job_id


@given(st.integers(0, 40), st.integers(1, 3), st.integers(1, 3))
def test_users_get_equal_shares_however_many_jobs_they_have(capacity: int, first: int, second: int) -> None:
    jobs = [job(n, owner=0) for n in range(first)] + [job(10 + n, owner=1) for n in range(second)]
    owners = {demand.job_id: demand.owner_id for demand in jobs}
    shares = Counter(owners[job_id] for job_id in share_out(capacity, jobs))
    assert abs(shares[OWNERS[0]] - shares[OWNERS[1]]) <= 1


def test_what_is_in_flight_already_counts() -> None:
    ahead, behind = job(1, owner=0, in_flight=3), job(2, owner=1, in_flight=0)
    assert share_out(3, [ahead, behind]) == [behind.job_id] * 3


def test_jobs_of_one_user_take_turns_the_oldest_first() -> None:
    older, newer = job(1), job(2)
    assert share_out(4, [older, newer]) == [older.job_id, newer.job_id, older.job_id, newer.job_id]


def test_small_job_behind_a_million_gets_the_first_place() -> None:
    large, small = job(1, owner=0, in_flight=4, pending=10**6), job(2, owner=1, pending=3)
    assert share_out(2, [large, small]) == [small.job_id, small.job_id]


def test_job_with_most_in_flight_gives_up_a_place() -> None:
    assert richest([job(1, in_flight=1), job(2, in_flight=5), job(3, in_flight=4)]) == UUID(int=2)


def test_lower_priority_gives_up_a_place_before_the_richer_job() -> None:
    assert richest([job(1, priority=0, in_flight=9), job(2, priority=-1, in_flight=1)]) == UUID(int=2)


@given(several)
def test_job_that_gives_up_a_place_has_the_lowest_priority_and_is_the_richest_of_it(demands: list[Demand]) -> None:
    if not demands:
        with pytest.raises(ValueError, match="empty"):
            richest(demands)
        return
    chosen = next(demand for demand in demands if demand.job_id == richest(demands))
    assert chosen.priority == min(demand.priority for demand in demands)
    assert chosen.in_flight == max(demand.in_flight for demand in demands if demand.priority == chosen.priority)
