"""Jobs, tasks and attempts: their kinds, states and the only changes of state there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.errors import Conflict


class JobKind(StrEnum):
    """What a user asked for."""

    PREPARE = "prepare"
    INGEST = "ingest"
    SCREEN = "screen"
    REDOCK = "redock"
    VALIDATE = "validate"
    ANALYSE = "analyse"
    RESCORE = "rescore"


class JobState(StrEnum):
    """Life of a job; the last three are final."""

    PLANNING = "planning"  # written; not every task exists yet and none has run
    RUNNING = "running"  # a task was claimed, or may be
    PAUSED = "paused"  # nothing is released; what runs goes on
    CANCELLING = "cancelling"  # running tasks are being stopped
    COMPLETED = "completed"  # every ligand is scored or rejected
    FAILED = "failed"  # a task could not be done for a reason that is not one ligand's
    CANCELLED = "cancelled"  # stopped by the user; finished results stay


class TaskKind(StrEnum):
    """What one unit of work on the queue does."""

    PLAN = "plan"
    DOCK = "dock"
    PREPARE = "prepare"
    INGEST = "ingest"
    REDOCK = "redock"
    EVALUATE = "evaluate"
    ANALYSE = "analyse"
    RESCORE = "rescore"


class TaskState(StrEnum):
    """Life of a task; the last three are final."""

    PENDING = "pending"  # waits in Postgres
    RELEASED = "released"  # its id was sent to the broker
    RUNNING = "running"  # an attempt owns it
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EndCause(StrEnum):
    """Why an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"  # its slot fell silent for one allowance
    DRAINED = "drained"  # its worker was told to stop and handed the task back
    YIELDED = "yielded"  # handed back so that a job without any running task may start
    CANCELLED = "cancelled"


class BeatAnswer(StrEnum):
    """What the ledger answers to a heartbeat."""

    GO_ON = "go_on"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    DRAINING = "draining"
    YIELD = "yield"


JOB_CHANGES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PLANNING: frozenset(
        {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING, JobState.COMPLETED, JobState.FAILED}
    ),
    JobState.RUNNING: frozenset({JobState.PAUSED, JobState.CANCELLING, JobState.COMPLETED, JobState.FAILED}),
    JobState.PAUSED: frozenset({JobState.RUNNING, JobState.CANCELLING, JobState.COMPLETED, JobState.FAILED}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

TASK_CHANGES: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.PENDING: frozenset({TaskState.RELEASED, TaskState.RUNNING, TaskState.CANCELLED}),
    TaskState.RELEASED: frozenset({TaskState.PENDING, TaskState.RUNNING, TaskState.CANCELLED}),
    TaskState.RUNNING: frozenset({TaskState.DONE, TaskState.FAILED, TaskState.PENDING, TaskState.CANCELLED}),
    TaskState.DONE: frozenset(),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}

# What becomes of the task when its attempt ends for this cause.
TASK_AFTER: Mapping[EndCause, TaskState] = {
    EndCause.COMPLETED: TaskState.DONE,
    EndCause.FAILED: TaskState.FAILED,
    EndCause.LOST: TaskState.PENDING,
    EndCause.DRAINED: TaskState.PENDING,
    EndCause.YIELDED: TaskState.PENDING,
    EndCause.CANCELLED: TaskState.CANCELLED,
}

# Jobs that dock the ligands of libraries: planned, and with hits.
SCREENING_KINDS = frozenset({JobKind.SCREEN, JobKind.VALIDATE})
# Jobs that draw a conclusion once all else is done.
EVALUATED_KINDS = frozenset({JobKind.REDOCK, JobKind.VALIDATE, JobKind.RESCORE})

FINAL_JOB_STATES = frozenset(state for state, following in JOB_CHANGES.items() if not following)
FINAL_TASK_STATES = frozenset(state for state, following in TASK_CHANGES.items() if not following)
# Tasks of jobs in these states may be claimed and run on.
WORKING_JOB_STATES = frozenset({JobState.PLANNING, JobState.RUNNING})
# What a user asks for who wants a job in one of these states.
_ASKED: Mapping[JobState, tuple[str, str]] = {
    JobState.CANCELLING: ("cancel", "cancelled"),
    JobState.PAUSED: ("pause", "paused"),
    JobState.RUNNING: ("resume", "resumed"),
}


def sources_of(target: JobState) -> frozenset[JobState]:
    """Return the job states from which `target` may be reached."""
    return frozenset(state for state, following in JOB_CHANGES.items() if target in following)


def task_sources_of(target: TaskState) -> frozenset[TaskState]:
    """Return the task states from which `target` may be reached."""
    return frozenset(state for state, following in TASK_CHANGES.items() if target in following)


def check_job_change(current: JobState, target: JobState) -> None:
    """Raise Conflict (``job_state``) unless `current` may become `target`."""
    if target in JOB_CHANGES[current]:
        return
    verb, participle = _ASKED.get(target, (f"make {target}", f"made {target}"))
    if current in FINAL_JOB_STATES:
        message = f"This job has ended ({current}); there is nothing to {verb}."
    elif current is JobState.CANCELLING:
        message = f"This job is being cancelled; it can no longer be {participle}."
    else:
        message = f"A job that is {current} cannot be {participle}."
    raise Conflict(message, code="job_state", state=current, wanted=target)


@dataclass(frozen=True)
class JobCounts:
    """Where the records of a job's input are: scored, rejected (by docking, or at reading), cancelled and waiting.

    The input of a redocking are its runs. Of a job that reads a library, `read` are the records so far that became
    ligands, and nothing is scored. These six always sum to `n_input`.
    """

    n_input: int = 0
    scored: int = 0
    rejected: int = 0
    rejected_at_reading: int = 0
    cancelled: int = 0
    read: int = 0

    @property
    def waiting(self) -> int:
        """Ligands still without an outcome."""
        return self.n_input - self.scored - self.rejected - self.rejected_at_reading - self.cancelled - self.read


@dataclass(frozen=True)
class Origin:
    """The request that asked for a job, as logs and traces name it.

    Parameters
    ----------
    request_id : str, optional
        Id in every log line of the request.
    traceparent : str, optional
        Its place in a trace, in the form of W3C Trace Context.
    """

    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Job:
    """What a user asked for, as stored.

    Parameters
    ----------
    screen_id : UUID, optional
        The screen whose poses a job of kind ``analyse`` or ``rescore`` looks at.
    analyse_top : int, optional
        Of a screen: how many of its best ligands are to be analysed when it has completed; None once that was asked.
    """

    id: UUID
    org_id: UUID
    kind: JobKind
    state: JobState
    name: str
    created_by: UUID
    created_at: datetime
    spec: Mapping[str, object] = field(default_factory=dict)
    structure_id: UUID | None = None
    receptor_id: UUID | None = None
    site_id: UUID | None = None
    library_id: UUID | None = None
    protocol_id: UUID | None = None
    screen_id: UUID | None = None
    analyse_top: int | None = None
    engine_build: str | None = None
    priority: int = 0
    idempotency_key: str | None = None
    request_hash: str | None = None
    reason: str | None = None
    error: Mapping[str, object] | None = None
    n_ligands: int = 0
    cost_s: float = 0.0
    planned_ligands: int = 0
    planned_cost_s: float = 0.0
    planned_to_cost_s: float | None = None
    planned_to_ligand: UUID | None = None
    planning_complete: bool = False
    origin: Origin = Origin()
    started_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL_JOB_STATES

    @property
    def ids(self) -> dict[str, str | int]:
        """What log lines about this job carry."""
        return _known(org_id=self.org_id, job_id=self.id, request_id=self.origin.request_id)


@dataclass(frozen=True)
class NewTask:
    """A task about to be written; the items of its work are ligands, or the run of a redocking."""

    id: UUID
    job_id: UUID
    kind: TaskKind
    queue: str
    ligand_ids: tuple[UUID, ...] = ()
    cost_s: float = 0.0


@dataclass(frozen=True)
class ClaimedTask:
    """A task that this slot owns until its attempt number is passed on; the number fences its writes."""

    id: UUID
    org_id: UUID
    job_id: UUID
    kind: TaskKind
    attempt_no: int
    ligand_ids: tuple[UUID, ...]
    cost_s: float = 0.0
    origin: Origin = Origin()

    @property
    def ids(self) -> dict[str, str | int]:
        """What log lines about this attempt carry, down to those of the engine process."""
        return _known(
            org_id=self.org_id,
            job_id=self.job_id,
            task_id=self.id,
            attempt_no=self.attempt_no,
            request_id=self.origin.request_id,
        )


@dataclass(frozen=True)
class ReleasedTask:
    """A task whose id is to be sent to the broker."""

    id: UUID
    org_id: UUID
    job_id: UUID
    kind: TaskKind
    queue: str
    overtakes: bool = False
    origin: Origin = Origin()

    @property
    def ids(self) -> dict[str, str | int]:
        """What log lines about this task carry."""
        return _known(org_id=self.org_id, job_id=self.job_id, task_id=self.id, request_id=self.origin.request_id)


@dataclass(frozen=True)
class Worker:
    """A running worker, as it registered itself; it beats every `beat_interval_s` seconds.

    Parameters
    ----------
    scoring_functions : mapping
        Those of each engine build, the engine's default first.
    parameter_schemas : mapping
        JSON schema of the protocol's fields that each engine build reads.
    software : mapping
        What its results depend on besides the engine build: Python, platform, packages and hashes of engines.
    """

    id: UUID
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    engine_builds: tuple[str, ...]
    concurrency: int
    beat_interval_s: float
    scoring_functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameter_schemas: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    software: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerView:
    """What the database knows of a worker that has not ended."""

    queues: frozenset[str]
    silent_s: float
    draining: bool
    has_free_slot: bool
    # Released to one of its queues, and claimed by nobody yet.
    task_waits: bool


def _known(**ids: UUID | str | int | None) -> dict[str, str | int]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in ids.items() if value is not None}
