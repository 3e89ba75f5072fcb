"""``mad analyse``: check and analyse the poses of a screen."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from molecular_analysis_dashboard.client import Client, Hit, Job
from molecular_analysis_dashboard.domain.analyses import MAX_LIGANDS
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, console_of
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.waiting import cancelled_on_interrupt, completed, wait_for_job

_SHOWN_HITS = 20


@grouped
def analyse(
    ctx: typer.Context,
    *,
    job_id: Annotated[UUID, typer.Argument(metavar="JOB", help="Id of the screen, as mad jobs list shows it.")],
    first: Annotated[int, typer.Option(min=1, help="First rank by docking score.")] = 1,
    top: Annotated[int, typer.Option(min=1, max=MAX_LIGANDS, help="So many ligands from the first rank on.")] = 100,
    ligands: Annotated[
        list[UUID] | None,
        typer.Option("--ligand", help="This ligand, by id; may be repeated. Ranks do not count then."),
    ] = None,
    poses: Annotated[int, typer.Option(min=1, max=100, help="Most poses of each ligand, the best first.")] = 3,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end and list what was found.")] = True,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Check and analyse poses: validity, strain, interactions. What is analysed already is not done again."""
    console = console_of(ctx, as_json)
    body: dict[str, Any] = {"ranks": {"first": first, "last": first + top - 1}, "max_poses": poses}
    if ligands:
        body["ligand_ids"] = [str(one) for one in ligands]
    with server.running() as client:
        if not wait:
            job = client.submit_analysis(str(job_id), body, str(uuid.uuid4()))
            console.result(f"Job {job.id}: analyses {job.counts.input} ligands.", {"job": dict(job.body)})
            return
        job = analyse_best(client, console, str(job_id), body)
        found = client.hits(str(job_id), _SHOWN_HITS, {"analysed": "true"})
    _report(console, found, job)


def analyse_best(client: Client, console: Console, screen_id: str, body: Mapping[str, Any]) -> Job:
    """Submit an analysis and wait for its end; Ctrl-C cancels it.

    Raises
    ------
    JobNotCompleted
        When it ends otherwise.
    """
    job = client.submit_analysis(screen_id, body, str(uuid.uuid4()))
    with cancelled_on_interrupt(client, console, [job]):
        job = completed(wait_for_job(client, console, job, "Analysing poses"))
    if job.counts.rejected:
        console.warn(f"{job.counts.rejected} of {job.counts.input} ligands could not be analysed; see their reasons.")
    return job


def _report(console: Console, hits: Sequence[Hit], job: Job) -> None:
    columns = [
        Column("name"),
        Column("score kcal/mol", right=True),
        Column("valid"),
        Column("strain kcal/mol", right=True),
        Column("QED", right=True),
        Column("fails or alerts"),
    ]
    console.table(
        columns, [_row(hit) for hit in hits], {"job": dict(job.body), "hits": [dict(hit.body) for hit in hits]}
    )


def _row(hit: Hit) -> tuple[object, ...]:
    analysis, properties = hit.body["analysis"], hit.body["properties"] or {}
    strain = analysis["strain_kcal_mol"]
    return (
        hit.name,
        f"{hit.score_kcal_mol:.2f}",
        {True: "yes", False: "no", None: "unknown"}[analysis["valid"]],
        "" if strain is None else f"{strain:.1f}",
        f"{properties['qed']:.2f}" if properties else "",
        ", ".join([*analysis["failed_checks"], *properties.get("alerts", ())]),
    )
