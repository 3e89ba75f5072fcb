"""The table of the docking benchmark, out of its measurements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from benchmarks.docking_pairs import FLEXIBLE_TORSIONS
from benchmarks.docking_runs import Measured

BASE, DEEP = "vina 8", "vina 32"
_NEAR_KCAL_MOL = 0.3
_HEAD = (
    f"{'setting':<30} {'pairs':>5} {'CPU s':>7} {'ratio':>6} {'loss against 8':>16} {'p95':>6} {'against 32':>15} "
    f"{'n32':>4} {'near':>5} {'rho':>6}"
)


def table(rows: Sequence[Measured], maps_s: Mapping[str, float]) -> list[str]:
    """Return the lines of the table, first of all pairs, then of the flexible ones.

    Parameters
    ----------
    maps_s : Mapping[str, float]
        CPU seconds of the maps of a setting, over all targets; shared out over its ligands.
    """
    flexible = [row for row in rows if row.torsions >= FLEXIBLE_TORSIONS]
    lines = ["all ligands", _HEAD, *_lines(rows, maps_s)]
    if flexible:
        lines += [f"ligands of {FLEXIBLE_TORSIONS} torsions and more", _HEAD, *_lines(flexible, {})]
    return [
        *lines,
        *_trust(rows),
        "CPU s: mean per ligand. ratio: sum of vina 8 over sum of the setting. loss: best energy against vina 8 and 32",
        "in kcal/mol, mean +- standard error over pairs; p95 over pairs and seeds. near: within 0.3 of the best known.",
        "rho: rank correlation of the score with that of the best known pose, over pairs.",
    ]


def _trust(rows: Sequence[Measured]) -> list[str]:
    """Return what it is worth that a search calls itself converged: how many such came near the best known."""
    best = _best_known(rows)
    missed: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for row in rows:
        if row.converged is not None:
            missed[row.setting, row.converged].append(row.objective_kcal_mol - best[row.pair].objective_kcal_mol)
    return [
        f"{setting}: {len(values)} {'converged' if converged else 'not converged'}, "
        f"{np.mean([value <= _NEAR_KCAL_MOL for value in values]):.0%} within {_NEAR_KCAL_MOL} of the best known, "
        f"worst {max(values):.2f}"
        for (setting, converged), values in sorted(missed.items())
    ]


def _best_known(rows: Sequence[Measured]) -> dict[str, Measured]:
    best: dict[str, Measured] = {}
    for row in rows:
        best[row.pair] = min(best.get(row.pair, row), row, key=lambda one: one.objective_kcal_mol)
    return best


def _lines(rows: Sequence[Measured], maps_s: Mapping[str, float]) -> list[str]:
    by_setting: dict[str, dict[str, list[Measured]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_setting[row.setting][row.pair].append(row)
    best, base = _best_known(rows), by_setting.get(BASE, {})
    return [_line(name, found, base, by_setting.get(DEEP, {}), best, maps_s) for name, found in by_setting.items()]


def _line(
    name: str,
    found: Mapping[str, Sequence[Measured]],
    base: Mapping[str, Sequence[Measured]],
    deep: Mapping[str, Sequence[Measured]],
    best: Mapping[str, Measured],
    maps_s: Mapping[str, float],
) -> str:
    both = [pair for pair in found if pair in base]
    cpu_s = [_mean(found[pair], "cpu_s") for pair in both]
    total_s = sum(cpu_s) + maps_s.get(name, 0.0) * len(both) / max(len(found), 1)
    ratio = sum(_mean(base[pair], "cpu_s") for pair in both) / total_s if total_s else float("nan")
    loss, tail = _loss(found, base)
    loss_32, _ = _loss(found, deep)
    n_deep = sum(pair in deep for pair in found)
    all_rows = [(pair, row) for pair in found for row in found[pair]]
    near = np.mean([row.objective_kcal_mol - best[pair].objective_kcal_mol <= _NEAR_KCAL_MOL for pair, row in all_rows])
    rho = _rank_correlation(
        [_mean(found[pair], "score_kcal_mol") for pair in found], [best[pair].score_kcal_mol for pair in found]
    )
    return (
        f"{name:<30} {len(found):>5} {total_s / max(len(both), 1):>7.2f} {ratio:>6.2f} {loss:>16} {tail:>6} "
        f"{loss_32:>15} {n_deep:>4} {near:>5.2f} {rho:>6.3f}"
    )


def _mean(rows: Sequence[Measured], field: str) -> float:
    return float(np.mean([getattr(row, field) for row in rows]))


def _loss(found: Mapping[str, Sequence[Measured]], base: Mapping[str, Sequence[Measured]]) -> tuple[str, str]:
    """Return the mean loss with its standard error over pairs, and its 95th percentile over pairs and seeds."""
    each = [
        [row.objective_kcal_mol - _mean(base[pair], "objective_kcal_mol") for row in found[pair]]
        for pair in found
        if pair in base
    ]
    if not each:
        return "-", "-"
    means = np.array([np.mean(values) for values in each])
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else float("nan")
    tail = np.percentile([value for values in each for value in values], 95)
    return f"{means.mean():+.3f} +- {error:.3f}", f"{tail:.2f}"


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation; ties do not happen among energies."""
    if len(first) < 3:
        return float("nan")
    one, other = (np.argsort(np.argsort(values)) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])
