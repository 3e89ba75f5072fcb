"""Actives and decoys: how well a ranking by docking score tells them apart, beside a ranking by size alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

# Truchon and Bayly 2007, doi:10.1021/ci600426e: at 20 the first 8 % of the list make 80 % of the figure.
BEDROC_ALPHA = 20.0
RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class RankedMolecule:
    """One ligand as it is ranked.

    Parameters
    ----------
    score_kcal_mol : float or None
        None for a rejected ligand, which is ranked last.
    is_in_both : bool
        The same molecule is among the actives and among the decoys: it is counted in neither.
    """

    is_active: bool
    score_kcal_mol: float | None
    heavy_atoms: int
    is_in_both: bool = False


@dataclass(frozen=True)
class Estimate:
    """A figure with its bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Metrics:
    """What one ranking achieves.

    Parameters
    ----------
    roc_auc : Estimate
        0.5 is chance.
    bedroc : Estimate
        At `BEDROC_ALPHA`, 0 to 1.
    ef1, ef5 : Estimate
        Enrichment factor of the first 1 % and 5 % of the list; 1 is chance.
    """

    roc_auc: Estimate
    bedroc: Estimate
    ef1: Estimate
    ef5: Estimate


@dataclass(frozen=True)
class RocPoint:
    """Share of the actives found when so large a share of the decoys is let in."""

    false_positive_rate: float
    true_positive_rate: float


@dataclass(frozen=True)
class Enrichment:
    """The whole validation.

    Parameters
    ----------
    n_actives, n_decoys : int
        As counted, rejected ones included, those in both sets not.
    difference : Metrics
        Docking less size, from the same resamples: paired.
    max_ef1 : float
        The largest enrichment factor at 1 % that these numbers allow.
    """

    n_actives: int
    n_decoys: int
    n_rejected_actives: int
    n_rejected_decoys: int
    n_in_both: int
    docking: Metrics
    size: Metrics
    difference: Metrics
    max_ef1: float
    roc: tuple[RocPoint, ...]
    size_roc: tuple[RocPoint, ...]
    bedroc_alpha: float = BEDROC_ALPHA
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-compatible values."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild it from what `as_json` returned."""
        curves = {name: tuple(RocPoint(**point) for point in body[name]) for name in ("roc", "size_roc")}
        metrics = {name: _metrics(body[name]) for name in ("docking", "size", "difference")}
        return cls(**{**body, **curves, **metrics})


@dataclass(frozen=True)
class Validation:
    """A screen over actives and decoys, and what its ranking achieves once every ligand has an outcome."""

    job_id: UUID
    actives_library_id: UUID
    decoys_library_id: UUID
    enrichment: Enrichment | None = None


def _metrics(body: Mapping[str, Any]) -> Metrics:
    return Metrics(**{name: Estimate(**estimate) for name, estimate in body.items()})
