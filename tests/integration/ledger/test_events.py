from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from tests.integration.ledger.bench import Bench, at_once
from tests.support.events import settle

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.results import Event


@pytest.fixture
def job_id(bench: Bench) -> UUID:
    return bench.job(1)


def write(bench: Bench, job_id: UUID, number: int) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.add_event(job_id, "test", {"n": number})
        uow.commit()


INSERT = text(
    "INSERT INTO events (org_id, job_id, type, payload) "
    "VALUES (:org, :job, 'test', jsonb_build_object('n', CAST(:n AS int)))"
)


def settled(bench: Bench, cursor: str, *, job_id: UUID | None = None, limit: int = 1000) -> list[Event]:
    """Read once nothing hides what was written."""
    settle(bench.database)
    return read(bench, cursor, job_id=job_id, limit=limit)


def write_on(connection: Connection, bench: Bench, job_id: UUID, number: int) -> None:
    connection.execute(INSERT, {"org": bench.principal.org_id, "job": job_id, "n": number})


def read(bench: Bench, cursor: str, *, job_id: UUID | None = None, limit: int = 1000) -> list[Event]:
    with bench.database.begin(bench.scope) as uow:
        return [event for event in uow.events.after(cursor, job_id=job_id, limit=limit) if event.type == "test"]


def numbers(events: list[Event]) -> list[object]:
    return [event.payload["n"] for event in events]


def now(bench: Bench) -> str:
    with bench.database.begin(bench.scope) as uow:
        return uow.events.latest_cursor()


def test_transaction_that_opened_earlier_and_commits_later_is_not_missed(bench: Bench, job_id: UUID) -> None:
    start = now(bench)
    with bench.database.begin(SystemScope()) as early:
        write_on(early.connection, bench, job_id, 1)
        write(bench, job_id, 2)
        # The later one is durable, but the earlier one may still come before it.
        seen = read(bench, start)
        assert numbers(seen) == []
        early.commit()
    assert numbers(settled(bench, start)) == [1, 2]


def test_transaction_that_is_rolled_back_holds_nobody_up(bench: Bench, job_id: UUID) -> None:
    start = now(bench)
    with bench.database.begin(SystemScope()) as early:
        write_on(early.connection, bench, job_id, 1)
        write(bench, job_id, 2)
    assert numbers(settled(bench, start)) == [2]


def test_reader_that_resumes_anywhere_misses_nothing_and_sees_nothing_twice(bench: Bench, job_id: UUID) -> None:
    start = now(bench)
    for number in range(20):
        write(bench, job_id, number)
    whole = settled(bench, start)
    assert numbers(whole) == list(range(20))
    for position, event in enumerate(whole):
        assert numbers(settled(bench, event.cursor)) == list(range(position + 1, 20))


def test_pages_join_without_gaps(bench: Bench, job_id: UUID) -> None:
    cursor = now(bench)
    for number in range(10):
        write(bench, job_id, number)
    found: list[object] = []
    while page := settled(bench, cursor, limit=3):
        found += numbers(page)
        cursor = page[-1].cursor
    assert found == list(range(10))


def test_many_writers_and_a_reader_that_polls_lose_nothing(bench: Bench, job_id: UUID) -> None:
    start = now(bench)
    seen: list[Event] = []

    def write_or_read(number: int) -> None:
        for round_ in range(20):
            if number:
                write(bench, job_id, number * 100 + round_)
            else:
                seen.extend(read(bench, seen[-1].cursor if seen else start))

    at_once(6, write_or_read)
    seen.extend(settled(bench, seen[-1].cursor if seen else start))
    assert sorted(map(int, map(str, numbers(seen)))) == sorted(n * 100 + r for n in range(1, 6) for r in range(20))
    assert [event.position for event in seen] == sorted({event.position for event in seen})


def test_events_of_one_job_can_be_read_alone(bench: Bench, job_id: UUID) -> None:
    start, other = now(bench), bench.job(1)
    write(bench, job_id, 1)
    write(bench, other, 2)
    assert numbers(settled(bench, start, job_id=other)) == [2]


def test_last_cursor_of_a_job_is_behind_all_its_events(bench: Bench, job_id: UUID) -> None:
    write(bench, job_id, 1)
    with bench.database.begin(bench.scope) as uow:
        last = uow.events.last_cursor(job_id)
    assert settled(bench, last, job_id=job_id) == []
    write(bench, job_id, 2)
    assert numbers(settled(bench, last, job_id=job_id)) == [2]


@pytest.mark.parametrize("cursor", ["x", "1-", "-1", "1-2-3", "99999999999999999999999999-1", "1-1; DROP TABLE events"])
def test_cursor_that_nobody_gave_out_is_refused(bench: Bench, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        read(bench, cursor)
