"""What use cases ask of the database about analyses of poses."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import AnalysedPose, StoredAnalysis
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Job


class Analyses(Protocol):
    """Analyses of the poses of screens; they belong to the screen, whichever job made them."""

    def done(self, task: ClaimedTask, screen_id: UUID) -> dict[UUID, bool]:
        """Return the task's ligands that need no analysis: id to whether it succeeded.

        A ligand that failed under another task is tried again.
        """

    def record(self, task: ClaimedTask, screen_id: UUID, ligand_id: UUID, poses: Sequence[AnalysedPose]) -> bool:
        """Store the analyses of one ligand's poses, best first; False if others have succeeded meanwhile.

        The caller holds the task (`Ledger.own`) in the same transaction.
        """

    def of_ligand(self, screen_id: UUID, ligand_id: UUID) -> list[StoredAnalysis]:
        """Return the analyses of one ligand's poses, best first."""

    def interactions_of_best(self, screen_id: UUID, ligand_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """Return ``TYPE@RESIDUE`` of the best pose of each analysed ligand."""

    def screens_due(self) -> list[Job]:
        """Lock and return completed screens whose best ligands are still to be analysed. System scope."""

    def asked(self, screen_id: UUID) -> None:
        """Note that the analyses of a completed screen were asked for."""
