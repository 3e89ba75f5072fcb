"""What preparing a ligand costs beside the four library calls it cannot do without.

For drug-like ligands of `MAD_BENCHMARK_DATA/library`, prints CPU milliseconds a state of the bare calls (protonation by
dimorphite-dl, embedding and force field by RDKit, typing by Meeko), of the whole preparation without ring
conformations, and of the ring conformations on top, all of the same run. The ratio is the figure that counts: at most
1.3.
"""

import gzip
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from benchmarks.data import data_folder
from dimorphite_dl import protonate_smiles
from meeko import MoleculePreparation, PDBQTWriterLegacy
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.ring_fragments import floppy_ring_systems
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.rejections import LigandRejected

LIBRARIES = ("set_A_100k.smi.gz", "zinc_druglike_10k.smi.gz")
LIGANDS, SEED, TARGET = 50, 7, 1.3
BARE = ("protonation", "embedding", "force field", "typing")
PLAIN, WITH_RINGS = LigandOptions(ring_conformers=0), LigandOptions()


def main() -> None:
    """Measure ligand after ligand, so that a busy machine burdens all sides alike."""
    folder = data_folder() / "library"
    for name in LIBRARIES:
        print(f"{name}: {', '.join(report(list(parents(folder / name))))}", flush=True)


def parents(path: Path) -> Iterator[str]:
    """Yield the SMILES of every hundredth ligand."""
    with gzip.open(path, "rt") as lines:
        for line in islice(lines, 1, 100 * LIGANDS, 100):
            yield Chem.MolToSmiles(Chem.MolFromSmiles(line.split()[0]))


def report(ligands: Sequence[str]) -> Iterator[str]:
    """Yield the figures of one library."""
    spent: dict[str, float] = defaultdict(float)
    n_states = n_bending = 0
    warm_up(ligands[0])
    for smiles in ligands:
        ligand = LigandInput("", "", smiles)
        try:
            seconds, states = cpu_s(lambda one=ligand: prepare_states(one, PLAIN, SEED))
        except LigandRejected:
            continue
        spent["prepared"] += seconds
        spent["with rings"] += cpu_s(lambda one=ligand: prepare_states(one, WITH_RINGS, SEED))[0]
        spent["protonation"] += cpu_s(lambda one=smiles: protonate_smiles(one, ph_min=7.4, ph_max=7.4, precision=0.5))[
            0
        ]
        for state in states:
            bare_calls(state.smiles, spent)
            n_states += 1
            n_bending += bool(floppy_ring_systems(Chem.AddHs(Chem.MolFromSmiles(state.smiles))))
    bare = sum(spent[name] for name in BARE)
    yield f"{n_states} states of {len(ligands)} ligands"
    yield "bare " + " + ".join(f"{1000 * spent[name] / n_states:.1f} ({name})" for name in BARE) + " ms a state"
    yield f"prepared {1000 * spent['prepared'] / n_states:.1f} ms"
    yield f"prepared/bare {spent['prepared'] / bare:.2f} (target {TARGET})"
    extra = spent["with rings"] - spent["prepared"]
    each_ms = 1000 * extra / max(n_bending, 1)
    yield f"{n_bending / n_states:.0%} of the states have rings that bend, for {each_ms:.0f} ms each"


def bare_calls(smiles: str, spent: dict[str, float]) -> None:
    """Add the CPU seconds of the bare calls for one state."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    parameters = rdDistGeom.ETKDGv3()
    setattr(parameters, "randomSeed", SEED)  # noqa: B010  # RDKit's stubs give the field the type of the whole
    spent["embedding"] += cpu_s(lambda: rdDistGeom.EmbedMolecule(mol, parameters))[0]
    if mol.GetNumConformers():
        spent["force field"] += cpu_s(
            lambda: rdForceFieldHelpers.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=1000)
        )[0]
        spent["typing"] += cpu_s(lambda: typed(mol))[0]


def typed(mol: Chem.Mol) -> object:
    """Type a molecule as Meeko's manual shows it."""
    return PDBQTWriterLegacy.write_string(MoleculePreparation().prepare(mol)[0], add_index_map=True)


def warm_up(smiles: str) -> None:
    """Let every library load what it loads on its first call."""
    prepare_states(LigandInput("", "", smiles), WITH_RINGS, SEED)
    protonate_smiles(smiles, ph_min=7.4, ph_max=7.4, precision=0.5)


Result = TypeVar("Result")


def cpu_s(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the CPU seconds of a call and its result."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


if __name__ == "__main__":
    main()
