"""What the analysis of a pose costs, part by part.

Prints, for native ligands of `MAD_BENCHMARK_DATA/redocking` in their own receptors, the CPU milliseconds of opening the
receptor (once per task), of the first pose of a ligand (which makes its conformers) and of a further one, split into
PoseBusters, ProLIF and strain, and of the descriptors and alerts that are computed when a ligand is docked.
"""

import gzip
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_properties import ligand_properties
from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import residues_near_box
from molecular_analysis_dashboard.adapters.chemistry.pose_checks import PoseChecker
from molecular_analysis_dashboard.adapters.chemistry.pose_interactions import InteractionFinder
from molecular_analysis_dashboard.adapters.chemistry.strain import strain
from molecular_analysis_dashboard.domain.sites import SearchBox

COMPLEXES = 12
T = TypeVar("T")
PADDING_ANGSTROM, MARGIN_ANGSTROM = 5.0, 12.0


def main() -> None:
    """Measure each complex twice: the second round finds everything warm."""
    if "MAD_BENCHMARK_DATA" not in os.environ:
        sys.exit("Set MAD_BENCHMARK_DATA to the folder with the benchmark data.")
    found: dict[str, list[float]] = {}
    for name, receptor, ligand in _complexes(Path(os.environ["MAD_BENCHMARK_DATA"]) / "redocking"):
        for part, milliseconds in _measure(receptor, ligand).items():
            found.setdefault(part, []).append(milliseconds)
        print(f"{name}: {ligand.GetNumHeavyAtoms()} heavy atoms", file=sys.stderr)
    print(f"{'part':<36}{'median ms':>12}{'largest ms':>12}")
    for part, values in found.items():
        print(f"{part:<36}{statistics.median(values):>12.1f}{max(values):>12.1f}")


def _measure(receptor_pdb: str, ligand: Chem.Mol) -> dict[str, float]:
    positions = ligand.GetConformer().GetPositions()
    low, high = positions.min(axis=0), positions.max(axis=0)
    center, size = ((low + high) / 2).tolist(), (high - low + 2 * PADDING_ANGSTROM).tolist()
    box = SearchBox(tuple(center), tuple(size))
    block, smiles = Chem.MolToMolBlock(ligand), Chem.MolToSmiles(Chem.RemoveHs(ligand))
    open_ms, (checker, finder) = _timed(lambda: _open(receptor_pdb, box))
    parts: dict[str, Callable[[], object]] = {
        "PoseBusters": lambda: checker.checks(ligand),
        "ProLIF": lambda: finder.interactions(ligand),
        "strain": lambda: strain(block, ligand),
    }
    first = {f"{name}, first pose": _timed(work)[0] for name, work in parts.items()}
    further = {f"{name}, further pose": _timed(work)[0] for name, work in parts.items()}
    ligand_properties(smiles)
    return {
        "receptor opened": open_ms,
        **first,
        **further,
        "descriptors and alerts": _timed(lambda: ligand_properties(smiles))[0],
    }


def _open(receptor_pdb: str, box: SearchBox) -> tuple[PoseChecker, InteractionFinder]:
    residues = residues_near_box(receptor_pdb, box, MARGIN_ANGSTROM)
    return PoseChecker(residues), InteractionFinder(residues)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.process_time()
    made = work()
    return (time.process_time() - started) * 1000, made


def _complexes(folder: Path) -> Iterator[tuple[str, str, Chem.Mol]]:
    """Yield complexes whose files RDKit reads as they are; preparing receptors is measured elsewhere."""
    count = 0
    for path in sorted(folder.iterdir()):
        receptors, ligands = sorted(path.glob("*protein.pdb.gz")), sorted(path.glob("*ligand.sdf"))
        if not receptors or not ligands or count == COMPLEXES:
            continue
        ligand = Chem.MolFromMolFile(str(ligands[0]))
        if ligand is not None:
            count += 1
            yield path.name, gzip.decompress(receptors[0].read_bytes()).decode(), Chem.AddHs(ligand, addCoords=True)


if __name__ == "__main__":
    main()
