from uuid import UUID

from tests.integration.ledger.bench import Bench, at_once

from molecular_analysis_dashboard.domain.identity import SystemScope, new_id

ONE, OTHER = new_id(), new_id()


def hold(bench: Bench, holder: UUID, *, ttl_s: float = 10.0) -> int | None:
    with bench.database.begin(SystemScope()) as uow:
        held = uow.control.hold_lease("leader", holder, ttl_s=ttl_s)
        uow.commit()
    return None if held is None else held[0]


def expire(bench: Bench) -> None:
    bench.execute("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")


def test_lease_has_one_holder(bench: Bench) -> None:
    assert hold(bench, ONE) == 1
    assert hold(bench, OTHER) is None
    assert hold(bench, ONE) == 1


def test_many_seek_the_lease_and_one_gets_it(bench: Bench) -> None:
    held = at_once(12, lambda _: hold(bench, new_id()))
    assert [epoch for epoch in held if epoch] == [1]


def test_expired_lease_is_taken_over_by_one_with_the_next_epoch(bench: Bench) -> None:
    hold(bench, ONE)
    expire(bench)
    held = at_once(12, lambda _: hold(bench, new_id()))
    assert [epoch for epoch in held if epoch] == [2]
    assert hold(bench, ONE) is None


def test_holder_that_was_late_but_not_replaced_keeps_its_epoch(bench: Bench) -> None:
    hold(bench, ONE)
    expire(bench)
    assert hold(bench, ONE) == 1
    assert hold(bench, OTHER) is None


def test_dropped_lease_is_free_at_once(bench: Bench) -> None:
    hold(bench, ONE)
    with bench.database.begin(SystemScope()) as uow:
        uow.control.drop_lease("leader", OTHER)
        uow.commit()
    assert hold(bench, OTHER) is None
    with bench.database.begin(SystemScope()) as uow:
        uow.control.drop_lease("leader", ONE)
        uow.commit()
    assert hold(bench, OTHER) == 2


def test_holder_knows_how_long_it_has_held(bench: Bench) -> None:
    hold(bench, ONE)
    bench.execute("UPDATE leases SET held_since = held_since - interval '60 s'")
    with bench.database.begin(SystemScope()) as uow:
        held = uow.control.hold_lease("leader", ONE, ttl_s=10)
    assert held is not None
    assert 60 <= held[1] < 70


def test_silent_workers_are_given_up_and_come_back_with_a_beat(bench: Bench) -> None:
    def retire() -> list[UUID]:
        with bench.database.begin(SystemScope()) as uow:
            gone = uow.workers.retire(silent_s=12)
            uow.commit()
        return gone

    assert retire() == []
    bench.execute("UPDATE workers SET heartbeat_at = now() - interval '13 s'")
    assert retire() == [bench.worker.id]
    assert retire() == []
    with bench.database.begin(SystemScope()) as uow:
        assert uow.workers.slots() == {}
        uow.workers.beat(bench.worker, draining=False)
        assert uow.workers.slots() != {}
        uow.workers.ended(bench.worker.id)
        assert uow.workers.slots() == {}
