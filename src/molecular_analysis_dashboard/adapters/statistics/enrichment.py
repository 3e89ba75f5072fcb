"""ROC-AUC, BEDROC and enrichment factors with bootstrap intervals, ties shared out.

Molecules of equal rank share what their places are worth: their order would otherwise come from the order of the
input. Each figure is therefore the mean over all orders of the tied molecules; without ties they are those of
`rdkit.ML.Scoring.Scoring`, which takes the list in the order given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.domain.enrichment import (
    BEDROC_ALPHA,
    CONFIDENCE,
    RESAMPLES,
    Enrichment,
    Estimate,
    Metrics,
    RankedMolecule,
    RocPoint,
)
from molecular_analysis_dashboard.domain.errors import InvalidInput

Numbers = NDArray[np.float64]
# So many numbers of resamples are held at a time.
_BATCH_NUMBERS = 4_000_000
_MAX_ROC_POINTS = 1000
_FRACTIONS = {"ef1": 0.01, "ef5": 0.05}


def evaluate(molecules: Sequence[RankedMolecule], *, seed: int) -> Enrichment:
    """Compute every metric of the ranking by score and of that by size; see `ports.validation.Evaluation`.

    Actives and decoys are resampled each among themselves, so that their numbers stay; both rankings are judged on
    the same resamples.
    """
    counted = [molecule for molecule in molecules if not molecule.is_in_both]
    active = np.array([molecule.is_active for molecule in counted], dtype=bool)
    _refuse_one_class(active)
    # Rejected molecules come last, and together; the larger a molecule, the earlier by size.
    scores = [np.inf if molecule.score_kcal_mol is None else molecule.score_kcal_mol for molecule in counted]
    rankings = [Ranking.by(np.array(scores), active), Ranking.by(-_sizes(counted), active)]
    values = [ranking.metrics(np.ones((1, len(counted)))) for ranking in rankings]
    resampled = _resampled(rankings, active, seed)
    docking, size = (_estimates(value, found) for value, found in zip(values, resampled, strict=True))
    difference = _estimates(
        {name: values[0][name] - values[1][name] for name in values[0]},
        {name: resampled[0][name] - resampled[1][name] for name in resampled[0]},
    )
    n_actives = int(active.sum())
    rejected = [molecule.is_active for molecule in counted if molecule.score_kcal_mol is None]
    return Enrichment(
        n_actives=n_actives,
        n_decoys=len(counted) - n_actives,
        n_rejected_actives=sum(rejected),
        n_rejected_decoys=len(rejected) - sum(rejected),
        n_in_both=len(molecules) - len(counted),
        docking=docking,
        size=size,
        difference=difference,
        max_ef1=_largest_factor(len(counted), n_actives, _FRACTIONS["ef1"]),
        roc=rankings[0].curve(),
        size_roc=rankings[1].curve(),
    )


@dataclass(frozen=True)
class Ranking:
    """Molecules in groups of equal rank, best first.

    Parameters
    ----------
    order : array of int, shape (n,)
        Molecules by rank.
    starts : array of int, shape (groups,)
        Where each group begins in `order`.
    active : array of bool, shape (n,)
        Of the molecules in `order`.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    active: NDArray[np.bool_]

    @classmethod
    def by(cls, keys: Numbers, active: NDArray[np.bool_]) -> "Ranking":
        """Rank by ascending keys."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        # Compared, not subtracted: infinity less infinity is no number.
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        return cls(order, starts, active[order])

    def groups(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Return actives and all molecules per group, shape (resamples, groups), for weights (resamples, n)."""
        ordered = weights[:, self.order]
        return (
            np.add.reduceat(ordered * self.active, self.starts, axis=1),
            np.add.reduceat(ordered, self.starts, axis=1),
        )

    def metrics(self, weights: Numbers) -> dict[str, Numbers]:
        """Return each metric by name, shape (resamples,)."""
        actives, members = self.groups(weights)
        found = {"roc_auc": roc_auc(actives, members), "bedroc": bedroc(actives, members)}
        factors = {name: enrichment_factor(actives, members, share) for name, share in _FRACTIONS.items()}
        return found | factors

    def curve(self) -> tuple[RocPoint, ...]:
        """Return the ROC curve from (0, 0) to (1, 1), a straight line across each group of ties."""
        actives, members = (found[0] for found in self.groups(np.ones((1, len(self.order)))))
        true = np.concatenate([[0.0], np.cumsum(actives) / actives.sum()])
        false = np.concatenate([[0.0], np.cumsum(members - actives) / (members - actives).sum()])
        kept = np.unique(np.linspace(0, len(true) - 1, min(len(true), _MAX_ROC_POINTS)).round().astype(int))
        return tuple(RocPoint(round(float(false[i]), 6), round(float(true[i]), 6)) for i in kept)


def roc_auc(actives: Numbers, members: Numbers) -> Numbers:
    """Return the probability that an active comes before a decoy, ties counting one half (Mann and Whitney 1947)."""
    decoys = members - actives
    worse = decoys.sum(axis=1, keepdims=True) - np.cumsum(decoys, axis=1)
    won = (actives * (worse + decoys / 2)).sum(axis=1)
    value: Numbers = won / (actives.sum(axis=1) * decoys.sum(axis=1))
    return value


def bedroc(actives: Numbers, members: Numbers, alpha: float = BEDROC_ALPHA) -> Numbers:
    """Return the Boltzmann-enhanced discrimination of ROC (Truchon and Bayly 2007, doi:10.1021/ci600426e, eq. 36)."""
    total, n = members.sum(axis=1, keepdims=True), actives.sum(axis=1, keepdims=True)
    last = np.cumsum(members, axis=1)
    # Sum of exp(-alpha r / N) over the ranks r of a group, a geometric series.
    step = alpha / total
    series = (np.exp(-step * (last - members)) - np.exp(-step * last)) / np.expm1(step)
    share = np.divide(actives, members, out=np.zeros_like(members), where=members > 0)
    found = (share * series).sum(axis=1) / n[:, 0]
    n, total = n[:, 0], total[:, 0]
    ratio = n / total
    chance = (1 - np.exp(-alpha)) / (total * np.expm1(alpha / total))
    scale = ratio * np.sinh(alpha / 2) / (np.cosh(alpha / 2) - np.cosh(alpha / 2 - alpha * ratio))
    value: Numbers = found / chance * scale + 1 / (1 - np.exp(alpha * (1 - ratio)))
    return value


def enrichment_factor(actives: Numbers, members: Numbers, share: float) -> Numbers:
    """Return the share of actives among the first molecules over that among all; `share` of the list, rounded up."""
    total, n = members.sum(axis=1, keepdims=True), actives.sum(axis=1, keepdims=True)
    taken = np.ceil(share * total - 1e-9)
    before = np.cumsum(members, axis=1) - members
    # Of a group that the limit cuts through, as many actives as its share of them.
    part = np.clip(taken - before, 0, members)
    found = (actives * np.divide(part, members, out=np.zeros_like(members), where=members > 0)).sum(axis=1)
    value: Numbers = (found / taken[:, 0]) / (n[:, 0] / total[:, 0])
    return value


def _sizes(molecules: Sequence[RankedMolecule]) -> Numbers:
    return np.array([molecule.heavy_atoms for molecule in molecules], dtype=np.float64)


def _refuse_one_class(active: NDArray[np.bool_]) -> None:
    for is_there, what in ((active.any(), "active"), ((~active).any(), "decoy")):
        if not is_there:
            raise InvalidInput(
                f"No {what} is left, so nothing can be told apart. Molecules that are among the actives and among the "
                "decoys count in neither.",
                code="enrichment_one_class",
            )


def _largest_factor(total: int, n_actives: int, share: float) -> float:
    taken = np.ceil(share * total - 1e-9)
    return float(min(n_actives, taken) / taken / (n_actives / total))


def _resampled(rankings: Sequence[Ranking], active: NDArray[np.bool_], seed: int) -> list[dict[str, Numbers]]:
    """Return each ranking's metrics over the same resamples, shape (RESAMPLES,)."""
    generator = np.random.default_rng(seed)
    size = max(1, min(RESAMPLES, _BATCH_NUMBERS // len(active)))
    batches: list[list[dict[str, Numbers]]] = []
    for begin in range(0, RESAMPLES, size):
        weights = np.zeros((min(size, RESAMPLES - begin), len(active)))
        for members in (np.flatnonzero(active), np.flatnonzero(~active)):
            even = np.full(len(members), 1 / len(members))
            weights[:, members] = generator.multinomial(len(members), even, size=len(weights))
        batches.append([ranking.metrics(weights) for ranking in rankings])
    return [
        {name: np.concatenate([batch[number][name] for batch in batches]) for name in batches[0][number]}
        for number in range(len(rankings))
    ]


def _estimates(values: dict[str, Numbers], resampled: dict[str, Numbers]) -> Metrics:
    tail = 100 * (1 - CONFIDENCE) / 2

    def estimate(name: str) -> Estimate:
        low, high = np.percentile(resampled[name], [tail, 100 - tail])
        return Estimate(float(values[name][0]), float(low), float(high))

    return Metrics(*(estimate(name) for name in ("roc_auc", "bedroc", "ef1", "ef5")))
