"""The repositories of redockings and of validations by actives and decoys, and what computes the latter."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from molecular_analysis_dashboard.domain.enrichment import Enrichment, RankedMolecule, Validation
from molecular_analysis_dashboard.domain.jobs import ClaimedTask
from molecular_analysis_dashboard.domain.redocking import (
    NativeMolecule,
    NewRun,
    Redocking,
    RedockingRun,
    RedockingVerdict,
    RedockOutcome,
)
from molecular_analysis_dashboard.domain.results import StoredPose


class Redockings(Protocol):
    """Redockings, their runs and poses."""

    def add(self, redocking: Redocking, runs: Sequence[NewRun]) -> None:
        """Store a redocking with its runs, which wait."""

    def get(self, job_id: UUID) -> Redocking:
        """Return one, or raise NotFound."""

    def run(self, run_id: UUID) -> RedockingRun:
        """Return one run, or raise NotFound."""

    def runs(self, job_id: UUID) -> list[RedockingRun]:
        """Return the runs of a redocking by number, those that wait without poses."""

    def provenance(self, job_id: UUID) -> list[Mapping[str, object]]:
        """Return what each finished run depended on, by number."""

    def poses(self, job_id: UUID) -> list[tuple[RedockingRun, StoredPose]]:
        """Return all poses, by run and rank."""

    def native_found(self, job_id: UUID, native: NativeMolecule) -> None:
        """Note the native ligand with its bond orders; the first that is noted stays."""

    def record(self, task: ClaimedTask, run_id: UUID, outcome: RedockOutcome, provenance: Mapping[str, object]) -> bool:
        """Write the outcome of a run under the fence of its task; False if it had one already."""

    def judge(self, job_id: UUID, verdict: RedockingVerdict) -> None:
        """Store the verdict."""


class Validations(Protocol):
    """Screens over actives and decoys, and their metrics."""

    def add(self, job_id: UUID, decoy_library_id: UUID) -> None:
        """Note whose decoys a job screens beside its own library of actives."""

    def get(self, job_id: UUID) -> Validation:
        """Return one, or raise NotFound."""

    def molecules(self, job_id: UUID) -> list[RankedMolecule]:
        """Return every ligand that the job has an outcome of."""

    def save(self, job_id: UUID, enrichment: Enrichment) -> None:
        """Store the metrics."""


class Evaluation(Protocol):
    """Computes enrichment."""

    def __call__(self, molecules: Sequence[RankedMolecule], *, seed: int) -> Enrichment:
        """Compute every metric with its interval.

        Raises
        ------
        InvalidInput
            ``enrichment_one_class`` if no active or no decoy is left.
        """
