"""What docking from several ring conformations is worth: native ligands with saturated rings, docked back.

Reads `MAD_BENCHMARK_DATA/redocking`. Every ligand starts from its SMILES with the stereo of the crystal, so no
coordinate of the crystal reaches the search, in the one charge state of its file. Two questions, each with the
conformation that the embedding happened on (`embedded`) and with the least strained ones (`docked`):

- How many native ring systems have a start conformation within 0.4 Å (ring atoms and their heavy neighbours)?
- How often does the best pose lie within 2 Å, at the same exhaustiveness? CPU time of preparation and docking is shown.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from benchmarks.data import data_folder
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.conformers import embed, relax
from molecular_analysis_dashboard.adapters.chemistry.poses import pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.chemistry.ring_conformers import ring_conformers
from molecular_analysis_dashboard.adapters.chemistry.ring_fragments import floppy_ring_systems
from molecular_analysis_dashboard.adapters.chemistry.ring_puckers import RingLikeness
from molecular_analysis_dashboard.adapters.chemistry.sites import box_around
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions

ARMS = {
    "embedded": LigandOptions(protonate=False, max_states=1, ring_conformers=0),
    "docked": LigandOptions(protonate=False, max_states=1),
}
FOUND_ANGSTROM, SAME_PUCKER_ANGSTROM = 2.0, 0.4
EMBEDDING_SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Complex:
    """A receptor file and its native ligand, heavy atoms with their hands, in the crystal's frame."""

    id: str
    receptor: Path
    native: Chem.Mol


@dataclass(frozen=True)
class Run:
    """One docking of one native ligand."""

    id: str
    arm: str
    seed: int
    rmsd_angstrom: float
    score_kcal_mol: float
    seconds_cpu: float


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--exhaustiveness", type=int, default=8)
    parser.add_argument("--heaviest", type=int, default=40, help="most heavy atoms of a ligand")
    parser.add_argument("ids", nargs="*", help="only these complexes")
    given = parser.parse_args()
    complexes = [
        one
        for one in complexes_with_floppy_rings(data_folder() / "redocking")
        if (not given.ids or one.id in given.ids) and one.native.GetNumAtoms() <= given.heaviest
    ]
    print_coverage(complexes)
    runs = [
        run for one in complexes for run in redock(one, SearchEffort(given.exhaustiveness), range(1, given.seeds + 1))
    ]
    print_runs(runs)


def complexes_with_floppy_rings(folder: Path) -> Iterator[Complex]:
    """Yield the complexes whose ligand has a ring that bends and that docking keeps rigid."""
    with (folder / "manifest.csv").open(newline="") as lines:
        ids = [row["id"] for row in csv.DictReader(lines)]
    for name in ids:
        native = Chem.RemoveHs(Chem.MolFromMolFile(str(folder / name / f"{name}_ligand.sdf")))
        if floppy_ring_systems(Chem.AddHs(native)):
            yield Complex(name, folder / name / f"{name}_protein.pdb.gz", native)


def print_coverage(complexes: Sequence[Complex]) -> None:
    """Print how near the start conformations come to the native ring conformations."""
    nearest: dict[str, list[float]] = {"embedded": [], "least strained": [], "docked": []}
    for one, seed in product(complexes, EMBEDDING_SEEDS):
        for embedded, docked in ring_deviations(one.native, seed):
            nearest["embedded"].append(embedded)
            nearest["least strained"].append(docked[0])
            nearest["docked"].append(min(docked))
    print(f"ring systems of {len(complexes)} native ligands, {len(EMBEDDING_SEEDS)} embeddings each")
    for name, deviations in nearest.items():
        near = np.mean(np.array(deviations) <= SAME_PUCKER_ANGSTROM)
        print(f"  {name:15} {near:4.0%} within {SAME_PUCKER_ANGSTROM} Å, mean {np.mean(deviations):.2f} Å", flush=True)


def ring_deviations(native: Chem.Mol, seed: int) -> Iterator[tuple[float, list[float]]]:
    """Yield, for each ring system, how far (Å) the embedded and each docked conformation are from the native one."""
    mol = Chem.AddHs(native)
    mol.RemoveAllConformers()
    embed(mol, seed)
    relax(mol)
    starts = ring_conformers(mol, (), ARMS["docked"].ring_conformers)
    positions = [one.GetConformer().GetPositions() for one in (native, mol)]
    for system in floppy_ring_systems(native):
        likeness, atoms = RingLikeness(native, system), list(system.atoms)
        there, embedded = (one[atoms] for one in positions)
        yield (
            likeness.deviation_angstrom(there, embedded),
            [likeness.deviation_angstrom(there, start[atoms]) for start in starts],
        )


def redock(one: Complex, effort: SearchEffort, seeds: Sequence[int]) -> Iterator[Run]:
    """Dock the native ligand of one complex by both arms in turn, so that a busy machine burdens both alike."""
    box = box_around(one.native.GetConformer().GetPositions())
    try:
        receptor = prepare_receptor(one.receptor.read_bytes(), one.receptor.name, ReceptorOptions())
        protocol = DockingProtocol(effort=effort)
        site = VinaEngine().open_site(receptor.pdbqt, box, protocol)
    except MadError as error:
        print(f"  {one.id} left out: {error.message[:100]}", flush=True)
        return
    ligand = LigandInput(one.id, one.id, Chem.MolToSmiles(one.native))
    for seed, (arm, options) in product(seeds, ARMS.items()):
        outcome = dock_ligand(site, ligand, DockingProtocol(effort=effort, seed=seed, ligands=options), [one.id])
        if not isinstance(outcome, DockedLigand):
            print(f"  {one.id} {arm}: {outcome.message[:100]}", flush=True)
            continue
        best = pose_mol(outcome.state_mol_block, outcome.poses[0].coordinates)
        rmsd = symmetry_rmsd(one.native, best)
        run = Run(one.id, arm, seed, rmsd, outcome.score_kcal_mol, outcome.seconds_cpu)
        print(
            f"  {one.id} {arm:9} {seed}: {rmsd:5.2f} Å, {run.score_kcal_mol:6.2f} kcal/mol, {run.seconds_cpu:.0f} s",
            flush=True,
        )
        yield run


def print_runs(runs: Sequence[Run]) -> None:
    """Print success, score and CPU time of each arm."""
    for arm in ARMS:
        mine = [run for run in runs if run.arm == arm]
        found = np.mean([run.rmsd_angstrom <= FOUND_ANGSTROM for run in mine])
        score = np.mean([run.score_kcal_mol for run in mine])
        seconds = sum(run.seconds_cpu for run in mine)
        print(
            f"{arm:9} {found:4.0%} of {len(mine)} within {FOUND_ANGSTROM:g} Å, "
            f"mean best score {score:.2f} kcal/mol, {seconds:.0f} CPU s"
        )


if __name__ == "__main__":
    main()
