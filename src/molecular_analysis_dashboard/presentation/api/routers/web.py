"""The dashboard: the built front end, or a plain page while there is none."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

STATIC = Path(str(files("molecular_analysis_dashboard.presentation").joinpath("web", "static")))
# The 3D viewer makes workers and images out of blobs and compiles WebAssembly; nothing comes from another host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_SAFETY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_PAGE = {**_SAFETY, "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
# Names of built assets carry a hash of their content.
_FOREVER = {**_SAFETY, "Cache-Control": "public, max-age=31536000, immutable"}
_BRIEFLY = {**_SAFETY, "Cache-Control": "public, max-age=3600"}
_NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Molecular Analysis Dashboard</title>
</head><body><h1>Molecular Analysis Dashboard</h1>
<p>The server runs, but this installation has no dashboard: it was installed without building the front end.
In a source tree, build it with <code>make frontend</code> and load this page again.</p>
<p>The API works without it: <a href="/docs">its description</a>.</p></body></html>"""


@router.get("/")
def get_dashboard() -> Response:
    """Open the dashboard."""
    index = STATIC / "index.html"
    return FileResponse(index, headers=_PAGE) if index.is_file() else HTMLResponse(_NOT_BUILT, headers=_PAGE)


@router.get("/assets/{path:path}")
def get_asset(path: str) -> FileResponse:
    """Send a built asset."""
    return _file(STATIC / "assets", path, _FOREVER)


@router.get("/favicon.ico")
@router.get("/favicon.svg")
def get_icon() -> FileResponse:
    """Send the icon."""
    return _file(STATIC, "favicon.svg", _BRIEFLY)


@router.get("/licenses.md")
def get_licenses() -> FileResponse:
    """Send the licences of what the dashboard is built of."""
    return _file(STATIC, "licenses.md", _BRIEFLY)


def _file(folder: Path, path: str, headers: dict[str, str]) -> FileResponse:
    """Answer with a file below a folder, and with nothing outside it."""
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()) or not found.is_file():
        raise HTTPException(404)
    return FileResponse(found, headers=headers)
