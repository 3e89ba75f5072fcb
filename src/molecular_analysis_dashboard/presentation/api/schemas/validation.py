"""Redockings and validations: what they found."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from molecular_analysis_dashboard.domain.redocking import BondOrderSource, MissCause, Verdict
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.presentation.api.schemas.common import View
from molecular_analysis_dashboard.presentation.api.schemas.sites import SiteCheck


class RedockedPose(View):
    """One kept pose of a run."""

    rank: int
    score_kcal_mol: float
    rmsd_angstrom: float = Field(
        description="To the native pose: heavy atoms under the best symmetric mapping, not superposed."
    )


class NativeScore(View):
    """The native pose as the scoring function sees it."""

    in_place_kcal_mol: float | None = Field(description="Where the crystal has it; small clashes weigh heavily here.")
    relaxed_kcal_mol: float | None = Field(description="After a local optimization by the same scoring function.")
    relaxed_rmsd_angstrom: float | None = Field(description="How far that led from the crystal.")
    message: str = Field(description="Why there is no score.")


class RedockingRun(View):
    """One run; it waits while it has neither poses nor a reason."""

    run_no: int
    seed: int
    top_score_kcal_mol: float | None
    top_rmsd_angstrom: float | None = Field(description="Of the best-scored pose.")
    best_rmsd_angstrom: float | None = Field(description="Least of the kept poses.")
    poses: list[RedockedPose]
    native: NativeScore
    miss: MissCause | None = Field(description="Why the best-scored pose is not the native one, where it is not.")
    state_smiles: str | None
    reason: RejectionReason | None
    message: str
    seconds_cpu: float


class RedockingVerdict(View):
    """The conclusion from all runs, with the rule that it follows."""

    verdict: Verdict
    sentence: str
    rule: str


class NativeLigand(View):
    """What is docked again."""

    name: str
    mol_block: str | None = Field(description="With bond orders, where the crystal has it; null until they are known.")
    bond_order_source: BondOrderSource | None
    warnings: list[str]


class Redocking(View):
    """A redocking: its native ligand, the check of its box, its runs and, once all have ended, the verdict."""

    job_id: UUID
    native: NativeLigand
    checks: list[SiteCheck]
    runs: list[RedockingRun]
    verdict: RedockingVerdict | None
    judged_at: datetime | None


class Estimate(View):
    """A figure with its bootstrap interval."""

    value: float
    low: float
    high: float


class Metrics(View):
    """What a ranking achieves."""

    roc_auc: Estimate = Field(description="0.5 is chance.")
    bedroc: Estimate = Field(description="Early recognition, 0 to 1; at `bedroc_alpha`.")
    ef1: Estimate = Field(description="Enrichment factor of the first 1 % of the list; 1 is chance.")
    ef5: Estimate = Field(description="Enrichment factor of the first 5 % of the list.")


class RocPoint(View):
    """Share of the actives found when so large a share of the decoys is let in."""

    false_positive_rate: float
    true_positive_rate: float


class Enrichment(View):
    """How well the ranking tells actives from decoys, beside a ranking by heavy atoms alone."""

    n_actives: int = Field(description="As counted, rejected ones included.")
    n_decoys: int
    n_rejected_actives: int = Field(description="Without a score: ranked last.")
    n_rejected_decoys: int
    n_in_both: int = Field(description="Ligands whose molecule is in both sets: counted in neither.")
    docking: Metrics
    size: Metrics = Field(description="The larger the molecule, the earlier.")
    difference: Metrics = Field(description="Docking less size, on the same resamples.")
    max_ef1: float = Field(description="The largest `ef1` that these numbers allow.")
    roc: list[RocPoint]
    size_roc: list[RocPoint]
    bedroc_alpha: float
    resamples: int
    confidence: float


class Validation(View):
    """A validation: its two libraries and, once every ligand has an outcome, the metrics."""

    job_id: UUID
    actives_library_id: UUID
    decoys_library_id: UUID
    enrichment: Enrichment | None
