"""What use cases ask of the database. Every repository sees one scope, given to its constructor."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import (
    BindingSite,
    Library,
    Ligand,
    ProtocolVersion,
    Receptor,
    Rejection,
    Structure,
)
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.domain.jobs import (
    BeatAnswer,
    ClaimedTask,
    EndCause,
    Job,
    JobCounts,
    JobKind,
    JobState,
    NewTask,
)
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.results import (
    Event,
    Hit,
    HitFilter,
    HitOrder,
    NewResult,
    RejectedResult,
    StoredPose,
)
from molecular_analysis_dashboard.domain.scheduling import CostedLigand


class Structures(Protocol):
    """Uploaded macromolecules and what was made of them."""

    def add(self, structure: Structure) -> None:
        """Store a new structure."""

    def get(self, structure_id: UUID, *, deleted: bool = False) -> Structure:
        """Return one (a deleted one if asked), or raise NotFound."""

    def page(self, *, after: UUID | None, limit: int) -> list[Structure]:
        """Return up to `limit`, newest first, that come after the id `after`."""

    def delete(self, structure_id: UUID) -> None:
        """Hide it with its receptors and sites; Conflict (``in_use``) while an unfinished job needs it."""

    def add_receptor(self, receptor: Receptor) -> None:
        """Store a receptor to be prepared."""

    def get_receptor(self, receptor_id: UUID, *, deleted: bool = False) -> Receptor:
        """Return one (a deleted one if asked), or raise NotFound."""

    def receptors(self, structure_id: UUID | None, *, after: UUID | None, limit: int) -> list[Receptor]:
        """Return receptors, newest first."""

    def receptor_ready(
        self,
        receptor_id: UUID,
        *,
        pdbqt_sha256: str,
        pdb_sha256: str,
        content_hash: str,
        report: Mapping[str, object],
        pockets: Sequence[Pocket] | None = None,
    ) -> None:
        """Store what preparation made."""

    def receptor_failed(self, receptor_id: UUID, error: Mapping[str, object]) -> None:
        """Store why preparation failed."""

    def add_site(self, site: BindingSite) -> None:
        """Store a binding site."""

    def get_site(self, site_id: UUID, *, deleted: bool = False) -> BindingSite:
        """Return one (a deleted one if asked), or raise NotFound."""

    def sites(self, structure_id: UUID | None, *, after: UUID | None, limit: int) -> list[BindingSite]:
        """Return sites, newest first."""


class Libraries(Protocol):
    """Sets of ligands."""

    def add(self, library: Library) -> None:
        """Store a library to be ingested."""

    def get(self, library_id: UUID, *, deleted: bool = False) -> Library:
        """Return one (a deleted one if asked), or raise NotFound."""

    def page(self, *, after: UUID | None, limit: int) -> list[Library]:
        """Return libraries, newest first."""

    def delete(self, library_id: UUID) -> None:
        """Hide it; Conflict (``in_use``) while an unfinished job needs it."""

    def add_batch(self, library_id: UUID, ligands: Sequence[Ligand], rejections: Sequence[Rejection]) -> None:
        """Store one batch of records and raise the counts; a molecule that is there already becomes a duplicate."""

    def finish(self, library_id: UUID) -> None:
        """Mark it ready."""

    def fail(self, library_id: UUID, error: Mapping[str, object]) -> None:
        """Mark it failed and hide its rows, which the sweep removes."""

    def ligand_page(self, library_id: UUID, *, after_record: int, limit: int, noted_only: bool = False) -> list[Ligand]:
        """Return ligands in input order, of all or of those with a note."""

    def rejection_page(self, library_id: UUID, *, after_record: int, limit: int) -> list[Rejection]:
        """Return rejections in input order."""

    def ligands_by_id(self, ligand_ids: Sequence[UUID]) -> dict[UUID, Ligand]:
        """Return the ligands of a task."""

    def to_plan(self, library_id: UUID, *, after: tuple[float, UUID] | None, limit: int) -> list[CostedLigand]:
        """Return ligands longest first, that come after the (cost, id) `after`."""


class Protocols(Protocol):
    """Immutable recipes."""

    def find(self, name: str, content_hash: str) -> ProtocolVersion | None:
        """Return the version of that content, where there is one."""

    def add(self, protocol: ProtocolVersion) -> None:
        """Store a new version."""

    def lock_name(self, name: str) -> None:
        """Let only this transaction add versions under a name."""

    def next_version(self, name: str) -> int:
        """Return the number the next version of this name gets."""

    def get(self, protocol_id: UUID) -> ProtocolVersion:
        """Return one, or raise NotFound."""

    def page(self, *, after: UUID | None, limit: int) -> list[ProtocolVersion]:
        """Return protocols, newest first."""


class Jobs(Protocol):
    """What users asked for."""

    def add(self, job: Job, tasks: Sequence[NewTask]) -> None:
        """Store a job with its first tasks, and its first event."""

    def get(self, job_id: UUID, *, lock: bool = False) -> Job:
        """Return one (locking its row if asked), or raise NotFound."""

    def find_by_key(self, idempotency_key: str) -> Job | None:
        """Return the job submitted with this key."""

    def page(self, *, kind: JobKind | None = None, after: UUID | None, limit: int) -> list[Job]:
        """Return jobs of one kind, or of all, newest first."""

    def counts(self, job_id: UUID) -> JobCounts:
        """Aggregate where the job's ligands are."""

    def counts_of(self, job_ids: Sequence[UUID]) -> dict[UUID, JobCounts]:
        """Aggregate where the ligands of several jobs are."""

    def running_tasks(self, job_id: UUID) -> int:
        """Count tasks of the job that an attempt owns."""

    def change_state(
        self,
        job_id: UUID,
        target: JobState,
        *,
        reason: str | None = None,
        error: Mapping[str, object] | None = None,
    ) -> bool:
        """Make one allowed change and write its event; False if the present state does not allow it."""

    def add_tasks(self, tasks: Sequence[NewTask]) -> None:
        """Store further tasks."""

    def planned(
        self, job_id: UUID, *, ligands: int, cost_s: float, to: tuple[float, UUID] | None, complete: bool
    ) -> None:
        """Move the planner's cursor."""

    def unreleased_tasks_to_pending(self, job_id: UUID) -> None:
        """Take back released tasks that no slot claimed (for pause)."""

    def cancel_waiting_tasks(self, job_id: UUID) -> None:
        """Cancel every task of the job that no attempt owns."""

    def pending_tasks(self, job_id: UUID, *, limit: int) -> int:
        """Count tasks of the job that wait to be released, up to a limit."""

    def waiting_facts(self, job_id: UUID) -> Mapping[str, int]:
        """Count what explains why a job waits; see `use_cases.explain_waiting`. System scope: it looks at all jobs."""

    def delete(self, job_id: UUID) -> None:
        """Hide a finished job; Conflict (``job_not_finished``) otherwise."""

    def unfinished_analyses(self, screen_id: UUID) -> list[Job]:
        """Lock and return the jobs that analyse or rescore a screen and have not ended."""

    def started(self, job_id: UUID) -> None:
        """Note that the first task of a job runs."""

    def has_event(self, job_id: UUID, type_: str, payload: Mapping[str, object] | None = None) -> bool:
        """Whether the job has an event of a type, with at least this payload."""

    def add_event(self, job_id: UUID, type_: str, payload: Mapping[str, object]) -> None:
        """Write an event of the job."""


class Results(Protocol):
    """Scores, poses, rejections."""

    def hits(
        self, job_id: UUID, *, order: HitOrder, where: HitFilter, after: tuple[object, UUID] | None, limit: int
    ) -> list[Hit]:
        """Return hits in a stable order, behind the (value, ligand id) `after`."""

    def count_hits(self, job_id: UUID, where: HitFilter) -> int:
        """Count hits that pass a filter."""

    def best(self, job_id: UUID, where: HitFilter, *, skip: int, limit: int) -> list[UUID]:
        """Return the ids of hits that pass a filter, best score first, behind the first `skip`."""

    def ranks(self, hit: Hit, job_id: UUID) -> dict[HitOrder, int]:
        """Return the rank of a hit by each order of quality, 1 is best; equals share theirs."""

    def hit(self, job_id: UUID, ligand_id: UUID) -> Hit:
        """Return one hit, or raise NotFound."""

    def rejected(
        self, job_id: UUID, *, after: tuple[int, UUID] | None, limit: int
    ) -> list[tuple[UUID, RejectedResult]]:
        """Return rejected ligands in input order."""

    def poses(self, job_id: UUID, ligand_ids: Sequence[UUID]) -> list[StoredPose]:
        """Return the poses of ligands, in the order of the ids and of rank."""


class Ledger(Protocol):
    """Who works on what; the only place where tasks and attempts change. Runs in the system scope."""

    def claim(self, task_id: UUID, *, worker_id: UUID, slot_pid: int) -> ClaimedTask | None:
        """Take a task by one conditional update, or return None when it is not to be had."""

    def beat(
        self, task: ClaimedTask, *, n_scored: int, n_rejected: int, may_yield: bool, yield_after_s: float
    ) -> BeatAnswer:
        """Say that this attempt lives; the answer says whether it may go on."""

    def own(self, task: ClaimedTask) -> None:
        """Lock the task row `FOR SHARE` and raise Superseded unless this attempt still owns it."""

    def set_current(self, task: ClaimedTask, ligand_id: UUID | None) -> None:
        """Note which ligand is in the engine now."""

    def recorded(self, task: ClaimedTask) -> dict[UUID, bool]:
        """Return the task's ligands that have a result already: id to whether it is scored."""

    def losses(self, task: ClaimedTask) -> dict[UUID, int]:
        """Return how often each ligand of the task was current when an attempt was lost."""

    def record(self, task: ClaimedTask, result: NewResult) -> bool:
        """Insert the outcome and its poses under the fence; False if a result was there already."""

    def count_refused(self, task: ClaimedTask) -> None:
        """Count a late write that the fence refused."""

    def end(self, task: ClaimedTask, cause: EndCause, *, error: Mapping[str, object] | None = None) -> bool:
        """End the attempt and move its task on, with exact counts; False if it was superseded."""

    def fails_alike(self, job_id: UUID, reason: str, *, enough: int) -> bool:
        """Whether no ligand of the job is scored and at least `enough` are rejected for this reason."""


class Events(Protocol):
    """The stream of what happened."""

    def after(self, cursor: str, *, job_id: UUID | None, limit: int) -> list[Event]:
        """Return events that committed after a cursor, oldest first; never one that a later commit could precede."""

    def latest_cursor(self) -> str:
        """Return a cursor behind everything readable now."""

    def last_cursor(self, job_id: UUID) -> str:
        """Return the cursor of a job's last event, whether it can be read yet or not."""


class Identities(Protocol):
    """Who there is. System scope only."""

    def ensure_member(self, principal: Principal, *, organization: str, email: str, display_name: str) -> None:
        """Make the organization, the user and the membership, each unless it is there already."""
