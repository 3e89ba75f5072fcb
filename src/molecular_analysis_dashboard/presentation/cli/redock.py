"""``mad redock``: is the native ligand found again? From files on disk to files on disk."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.redocking import DEFAULT_RUNS, MAX_RUNS
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.docking import Docking, Request, run_docking
from molecular_analysis_dashboard.presentation.cli.input_files import file_text, input_file, plain_name
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, Out, ReceptorFile, console_of, expanded
from molecular_analysis_dashboard.presentation.cli.protocol_options import ProtocolOptions
from molecular_analysis_dashboard.presentation.cli.receptor_options import PreparationOptions
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.site_options import BoxOptions

# NAME, NAME:CHAIN or NAME:CHAIN:NUMBER, as structures name their ligands.
_SELECTOR = re.compile(r"[A-Za-z0-9]{1,5}(:[A-Za-z0-9]{1,4}(:-?[0-9]+[A-Za-z]?)?)?")


@grouped
def redock(
    ctx: typer.Context,
    *,
    receptor: ReceptorFile,
    ligand: Annotated[
        str,
        typer.Option(
            metavar="FILE|NAME:CHAIN:NUMBER",
            help="The native ligand at its place: SDF or MOL2, PDB with --template, or a ligand of the structure.",
        ),
    ],
    out: Out,
    template: Annotated[
        str | None,
        typer.Option(help="SMILES, or an SDF file, that gives the ligand's bond orders.", show_default=False),
    ] = None,
    box: BoxOptions,
    preparation: PreparationOptions,
    runs: Annotated[int, typer.Option(min=1, max=MAX_RUNS, help="Independent runs, each with its seed.")] = (
        DEFAULT_RUNS
    ),
    protocol: ProtocolOptions,
    force: Force = False,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Dock a native ligand again and measure how far it lies from the crystal.

    The box is that around the ligand unless another one is named. Writes redock.csv, poses.sdf and provenance.json.
    The verdict is part of the result: the command succeeds whenever the runs were done.
    """
    console = console_of(ctx, as_json)
    given = _given_ligand(ligand, template)
    redocking = Docking(
        name=f"redock in {receptor.name}",
        receptor=input_file(receptor, "receptor"),
        origin=box.origin() if box.names_a_box else _around(given, box.padding),
        preparation=preparation.as_json(),
        protocol=protocol.as_json(),
    )
    body = {"kind": "redock", "runs": runs, "native": _native_file(given) if box.names_a_box else None}
    request = Request(body, f"redocking by {runs} run{'s' if runs != 1 else ''}", "Redocking")
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server.or_started(console) as client:
        job = run_docking(client, console, redocking, lambda _: request)
        _finish(console, client, job, folder)


def _finish(console: Console, client: Client, job: Job, folder: ResultsFolder) -> None:
    files = write_exports(client, job, folder)
    found = client.redocking(job.id)
    for check in found["checks"]:
        if check["severity"] != "info":
            console.warn(str(check["message"]))
    _show_runs(console, found, {"job": dict(job.body), "files": {name: str(path) for name, path in files.items()}})
    verdict = found["verdict"]
    console.say(f"{str(verdict['verdict']).capitalize()}: {verdict['sentence']}")
    console.say(f"Results: {folder.path}")


def _show_runs(console: Console, found: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    titles = ("run", "seed", "score kcal/mol", "RMSD Å", "best RMSD Å", "native kcal/mol")
    columns = [*(Column(title, right=True) for title in titles), Column("miss")]
    rows = [
        (
            run["run_no"],
            run["seed"],
            _number(run["top_score_kcal_mol"]),
            _number(run["top_rmsd_angstrom"]),
            _number(run["best_rmsd_angstrom"]),
            _number(run["native"]["relaxed_kcal_mol"] or run["native"]["in_place_kcal_mol"]),
            run["miss"] or "",
        )
        for run in found["runs"]
    ]
    console.table(columns, rows, {**facts, "redocking": dict(found)})


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


@dataclass(frozen=True)
class _Ligand:
    file: Path | None
    selector: str | None
    template: str | None


def _given_ligand(ligand: str, template: str | None) -> _Ligand:
    """Tell a file from a ligand of the structure: what exists is a file, and so is what cannot be a name."""
    path = expanded(Path(ligand))
    is_name = not path.exists() and _SELECTOR.fullmatch(ligand) is not None
    text = None if template is None else _template_text(template)
    return _Ligand(None, ligand, text) if is_name else _Ligand(input_file(path, "ligand"), None, text)


def _template_text(template: str) -> str:
    path = expanded(Path(template))
    return file_text(path) if path.suffix.lower() in (".sdf", ".mol", ".smi") else template


def _around(given: _Ligand, padding: float | None) -> Mapping[str, object]:
    origin: dict[str, object] = {"type": "native_ligand", "template": given.template}
    if padding is not None:
        origin["padding_angstrom"] = padding
    if given.file is not None:
        return origin | {"file": {"file_name": plain_name(given.file), "content": file_text(given.file)}}
    return origin | {"selector": given.selector}


def _native_file(given: _Ligand) -> Mapping[str, object]:
    if given.file is None:
        raise typer.BadParameter("a ligand of the structure is its own site; name a box only with a ligand file.")
    return {"file_name": plain_name(given.file), "content": file_text(given.file), "template": given.template}
