"""When events can be read."""

from sqlalchemy import text
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import SystemScope

_READABLE = text("SELECT coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) FROM events")


def settle(database: SqlDatabase) -> None:
    """Wait until every event so far can be read: any older transaction, autovacuum's too, hides them for a moment."""

    def readable() -> bool:
        with database.begin(SystemScope()) as uow:
            return bool(uow.connection.execute(_READABLE).scalar_one())

    wait_until(readable, 30, "events stay hidden behind an older transaction")
