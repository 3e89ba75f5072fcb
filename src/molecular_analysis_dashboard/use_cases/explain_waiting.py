"""Why a job is not further: a stable code and a sentence that says what to do, where there is something to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope
from molecular_analysis_dashboard.domain.jobs import Job, JobState
from molecular_analysis_dashboard.ports.unit_of_work import Database


class WaitingCode(StrEnum):
    """Stable codes."""

    FINISHED = "finished"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    NO_WORKERS = "no_workers"
    NO_WORKER_FOR_ENGINE = "no_worker_for_engine"
    NO_WORKER_FOR_QUEUE = "no_worker_for_queue"
    ALL_RUNNING = "all_running"
    RUNNING = "running"
    PLANNING = "planning"
    QUEUED_BEHIND_OTHER_JOBS = "queued_behind_other_jobs"
    STARTING = "starting"


@dataclass(frozen=True)
class Waiting:
    """The explanation, and the facts it rests on."""

    code: WaitingCode
    message: str
    facts: Mapping[str, int]


def explain_waiting(database: Database, scope: TenantScope, job_id: UUID) -> Waiting:
    """Explain a job of this organization; NotFound if there is none.

    Slots and the jobs ahead are counted over all organizations, which is why only numbers leave this function.
    """
    with database.begin(scope) as uow:
        job = uow.jobs.get(job_id)
    with database.begin(SystemScope()) as uow:
        facts = dict(uow.jobs.waiting_facts(job_id))
    engine_slots = facts.pop("engine_slots")
    code = _by_state(job) or _by_workers(job, facts, engine_slots) or _by_tasks(job, facts)
    return Waiting(code, _sentence(code, job, facts), facts)


def _by_state(job: Job) -> WaitingCode | None:
    if job.is_final:
        return WaitingCode.FINISHED
    return {JobState.PAUSED: WaitingCode.PAUSED, JobState.CANCELLING: WaitingCode.CANCELLING}.get(job.state)


def _by_workers(job: Job, facts: Mapping[str, int], engine_slots: int) -> WaitingCode | None:
    if facts["live_workers"] == 0:
        return WaitingCode.NO_WORKERS
    if job.engine_build is not None and engine_slots == 0:
        return WaitingCode.NO_WORKER_FOR_ENGINE
    return WaitingCode.NO_WORKER_FOR_QUEUE if facts["slots"] == 0 else None


def _by_tasks(job: Job, facts: Mapping[str, int]) -> WaitingCode:
    if facts["running"]:
        everything = job.planning_complete and facts["pending"] + facts["released"] == 0
        return WaitingCode.ALL_RUNNING if everything else WaitingCode.RUNNING
    if facts["busy_slots"] >= facts["slots"] and facts["jobs_ahead"]:
        return WaitingCode.QUEUED_BEHIND_OTHER_JOBS
    if not job.planning_complete:
        return WaitingCode.PLANNING
    return WaitingCode.STARTING


def _sentence(code: WaitingCode, job: Job, facts: Mapping[str, int]) -> str:
    waiting, running = facts["pending"] + facts["released"], facts["running"]
    reason = f" {job.reason}" if job.reason else ""
    sentences = {
        WaitingCode.FINISHED: f"The job has ended: {job.state}.",
        WaitingCode.PAUSED: f"The job is paused; resume it to go on.{reason}",
        WaitingCode.CANCELLING: f"The job is being cancelled; {_counted(running, 'running task')} to stop.",
        WaitingCode.NO_WORKERS: "No worker is running. Start one; the job then goes on by itself.",
        WaitingCode.NO_WORKER_FOR_ENGINE: f"No running worker has the engine build {job.engine_build} that this job "
        "is pinned to. Start one that has it, or submit the job again for an engine that is there.",
        WaitingCode.NO_WORKER_FOR_QUEUE: "The running workers do not take tasks of this kind. Start one without -Q, "
        "which takes all that it can run.",
        WaitingCode.ALL_RUNNING: f"{_counted(running, 'task')} running; none waits.",
        WaitingCode.RUNNING: f"{_counted(running, 'task')} running, {waiting} waiting for a free slot.",
        WaitingCode.PLANNING: "The job is being cut into tasks; the first start in a moment.",
        WaitingCode.QUEUED_BEHIND_OTHER_JOBS: f"All slots ({facts['slots']}) are busy with "
        f"{_counted(facts['jobs_ahead'], 'other job')}; this one gets its fair share as they become free.",
        WaitingCode.STARTING: "Its tasks are on their way to a worker.",
    }
    return sentences[code]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
