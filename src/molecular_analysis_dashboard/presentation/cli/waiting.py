"""Following jobs to their end, through restarts of the server; Ctrl-C cancels them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.errors import MadError, ResourceLost
from molecular_analysis_dashboard.domain.jobs import JobKind, JobState
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.exit_codes import JobNotCompleted
from molecular_analysis_dashboard.presentation.cli.progress import Progress, progress_of

_FIRST_POLL_S, _LONGEST_POLL_S = 0.1, 1.0
# How long a server may be away (restarted, updated) before waiting for it is given up.
_SERVER_AWAY_S = 120.0
_CANCEL_WAIT_S = 15.0
# A job that stands still for so long is asked why.
_PATIENCE_S = 3.0
_DOCKING_KINDS = frozenset({JobKind.SCREEN, JobKind.VALIDATE, JobKind.REDOCK, JobKind.ANALYSE, JobKind.RESCORE})
_MOVING = frozenset({"running", "all_running", "finished"})


def wait_for_job(client: Client, console: Console, job: Job, label: str) -> Job:
    """Follow a job until it ends or is paused, showing how far it is.

    Raises
    ------
    ResourceLost
        When the server stays away for two minutes; the job goes on when it is back.
    """
    with progress_of(console, label) as progress:
        pause_s = _FIRST_POLL_S
        patience = _Patience(client, progress)
        while not job.is_final and job.state is not JobState.PAUSED:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_POLL_S)
            job = _asked(client, job, progress)
            if job.kind in _DOCKING_KINDS:
                progress.show(job.counts.docked, job.counts.to_dock)
            else:
                progress.show(0, 0)
            patience.look(job)
    return job


class _Patience:
    """Tells why a job stands still, once for each reason."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self._client = client
        self._progress = progress
        self._told = ""
        self._next_s = time.monotonic() + _PATIENCE_S

    def look(self, job: Job) -> None:
        """Ask now and then; with a job that moves there is nothing to tell."""
        if job.is_final or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _PATIENCE_S
        try:
            why = self._client.waiting(job.id)
        except ResourceLost:
            return  # Asking for the job itself tells that the server is away.
        if why.code != self._told and why.code not in _MOVING:
            self._progress.note(f"Waiting: {why.message}")
        self._told = why.code


def completed(job: Job) -> Job:
    """Return the job if it completed.

    Raises
    ------
    JobNotCompleted
        With the job's own reason.
    """
    if job.state is JobState.COMPLETED:
        return job
    why = str(job.error["message"]) if job.error else job.reason
    ended = f"The job {job.id} is {job.state}" + (f": {why.rstrip('.')}." if why else ".")
    counts = job.counts
    kept = f" The scores of {counts.scored} of {counts.to_dock} ligands are kept." if counts.scored else ""
    advice = f" Fetch them with: mad jobs export {job.id} --out FOLDER" if kept and job.is_final else ""
    raise JobNotCompleted(
        f"{ended}{kept}{advice}",
        code=f"job_{job.state}",
        job_id=job.id,
        state=job.state,
        error=dict(job.error) if job.error else None,
    )


@contextmanager
def cancelled_on_interrupt(client: Client, console: Console, jobs: list[Job]) -> Iterator[None]:
    """Ask the server to cancel the jobs in the list when Ctrl-C or SIGTERM ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        for job in jobs:
            _cancel(client, console, job)
        raise


def _cancel(client: Client, console: Console, job: Job) -> None:
    try:
        if client.job(job.id).is_final:
            return
        console.say(f"Cancelling the job {job.id} …")
        state = client.cancel_job(job.id)
        deadline = time.monotonic() + _CANCEL_WAIT_S
        while not state.is_final and time.monotonic() < deadline:
            time.sleep(_FIRST_POLL_S)
            state = client.job(job.id)
    except MadError as error:
        console.warn(f"The job could not be cancelled: {error.message} Cancel it with: mad jobs cancel {job.id}")
        return
    console.say(f"The job is {state.state}.")


def _asked(client: Client, job: Job, progress: Progress) -> Job:
    """Ask for the job again, patiently while the server is away."""
    deadline = time.monotonic() + _SERVER_AWAY_S
    told = False
    while True:
        try:
            found = client.job(job.id)
        except ResourceLost as error:
            if time.monotonic() >= deadline:
                raise ResourceLost(
                    f"The server has not answered for {_SERVER_AWAY_S:g} s. The job {job.id} is kept and goes on when "
                    f"the server is back; fetch its results with: mad jobs export {job.id} --wait --out FOLDER",
                    code=error.error_code,
                    job_id=job.id,
                ) from error
            if not told:
                progress.note("The server does not answer; waiting for it …")
                told = True
            time.sleep(_LONGEST_POLL_S)
        else:
            if told:
                progress.note("The server answers again.")
            return found
