"""``mad dock``: one screen from files on disk to files on disk."""

from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.analyses import MAX_LIGANDS
from molecular_analysis_dashboard.presentation.cli.analyse import analyse_best
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.docking import Docking
from molecular_analysis_dashboard.presentation.cli.input_files import input_file
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, Out, ReceptorFile, console_of
from molecular_analysis_dashboard.presentation.cli.protocol_options import ProtocolOptions
from molecular_analysis_dashboard.presentation.cli.receptor_options import PreparationOptions
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import report_hits, run_screen
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.site_options import BoxOptions, SiteFrom

_SHOWN_HITS = 10


@grouped
def dock(
    ctx: typer.Context,
    *,
    receptor: ReceptorFile,
    ligands: Annotated[Path, typer.Option(help="SMILES, SDF, MOL2 or CSV with a SMILES column; also .gz.")],
    out: Out,
    site_from: SiteFrom = None,
    box: BoxOptions,
    preparation: PreparationOptions,
    protocol: ProtocolOptions,
    analyse: Annotated[
        int,
        typer.Option(min=0, max=MAX_LIGANDS, help="Check and analyse the poses of so many of the best ligands, too."),
    ] = 0,
    force: Force = False,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Dock ligands into a receptor.

    Writes hits.csv, poses.sdf, rejected.csv and provenance.json. Talks to --server, else to the running embedded
    stack, else starts one for the call. Ctrl-C cancels the job.
    """
    console = console_of(ctx, as_json)
    screen = Docking(
        name=f"dock {ligands.name} into {receptor.name}",
        receptor=input_file(receptor, "receptor"),
        ligands=[input_file(ligands, "ligand")],
        origin=box.origin(site_from),
        preparation=preparation.as_json(),
        # Analyses are asked for below: whoever waits for files wants them in these.
        protocol={**protocol.as_json(), "analyses": {"top": 0}},
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server.or_started(console) as client:
        job = run_screen(client, console, screen)
        if analyse and job.counts.scored:
            ranks = {"first": 1, "last": analyse}
            analyse_best(client, console, job.id, {"ranks": ranks, "max_poses": protocol.poses})
        _finish(console, client, job, folder)


def _finish(console: Console, client: Client, job: Job, folder: ResultsFolder) -> None:
    files = write_exports(client, job, folder)
    hits = client.hits(job.id, _SHOWN_HITS)
    report_hits(console, hits, {"job": dict(job.body), "files": {name: str(path) for name, path in files.items()}})
    counts = job.counts
    console.say(
        f"{counts.scored} scored and {counts.all_rejected} rejected of {counts.input} records; results in {folder.path}"
    )
