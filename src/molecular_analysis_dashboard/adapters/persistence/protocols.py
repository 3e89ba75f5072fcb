"""Protocols in PostgreSQL."""

from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import protocols
from molecular_analysis_dashboard.domain.catalog import ProtocolVersion
from molecular_analysis_dashboard.domain.docking import DockingProtocol


class SqlProtocols(Repository):
    """Implements `ports.repositories.Protocols`."""

    def find(self, name: str, content_hash: str) -> ProtocolVersion | None:
        """Return the version of that content, where there is one."""
        query = select(protocols).where(protocols.c.name == name, protocols.c.content_hash == content_hash)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else _protocol(row)

    def add(self, protocol: ProtocolVersion) -> None:
        """Store a new version."""
        self._connection.execute(
            insert(protocols).values(
                id=protocol.id,
                org_id=self._org_id,
                name=protocol.name,
                version=protocol.version,
                content_hash=protocol.content_hash,
                body=protocol.protocol.as_json(),
                created_by=protocol.created_by,
            )
        )

    def lock_name(self, name: str) -> None:
        """Let only this transaction add versions under a name."""
        key = f"protocol:{self._org_id}:{name}"
        self._connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))

    def next_version(self, name: str) -> int:
        """Return the number the next version of this name gets."""
        query = select(func.coalesce(func.max(protocols.c.version), 0) + 1).where(protocols.c.name == name)
        return int(self._connection.execute(query).scalar_one())

    def get(self, protocol_id: UUID) -> ProtocolVersion:
        """Return one, or raise NotFound."""
        return _protocol(self._one(select(protocols).where(protocols.c.id == protocol_id), "protocol", protocol_id))

    def page(self, *, after: UUID | None, limit: int) -> list[ProtocolVersion]:
        """Return protocols, newest first."""
        return [_protocol(row) for row in self._newest_first(select(protocols), protocols, after, limit)]


def _protocol(row: RowMapping) -> ProtocolVersion:
    return ProtocolVersion(
        id=row["id"],
        name=row["name"],
        version=row["version"],
        protocol=DockingProtocol.from_json(row["body"]),
        content_hash=row["content_hash"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
