"""How often the native ligand's place is among the first pockets, over the redocking set and by the product's own path.

Every receptor is prepared by default and without a site, as `mad pockets` does it, so the ligand has no part in what is
found. Reads `MAD_BENCHMARK_DATA/redocking`. Three criteria are printed, each with its limit of 4 Å where it has one:

- *atom*: from the pocket's centre to the nearest atom of the native ligand (the usual DCA; Le Guilloux 2009 calls it
  PocketPicker's criterion);
- *sphere*: from the native ligand's centre to the nearest alpha sphere's centre, so that large pockets count too;
- *box*: the box proposed holds every heavy atom of the native ligand.

Complexes count as single-chain if the file has one chain name and no stretch of residues twice: the ligand of a dimer
may have been cut from either copy of the site.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from benchmarks.data import data_folder
from benchmarks.redocking_set import Complex, read_complexes

from molecular_analysis_dashboard.adapters.chemistry.alpha_spheres import Floats
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import IN_CHAIN, classified
from molecular_analysis_dashboard.adapters.chemistry.native_ligand import read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.pockets import find_pockets, ranked_clusters, surface_of
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions

LIMIT_ANGSTROM = 4.0
# A stretch of residues that stands in a structure twice is a copy of a chain.
COPY_RESIDUES = 20
CRITERIA = ("atom", "sphere", "box")
NOT_FOUND = 10**6


@dataclass(frozen=True)
class Row:
    """Where the native ligand's place stands among the pockets of one complex: a rank by criterion."""

    id: str
    n_pockets: int
    ranks: dict[str, int]
    volume_angstrom3: float
    cpu_s: float


def main() -> None:
    """Run what is asked for and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="complexes of several chains too, which take longer")
    parser.add_argument("--complexes", type=int, default=10**6, help="how many at most, the cheapest ligands first")
    arguments = parser.parse_args()
    single, rows = set(), []
    for found in read_complexes(data_folder())[: arguments.complexes]:
        if is_single_chain(found.protein):
            single.add(found.id)
        elif not arguments.all:
            continue
        try:
            rows.append(_measured(found))
            print(_line(rows[-1], is_single=found.id in single), flush=True)
        except MadError as refusal:
            print(f"{found.id}  refused: [{refusal.error_code}] {refusal.message[:100]}", flush=True)
    _summarize([row for row in rows if row.id in single], "single-chain complexes")
    if arguments.all:
        _summarize(rows, "all complexes")


def is_single_chain(path: Path) -> bool:
    """Whether a file has one chain, and that only once."""
    model = read_structure(path.read_bytes(), path.name)[0]
    chains = [names for chain in model if (names := list(_residue_names(chain)))]
    if len(chains) != 1:
        return False
    stretches = [tuple(chains[0][start : start + COPY_RESIDUES]) for start in range(len(chains[0]) - COPY_RESIDUES)]
    return len(stretches) == len(set(stretches))


def _residue_names(chain: gemmi.Chain) -> Iterator[str]:
    return (residue.name for residue, kind in classified(chain) if kind in IN_CHAIN)


def _measured(found: Complex) -> Row:
    native = np.array(read_ligand_file(found.ligand.read_bytes(), found.ligand.name).coordinates)
    prepared = prepare_receptor(found.protein.read_bytes(), found.protein.name, ReceptorOptions())
    started = time.process_time()
    pockets = find_pockets(prepared.pdb)
    cpu_s = time.process_time() - started
    spheres = [spheres.centers for _, spheres in ranked_clusters(surface_of(prepared.pdb))[: len(pockets)]]
    ranks = {
        "atom": _first(_distance(native, np.array(pocket.center)) <= LIMIT_ANGSTROM for pocket in pockets),
        "sphere": _first(_distance(centers, native.mean(axis=0)) <= LIMIT_ANGSTROM for centers in spheres),
        "box": _first(all(pocket.box.contains((x, y, z)) for x, y, z in native) for pocket in pockets),
    }
    return Row(found.id, len(pockets), ranks, pockets[0].box.volume_angstrom3 if pockets else 0.0, cpu_s)


def _distance(points: Floats, place: Floats) -> float:
    return float(np.linalg.norm(points - place, axis=1).min())


def _first(hits: Iterator[bool]) -> int:
    return next((rank for rank, is_hit in enumerate(hits, start=1) if is_hit), NOT_FOUND)


def _line(row: Row, *, is_single: bool) -> str:
    ranks = "  ".join(f"{name} {'-' if rank == NOT_FOUND else rank:>2}" for name, rank in row.ranks.items())
    chains = "one chain" if is_single else "several"
    return (
        f"{row.id}  {chains:9}  {row.n_pockets:2} pockets  rank by {ranks}  "
        f"first box {row.volume_angstrom3:7,.0f} Å³  {row.cpu_s:4.1f} CPU s"
    )


def _summarize(rows: Sequence[Row], what: str) -> None:
    if not rows:
        return
    print(f"\n{len(rows)} {what}: native ligand's place among the first pockets (95 % interval over complexes)")
    print(f"{'criterion':10}{'top 1':>24}{'top 3':>24}{'any':>24}")
    for name in CRITERIA:
        ranks = np.array([row.ranks[name] for row in rows])
        print(f"{name:10}" + "".join(f"{_share(ranks <= limit):>24}" for limit in (1, 3, NOT_FOUND - 1)))
    boxes = np.array([row.volume_angstrom3 for row in rows])
    print(f"box of the first pocket: median {np.median(boxes):,.0f} Å³, largest {boxes.max():,.0f} Å³")
    print(f"CPU of the search: median {np.median([row.cpu_s for row in rows]):.1f} s")


def _share(hits: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> str:
    """Return the share in per cent with a bootstrap interval."""
    chance = random.Random(1)
    resampled = [100 * float(np.mean(chance.choices(list(hits), k=len(hits)))) for _ in range(2000)]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return f"{100 * float(np.mean(hits)):.0f} % ({low:.0f} to {high:.0f})"


if __name__ == "__main__":
    main()
