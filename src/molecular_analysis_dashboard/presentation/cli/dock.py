"""``mad dock``: one screen from files on disk to files on disk."""

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.effort import Effort, Exhaustiveness, chosen_effort
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    Server,
    Token,
    chosen_data_dir,
    console_of,
)
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import Screen, input_file, report_hits, run_screen
from molecular_analysis_dashboard.presentation.cli.server import server_for_this

_MAX_SITE_FILE_BYTES = 2_000_000
_SHOWN_HITS = 10
_DEFAULT_PADDING_ANGSTROM = 5.0

Triple = tuple[float, float, float]


def dock(
    ctx: typer.Context,
    receptor: Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")],
    ligands: Annotated[Path, typer.Option(help="SMILES, SDF, MOL2 or CSV with a SMILES column; also .gz.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; absent or empty.")],
    site_from: Annotated[
        Path | None,
        typer.Option(help="Box around this ligand at its place in the receptor: SDF, MOL2 or PDB.", show_default=False),
    ] = None,
    padding: Annotated[
        float | None,
        typer.Option(
            min=0, max=30, help="Added on every side of the ligand or residues, in Å [default: 5].", show_default=False
        ),
    ] = None,
    center: Annotated[
        Triple | None, typer.Option(metavar="X Y Z", help="Centre of the box, in Å.", show_default=False)
    ] = None,
    size: Annotated[
        Triple | None, typer.Option(metavar="X Y Z", help="Edges of the box, in Å.", show_default=False)
    ] = None,
    residues: Annotated[
        str | None, typer.Option(help="Box around these residues: A:145,A:146.", show_default=False)
    ] = None,
    effort: Effort = None,
    exhaustiveness: Exhaustiveness = None,
    seed: Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Equal seeds give equal results.")] = 42,
    poses: Annotated[int, typer.Option(min=1, max=100, help="Most poses kept per ligand.")] = 3,
    engine: Annotated[str, typer.Option(help="Docking engine of the server.")] = "vina",
    scoring: Annotated[
        str | None, typer.Option(help="Scoring function of the engine; by default its own.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results in the folder.")] = False,
    server: Server = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Dock ligands into a receptor.

    Writes hits.csv, poses.sdf, rejected.csv and provenance.json. Talks to --server, else to the running embedded
    stack, else starts one for the call. Ctrl-C cancels the job.
    """
    console = console_of(ctx, as_json)
    origin = _origin(site_from, padding, center, size, residues)
    screen = Screen(
        name=f"dock {ligands.name} into {receptor.name}"[:200],
        receptor=input_file(receptor, "receptor"),
        ligands=input_file(ligands, "ligand"),
        origin=origin,
        protocol={
            "engine": engine,
            "scoring": scoring,
            "effort": chosen_effort(effort, exhaustiveness),
            "seed": seed,
            "n_poses": poses,
        },
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server_for_this(console, server, token, chosen_data_dir(data_dir)) as client:
        job = run_screen(client, console, screen)
        _finish(console, client, job, folder)


def _finish(console: Console, client: Client, job: Job, folder: ResultsFolder) -> None:
    files = write_exports(client, job.id, folder)
    hits = client.hits(job.id, _SHOWN_HITS)
    report_hits(console, hits, {"job": dict(job.body), "files": {name: str(path) for name, path in files.items()}})
    counts = job.counts
    console.say(
        f"{counts.scored} scored and {counts.all_rejected} rejected of {counts.input} records; results in {folder.path}"
    )


def _origin(
    site_from: Path | None, padding: float | None, center: Triple | None, size: Triple | None, residues: str | None
) -> Mapping[str, object]:
    """Where the box comes from, as the interface describes it; exactly one way must be chosen."""
    ways = [site_from is not None, center is not None or size is not None, residues is not None]
    if sum(ways) != 1:
        raise typer.BadParameter("name the site in exactly one way: --site-from, --center with --size, or --residues.")
    if not all(math.isfinite(value) for value in (*(center or ()), *(size or ()), padding or 0.0)):
        raise typer.BadParameter("--center, --size and --padding take numbers in Å; nan and inf are none.")
    widened = _DEFAULT_PADDING_ANGSTROM if padding is None else padding
    if site_from is not None:
        file = {"file_name": _plain_name(site_from), "content": _text(input_file(site_from, "site"))}
        return {"type": "native_ligand", "file": file, "padding_angstrom": widened}
    if residues is not None:
        named = [name.strip() for name in residues.split(",") if name.strip()]
        if not named:
            raise typer.BadParameter("--residues names none; write CHAIN:NUMBER, for example A:145,A:146.")
        return {"type": "residues", "residues": named, "padding_angstrom": widened}
    if center is None or size is None:
        raise typer.BadParameter("--center and --size belong together.")
    if padding is not None:
        raise typer.BadParameter("--padding has no effect on a box given by --center and --size.")
    return {"type": "manual", "center": list(center), "size": list(size)}


def _plain_name(path: Path) -> str:
    return path.name[:-3] if path.name.lower().endswith(".gz") else path.name


def _text(path: Path) -> str:
    refused = InvalidInput(
        f"The site file {path} is larger than {_MAX_SITE_FILE_BYTES / 1e6:g} MB; give the ligand alone.",
        code="too_large",
        path=str(path),
    )
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            data = stream.read(_MAX_SITE_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(
            f"The site file {path} cannot be read: {error}. Check the file.", code="file_unreadable", path=str(path)
        ) from error
    if len(data) > _MAX_SITE_FILE_BYTES:
        raise refused
    return data.decode("utf-8", errors="replace")
