"""A job that docks, from files on disk to its end: what screens, redockings and validations have in common."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molecular_analysis_dashboard.client import Client, Job, Library
from molecular_analysis_dashboard.domain.engine_commands import preferred_scoring
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.findings import tell_rejections, tell_removed
from molecular_analysis_dashboard.presentation.cli.input_files import sent_name
from molecular_analysis_dashboard.presentation.cli.receptors import placed_site, prepared_receptor, site_options
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

_MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True)
class Docking:
    """What to dock where, and how hard to search.

    Parameters
    ----------
    origin : Mapping[str, object]
        Where the search box comes from, as the interface describes it.
    protocol : Mapping[str, object]
        What differs from the default protocol; a scoring function that is None is the engine's own default.
    preparation : Mapping[str, object]
        What differs from the default options of receptor preparation.
    ligands : Sequence[Path]
        Files to read, each into a library of its own.
    """

    name: str
    receptor: Path
    origin: Mapping[str, object]
    protocol: Mapping[str, object]
    preparation: Mapping[str, object] = field(default_factory=dict)
    ligands: Sequence[Path] = ()


@dataclass(frozen=True)
class Request:
    """What the job is, once its receptor, site and libraries are there, and how to tell of it."""

    body: Mapping[str, object]
    sentence: str
    activity: str = "Docking"


def run_docking(
    client: Client, console: Console, docking: Docking, request: Callable[[Sequence[Library]], Request]
) -> Job:
    """Upload, prepare, dock; returns the completed job.

    Parameters
    ----------
    request : callable
        Asked, with the libraries, when all is ready.

    Raises
    ------
    InvalidInput
        When a file or the box is refused, or a library holds no ligand.
    PreparationFailed
        When the receptor cannot be prepared.
    JobNotCompleted
        When the job ends otherwise.
    KeyboardInterrupt
        After the server was asked to cancel what runs.
    """
    # What the server can refuse by itself comes first: preparing and reading may take minutes.
    name = docking.name[:_MAX_NAME_CHARACTERS]
    protocol_id = client.create_protocol(name, _recipe(client, docking.protocol))
    structure = client.upload_structure(docking.receptor)
    site = placed_site(client, console, structure, docking.origin, docking.preparation)
    open_jobs: list[Job] = []
    with cancelled_on_interrupt(client, console, open_jobs):
        options = {**docking.preparation, **site_options(site)}
        receptor, preparing = client.prepare_receptor(structure.id, options, sent_name(docking.receptor))
        open_jobs.append(preparing)
        reading: list[tuple[Library, Job]] = []
        for path in docking.ligands:
            reading.append(client.upload_library(path, sent_name(path)))
            open_jobs.append(reading[-1][1])
        libraries = [_read_library(client, console, library, job) for library, job in reading]
        receptor = prepared_receptor(client, console, receptor, preparing)
        wanted = request(libraries)
        place = {"name": name, "receptor_id": receptor.id, "site_id": site.id, "protocol_id": protocol_id}
        job = client.submit_job({**place, **wanted.body}, idempotency_key=str(uuid.uuid4()))
        open_jobs.append(job)
        console.say(f"Job {job.id}: {wanted.sentence}.")
        return completed(wait_for_job(client, console, job, wanted.activity))


def _recipe(client: Client, protocol: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a protocol with a scoring function: the engine's own default where it is None."""
    if protocol.get("scoring", "") is not None:
        return protocol
    engine = protocol["engine"]
    builds = (build for build in client.engines() if build.engine == engine)
    offered = (scoring for build in builds for scoring in build.scoring_functions)
    # An engine that no worker has told of yet: the server says what there is, unless it knows the name.
    return {**protocol, "scoring": preferred_scoring(offered) or engine}


def _read_library(client: Client, console: Console, library: Library, job: Job) -> Library:
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
