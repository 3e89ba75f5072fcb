import pytest

from molecular_analysis_dashboard.adapters.statistics.agreement import rank_agreement
from molecular_analysis_dashboard.domain.rescoring import RankAgreement


def agreement(first: list[float], second: list[float]) -> RankAgreement:
    return rank_agreement(list(zip(first, second, strict=True)))


@pytest.mark.parametrize(
    ("second", "spearman", "kendall"),
    [
        ([-8.0, -6.0, -5.0, -1.0], 1.0, 1.0),
        ([-1.0, -5.0, -6.0, -8.0], -1.0, -1.0),
        # One pair of six changes places.
        ([-8.0, -5.0, -6.0, -1.0], 0.8, 2 / 3),
        # Ranks 1.5, 1.5, 3, 4 against 1 to 4: 4.5 of sqrt(5 * 4.5), and 5 pairs of sqrt(6 * 5).
        ([-8.0, -8.0, -6.0, -1.0], 4.5 / (5 * 4.5) ** 0.5, 5 / 30**0.5),
    ],
)
def test_ranks_are_correlated_and_ties_shared(second: list[float], spearman: float, kendall: float) -> None:
    found = agreement([-9.0, -7.0, -6.0, -2.0], second)

    assert found.n_ligands == 4
    assert found.spearman == pytest.approx(spearman)
    assert found.kendall == pytest.approx(kendall)


def test_only_ranks_count() -> None:
    scores = [-9.0, -7.0, -6.0, -2.0]

    assert agreement(scores, [1e6, 2.0, -3.0, -1e6]) == agreement(scores, [4.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], []),
        ([-1.0], [-2.0]),
        ([-1.0, -2.0], [-2.0, -1.0]),
        ([-1.0, -2.0, -3.0], [-5.0, -5.0, -5.0]),
        ([-7.0, -7.0, -7.0], [-1.0, -2.0, -3.0]),
    ],
)
def test_what_cannot_be_compared_has_no_number(first: list[float], second: list[float]) -> None:
    assert agreement(first, second) == RankAgreement(len(first), None, None)
