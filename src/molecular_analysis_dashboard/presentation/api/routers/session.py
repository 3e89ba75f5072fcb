"""Who is asking."""

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Services
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.schemas.session import Session

router = api_router("/session", "session")


@router.get("", response_model=Session, responses=error_responses(), operation_id="get_session")
def get_session(services: Services, caller: Caller) -> Session:
    """Say whom the server takes the caller for; 401 when a token is required and missing."""
    return Session(user_id=caller.user_id, org_id=caller.org_id, role=caller.role, version=services.version)
