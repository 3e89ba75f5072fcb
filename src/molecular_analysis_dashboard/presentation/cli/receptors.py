"""A receptor and its site on the server, as every command that docks or prepares makes them."""

from collections.abc import Mapping

from molecular_analysis_dashboard.client import BindingSite, Client, Job, Receptor, Structure
from molecular_analysis_dashboard.domain.errors import PreparationFailed
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.findings import tell_checks, tell_notes
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, wait_for_job

# Around a box made with the usual padding, the ligand's own extent; what lies near that is near the site.
_PADDING_ANGSTROM = 5.0
# Waters are no part of a pocket's walls, and some policies for them need a site.
_OPTIONS_OF_WATERS = frozenset({"waters", "water_reach_angstrom"})


def placed_site(
    client: Client,
    console: Console,
    structure: Structure,
    origin: Mapping[str, object],
    preparation: Mapping[str, object],
) -> BindingSite:
    """Place the search box and tell what its checks found; for a pocket, the receptor is prepared to find it.

    Raises
    ------
    InvalidInput
        When the box is refused, or there is no such pocket.
    PreparationFailed
        When the receptor cannot be prepared to find it.
    """
    if origin["type"] == "pocket":
        origin = {**origin, "receptor_id": receptor_with_pockets(client, console, structure, preparation).id}
    site = client.create_site(structure.id, origin)
    tell_checks(console, site)
    return site


def receptor_with_pockets(
    client: Client, console: Console, structure: Structure, preparation: Mapping[str, object]
) -> Receptor:
    """Prepare a receptor without a site, by which its pockets become known; PreparationFailed with the reason."""
    options = {name: value for name, value in preparation.items() if name not in _OPTIONS_OF_WATERS}
    receptor, job = client.prepare_receptor(structure.id, options, structure.name)
    with cancelled_on_interrupt(client, console, [job]):
        return ready_receptor(client, console, receptor, job)


def site_options(site: BindingSite) -> dict[str, object]:
    """Return the options of a receptor's preparation that say where its site is."""
    radius = max(0.0, max(site.size) / 2 - _PADDING_ANGSTROM)
    return {"site_center": list(site.center), "site_radius_angstrom": round(radius, 3)}


def prepared_receptor(client: Client, console: Console, receptor: Receptor, job: Job) -> Receptor:
    """Wait for a receptor and tell what its preparation found; PreparationFailed with the reason if it failed."""
    receptor = ready_receptor(client, console, receptor, job)
    tell_notes(client, console, receptor)
    return receptor


def ready_receptor(client: Client, console: Console, receptor: Receptor, job: Job) -> Receptor:
    """Wait for a receptor; PreparationFailed with the reason if it failed."""
    wait_for_job(client, console, job, "Preparing the receptor")
    receptor = client.receptor(receptor.id)
    if receptor.state != "ready":
        error = receptor.error or {}
        raise PreparationFailed(
            str(error.get("message") or "The receptor was not prepared; its job was stopped."),
            code=str(error.get("code") or "preparation_failed"),
            **error.get("details", {}),
        )
    return receptor
