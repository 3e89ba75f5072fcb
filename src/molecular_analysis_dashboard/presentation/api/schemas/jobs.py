"""Jobs: what was asked for, where it stands, and why it waits."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AliasChoices, Discriminator, Field, Tag

from molecular_analysis_dashboard.domain.jobs import JobKind, JobState
from molecular_analysis_dashboard.domain.redocking import DEFAULT_RUNS, MAX_RUNS
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Name, Problem, View, Whole
from molecular_analysis_dashboard.presentation.api.schemas.sites import FileText, LigandFile
from molecular_analysis_dashboard.use_cases.explain_waiting import WaitingCode


class _DockingJobCreate(Body):
    name: Name | None = Field(default=None, description="Made of what the job is about when absent.")
    receptor_id: UUID
    site_id: UUID
    protocol_id: UUID
    priority: Whole = Field(default=0, ge=-100, le=100, description="Higher goes first.")


class ScreenCreate(_DockingJobCreate):
    """A screen of a library against one binding site."""

    kind: Literal["screen"] = "screen"
    library_id: UUID


class NativeFile(LigandFile):
    """A native ligand at its place in the structure's frame; SDF and MOL2 carry bond orders, PDB needs the template."""

    template: FileText | None = Field(
        default=None, description="SMILES or SDF of the same ligand, for its bond orders."
    )


class RedockCreate(_DockingJobCreate):
    """The native ligand docked again, to see whether receptor, box and protocol find what the crystal shows."""

    kind: Literal["redock"]
    runs: Whole = Field(default=DEFAULT_RUNS, ge=1, le=MAX_RUNS, description="Independent runs, each with its seed.")
    native: NativeFile | None = Field(default=None, description="Without it, the ligand that the site was made from.")


class ValidateCreate(_DockingJobCreate):
    """A screen over actives and decoys, whose ranking is then judged."""

    kind: Literal["validate"]
    actives_library_id: UUID
    decoys_library_id: UUID


def _kind(body: object) -> str:
    """Return the kind of a job's body; a screen need not say so."""
    return str(body.get("kind", "screen") if isinstance(body, dict) else getattr(body, "kind", "screen"))


JobCreate = Annotated[
    Annotated[ScreenCreate, Tag("screen")]
    | Annotated[RedockCreate, Tag("redock")]
    | Annotated[ValidateCreate, Tag("validate")],
    Discriminator(_kind),
]


class JobCounts(View):
    """Where the job's records, or the runs of a redocking, are; all but `input` sum to `input`."""

    input: int = Field(validation_alias=AliasChoices("input", "n_input"))
    scored: int = Field(description="Of a job that analyses or rescores poses: ligands analysed, or with a new score.")
    rejected: int = Field(
        description="Rejected while being prepared or docked; of a job that analyses or rescores poses: ligands that "
        "could not be."
    )
    rejected_at_reading: int = Field(description="Records of the library that never became a ligand.")
    cancelled: int
    read: int = Field(description="Of a job that reads a library: records so far that became ligands.")
    waiting: int


class Job(View):
    """What a user asked for, as it stands."""

    id: UUID
    kind: JobKind
    state: JobState
    name: str
    reason: str | None = Field(description="Why it is in this state, where somebody or something gave a reason.")
    error: Problem | None
    structure_id: UUID | None
    receptor_id: UUID | None
    site_id: UUID | None
    library_id: UUID | None
    protocol_id: UUID | None
    screen_id: UUID | None = Field(description="Of a job that analyses or rescores poses: the screen whose they are.")
    engine_build: str | None
    priority: int
    counts: JobCounts
    estimated_cpu_s: float = Field(
        description="CPU seconds of the whole job by the cost model: size and torsions of each ligand, search effort "
        "and the mean number of states per ligand. Good to about a factor of two."
    )
    planning_complete: bool
    request_id: str | None
    created_by: UUID
    created_at: datetime
    started_at: datetime | None
    cancel_requested_at: datetime | None
    finished_at: datetime | None


class JobPage(View):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: str | None = None


class WaitingFacts(View):
    """What the explanation rests on."""

    pending: int = Field(description="Tasks of this job that wait in the database.")
    released: int = Field(description="Tasks of this job that were sent to workers.")
    running: int = Field(description="Tasks of this job that run.")
    slots: int = Field(description="Live slots that could run its waiting tasks.")
    busy_slots: int = Field(description="Of these, slots that run a task now.")
    live_workers: int = Field(description="Live workers of any kind.")
    jobs_ahead: int = Field(description="Other jobs with tasks on the same queues.")


class Waiting(View):
    """Why the job is not further, as a stable code and a sentence."""

    code: WaitingCode
    message: str
    facts: WaitingFacts


class Event(View):
    """Something that happened to a job."""

    cursor: str
    job_id: UUID
    type: str = Field(examples=["job.state", "task.ended", "library.read", "redocking.judged", "validation.evaluated"])
    payload: dict[str, Any]
    at: datetime


class EventPage(View):
    """Events, oldest first; ask again with `after=next_cursor`, also when there were none."""

    items: list[Event]
    next_cursor: str


class EngineBuild(View):
    """An engine build that a worker has, or had."""

    engine: str
    build_id: str
    live_slots: int = Field(description="Slots of live workers that can run it now.")
    scoring_functions: list[str] = Field(description="What `scoring` of a protocol may be, the default first.")
    parameter_schema: dict[str, Any] = Field(
        description="JSON schema of the protocol's fields that it reads, those of `effort` among them; a field that is "
        "not named must keep its default. Empty if the worker did not tell."
    )


class EngineList(View):
    """Engine builds, those of live workers first."""

    items: list[EngineBuild]
