"""Events, read without gaps.

Sequence numbers are handed out before commit, so a reader that remembers the greatest number seen would miss a
transaction that commits late. Readers therefore order by transaction id and stop below the oldest transaction that
still runs: nothing can appear behind their cursor any more.
"""

from uuid import UUID

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.domain.results import Event, cursor_position

_AFTER = text(
    """
    SELECT xid::text AS xid, id, org_id, job_id, type, payload, at FROM events
    WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), :id)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (CAST(:job_id AS uuid) IS NULL OR job_id = :job_id)
    ORDER BY events.xid, events.id
    LIMIT :limit
    """
)

_LAST = text("SELECT xid::text AS xid, id FROM events WHERE job_id = :job_id ORDER BY events.xid DESC, id DESC LIMIT 1")


class SqlEvents(Repository):
    """Implements `ports.repositories.Events`."""

    def after(self, cursor: str, *, job_id: UUID | None, limit: int) -> list[Event]:
        """Return events that committed after a cursor (empty: from the beginning), oldest first."""
        xid, id_ = cursor_position(cursor)
        rows = self._connection.execute(_AFTER, {"xid": str(xid), "id": id_, "job_id": job_id, "limit": limit})
        return [Event(f"{row.xid}-{row.id}", row.org_id, row.job_id, row.type, row.payload, row.at) for row in rows]

    def latest_cursor(self) -> str:
        """Return a cursor behind everything readable now."""
        xmin = self._connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one()
        return f"{xmin}-0"

    def last_cursor(self, job_id: UUID) -> str:
        """Return the cursor of a job's last event, whether it can be read yet or not."""
        row = self._connection.execute(_LAST, {"job_id": job_id}).one()
        return f"{row.xid}-{row.id}"
