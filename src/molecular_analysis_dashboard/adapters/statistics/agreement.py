"""How alike two rankings are."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import kendalltau, spearmanr

from molecular_analysis_dashboard.domain.rescoring import MIN_COMPARED, RankAgreement


def rank_agreement(scores: Sequence[tuple[float, float]]) -> RankAgreement:
    """Correlate the ranks of two scores of each ligand; see `ports.rescoring.Comparison`.

    Spearman's rho is that of mean ranks, Kendall's tau is tau-b (Kendall 1945, doi:10.1093/biomet/33.3.239): both
    share ties out.
    """
    pairs = np.array(scores, dtype=np.float64).reshape(-1, 2)
    if len(pairs) < MIN_COMPARED or (pairs == pairs[0]).all(axis=0).any():
        return RankAgreement(len(pairs), None, None)
    first, second = pairs.T
    return RankAgreement(
        len(pairs), float(spearmanr(first, second).statistic), float(kendalltau(first, second).statistic)
    )
