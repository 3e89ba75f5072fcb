"""Events as pages and as live streams: resumed without gap or duplicate, whatever commits late."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from tests.integration.api.conftest import SMILES, Bench
from tests.integration.api.test_structures import code_of
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import Principal

JOBS = "/api/v1/jobs"
STREAM = "/api/v1/events/stream"


@dataclass
class Listener:
    """Reads a stream in a thread; `messages` holds what came so far."""

    client: httpx.Client
    address: str
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)
    status: int = 0
    ended: bool = False
    connection: socket.socket | None = None

    def run(self) -> None:
        try:
            with self.client.stream("GET", self.address, headers=self.headers, timeout=60) as answer:
                self.connection = answer.extensions["network_stream"].get_extra_info("socket")
                self.status = answer.status_code
                message: dict[str, str] = {}
                for line in answer.iter_lines():
                    if line.startswith(":"):
                        continue
                    if line:
                        key, _, value = line.partition(": ")
                        message[key] = value
                    elif message:
                        self.messages.append(message)
                        message = {}
        except (httpx.HTTPError, httpx.StreamError):
            pass  # The test hung up.
        finally:
            self.ended = True

    def hang_up(self) -> None:
        """Leave as a closed browser does; closing the client would not wake the thread that reads."""
        if self.connection is not None and not self.ended:
            self.connection.shutdown(socket.SHUT_RDWR)

    @property
    def cursors(self) -> list[str]:
        return [message["id"] for message in self.messages if "id" in message]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message["data"]) for message in self.messages if "id" in message]

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.cursors) >= count, 20, lambda: f"{count} events expected: {self.messages}")

    def wait_end(self) -> None:
        wait_until(lambda: self.ended, 20, lambda: f"the stream does not end: {self.messages}")


@contextmanager
def listening(base: httpx.Client, address: str, last: str | None = None) -> Iterator[Listener]:
    with ExitStack() as exits:
        client = exits.enter_context(httpx.Client(base_url=base.base_url))
        listener = Listener(client, address, {"Last-Event-ID": last} if last else {})
        thread = threading.Thread(target=listener.run, daemon=True)
        thread.start()
        wait_until(lambda: listener.status, 20, "the stream does not begin")
        yield listener
        listener.hang_up()
        thread.join(20)
        assert not thread.is_alive()


def all_cursors(client: httpx.Client, job_id: UUID) -> list[str]:
    page = client.get(f"{JOBS}/{job_id}/events", params={"limit": 200}).json()
    return [item["cursor"] for item in page["items"]]


def emit(database: SqlDatabase, principal: Principal, job_id: UUID, number: int) -> None:
    with database.begin(principal.scope) as uow:
        uow.jobs.add_event(job_id, "test", {"number": number})
        uow.commit()


def test_pages_of_events_can_be_polled(bench: Bench) -> None:
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))
    address = f"{JOBS}/{job_id}/events"
    found: list[dict[str, Any]] = []
    after = ""
    while page := bench.client.get(address, params={"limit": 2, "after": after}).json()["items"]:
        found += page
        after = page[-1]["cursor"]

    states = [item["payload"]["state"] for item in found if item["type"] == "job.state"]
    assert states == ["planning", "running", "completed"]
    assert bench.client.get(address, params={"after": after}).json() == {"items": [], "next_cursor": after}


@pytest.mark.parametrize("after", ["x", "1", "1-2-3", "9" * 40 + "-1"])
@pytest.mark.parametrize("address", ["events", "events/stream"])
def test_a_cursor_that_is_none_is_refused(bench: Bench, address: str, after: str) -> None:
    answer = bench.client.get(f"{JOBS}/{bench.submit()}/{address}", params={"after": after})

    assert (answer.status_code, code_of(answer)) == (422, "invalid_cursor")


def test_a_stream_tells_a_job_from_its_beginning_to_its_end(bench: Bench) -> None:
    job_id = bench.submit()
    with listening(bench.client, f"{JOBS}/{job_id}/events/stream") as listener:
        listener.wait_for(1)
        bench.worker.plan(job_id)
        bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0))
        listener.wait_end()

    assert listener.status == 200
    assert listener.cursors == all_cursors(bench.client, job_id)
    assert listener.bodies[-1]["payload"]["state"] == "completed"
    assert listener.messages[-1] == {"event": "stream.end", "data": "{}"}


def test_a_stream_resumes_behind_the_last_event_seen(bench: Bench) -> None:
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))
    expected = all_cursors(bench.client, job_id)
    address = f"{JOBS}/{job_id}/events/stream"

    for seen in range(len(expected) - 1):
        with listening(bench.client, address, expected[seen]) as listener:
            listener.wait_end()
        assert listener.cursors == expected[seen + 1 :]
    with listening(bench.client, f"{address}?after={expected[0]}", expected[-2]) as listener:
        listener.wait_end()
    assert listener.cursors == expected[-1:]


def test_a_stream_that_has_told_all_says_not_to_come_back(bench: Bench) -> None:
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))
    last = all_cursors(bench.client, job_id)[-1]
    answer = bench.client.get(f"{JOBS}/{job_id}/events/stream", headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.content) == (204, b"")


def test_an_event_that_commits_late_is_not_missed(bench: Bench, database: SqlDatabase, principal: Principal) -> None:
    job_id = bench.submit()
    with listening(bench.client, f"{JOBS}/{job_id}/events/stream") as listener:
        listener.wait_for(1)
        with database.begin(principal.scope) as early:
            early.jobs.add_event(job_id, "test", {"number": 1})
            emit(database, principal, job_id, 2)
            # A page read now may hold neither: number 2 must not be told before number 1 can be.
            assert len(all_cursors(bench.client, job_id)) == 1
            early.commit()
        listener.wait_for(3)
    assert [body["payload"].get("number") for body in listener.bodies] == [None, 1, 2]


def test_events_are_ordered_by_number_not_by_its_text(
    bench: Bench, database: SqlDatabase, principal: Principal
) -> None:
    job_id = bench.submit()
    with database.begin(principal.scope) as uow:
        for xid in ("100", "99", "9"):
            uow.connection.execute(
                text(
                    "INSERT INTO events (org_id, job_id, xid, type, payload) "
                    "VALUES (:org, :job, CAST(CAST(:xid AS text) AS xid8), 'test', '{}')"
                ),
                {"org": principal.org_id, "job": job_id, "xid": xid},
            )
        uow.commit()

    assert [cursor.partition("-")[0] for cursor in all_cursors(bench.client, job_id)][:3] == ["9", "99", "100"]
    page = bench.client.get(f"{JOBS}/{job_id}/events", params={"limit": 1}).json()
    assert page["items"][0]["cursor"].startswith("9-")


def test_nothing_is_lost_or_doubled_while_listeners_come_and_go(
    bench: Bench, database: SqlDatabase, principal: Principal
) -> None:
    """Several writers commit out of order while a client reconnects again and again with its last cursor."""
    job_id = bench.submit()
    writers, each = 4, 15

    def write(writer: int) -> None:
        for number in range(each):
            with database.begin(principal.scope) as slow:
                slow.jobs.add_event(job_id, "test", {"number": writer * each + number})
                with database.begin(principal.scope) as quick:
                    quick.jobs.add_event(job_id, "test", {"number": 1000 + writer * each + number})
                    quick.commit()
                slow.commit()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    bodies: list[dict[str, Any]] = []
    address = f"{JOBS}/{job_id}/events/stream"
    total = 1 + 2 * writers * each
    while len(bodies) < total:
        with listening(bench.client, address, bodies[-1]["cursor"] if bodies else None) as listener:
            listener.wait_for(min(17, total - len(bodies)))
            bodies += listener.bodies
    for thread in threads:
        thread.join()

    assert [body["cursor"] for body in bodies] == all_cursors(bench.client, job_id)
    numbers = sorted(body["payload"]["number"] for body in bodies[1:])
    assert numbers == [*range(writers * each), *range(1000, 1000 + writers * each)]


def test_many_listeners_hear_the_same(bench: Bench) -> None:
    job_id = bench.submit()
    with ExitStack() as exits:
        address = f"{JOBS}/{job_id}/events/stream"
        listeners = [exits.enter_context(listening(bench.client, address)) for _ in range(12)]
        bench.worker.plan(job_id)
        bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0))
        for listener in listeners:
            listener.wait_end()

    assert {tuple(listener.cursors) for listener in listeners} == {tuple(all_cursors(bench.client, job_id))}


def test_the_organization_s_stream_tells_all_its_jobs_from_now_on(bench: Bench) -> None:
    before = bench.submit()
    with listening(bench.client, STREAM) as listener:
        first, second = bench.submit(), bench.submit()
        listener.wait_for(2)

    assert [UUID(body["job_id"]) for body in listener.bodies] == [first, second]
    assert before not in [UUID(body["job_id"]) for body in listener.bodies]
    with listening(bench.client, STREAM, listener.cursors[0]) as resumed:
        resumed.wait_for(1)
    assert resumed.cursors[0] == listener.cursors[1]


def test_the_other_organization_hears_nothing(
    bench: Bench, other_client: httpx.Client, database: SqlDatabase, principal: Principal
) -> None:
    job_id = bench.submit()
    with listening(other_client, f"{STREAM}?after=0-0") as other, listening(bench.client, STREAM) as mine:
        emit(database, principal, job_id, 1)
        mine.wait_for(1)
        emit(database, principal, job_id, 2)
        mine.wait_for(2)

        assert other.messages == []


def test_a_stream_of_an_unknown_job_does_not_begin(bench: Bench) -> None:
    answer = bench.client.get(f"{JOBS}/{UUID(int=1)}/events/stream")

    assert (answer.status_code, code_of(answer)) == (404, "job_not_found")
