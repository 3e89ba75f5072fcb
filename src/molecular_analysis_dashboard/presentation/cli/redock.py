"""``mad redock``: is the native ligand found again? From files on disk to files on disk."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.redocking import DEFAULT_RUNS, MAX_RUNS
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.effort import Effort, Exhaustiveness
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    Server,
    Token,
    chosen_data_dir,
    console_of,
    expanded,
)
from molecular_analysis_dashboard.presentation.cli.protocol_options import (
    Engine,
    Poses,
    Scoring,
    Seed,
    protocol,
)
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import (
    input_file,
    placed_site,
    prepared_receptor,
    recipe,
    sent_name,
    site_options,
)
from molecular_analysis_dashboard.presentation.cli.server import server_for_this
from molecular_analysis_dashboard.presentation.cli.site_options import (
    Center,
    Padding,
    PocketRank,
    Residues,
    Size,
    file_text,
    plain_name,
    site_origin,
)
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

# NAME, NAME:CHAIN or NAME:CHAIN:NUMBER, as structures name their ligands.
_SELECTOR = re.compile(r"[A-Za-z0-9]{1,5}(:[A-Za-z0-9]{1,4}(:-?[0-9]+[A-Za-z]?)?)?")


@dataclass(frozen=True)
class _Redocking:
    receptor: Path
    origin: Mapping[str, object]
    native: Mapping[str, object] | None
    protocol: Mapping[str, object]
    runs: int


def redock(
    ctx: typer.Context,
    receptor: Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")],
    ligand: Annotated[
        str,
        typer.Option(
            metavar="FILE|NAME:CHAIN:NUMBER",
            help="The native ligand at its place: SDF or MOL2, PDB with --template, or a ligand of the structure.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; absent or empty.")],
    template: Annotated[
        str | None,
        typer.Option(help="SMILES, or an SDF file, that gives the ligand's bond orders.", show_default=False),
    ] = None,
    padding: Padding = None,
    center: Center = None,
    size: Size = None,
    residues: Residues = None,
    pocket: PocketRank = None,
    runs: Annotated[int, typer.Option(min=1, max=MAX_RUNS, help="Independent runs, each with its seed.")] = (
        DEFAULT_RUNS
    ),
    effort: Effort = None,
    exhaustiveness: Exhaustiveness = None,
    seed: Seed = 42,
    poses: Poses = None,
    engine: Engine = "vina",
    scoring: Scoring = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results in the folder.")] = False,
    server: Server = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Dock a native ligand again and measure how far it lies from the crystal.

    The box is that around the ligand unless another one is named. Writes redock.csv, poses.sdf and provenance.json.
    The verdict is part of the result: the command succeeds whenever the runs were done.
    """
    console = console_of(ctx, as_json)
    given = _given_ligand(ligand, template)
    boxed = any(value is not None for value in (center, size, residues, pocket))
    origin = site_origin(None, padding, center, size, residues, pocket) if boxed else _around(given, padding)
    native = _native_file(given) if boxed else None
    wanted = _Redocking(
        receptor=input_file(receptor, "receptor"),
        origin=origin,
        native=native,
        protocol=protocol(engine, scoring, effort, exhaustiveness, seed, poses),
        runs=runs,
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server_for_this(console, server, token, chosen_data_dir(data_dir)) as client:
        job = _run(console, client, wanted)
        _finish(console, client, job, folder)


def _run(console: Console, client: Client, wanted: _Redocking) -> Job:
    protocol_id = client.create_protocol(f"redock in {wanted.receptor.name}"[:200], recipe(client, wanted.protocol))
    structure = client.upload_structure(wanted.receptor)
    site = placed_site(client, console, structure, wanted.origin, {})
    open_jobs: list[Job] = []
    with cancelled_on_interrupt(client, console, open_jobs):
        receptor, preparing = client.prepare_receptor(structure.id, site_options(site), sent_name(wanted.receptor))
        open_jobs.append(preparing)
        receptor = prepared_receptor(client, console, receptor, preparing)
        body: dict[str, object] = {
            "kind": "redock",
            "receptor_id": receptor.id,
            "site_id": site.id,
            "protocol_id": protocol_id,
            "runs": wanted.runs,
            "native": wanted.native,
        }
        job = client.submit_job(body, idempotency_key=str(uuid.uuid4()))
        open_jobs.append(job)
        console.say(f"Job {job.id}: redocking by {wanted.runs} run{'s' if wanted.runs != 1 else ''}.")
        return completed(wait_for_job(client, console, job, "Redocking"))


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
