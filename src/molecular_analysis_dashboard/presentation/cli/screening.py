"""One screen from files to a finished job, as `mad dock` and `mad demo` run it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molecular_analysis_dashboard.client import BindingSite, Client, Hit, Job, Library, Receptor, Structure
from molecular_analysis_dashboard.domain.engine_commands import preferred_scoring
from molecular_analysis_dashboard.domain.errors import InvalidInput, PreparationFailed
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.findings import (
    tell_checks,
    tell_notes,
    tell_rejections,
    tell_removed,
)
from molecular_analysis_dashboard.presentation.cli.options import expanded
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

# Around a box made with the usual padding, the ligand's own extent; what lies near that is near the site.
_PADDING_ANGSTROM = 5.0
_NAME_CHARACTERS = 200
# Waters are no part of a pocket's walls, and some policies for them need a site.
_OPTIONS_OF_WATERS = frozenset({"waters", "water_reach_angstrom"})
_CONVERGED = {True: "yes", False: "no", None: ""}


@dataclass(frozen=True)
class Screen:
    """What to dock where, and how hard to search.

    Parameters
    ----------
    origin : Mapping[str, object]
        Where the search box comes from, as the interface describes it.
    protocol : Mapping[str, object]
        What differs from the default protocol; a scoring function that is None is the engine's own default.
    receptor_options : Mapping[str, object]
        What differs from the default options of receptor preparation.
    """

    name: str
    receptor: Path
    ligands: Path
    origin: Mapping[str, object]
    protocol: Mapping[str, object]
    receptor_options: Mapping[str, object] = field(default_factory=dict)


def run_screen(client: Client, console: Console, screen: Screen) -> Job:
    """Upload, prepare, dock; returns the completed job.

    Raises
    ------
    InvalidInput
        When a file or the box is refused, or no ligand is left.
    PreparationFailed
        When the receptor cannot be prepared.
    JobNotCompleted
        When the screen ends otherwise.
    KeyboardInterrupt
        After the server was asked to cancel what runs.
    """
    # What the server can refuse by itself comes first: preparing and reading may take minutes.
    protocol_id = client.create_protocol(screen.name, recipe(client, screen.protocol))
    structure = client.upload_structure(screen.receptor)
    site = placed_site(client, console, structure, screen.origin, screen.receptor_options)
    open_jobs: list[Job] = []
    with cancelled_on_interrupt(client, console, open_jobs):
        receptor, preparing = client.prepare_receptor(
            structure.id, {**screen.receptor_options, **site_options(site)}, sent_name(screen.receptor)
        )
        open_jobs.append(preparing)
        library, reading = client.upload_library(screen.ligands, sent_name(screen.ligands))
        open_jobs.append(reading)
        library = read_library(client, console, library, reading)
        receptor = prepared_receptor(client, console, receptor, preparing)
        job = client.submit_job(
            {
                "name": screen.name,
                "receptor_id": receptor.id,
                "site_id": site.id,
                "library_id": library.id,
                "protocol_id": protocol_id,
            },
            idempotency_key=str(uuid.uuid4()),
        )
        open_jobs.append(job)
        console.say(f"Job {job.id}: docking {library.n_ligands} ligand{'s' if library.n_ligands != 1 else ''}.")
        return completed(wait_for_job(client, console, job, "Docking"))


def report_hits(console: Console, hits: Sequence[Hit], facts: Mapping[str, Any]) -> None:
    """Write the ranked hits as the command's result; `facts` go with them as JSON."""
    columns = [
        Column("rank", right=True),
        Column("name"),
        Column("score kcal/mol", right=True),
        Column("per heavy atom", right=True),
        Column("weight g/mol", right=True),
        Column("spread kcal/mol", right=True),
        Column("converged"),
    ]
    rows = [
        (
            rank,
            hit.name,
            f"{hit.score_kcal_mol:.2f}",
            f"{hit.ligand_efficiency:.2f}",
            f"{hit.molecular_weight:.1f}",
            _spread(hit),
            _CONVERGED[hit.converged],
        )
        for rank, hit in enumerate(hits, start=1)
    ]
    console.table(columns, rows, {**facts, "hits": [dict(hit.body) for hit in hits]})


def _spread(hit: Hit) -> str:
    return "" if hit.score_spread_kcal_mol is None else f"{hit.score_spread_kcal_mol:.2f}"


def input_file(path: Path, what: str) -> Path:
    """Return the path of a file to upload.

    Raises
    ------
    InvalidInput
        ``file_not_found``, ``file_unreadable`` or ``empty_file``.
    """
    path = expanded(path)
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(
            f"There is no {what} file {path}. Check the path.", code="file_not_found", path=str(path)
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(
            f"The {what} file {path} cannot be read: {reason}.", code="file_unreadable", path=str(path)
        ) from error
    if empty:
        raise InvalidInput(
            f"The {what} file {path} is empty. Give a file with contents.", code="empty_file", path=str(path)
        )
    return path


def recipe(client: Client, protocol: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a protocol with a scoring function: the engine's own default where it is None."""
    if protocol.get("scoring", "") is not None:
        return protocol
    engine = protocol["engine"]
    builds = (build for build in client.engines() if build.engine == engine)
    offered = (scoring for build in builds for scoring in build.scoring_functions)
    # An engine that no worker has told of yet: the server says what there is, unless it knows the name.
    return {**protocol, "scoring": preferred_scoring(offered) or engine}


def placed_site(
    client: Client,
    console: Console,
    structure: Structure,
    origin: Mapping[str, object],
    receptor_options: Mapping[str, object],
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
        origin = {**origin, "receptor_id": receptor_with_pockets(client, console, structure, receptor_options).id}
    site = client.create_site(structure.id, origin)
    tell_checks(console, site)
    return site


def receptor_with_pockets(
    client: Client, console: Console, structure: Structure, receptor_options: Mapping[str, object]
) -> Receptor:
    """Prepare a receptor without a site, by which its pockets become known; PreparationFailed with the reason."""
    options = {name: value for name, value in receptor_options.items() if name not in _OPTIONS_OF_WATERS}
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


def read_library(client: Client, console: Console, library: Library, job: Job) -> Library:
    """Wait for a library and tell what was rejected; InvalidInput if it failed or no ligand is left."""
    wait_for_job(client, console, job, "Reading the ligands")
    library = client.library(library.id)
    if library.state != "ready":
        error = library.error or {}
        raise InvalidInput(
            str(error.get("message") or "The ligands were not read; the job was stopped."),
            code=str(error.get("code") or "library_unreadable"),
            **error.get("details", {}),
        )
    if library.n_rejected:
        tell_rejections(client, console, library)
    if library.n_noted:
        tell_removed(client, console, library)
    if library.n_ligands == 0:
        raise InvalidInput(
            f"No ligand is left: all {library.n_records} records of the file were rejected. Correct the records."
            if library.n_records
            else "The file holds no ligand. Give one molecule per line (SMILES) or record (SDF).",
            code="no_ligands",
            records=library.n_records,
        )
    return library


def sent_name(path: Path) -> str:
    """Return the name of a file as the server takes one."""
    printable = "".join(character if character.isprintable() else "_" for character in path.name)
    return printable[:_NAME_CHARACTERS]
