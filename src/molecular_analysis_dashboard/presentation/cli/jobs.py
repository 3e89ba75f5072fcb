"""``mad jobs``: look at jobs, cancel them, fetch their results."""

from typing import Annotated
from uuid import UUID

import typer

from molecular_analysis_dashboard.client import Job
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.jobs import JobKind, JobState
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, Force, Out, console_of
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, write_exports
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions
from molecular_analysis_dashboard.presentation.cli.waiting import completed, wait_for_job

app = typer.Typer(no_args_is_help=True, help="Look at jobs, cancel them, fetch their results.")

JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="Id of the job, as mad jobs list shows it.")]


@app.command("list")
@grouped
def list_jobs(
    ctx: typer.Context,
    *,
    kind: Annotated[JobKind | None, typer.Option(help="Only jobs of this kind.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most jobs to list.")] = 20,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    console = console_of(ctx, as_json)
    with server.running() as client:
        found = client.jobs(limit, {"kind": kind.value} if kind else {})
    titles = ("job", "kind", "state", "read", "scored", "rejected", "input", "created", "name")
    columns = [Column(title, right=title in ("read", "scored", "rejected", "input")) for title in titles]
    console.table(columns, [_row(job) for job in found], [dict(job.body) for job in found])


@app.command()
@grouped
def show(
    ctx: typer.Context,
    *,
    job_id: JobId,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Show one job with its counts."""
    console = console_of(ctx, as_json)
    with server.running() as client:
        _show(console, client.job(str(job_id)))


@app.command()
@grouped
def cancel(
    ctx: typer.Context,
    *,
    job_id: JobId,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Cancel a job; finished results stay."""
    console = console_of(ctx, as_json)
    with server.running() as client:
        _show(console, client.cancel_job(str(job_id)))


@app.command()
@grouped
def export(
    ctx: typer.Context,
    *,
    job_id: JobId,
    out: Out,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    force: Force = False,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Write the results of a job that has ended.

    Of a screen these are hits.csv, poses.sdf, rejected.csv and provenance.json; of a redocking, validation or rescoring
    the files that their own commands write. If the job did not complete, the results are partial: they are written,
    the counts are told, and the exit status is 5.
    """
    console = console_of(ctx, as_json)
    folder = ResultsFolder(out, force=force)
    folder.check()
    with server.running() as client:
        job = client.job(str(job_id))
        if wait:
            job = wait_for_job(client, console, job, "Docking")
        if job.state is JobState.PAUSED:
            completed(job)
        if not job.is_final:
            raise Conflict(
                f"The job is {job.state}; its results are not complete. Wait for it with --wait.",
                code="job_not_ended",
                job_id=job.id,
                state=job.state,
            )
        files = write_exports(client, job, folder)
    is_whole = job.state is JobState.COMPLETED
    paths = {name: str(path) for name, path in files.items()}
    console.result("\n".join(paths.values()), {"job": dict(job.body), "files": paths, "partial": not is_whole})
    if not is_whole:
        console.warn(f"The job is {job.state}, so these results are partial: {_outcomes(job)}.")
        raise typer.Exit(ExitCode.JOB_NOT_COMPLETED)


def _row(job: Job) -> tuple[object, ...]:
    counts = job.counts
    created = f"{job.created_at[:19]}Z"
    done = (counts.read, counts.scored, counts.all_rejected, counts.input)
    return (job.id, job.kind, job.state, *done, created, job.name)


def _outcomes(job: Job) -> str:
    """Where the records of the input are, in words that add up."""
    counts = job.counts
    parts = [f"{counts.scored} scored", f"{counts.all_rejected} rejected", f"{counts.cancelled} cancelled"]
    parts += [f"{counts.waiting} never docked"] if counts.waiting else []
    return f"{', '.join(parts)} of {counts.input} records"


def _show(console: Console, job: Job) -> None:
    counts = job.counts
    words = {JobKind.INGEST: f"read {counts.read}", JobKind.ANALYSE: f"analysed {counts.scored}"}
    good = words.get(job.kind, f"scored {counts.scored}")
    lines = [
        f"{job.name} ({job.kind}, {job.id})",
        f"state: {job.state}" + (f" ({job.reason})" if job.reason else ""),
        f"input {counts.input}: {good}, rejected {counts.all_rejected}, "
        f"cancelled {counts.cancelled}, waiting {counts.waiting}",
    ]
    if job.error:
        lines.append(f"error [{job.error['code']}]: {job.error['message']}")
    console.result("\n".join(lines), dict(job.body))
