"""Organizations, users and memberships in PostgreSQL."""

from sqlalchemy.dialects.postgresql import insert

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import memberships, organizations, users
from molecular_analysis_dashboard.domain.identity import Principal


class SqlIdentities(Repository):
    """Implements `ports.repositories.Identities`."""

    def ensure_member(self, principal: Principal, *, organization: str, email: str, display_name: str) -> None:
        """Make the organization, the user and the membership, each unless it is there already."""
        rows = (
            insert(organizations).values(id=principal.org_id, name=organization),
            insert(users).values(id=principal.user_id, email=email, display_name=display_name),
            insert(memberships).values(org_id=principal.org_id, user_id=principal.user_id, role=principal.role),
        )
        for row in rows:
            self._connection.execute(row.on_conflict_do_nothing())
