"""``mad rescore``: score the poses of a screen by another engine or scoring function."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from molecular_analysis_dashboard.client import Client, Job, RescoredLigand
from molecular_analysis_dashboard.domain.rescoring import MAX_LIGANDS
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, console_of
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

_SHOWN_LIGANDS = 20


@grouped
def rescore(
    ctx: typer.Context,
    *,
    job_id: Annotated[UUID, typer.Argument(metavar="JOB", help="Id of the screen, as mad jobs list shows it.")],
    scoring: Annotated[
        str | None, typer.Option(help="Scoring function, such as vinardo; that of the screen where the engine has it.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="Docking engine; that of the screen.")] = None,
    relax: Annotated[
        bool, typer.Option("--relax", help="Lead each pose to the nearest minimum of the new score first.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, max=MAX_LIGANDS, help="So many of the best ligands; all hits without it.")
    ] = None,
    poses: Annotated[
        int | None, typer.Option(min=1, max=100, help="Most poses of each ligand, the best first; all without it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for rescored.csv, poses.sdf and provenance.json; absent or empty.")
    ] = None,
    force: Force = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end and list the new ranking.")] = True,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Score docked poses by another engine or scoring function, and compare the rankings."""
    console = console_of(ctx, as_json)
    if out and not wait:
        raise typer.BadParameter("--out needs --wait; fetch the files later with mad jobs export.")
    folder = ResultsFolder(out, force=force) if out else None
    if folder:
        folder.check()
    body: dict[str, Any] = {"engine": engine, "scoring": scoring, "relax": relax, "max_poses": poses}
    if top:
        body["ranks"] = {"first": 1, "last": top}
    with server.running() as client:
        job = client.submit_rescoring(str(job_id), body, str(uuid.uuid4()))
        if not wait:
            console.result(f"Job {job.id}: rescores {job.counts.input} ligands.", {"job": dict(job.body)})
            return
        with cancelled_on_interrupt(client, console, [job]):
            job = completed(wait_for_job(client, console, job, "Rescoring poses"))
        files = {name: str(path) for name, path in write_exports(client, job, folder).items()} if folder else {}
        _report(console, client, job, files)
    if folder:
        console.say(f"Results: {folder.path}")


def _report(console: Console, client: Client, job: Job, files: Mapping[str, str]) -> None:
    found, limit = client.rescoring(job.id), MAX_LIGANDS if console.json else _SHOWN_LIGANDS
    ligands, refused = client.rescored(job.id, limit), client.refused(job.id, limit)
    columns = [Column(title, right=title != "name") for title in _titles(relaxed=found["method"]["relax"])]
    facts = {"job": dict(job.body), "rescoring": dict(found), "files": dict(files)}
    lists = {"ligands": [dict(one.body) for one in ligands], "refused": [dict(one.body) for one in refused]}
    console.table(columns, [_row(one, relaxed=found["method"]["relax"]) for one in ligands], {**facts, **lists})
    if job.counts.scored > len(ligands):
        console.say(f"The best {len(ligands)} of {job.counts.scored}; all of them with mad jobs export {job.id}.")
    if job.counts.rejected:
        console.warn(f"{job.counts.rejected} of {job.counts.input} ligands have no new score; {_reasons(refused)}")
    console.say(str(found["sentence"]))


def _titles(*, relaxed: bool) -> Sequence[str]:
    titles = ("rank", "change", "name", "score kcal/mol", "docked kcal/mol", "docked rank", "pose")
    return (*titles, "moved Å") if relaxed else titles


def _row(ligand: RescoredLigand, *, relaxed: bool) -> tuple[object, ...]:
    cells = (
        ligand.rank,
        f"{ligand.rank_change:+d}" if ligand.rank_change else "=",
        ligand.name,
        f"{ligand.score_kcal_mol:.2f}",
        f"{ligand.docked_score_kcal_mol:.2f}",
        ligand.docked_rank,
        ligand.pose,
    )
    moved = ligand.moved_angstrom
    return (*cells, "" if moved is None else f"{moved:.2f}") if relaxed else cells


def _reasons(refused: Sequence[RescoredLigand]) -> str:
    first = refused[0]
    return f"{first.name or first.smiles}, for one: {first.message}"
