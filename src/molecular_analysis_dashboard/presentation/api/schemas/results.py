"""Hit lists, rejected ligands and poses."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from molecular_analysis_dashboard.domain.analyses import NotAnalysed
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.presentation.api.schemas.common import View


class LigandProperties(View):
    """Descriptors of the ligand's neutral parent."""

    logp: float = Field(description="Crippen's logP.")
    tpsa: float = Field(description="Topological polar surface area, Å².")
    h_bond_donors: int
    h_bond_acceptors: int
    rotatable_bonds: int
    rings: int
    fraction_sp3: float = Field(description="Share of carbons that are sp3.")
    qed: float = Field(description="Quantitative estimate of drug-likeness, 0 to 1.")
    alerts: list[str] = Field(description="Structural alerts as CATALOGUE:name.", examples=[["NIH:rhodanine"]])


class HitAnalysis(View):
    """What the analysis of the best pose came to."""

    analysed_at: datetime
    failure: NotAnalysed | None = Field(description="Why the pose is not analysed, although it was tried.")
    valid: bool | None = Field(description="Whether it passes every check; null where one could not be computed.")
    failed_checks: list[str]
    strain_kcal_mol: float | None


class Hit(View):
    """One scored ligand."""

    ligand_id: UUID
    name: str
    smiles: str
    inchikey: str
    heavy_atoms: int
    molecular_weight: float = Field(description="g/mol")
    score_kcal_mol: float = Field(description="Docking score of the best pose; lower is better.")
    ligand_efficiency: float = Field(description="Score per heavy atom, sign reversed: higher is better.")
    size_corrected_score: float = Field(description="Score divided by the cube root of the heavy atoms' number.")
    n_poses: int
    state_smiles: str = Field(description="The protomer and stereoisomer that was best.")
    seconds_cpu: float
    n_rounds: int | None = Field(description="Independent search rounds of that state.")
    converged: bool | None = Field(
        description="Whether enough rounds found the best pose; null where a single round cannot tell."
    )
    score_spread_kcal_mol: float | None = Field(
        description="Worst less best of the rounds' best scores; null for a single round."
    )
    notes: list[str] = Field(description="What was left out of the ligand's record, such as counter-ions.")
    recorded_at: datetime
    properties: LigandProperties | None
    analysis: HitAnalysis | None = Field(description="Null until the best pose was analysed.")


class HitPage(View):
    """Hits in the asked order."""

    items: list[Hit]
    next_cursor: str | None = None
    total: int | None = Field(default=None, description="Hits that pass the filters; only with `with_total=true`.")


class PoseScore(View):
    """One pose of a hit; its coordinates are in `poses.sdf`."""

    rank: int = Field(description="1 is best.")
    score_kcal_mol: float
    side_chains_pdb: str | None = Field(
        description="The protocol's flexible residues as this pose has them, as PDB; null where all were rigid."
    )


class HitDetail(Hit):
    """One scored ligand with everything its score depends on."""

    poses: list[PoseScore]
    provenance: dict[str, Any]


class RejectedAt(StrEnum):
    """Where a record was rejected."""

    READING = "reading"
    DOCKING = "docking"


class RejectedItem(View):
    """A record or ligand of the job without a score, and why."""

    stage: RejectedAt
    ligand_id: UUID | None
    line: int
    name: str
    input: str
    reason: RejectionReason
    message: str


class RejectedPage(View):
    """Rejected records by line of the library's file."""

    items: list[RejectedItem]
    next_cursor: str | None = None
