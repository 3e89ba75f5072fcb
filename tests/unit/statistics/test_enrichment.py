import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from rdkit.ML.Scoring import Scoring

from molecular_analysis_dashboard.adapters.statistics.enrichment import Ranking, evaluate
from molecular_analysis_dashboard.domain.enrichment import Enrichment, RankedMolecule
from molecular_analysis_dashboard.domain.errors import InvalidInput


def metrics(active: Sequence[int], keys: Sequence[float] | None = None) -> dict[str, float]:
    """Metrics of a list, best first, or ranked by ascending keys."""
    flags = np.array(active, dtype=bool)
    ranking = Ranking.by(np.array(keys if keys is not None else range(len(flags)), dtype=float), flags)
    return {name: float(value[0]) for name, value in ranking.metrics(np.ones((1, len(flags)))).items()}


def of_rdkit(active: Sequence[int]) -> dict[str, float]:
    rows = [[flag] for flag in active]
    ef1, ef5 = Scoring.CalcEnrichment(rows, 0, [0.01, 0.05])  # type: ignore[no-untyped-call]
    auc, bedroc = Scoring.CalcAUC(rows, 0), Scoring.CalcBEDROC(rows, 0, 20.0)  # type: ignore[no-untyped-call]
    return {"roc_auc": auc, "bedroc": bedroc, "ef1": ef1, "ef5": ef5}


def molecules(**counts: int) -> list[RankedMolecule]:
    return [RankedMolecule(True, -9.0, 20)] * counts["actives"] + [RankedMolecule(False, -5.0, 30)] * counts["decoys"]


@pytest.mark.parametrize("n", [20, 100, 997])
def test_without_ties_they_are_rdkit_s(n: int) -> None:
    random = np.random.default_rng(n)
    active = (random.random(n) < 0.2).astype(int)

    assert metrics(active.tolist()) == pytest.approx(of_rdkit(active.tolist()))


@pytest.mark.parametrize("active", [[1, 0, 0, 1, 0], [0, 1, 1, 0, 0], [1, 1, 0, 0, 1]])
def test_ties_give_the_mean_over_all_orders(active: list[int]) -> None:
    head, tied = active[:1], active[1:]
    orders = [metrics([*head, *order]) for order in permutations(tied)]

    shared = metrics(active, [0.0] + [1.0] * len(tied))

    assert shared == pytest.approx({name: np.mean([order[name] for order in orders]) for name in shared})


def test_best_and_worst_lists() -> None:
    best, worst = metrics([1] * 10 + [0] * 990), metrics([0] * 990 + [1] * 10)

    assert (best["roc_auc"], best["ef1"], best["ef5"]) == (1.0, 100.0, 20.0)
    assert best["bedroc"] == pytest.approx(1.0)
    assert (worst["roc_auc"], worst["ef1"]) == (0.0, 0.0)
    assert worst["bedroc"] == pytest.approx(0.0, abs=1e-9)


def test_all_scores_equal_say_nothing() -> None:
    found = metrics([1, 0, 0, 1, 0, 0, 0, 0], [1.0] * 8)

    assert (found["roc_auc"], found["ef1"], found["ef5"]) == (0.5, 1.0, 1.0)


@pytest.mark.parametrize("missing", ["active", "decoy"])
def test_one_class_alone_is_refused(missing: str) -> None:
    only = molecules(actives=5 * (missing == "decoy"), decoys=5 * (missing == "active"))

    with pytest.raises(InvalidInput, match=f"No {missing} is left") as refused:
        evaluate(only, seed=1)
    assert refused.value.error_code == "enrichment_one_class"


def test_rejected_molecules_are_last_and_shown() -> None:
    lost = [RankedMolecule(True, None, 20)] * 2 + [RankedMolecule(False, None, 30)]

    found = evaluate([*molecules(actives=2, decoys=3), *lost], seed=1)

    assert (found.n_actives, found.n_decoys, found.n_rejected_actives, found.n_rejected_decoys) == (4, 4, 2, 1)
    # Two actives before all decoys; two tied with one decoy, behind three: (2*4 + 2*0.5) / 16.
    assert found.docking.roc_auc.value == pytest.approx(9 / 16)
    assert found.size.roc_auc.value == 0.0


def test_a_molecule_in_both_sets_counts_in_neither() -> None:
    twice = [RankedMolecule(True, -99.0, 1, is_in_both=True), RankedMolecule(False, -99.0, 1, is_in_both=True)]

    found, without = evaluate([*molecules(actives=3, decoys=9), *twice], seed=1), molecules(actives=3, decoys=9)

    assert found.n_in_both == 2
    assert found.docking == evaluate(without, seed=1).docking
    with pytest.raises(InvalidInput):
        evaluate(twice, seed=1)


def test_intervals_hold_the_value_repeat_and_widen_with_fewer_molecules() -> None:
    random = np.random.default_rng(3)
    few = [RankedMolecule(bool(n % 5 == 0), float(random.normal() - (n % 5 == 0)), 20 + n % 7) for n in range(60)]
    many = [RankedMolecule(bool(n % 5 == 0), float(random.normal() - (n % 5 == 0)), 20 + n % 7) for n in range(3000)]

    small, again, large = evaluate(few, seed=7), evaluate(few, seed=7), evaluate(many, seed=7)

    assert small == again
    for name in ("roc_auc", "bedroc", "ef5"):
        one, other = getattr(small.docking, name), getattr(large.docking, name)
        assert one.low <= one.value <= one.high
        assert one.high - one.low > other.high - other.low


def test_difference_of_a_ranking_by_size_to_itself_is_nothing() -> None:
    random = np.random.default_rng(5)
    sizes = random.integers(10, 40, 200).tolist()
    same = [RankedMolecule(n % 4 == 0, -float(size), size) for n, size in enumerate(sizes)]

    found = evaluate(same, seed=1)

    assert found.docking == found.size
    assert (found.difference.roc_auc.low, found.difference.roc_auc.high) == (0.0, 0.0)


def test_roc_curve_goes_from_corner_to_corner_and_has_the_area() -> None:
    random = np.random.default_rng(9)
    several = [RankedMolecule(n % 6 == 0, round(float(random.normal()), 1), 20) for n in range(5000)]

    found = evaluate(several, seed=1)

    x, y = zip(*((point.false_positive_rate, point.true_positive_rate) for point in found.roc), strict=True)
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert list(x) == sorted(x)
    assert np.trapezoid(y, x) == pytest.approx(found.docking.roc_auc.value, abs=1e-4)
    assert len(found.size_roc) == 2


def test_largest_factor_is_told() -> None:
    assert evaluate(molecules(actives=50, decoys=50), seed=1).max_ef1 == 2.0
    assert evaluate(molecules(actives=1, decoys=399), seed=1).max_ef1 == pytest.approx(100.0)


def test_it_survives_its_storage() -> None:
    found = evaluate(molecules(actives=3, decoys=9), seed=1)

    assert Enrichment.from_json(found.as_json()) == found
    assert all(math.isfinite(value) for value in (found.docking.bedroc.low, found.docking.ef1.high))
