"""How well docking tells actives from decoys, beside a ranking by heavy atoms alone.

Docks a sample of each set of `MAD_BENCHMARK_DATA/enrichment` that has a receptor among DOCKSTRING's targets, by the
product's own path, and prints ROC-AUC, BEDROC and enrichment factors with 95 % bootstrap intervals, as a `validate`
job does. Scores are kept in `--results` as they come, so that a later call goes on where an earlier one stopped.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.data import data_folder
from benchmarks.docking import dock_smiles, effort_named, engine_process, site_of
from benchmarks.enrichment_sets import EnrichmentSet, read_set, set_names
from rdkit import Chem

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.adapters.engines.registry import installed_builds
from molecular_analysis_dashboard.adapters.statistics.enrichment import evaluate
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol
from molecular_analysis_dashboard.domain.enrichment import Estimate, RankedMolecule

# What a score depends on: set, molecule, engine build and effort.
Key = tuple[str, str, str, str]


def main() -> None:
    """Dock what is missing within the budget, then print the table."""
    data = data_folder()
    options = _options(set_names(data))
    scores = dict(_read(options.results))
    until = time.monotonic() + 60 * options.budget_minutes
    with engine_process() as process:
        for name in options.sets:
            chosen = _sample(read_set(data, name), options.actives, options.decoys)
            _dock(process, chosen, scores, options, until)
            _print(chosen, scores, options.effort)


def _dock(
    process: EngineProcess,
    chosen: EnrichmentSet,
    scores: dict[Key, float | None],
    options: argparse.Namespace,
    until: float,
) -> None:
    protocol = DockingProtocol(effort=effort_named(options.effort), n_poses=1)
    site = site_of(chosen.receptor_pdbqt, chosen.box, protocol)
    for smiles in _evenly(chosen):
        key = (chosen.name, smiles, _build(), options.effort)
        if key in scores:
            continue
        if time.monotonic() > until:
            print("The budget is used up; call again to go on. The table is over what is docked so far.")
            return
        outcome = dock_smiles(process, site, smiles)
        scores[key] = outcome.score_kcal_mol if isinstance(outcome, DockedLigand) else None
        options.results.parent.mkdir(parents=True, exist_ok=True)
        with options.results.open("a") as stream:
            stream.write(json.dumps([*key, scores[key]]) + "\n")


def _evenly(chosen: EnrichmentSet) -> list[str]:
    """Return the molecules so that whatever is docked first has about the sample's share of actives."""
    parts = (chosen.actives, chosen.decoys)
    placed = [((number + 0.5) / len(part), smiles) for part in parts for number, (smiles, _) in enumerate(part)]
    return [smiles for _, smiles in sorted(placed)]


def _print(chosen: EnrichmentSet, scores: dict[Key, float | None], effort: str) -> None:
    molecules = [
        RankedMolecule(is_active, scores[key], Chem.MolFromSmiles(smiles).GetNumHeavyAtoms())
        for is_active, part in ((True, chosen.actives), (False, chosen.decoys))
        for smiles, _ in part
        if (key := (chosen.name, smiles, _build(), effort)) in scores
    ]
    if len({molecule.is_active for molecule in molecules}) < 2:
        return
    found = evaluate(molecules, seed=1)
    print(
        f"\n{chosen.name}: {found.n_actives} actives ({found.n_rejected_actives} without a score), "
        f"{found.n_decoys} decoys ({found.n_rejected_decoys}); {_build()}, effort {effort}"
    )
    for ranking in ("docking", "size", "difference"):
        metrics = getattr(found, ranking)
        shown = (f"{name} {_shown(getattr(metrics, name))}" for name in ("roc_auc", "bedroc", "ef1", "ef5"))
        print(f"  {ranking:<10}  " + "   ".join(shown))


def _shown(found: Estimate) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _sample(whole: EnrichmentSet, actives: int, decoys: int) -> EnrichmentSet:
    """Return a sample that does not depend on the order of the files; a larger one holds the smaller ones."""
    picked = []
    for part, number in ((whole.actives, actives), (whole.decoys, decoys)):
        ordered = sorted(part)
        random.Random(whole.name).shuffle(ordered)
        picked.append(tuple(ordered[:number]))
    return EnrichmentSet(whole.name, picked[0], picked[1], whole.receptor_pdbqt, whole.box)


@cache
def _build() -> str:
    return next(found.build_id for found in installed_builds() if found.engine == "vina")


def _read(results: Path) -> Iterator[tuple[Key, float | None]]:
    if results.exists():
        for line in results.read_text().splitlines():
            name, smiles, build, effort, score = json.loads(line)
            yield (name, smiles, build, effort), score


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=names, choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--actives", type=int, default=20, help="at most so many of each set")
    parser.add_argument("--decoys", type=int, default=200, help="at most so many of each set")
    parser.add_argument("--effort", default="standard", help="preset, or the exhaustiveness of Vina's plain search")
    parser.add_argument("--budget-minutes", type=float, default=30.0, help="begin no ligand after so long")
    parser.add_argument("--results", type=Path, default=Path("bench-results/enrichment.jsonl"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
