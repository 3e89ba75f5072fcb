"""Rescorings: what to score again with what, and the new ranking beside the old one."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from molecular_analysis_dashboard.domain import analyses
from molecular_analysis_dashboard.domain.analyses import LigandChoice
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.presentation.api.schemas.analyses import Ranks
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Flag, Name, View, Whole
from molecular_analysis_dashboard.presentation.api.schemas.hit_filters import HitFiltersInBody


class RescoringCreate(Body):
    """Poses of some ligands to be scored by another engine or scoring function; by default those of all hits."""

    name: Name | None = Field(default=None, description="Made of the screen's when absent.")
    engine: Name | None = Field(default=None, description="That of the screen when absent.", examples=["vina"])
    scoring: Name | None = Field(
        default=None,
        description="When absent, that of the screen if the engine offers it, else the engine's default.",
        examples=["vinardo"],
    )
    relax: Flag = Field(default=False, description="Lead each pose to the nearest minimum of the new score first.")
    ranks: Ranks | None = Field(default=None, description="All hits that pass the filter when absent.")
    filter: HitFiltersInBody = HitFiltersInBody()
    ligand_ids: list[UUID] = Field(
        default=[], max_length=analyses.MAX_LIGANDS, description="When given, ranks and filter do not count."
    )
    max_poses: Whole | None = Field(
        default=None, ge=1, le=100, description="Most poses of each ligand, the best first; all when absent."
    )
    priority: Whole = Field(default=0, ge=-100, le=100, description="Higher goes first.")

    @property
    def choice(self) -> LigandChoice:
        """The domain's choice."""
        first, last = (1, None) if self.ranks is None else (self.ranks.first, self.ranks.last)
        return LigandChoice(first, last, tuple(self.ligand_ids))

    @property
    def where(self) -> HitFilter:
        """The domain's filter."""
        return self.filter.as_filter()


class RankAgreement(View):
    """How alike the two rankings are, ties shared; coefficients are null where there is too little to compare."""

    n_ligands: int = Field(description="Ligands with both scores.")
    spearman: float | None = Field(description="Spearman's rho.")
    kendall: float | None = Field(description="Kendall's tau-b.")


class RescoringMethod(View):
    """What poses are scored with."""

    engine: str
    scoring: str
    relax: bool


class Rescoring(View):
    """What a job rescores, and once it has completed, how well the rankings agree."""

    job_id: UUID
    screen_id: UUID
    method: RescoringMethod
    docked_engine: str
    docked_scoring: str
    max_poses: int
    agreement: RankAgreement | None
    sentence: str | None = Field(description="The agreement in words.")


class RescoredPose(View):
    """One pose with both scores."""

    rank: int = Field(description="By docking; 1 is best.")
    docked_score_kcal_mol: float
    score_kcal_mol: float | None
    moved_angstrom: float | None = Field(
        description="How far relaxing moved it: heavy atoms, best mapping, no superposition. Null in place."
    )
    reason: RejectionReason | None = Field(description="Why there is no new score.")
    message: str | None


class RescoredLigand(View):
    """One ligand by its best new score. Ranks count the ligands of the job with a new score; equals share theirs."""

    ligand_id: UUID
    name: str
    smiles: str
    heavy_atoms: int
    rank: int | None
    rank_change: int | None = Field(description="Places gained, negative when lost.")
    score_kcal_mol: float | None
    docked_rank: int | None
    docked_score_kcal_mol: float
    pose: int | None = Field(description="Rank by docking of the pose that scores best now.")
    reason: RejectionReason | None = Field(description="Why no pose has a new score: that of the best docked one.")
    message: str | None
    seconds_cpu: float
    recorded_at: datetime
    poses: list[RescoredPose]


class RescoredLigandPage(View):
    """Rescored ligands in the asked order."""

    items: list[RescoredLigand]
    next_cursor: str | None = None
