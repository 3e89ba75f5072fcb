"""What the repositories share: the scope's organization, and keyset pages over creation time."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, select, true, tuple_

from molecular_analysis_dashboard.domain.errors import NotFound
from molecular_analysis_dashboard.domain.identity import Scope, TenantScope

# Condition on a row of `workers`. Slots of one that missed three beats get no more work, long before anybody calls it
# dead.
LIVE = (
    "ended_at IS NULL AND state = 'live' "
    "AND heartbeat_at > clock_timestamp() - make_interval(secs => 3 * beat_interval_s)"
)

# Counts what is recorded of the task `t`: its ligands, its run of a redocking, its rescored ligands, or of analyses how
# many succeeded and failed, which stand with the screen.
RECORDED = """
            SELECT count(*) FILTER (WHERE r.outcome = 'scored'), count(*) FILTER (WHERE r.outcome = 'rejected')
            FROM (SELECT outcome FROM results
                  WHERE t.kind <> 'analyse' AND job_id = t.job_id AND ligand_id = ANY (t.ligand_ids)
                  UNION ALL
                  SELECT outcome FROM redocking_runs WHERE id = ANY (t.ligand_ids)
                  UNION ALL
                  SELECT CASE WHEN score_kcal_mol IS NULL THEN 'rejected' ELSE 'scored' END FROM rescored_ligands
                  WHERE t.kind = 'rescore' AND job_id = t.job_id AND ligand_id = ANY (t.ligand_ids)
                  UNION ALL
                  SELECT CASE WHEN analysis_failure IS NULL THEN 'scored' ELSE 'rejected' END FROM results
                  WHERE t.kind = 'analyse' AND job_id = (SELECT screen_id FROM jobs WHERE id = t.job_id)
                    AND ligand_id = ANY (t.ligand_ids) AND analysed_at IS NOT NULL) AS r
""".strip()


class Repository:
    """Base of the repositories: a connection and the scope they act in."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    @property
    def _org_id(self) -> UUID:
        """The organization whose rows this repository writes."""
        if not isinstance(self._scope, TenantScope):
            raise RuntimeError("only an organization's scope writes its rows")
        return self._scope.org_id

    def _one(self, query: Select[Any], what: str, id_: UUID) -> RowMapping:
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no {what} {id_}.", code=f"{what.replace(' ', '_')}_not_found", id=str(id_))
        return row

    @staticmethod
    def _visible(table: Table, *, deleted: bool) -> ColumnElement[bool]:
        return true() if deleted else table.c.deleted_at.is_(None)

    def _newest_first(self, query: Select[Any], table: Table, after: UUID | None, limit: int) -> list[RowMapping]:
        if after is not None:
            created = select(table.c.created_at).where(table.c.id == after).scalar_subquery()
            query = query.where(tuple_(table.c.created_at, table.c.id) < tuple_(created, after))
        query = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        return list(self._connection.execute(query).mappings())
