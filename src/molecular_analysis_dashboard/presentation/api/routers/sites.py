"""Binding sites: a search box from a ligand, from residues, from a pocket or by hand."""

from uuid import UUID

from molecular_analysis_dashboard.presentation.api.api_route import api_router
from molecular_analysis_dashboard.presentation.api.cursors import encode
from molecular_analysis_dashboard.presentation.api.dependencies import Caller, Cursor, Limit, Services, after_id
from molecular_analysis_dashboard.presentation.api.errors import error_responses
from molecular_analysis_dashboard.presentation.api.pages import cut
from molecular_analysis_dashboard.presentation.api.schemas import sites as schemas
from molecular_analysis_dashboard.presentation.api.views import site_view
from molecular_analysis_dashboard.use_cases import sites as use_case

router = api_router("/binding-sites", "binding sites")
_LISTING = "binding-sites"


@router.post(
    "",
    status_code=201,
    response_model=schemas.BindingSite,
    responses=error_responses(404, 409),
    operation_id="create_binding_site",
)
def create_binding_site(services: Services, caller: Caller, body: schemas.BindingSiteCreate) -> schemas.BindingSite:
    """Define where to dock; the box is checked against the structure, and refused when it lies off it."""
    site = use_case.define_site(
        services.database,
        services.uploads,
        services.chemistry,
        caller,
        body.structure_id,
        _origin(body.origin),
        name=body.name,
    )
    return site_view(site)


@router.get("", response_model=schemas.BindingSitePage, responses=error_responses(), operation_id="list_binding_sites")
def list_binding_sites(
    services: Services,
    caller: Caller,
    structure_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.BindingSitePage:
    """List binding sites, newest first."""
    with services.database.begin(caller.scope) as uow:
        found = uow.structures.sites(structure_id, after=after_id(_LISTING, cursor), limit=limit + 1)
    items, following = cut(found, limit, lambda item: encode(_LISTING, item.id))
    return schemas.BindingSitePage(items=[site_view(item) for item in items], next_cursor=following)


@router.get(
    "/{site_id}", response_model=schemas.BindingSite, responses=error_responses(404), operation_id="get_binding_site"
)
def get_binding_site(services: Services, caller: Caller, site_id: UUID) -> schemas.BindingSite:
    """Read one binding site with its checks."""
    with services.database.begin(caller.scope) as uow:
        return site_view(uow.structures.get_site(site_id))


def _origin(
    given: schemas.NativeLigandOrigin | schemas.ResiduesOrigin | schemas.PocketOrigin | schemas.ManualOrigin,
) -> use_case.Origin:
    match given:
        case schemas.NativeLigandOrigin():
            file = given.file
            return use_case.FromNativeLigand(
                selector=given.selector,
                file_name=file.file_name if file else None,
                file_content=file.content if file else None,
                template=given.template,
                padding_angstrom=given.padding_angstrom,
            )
        case schemas.ResiduesOrigin():
            return use_case.FromResidues(tuple(given.residues), given.padding_angstrom)
        case schemas.PocketOrigin():
            return use_case.FromPocket(given.receptor_id, given.rank, given.padding_angstrom)
        case schemas.ManualOrigin():
            return use_case.Manual(given.center, given.size)
