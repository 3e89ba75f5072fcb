"""Who is asking."""

from uuid import UUID

from molecular_analysis_dashboard.domain.identity import Role
from molecular_analysis_dashboard.presentation.api.schemas.common import View


class Session(View):
    """The principal behind the credentials, and the server's version."""

    user_id: UUID
    org_id: UUID
    role: Role
    version: str
