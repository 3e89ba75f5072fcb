"""``mad prepare``: one receptor from a structure on disk to files on disk, with its report."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client, Receptor
from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.input_files import input_file, sent_name
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, Out, ReceptorFile, console_of
from molecular_analysis_dashboard.presentation.cli.receptor_options import PreparationOptions
from molecular_analysis_dashboard.presentation.cli.receptors import placed_site, ready_receptor, site_options
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.site_options import BoxOptions, SiteFrom
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt

_REPORT = "report.json"
_FORMATS = ("pdb", "pdbqt")


@grouped
def prepare(
    ctx: typer.Context,
    *,
    receptor: ReceptorFile,
    out: Out,
    site_from: SiteFrom = None,
    box: BoxOptions,
    preparation: PreparationOptions,
    everything: Annotated[bool, typer.Option("--all", help="Show notes for information too.")] = False,
    force: Force = False,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Prepare a receptor for docking, and say what was changed.

    Writes receptor.pdb, receptor.pdbqt and report.json. With a site, what is near it decides: which ions, cofactors
    and waters stay, and which problems are fatal.
    """
    console = console_of(ctx, as_json)
    origin = box.origin(site_from) if site_from is not None or box.names_a_box else None
    path = input_file(receptor, "receptor")
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server.or_started(console) as client:
        ready = _prepare(client, console, path, preparation.as_json(), origin)
        report = client.receptor_report(ready.id)
        files = {f"receptor.{name}": client.receptor_file(ready.id, name) for name in _FORMATS}
        written = folder.write({**files, _REPORT: [json.dumps(report, indent=2).encode()]})
    _tell(console, report, {name: str(place) for name, place in written.items()}, everything=everything)
    console.say(f"{report['n_residues']} residues, {report['n_atoms']} typed atoms; results in {folder.path}")


def _prepare(
    client: Client, console: Console, path: Path, options: Mapping[str, object], origin: Mapping[str, object] | None
) -> Receptor:
    structure = client.upload_structure(path)
    if origin is not None:
        site = placed_site(client, console, structure, origin, options)
        options = {**options, **site_options(site)}
    receptor, job = client.prepare_receptor(structure.id, options, sent_name(path))
    with cancelled_on_interrupt(client, console, [job]):
        return ready_receptor(client, console, receptor, job)


def _tell(console: Console, report: Mapping[str, Any], files: Mapping[str, str], *, everything: bool) -> None:
    """Write the notes as the command's result, the nearest to the site first."""
    notes: Sequence[Mapping[str, Any]] = [
        note for note in report["notes"] if everything or note["severity"] != Severity.INFO
    ]
    columns = [Column("residue"), Column("severity"), Column("action"), Column("Å", right=True), Column("note")]
    rows = [
        (note["residue"], note["severity"], note["action"], _distance(note), note["message"])
        for note in sorted(notes, key=_nearness)
    ]
    console.table(columns, rows, {"report": dict(report), "files": dict(files)})


def _nearness(note: Mapping[str, Any]) -> float:
    return math.inf if note["distance_angstrom"] is None else float(note["distance_angstrom"])


def _distance(note: Mapping[str, Any]) -> str:
    return "" if note["distance_angstrom"] is None else f"{note['distance_angstrom']:.1f}"
