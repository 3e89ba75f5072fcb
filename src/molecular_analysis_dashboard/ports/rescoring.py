"""The repository of rescorings, and what compares two rankings."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from molecular_analysis_dashboard.domain.jobs import ClaimedTask
from molecular_analysis_dashboard.domain.rescoring import (
    NewPoseScore,
    PoseScore,
    RankAgreement,
    RescoredLigand,
    Rescoring,
    RescoringOrder,
)
from molecular_analysis_dashboard.domain.results import StoredPose


class Rescorings(Protocol):
    """Rescorings with their ligands and poses; they belong to their job, and a screen may have many."""

    def add(self, rescoring: Rescoring) -> None:
        """Store what is asked."""

    def get(self, job_id: UUID) -> Rescoring:
        """Return one, or raise NotFound."""

    def done(self, task: ClaimedTask) -> dict[UUID, bool]:
        """Return the task's ligands that are recorded already: id to whether it has a new score."""

    def record(self, task: ClaimedTask, ligand_id: UUID, poses: Sequence[NewPoseScore]) -> bool:
        """Write a ligand with its poses, best docked first, under the fence of its task; False if it was there."""

    def ligands(
        self, job_id: UUID, *, order: RescoringOrder, after: tuple[float, UUID] | None, limit: int
    ) -> list[RescoredLigand]:
        """Return the ligands that have a new score, in a stable order behind the (value, ligand id) `after`."""

    def refused(self, job_id: UUID, *, after: tuple[float, UUID] | None, limit: int) -> list[RescoredLigand]:
        """Return the ligands none of whose poses has a new score, best docking score first."""

    def poses(self, job_id: UUID, ligand_ids: Sequence[UUID]) -> list[tuple[StoredPose, PoseScore]]:
        """Return poses that have a new score, in the order of the ids and of rank: where relaxing led, if it did."""

    def scores(self, job_id: UUID) -> list[tuple[float, float]]:
        """Return docking score and new score of every ligand that has both."""

    def conclude(self, job_id: UUID, agreement: RankAgreement) -> None:
        """Store how well the rankings agree."""


class Comparison(Protocol):
    """Compares rankings."""

    def __call__(self, scores: Sequence[tuple[float, float]]) -> RankAgreement:
        """Correlate the ranks of two scores of each ligand, ties shared."""
