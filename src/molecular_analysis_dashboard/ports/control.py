"""What keeps tasks moving asks of the database: workers, the waiting line, and the leader's work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from molecular_analysis_dashboard.domain.docking import KnownBuild
from molecular_analysis_dashboard.domain.jobs import JobState, ReleasedTask, Worker, WorkerView
from molecular_analysis_dashboard.domain.scheduling import Demand


class Workers(Protocol):
    """The register of workers. System scope."""

    def register(self, worker: Worker) -> None:
        """Enter a worker that starts."""

    def beat(self, worker: Worker, *, draining: bool) -> None:
        """Say that a worker lives."""

    def ended(self, worker_id: UUID) -> None:
        """Note that a worker stopped by itself."""

    def view(self, host: str, pid: int) -> WorkerView | None:
        """Return the worker of this process, None if it is not registered or has ended."""

    def of_job(self, job_id: UUID) -> list[Worker]:
        """Return the workers that took tasks of a job, in the order in which they started."""

    def retire(self, *, silent_s: float) -> list[UUID]:
        """Note workers that fell silent as gone."""

    def slots(self) -> dict[str, int]:
        """Return live slots per queue."""

    def engine_builds(self) -> list[KnownBuild]:
        """Return every engine build known with its live slots: those of live workers first, then the latest seen."""


class Dispatch(Protocol):
    """The waiting line and its release to the broker. System scope."""

    def try_lock(self) -> bool:
        """Let no other dispatcher count and release before this transaction ends; False if one is at it."""

    def pending_queues(self) -> list[str]:
        """Return queues that have pending tasks."""

    def in_flight(self) -> dict[str, int]:
        """Return released and running tasks per queue."""

    def running_tasks(self) -> dict[str, int]:
        """Return running tasks per queue."""

    def queue_depths(self) -> dict[str, int]:
        """Return tasks per queue that wait for a slot; those of a paused job wait for a person and do not count."""

    def demands(self, queue: str) -> list[Demand]:
        """Return what jobs want of a queue, oldest job first."""

    def release(self, queue: str, job_id: UUID, count: int) -> list[ReleasedTask]:
        """Mark up to `count` pending tasks of a job as released, longest first."""

    def recall(self, queue: str, job_id: UUID) -> int:
        """Put the last released task of a job that no slot claimed back to pending; return how many (0 or 1)."""

    def take_back(self, task_ids: Sequence[UUID]) -> None:
        """Put released tasks back to pending because their message was not sent."""

    def take_back_lost(self, *, older_than_s: float, only_if_idle: bool) -> list[UUID]:
        """Put back released tasks whose message must be lost."""


class Control(Protocol):
    """What the leader does: leases, recovery, the ends of jobs. System scope; every step is idempotent."""

    def hold_lease(self, name: str, holder: UUID, *, ttl_s: float) -> tuple[int, float] | None:
        """Take or renew a lease; return (epoch, seconds held) or None while somebody else holds it."""

    def drop_lease(self, name: str, holder: UUID) -> None:
        """Give a lease back so that the next leader need not wait."""

    def server_started_at(self) -> datetime:
        """When this PostgreSQL server started."""

    def reclaim(self, *, silent_s: float) -> list[ReleasedTask]:
        """End attempts that fell silent as lost and put their tasks back."""

    def jobs_by_state(self) -> dict[str, int]:
        """Return how many jobs, not deleted, are in each state."""

    def jobs_to_plan(self, *, low_water_tasks: int) -> list[tuple[UUID, UUID]]:
        """Return (org, job) of working jobs whose planned tasks run low and that no plan task serves."""

    def cancel_leftovers(self) -> None:
        """Cancel what waits of jobs that end or have ended."""

    def ended_jobs(self) -> list[UUID]:
        """Return unfinished jobs with nothing left to do, or with a failed task."""

    def finish_job(self, job_id: UUID) -> JobState | None:
        """Bring one such job to its final state, or return None when another did or it is not due."""
