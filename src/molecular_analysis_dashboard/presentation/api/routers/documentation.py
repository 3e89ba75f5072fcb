"""A reference of the API as one page, made of the OpenAPI document; nothing is loaded from elsewhere."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from molecular_analysis_dashboard.presentation.api.reference_page import reference_page

router = APIRouter(include_in_schema=False)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.get("/docs")
def get_documentation(request: Request) -> HTMLResponse:
    """Describe every address."""
    page = reference_page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
