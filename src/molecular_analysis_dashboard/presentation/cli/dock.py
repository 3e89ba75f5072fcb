"""``mad dock``: one screen from files on disk to files on disk."""

from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.analyses import MAX_LIGANDS
from molecular_analysis_dashboard.presentation.cli.analyse import analyse_best
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
from molecular_analysis_dashboard.presentation.cli.receptor_options import (
    DEFAULTS,
    Caps,
    Chains,
    Keep,
    KeepWithin,
    Model,
    OverrideProblems,
    Ph,
    Remove,
    WaterReach,
    Waters,
    receptor_options,
)
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import Screen, input_file, report_hits, run_screen
from molecular_analysis_dashboard.presentation.cli.server import server_for_this
from molecular_analysis_dashboard.presentation.cli.site_options import (
    Center,
    Padding,
    PocketRank,
    Residues,
    SiteFrom,
    Size,
    site_origin,
)

_SHOWN_HITS = 10


def dock(
    ctx: typer.Context,
    receptor: Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")],
    ligands: Annotated[Path, typer.Option(help="SMILES, SDF, MOL2 or CSV with a SMILES column; also .gz.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; absent or empty.")],
    site_from: SiteFrom = None,
    padding: Padding = None,
    center: Center = None,
    size: Size = None,
    residues: Residues = None,
    pocket: PocketRank = None,
    chains: Chains = None,
    model: Model = DEFAULTS.model,
    waters: Waters = DEFAULTS.waters,
    water_reach: WaterReach = DEFAULTS.water_reach_angstrom,
    keep: Keep = None,
    remove: Remove = None,
    keep_within: KeepWithin = DEFAULTS.keep_within_angstrom,
    ph: Ph = DEFAULTS.ph,
    caps: Caps = False,
    override_problems: OverrideProblems = False,
    effort: Effort = None,
    exhaustiveness: Exhaustiveness = None,
    seed: Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Equal seeds give equal results.")] = 42,
    poses: Annotated[int, typer.Option(min=1, max=100, help="Most poses kept per ligand.")] = 3,
    engine: Annotated[str, typer.Option(help="Docking engine of the server.")] = "vina",
    scoring: Annotated[
        str | None, typer.Option(help="Scoring function of the engine; by default its own.", show_default=False)
    ] = None,
    analyse: Annotated[
        int,
        typer.Option(min=0, max=MAX_LIGANDS, help="Check and analyse the poses of so many of the best ligands, too."),
    ] = 0,
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
    origin = site_origin(site_from, padding, center, size, residues, pocket)
    screen = Screen(
        name=f"dock {ligands.name} into {receptor.name}"[:200],
        receptor=input_file(receptor, "receptor"),
        ligands=input_file(ligands, "ligand"),
        origin=origin,
        receptor_options=receptor_options(
            chains=chains,
            model=model,
            waters=waters,
            water_reach=water_reach,
            keep=keep,
            remove=remove,
            keep_within=keep_within,
            ph=ph,
            caps=caps,
            override_problems=override_problems,
        ),
        protocol={
            "engine": engine,
            "scoring": scoring,
            "effort": chosen_effort(effort, exhaustiveness),
            "seed": seed,
            "n_poses": poses,
            # Asked for below: whoever waits for files wants the analyses in them.
            "analyses": {"top": 0},
        },
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server_for_this(console, server, token, chosen_data_dir(data_dir)) as client:
        job = run_screen(client, console, screen)
        if analyse and job.counts.scored:
            analyse_best(client, console, job.id, {"ranks": {"first": 1, "last": analyse}, "max_poses": poses})
        _finish(console, client, job, folder)


def _finish(console: Console, client: Client, job: Job, folder: ResultsFolder) -> None:
    files = write_exports(client, job, folder)
    hits = client.hits(job.id, _SHOWN_HITS)
    report_hits(console, hits, {"job": dict(job.body), "files": {name: str(path) for name, path in files.items()}})
    counts = job.counts
    console.say(
        f"{counts.scored} scored and {counts.all_rejected} rejected of {counts.input} records; results in {folder.path}"
    )
