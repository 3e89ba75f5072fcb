"""Events, read without gaps.

Sequence numbers are handed out before commit, so a reader that remembers the greatest number seen would miss a
transaction that commits late. Readers therefore order by transaction id and stop below the oldest transaction that
still runs: nothing can appear behind their cursor any more.
"""

from uuid import UUID

from sqlalchemy import text

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.results import Event

_AFTER = text(
    """
    SELECT xid::text AS xid, id, job_id, type, payload, at FROM events
    WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), :id)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (CAST(:job_id AS uuid) IS NULL OR job_id = :job_id)
    ORDER BY xid, id
    LIMIT :limit
    """
)


class SqlEvents(Repository):
    """Implements `ports.repositories.Events`."""

    def after(self, cursor: str, *, job_id: UUID | None, limit: int) -> list[Event]:
        """Return events that committed after a cursor (empty: from the beginning), oldest first."""
        xid, id_ = _parse(cursor)
        rows = self._connection.execute(_AFTER, {"xid": str(xid), "id": id_, "job_id": job_id, "limit": limit})
        return [
            Event(cursor=f"{row.xid}-{row.id}", job_id=row.job_id, type=row.type, payload=row.payload, at=row.at)
            for row in rows
        ]

    def latest_cursor(self) -> str:
        """Return a cursor behind everything readable now."""
        xmin = self._connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one()
        return f"{xmin}-0"


def _parse(cursor: str) -> tuple[int, int]:
    if not cursor:
        return 0, 0
    xid, _, id_ = cursor.partition("-")
    if not (xid.isdecimal() and id_.isdecimal() and len(cursor) <= 40 and int(xid) < 2**64 and int(id_) < 2**63):
        raise InvalidInput("This is not a cursor that the server gave out.", code="invalid_cursor", cursor=cursor[:80])
    return int(xid), int(id_)
