"""``mad validate``: does docking tell known actives from decoys? From files on disk to files on disk."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client, Job, Library
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.effort import Effort, Exhaustiveness
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    Server,
    Token,
    chosen_data_dir,
    console_of,
)
from molecular_analysis_dashboard.presentation.cli.protocol_options import (
    Engine,
    Scoring,
    Seed,
    protocol,
)
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import (
    input_file,
    placed_site,
    prepared_receptor,
    read_library,
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
    SiteFrom,
    Size,
    site_origin,
)
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

_TITLES = {"roc_auc": "ROC-AUC", "bedroc": "BEDROC", "ef1": "EF 1 %", "ef5": "EF 5 %"}


@dataclass(frozen=True)
class _Validation:
    receptor: Path
    actives: Path
    decoys: Path
    origin: Mapping[str, object]
    protocol: Mapping[str, object]


def validate(
    ctx: typer.Context,
    receptor: Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")],
    actives: Annotated[Path, typer.Option(help="Known actives: SMILES, SDF, MOL2 or CSV; also .gz.")],
    decoys: Annotated[Path, typer.Option(help="Decoys or known inactives, in the same formats.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; absent or empty.")],
    site_from: SiteFrom = None,
    padding: Padding = None,
    center: Center = None,
    size: Size = None,
    residues: Residues = None,
    pocket: PocketRank = None,
    effort: Effort = None,
    exhaustiveness: Exhaustiveness = None,
    seed: Seed = 42,
    engine: Engine = "vina",
    scoring: Scoring = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results in the folder.")] = False,
    server: Server = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Dock actives and decoys and measure how well the ranking tells them apart.

    Every figure has a 95 % bootstrap interval and stands beside that of a ranking by heavy atoms alone. Writes
    validation.json, roc.csv, hits.csv, poses.sdf, rejected.csv and provenance.json.
    """
    console = console_of(ctx, as_json)
    wanted = _Validation(
        receptor=input_file(receptor, "receptor"),
        actives=input_file(actives, "actives"),
        decoys=input_file(decoys, "decoys"),
        origin=site_origin(site_from, padding, center, size, residues, pocket),
        protocol=protocol(engine, scoring, effort, exhaustiveness, seed, None),
    )
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server_for_this(console, server, token, chosen_data_dir(data_dir)) as client:
        job = _run(console, client, wanted)
        _finish(console, client, job, folder)


def _run(console: Console, client: Client, wanted: _Validation) -> Job:
    protocol_id = client.create_protocol(f"validate {wanted.receptor.name}"[:200], recipe(client, wanted.protocol))
    structure = client.upload_structure(wanted.receptor)
    site = placed_site(client, console, structure, wanted.origin, {})
    open_jobs: list[Job] = []
    with cancelled_on_interrupt(client, console, open_jobs):
        receptor, preparing = client.prepare_receptor(structure.id, site_options(site), sent_name(wanted.receptor))
        open_jobs.append(preparing)
        reading: list[tuple[Library, Job]] = []
        for path in (wanted.actives, wanted.decoys):
            reading.append(client.upload_library(path, sent_name(path)))
            open_jobs.append(reading[-1][1])
        actives, decoys = (read_library(client, console, library, job) for library, job in reading)
        receptor = prepared_receptor(client, console, receptor, preparing)
        job = client.submit_job(
            {
                "kind": "validate",
                "receptor_id": receptor.id,
                "site_id": site.id,
                "actives_library_id": actives.id,
                "decoys_library_id": decoys.id,
                "protocol_id": protocol_id,
            },
            idempotency_key=str(uuid.uuid4()),
        )
        open_jobs.append(job)
        console.say(f"Job {job.id}: docking {actives.n_ligands} actives and {decoys.n_ligands} decoys.")
        return completed(wait_for_job(client, console, job, "Docking"))


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
