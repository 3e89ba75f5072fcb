"""Poses of a screen scored by another engine or scoring function; docs/reference/rescoring.md says what it means."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from molecular_analysis_dashboard.domain.docking import DockingProtocol, RejectedLigand, SearchEffort
from molecular_analysis_dashboard.domain.rejections import RejectionReason

# More are asked for by ranks, in several jobs.
MAX_LIGANDS = 100_000
# Docked atoms may stand on the wall of the box or just beyond it, and relaxing moves them further.
MARGIN_ANGSTROM = 4.0
# CPU seconds of one pose of a drug-like ligand with Vina's bindings, in place or relaxed; docs/reference/rescoring.md
# has it measured. Good enough to cut tasks by.
POSE_COST_S = 0.3
# Of fewer ligands a rank correlation says nothing.
MIN_COMPARED = 3


@dataclass(frozen=True)
class RescoringMethod:
    """What poses are scored with.

    Parameters
    ----------
    relax : bool
        Whether each pose is first led to the nearest minimum of that score.
    """

    engine: str
    scoring: str
    relax: bool = False

    @property
    def protocol(self) -> DockingProtocol:
        """A protocol that opens a site for it; nothing is searched, so all else is as every engine takes it."""
        return DockingProtocol(engine=self.engine, scoring=self.scoring, effort=SearchEffort())

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{scored_by(self.engine, self.scoring)}{', relaxed' if self.relax else ''}"


@dataclass(frozen=True)
class RescoredPose:
    """What another scoring function says of one pose.

    Parameters
    ----------
    score_kcal_mol : float
        Where the pose lies, or after relaxing.
    moved_angstrom : float, optional
        How far relaxing moved it: symmetry-aware RMSD of the heavy atoms, not superposed; None in place.
    coordinates : bytes, optional
        Where relaxing led, as of `domain.docking.Pose`; None in place.
    """

    score_kcal_mol: float
    seconds_cpu: float = 0.0
    moved_angstrom: float | None = None
    coordinates: bytes | None = None


PoseOutcome = RescoredPose | RejectedLigand


@dataclass(frozen=True)
class NewPoseScore:
    """One pose of a ligand with its docking score and what became of its rescoring."""

    state_no: int
    rank: int
    docked_score_kcal_mol: float
    outcome: PoseOutcome


@dataclass(frozen=True)
class PoseScore:
    """The scores of one pose as stored; `reason` and `message` say why there is no new one."""

    rank: int
    docked_score_kcal_mol: float
    score_kcal_mol: float | None
    moved_angstrom: float | None
    reason: RejectionReason | None
    message: str | None


@dataclass(frozen=True)
class RescoredLigand:
    """One ligand of a rescoring by its best new score.

    Ranks count the ligands of the job that have a new score, 1 is best, equals share theirs; they are None, like
    the score, for a ligand none of whose poses has one.

    Parameters
    ----------
    pose : int, optional
        Rank by docking of the pose that scores best now.
    """

    ligand_id: UUID
    name: str
    smiles: str
    inchikey: str
    heavy_atoms: int
    docked_score_kcal_mol: float
    docked_rank: int | None
    score_kcal_mol: float | None
    rank: int | None
    pose: int | None
    reason: RejectionReason | None
    message: str | None
    seconds_cpu: float
    recorded_at: datetime
    poses: tuple[PoseScore, ...] = ()

    @property
    def rank_change(self) -> int | None:
        """Places gained, negative when lost."""
        return None if self.rank is None or self.docked_rank is None else self.docked_rank - self.rank

    @property
    def moved_angstrom(self) -> float | None:
        """How far relaxing moved the pose that scores best now."""
        return next((pose.moved_angstrom for pose in self.poses if pose.rank == self.pose), None)


class RescoringOrder(StrEnum):
    """Orders of rescored ligands, best first."""

    SCORE = "score"
    DOCKED_SCORE = "docked_score"


@dataclass(frozen=True)
class RankAgreement:
    """How alike two rankings of the same ligands are.

    Parameters
    ----------
    spearman, kendall : float, optional
        Rank correlations, -1 to 1, Kendall's as tau-b; None of fewer than three ligands, and where all ligands of one
        ranking have the same score.
    """

    n_ligands: int
    spearman: float | None
    kendall: float | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-compatible values."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild it from what `as_json` returned."""
        return cls(**body)


@dataclass(frozen=True)
class Rescoring:
    """A job that rescores poses, and how well its ranking agrees once every ligand has an outcome.

    Parameters
    ----------
    docked_engine, docked_scoring : str
        What the poses were docked with.
    max_poses : int
        Most poses of each ligand, the best first.
    """

    job_id: UUID
    screen_id: UUID
    method: RescoringMethod
    docked_engine: str
    docked_scoring: str
    max_poses: int
    agreement: RankAgreement | None = None

    @property
    def sentence(self) -> str | None:
        """What the agreement says, in words."""
        found = self.agreement
        if found is None:
            return None
        between = f"docked by {scored_by(self.docked_engine, self.docked_scoring)} and rescored by {self.method.label}"
        if found.spearman is None or found.kendall is None:
            return f"{found.n_ligands} ligand(s) {between}: too few different scores to compare ranks."
        return (
            f"Ranks of {found.n_ligands} ligands {between}: Spearman's rho {found.spearman:.2f}, Kendall's tau "
            f"{found.kendall:.2f}."
        )


def scored_by(engine: str, scoring: str) -> str:
    """Name an engine and its scoring function, once if they are called alike."""
    return engine if engine == scoring else f"{engine} ({scoring})"
