"""``mad validate``: does docking tell known actives from decoys? From files on disk to files on disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client, Job, Library
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.docking import Docking, Request, run_docking
from molecular_analysis_dashboard.presentation.cli.input_files import input_file
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, Out, ReceptorFile, console_of
from molecular_analysis_dashboard.presentation.cli.protocol_options import ProtocolOptions
from molecular_analysis_dashboard.presentation.cli.receptor_options import PreparationOptions
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.site_options import BoxOptions, SiteFrom

_TITLES = {"roc_auc": "ROC-AUC", "bedroc": "BEDROC", "ef1": "EF 1 %", "ef5": "EF 5 %"}


@grouped
def validate(
    ctx: typer.Context,
    *,
    receptor: ReceptorFile,
    actives: Annotated[Path, typer.Option(help="Known actives: SMILES, SDF, MOL2 or CSV; also .gz.")],
    decoys: Annotated[Path, typer.Option(help="Decoys or known inactives, in the same formats.")],
    out: Out,
    site_from: SiteFrom = None,
    box: BoxOptions,
    preparation: PreparationOptions,
    protocol: ProtocolOptions,
    force: Force = False,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Dock actives and decoys and measure how well the ranking tells them apart.

    Every figure has a 95 % bootstrap interval and stands beside that of a ranking by heavy atoms alone. Writes
    validation.json, roc.csv, hits.csv, poses.sdf, rejected.csv and provenance.json.
    """
    console = console_of(ctx, as_json)
    validation = Docking(
        name=f"validate {receptor.name}",
        receptor=input_file(receptor, "receptor"),
        ligands=[input_file(actives, "actives"), input_file(decoys, "decoys")],
        origin=box.origin(site_from),
        preparation=preparation.as_json(),
        protocol=protocol.as_json(),
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server.or_started(console) as client:
        job = run_docking(client, console, validation, _request)
        _finish(console, client, job, folder)


def _request(libraries: Sequence[Library]) -> Request:
    actives, decoys = libraries
    body = {"kind": "validate", "actives_library_id": actives.id, "decoys_library_id": decoys.id}
    return Request(body, f"docking {actives.n_ligands} actives and {decoys.n_ligands} decoys")


def _finish(console: Console, client: Client, job: Job, folder: ResultsFolder) -> None:
    files = write_exports(client, job, folder)
    enrichment = client.validation(job.id)["enrichment"]
    _show(console, enrichment, {"job": dict(job.body), "files": {name: str(path) for name, path in files.items()}})
    rejected = enrichment["n_rejected_actives"], enrichment["n_rejected_decoys"]
    console.say(
        f"{enrichment['n_actives']} actives and {enrichment['n_decoys']} decoys counted; {rejected[0]} and "
        f"{rejected[1]} of them have no score and are ranked last."
    )
    if enrichment["n_in_both"]:
        console.warn(f"{enrichment['n_in_both']} ligands are in both files under one structure and count in neither.")
    console.say(f"Results: {folder.path}")


def _show(console: Console, enrichment: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    columns = [Column(""), *(Column(title, right=True) for title in ("docking", "heavy atoms alone", "difference"))]
    rows = [
        (title, *(_estimate(enrichment[ranking][name]) for ranking in ("docking", "size", "difference")))
        for name, title in _TITLES.items()
    ]
    console.table(columns, rows, {**facts, "enrichment": dict(enrichment)})


def _estimate(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
