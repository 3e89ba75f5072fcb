"""Analyses of poses: what to analyse, and what was found."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from molecular_analysis_dashboard.domain.analyses import MAX_LIGANDS, InteractionType, LigandChoice, NotAnalysed
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Name, View, Whole
from molecular_analysis_dashboard.presentation.api.schemas.hit_filters import HitFiltersInBody
from molecular_analysis_dashboard.presentation.api.schemas.results import LigandProperties

Rank = Annotated[int, Field(strict=True, ge=1, le=100_000_000)]


class Ranks(Body):
    """Ranks by docking score, among the hits that pass the filter."""

    first: Rank = 1
    last: Rank = 100

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last must not be less than first")
        return self


class AnalysisCreate(Body):
    """Analyses of the poses of some ligands: by rank, by rank among those that pass a filter, or by id."""

    name: Name | None = Field(default=None, description="Made of the screen's when absent.")
    ranks: Ranks = Field(default_factory=Ranks)
    filter: HitFiltersInBody = HitFiltersInBody()
    ligand_ids: list[UUID] = Field(
        default=[], max_length=MAX_LIGANDS, description="When given, ranks and filter do not count."
    )
    max_poses: Whole = Field(default=3, ge=1, le=100, description="Most poses of each ligand, the best first.")
    priority: Whole = Field(default=0, ge=-100, le=100, description="Higher goes first.")

    @property
    def choice(self) -> LigandChoice:
        """The domain's choice."""
        return LigandChoice(self.ranks.first, self.ranks.last, tuple(self.ligand_ids))

    @property
    def where(self) -> HitFilter:
        """The domain's filter."""
        return self.filter.as_filter()


class Interaction(View):
    """The closest interaction of one type with one residue."""

    type: InteractionType
    residue: str = Field(examples=["A:GLU80"])
    distance_angstrom: float


class PoseAnalysis(View):
    """What was found out about one pose."""

    rank: int = Field(description="Of the pose; 1 is best.")
    failure: NotAnalysed | None = Field(description="Why it is not analysed.")
    message: str | None
    valid: bool | None = Field(description="Whether it passes every check; null where one could not be computed.")
    checks: dict[str, bool | None] = Field(description="PoseBusters' checks by name; null: could not be computed.")
    interactions: list[Interaction]
    strain_kcal_mol: float | None
    strain_method: str
    problems: dict[str, str] = Field(description="Sentences by the part that could not be done.")
    seconds_cpu: float
    analysed_at: datetime


class Ranking(View):
    """Place of the ligand in its screen by each order of quality; 1 is best, equals share theirs."""

    score: int
    ligand_efficiency: int
    size_corrected_score: int


class LigandAnalysis(View):
    """Everything that is known about one hit besides its docking."""

    ligand_id: UUID
    name: str
    ranks: Ranking
    properties: LigandProperties | None
    poses: list[PoseAnalysis] = Field(description="Best first; empty if the ligand was not analysed yet.")
    rmsd_angstrom: list[list[float]] = Field(
        description="Symmetric matrix of the analysed poses: heavy atoms, best mapping, no superposition, in Å."
    )


class Cluster(View):
    """Ligands that are like its leader, which has the best score of them."""

    leader: UUID
    name: str = Field(description="Of the leader.")
    size: int
    ligand_ids: list[UUID] = Field(description="Leader first, then by score.")


class ClusterList(View):
    """Clusters, that of the best score first."""

    items: list[Cluster]
    n_ligands: int
