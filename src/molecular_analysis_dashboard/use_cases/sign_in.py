"""Saying who is asking, until there are accounts: one static token, or nobody but this machine."""

import hmac
import threading
from uuid import UUID, uuid5

from molecular_analysis_dashboard.domain.errors import Unauthenticated
from molecular_analysis_dashboard.domain.identity import Principal, Role, SystemScope
from molecular_analysis_dashboard.ports.unit_of_work import Database

# Fixed, so that every installation and every moved one names its first organization and user alike.
_NAMESPACE = UUID("8f5f4c0e-5f0b-5d6e-9d61-6d61642d6c6f")
LOCAL_ORGANIZATION, LOCAL_EMAIL = "local", "local@localhost"
LOCAL = Principal(user_id=uuid5(_NAMESPACE, LOCAL_EMAIL), org_id=uuid5(_NAMESPACE, LOCAL_ORGANIZATION), role=Role.ADMIN)


def ensure_local_principal(database: Database) -> Principal:
    """Return the default organization's user, made if it is not there yet; safe to call from many processes."""
    with database.begin(SystemScope()) as uow:
        uow.identities.ensure_member(
            LOCAL, organization=LOCAL_ORGANIZATION, email=LOCAL_EMAIL, display_name="Local user"
        )
        uow.commit()
    return LOCAL


class SignIn:
    """Turns credentials into a principal.

    Parameters
    ----------
    static_token : str or None
        The only token there is; None where the server can be reached from this machine only.
    """

    def __init__(self, database: Database, static_token: str | None) -> None:
        self._database = database
        self._static_token = static_token
        self._lock = threading.Lock()
        self._principal: Principal | None = None

    def __call__(self, token: str | None) -> Principal:
        """Return the principal; Unauthenticated if a token is required and this is not it."""
        if self._static_token is not None:
            self._check(token)
        with self._lock:
            if self._principal is None:
                self._principal = ensure_local_principal(self._database)
            return self._principal

    def _check(self, token: str | None) -> None:
        if token is None:
            raise Unauthenticated("This server requires a token. Send it as: Authorization: Bearer <token>")
        if not hmac.compare_digest(token.encode(), str(self._static_token).encode()):
            raise Unauthenticated("This token is not valid.", code="invalid_token")
