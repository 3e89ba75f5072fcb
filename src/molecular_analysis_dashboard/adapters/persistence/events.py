"""Events, read without gaps.

Sequence numbers are handed out before commit, so a reader that remembers the greatest number seen would miss a
transaction that commits late. Readers therefore order by transaction id and stop below the oldest transaction that
still runs: nothing can appear behind their cursor any more.

Transaction ids belong to a cluster. Events of eras before the last restore come first, in their own order, and are all
readable: nothing is added to them any more.
"""

from uuid import UUID

from sqlalchemy import Row, text

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.domain.results import ERA_BITS, Event, cursor_position

# The sequence is asked, not the table: row-level security must not hide the era from an organization without events.
_PRESENT_ERA = text("SELECT coalesce(pg_sequence_last_value('events_id_seq'), 0) >> :bits")

_AFTER = text(
    """
    SELECT xid::text AS xid, id, org_id, job_id, type, payload, at FROM events
    WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), :id)
      AND id >= CAST(:era AS bigint) << :bits AND id < (CAST(:era AS bigint) + 1) << :bits
      AND xid < CASE WHEN :over THEN '18446744073709551615'::xid8 ELSE pg_snapshot_xmin(pg_current_snapshot()) END
      AND (CAST(:job_id AS uuid) IS NULL OR job_id = :job_id)
    ORDER BY events.xid, events.id
    LIMIT :limit
    """
)

_LAST = text(
    """
    SELECT xid::text AS xid, id FROM events WHERE job_id = :job_id
    ORDER BY events.id >> :bits DESC, events.xid DESC, id DESC LIMIT 1
    """
)


class SqlEvents(Repository):
    """Implements `ports.repositories.Events`."""

    def after(self, cursor: str, *, job_id: UUID | None, limit: int) -> list[Event]:
        """Return events that committed after a cursor (empty: from the beginning), oldest first."""
        era, xid, id_ = cursor_position(cursor)
        present = self._present_era()
        rows = self._rows(era, xid, id_, job_id, limit, over=era < present)
        while era < present and len(rows) < limit:
            era += 1
            rows += self._rows(era, 0, 0, job_id, limit - len(rows), over=era < present)
        return [Event(f"{row.xid}-{row.id}", row.org_id, row.job_id, row.type, row.payload, row.at) for row in rows]

    def latest_cursor(self) -> str:
        """Return a cursor behind everything readable now."""
        xmin = self._connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one()
        return f"{xmin}-{self._present_era() << ERA_BITS}"

    def last_cursor(self, job_id: UUID) -> str:
        """Return the cursor of a job's last event, whether it can be read yet or not."""
        row = self._connection.execute(_LAST, {"job_id": job_id, "bits": ERA_BITS}).one()
        return f"{row.xid}-{row.id}"

    def _present_era(self) -> int:
        return int(self._connection.execute(_PRESENT_ERA, {"bits": ERA_BITS}).scalar_one())

    def _rows(
        self, era: int, xid: int, id_: int, job_id: UUID | None, limit: int, *, over: bool
    ) -> "list[Row[tuple[object, ...]]]":
        parameters = {"era": era, "xid": str(xid), "id": id_, "job_id": job_id, "limit": limit}
        return list(self._connection.execute(_AFTER, {**parameters, "over": over, "bits": ERA_BITS}))
