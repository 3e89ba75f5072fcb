"""Where benchmark data lie, and readers of the sets that several benchmarks share; `data.md` says what each set is."""

import gzip
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from molecular_analysis_dashboard.domain.sites import SearchBox


def data_folder() -> Path:
    """Return the folder named by MAD_BENCHMARK_DATA; without it the benchmark ends with one sentence."""
    if "MAD_BENCHMARK_DATA" not in os.environ:
        sys.exit(
            "Set MAD_BENCHMARK_DATA to the folder with the benchmark data (benchmarks/data.md says what is in it)."
        )
    return Path(os.environ["MAD_BENCHMARK_DATA"])


def dockstring_targets() -> list[str]:
    """Return the names of the DOCKSTRING targets in a fixed shuffled order."""
    folder = data_folder() / "dockstring_targets"
    names = sorted(path.name.removesuffix("_target.pdbqt.gz") for path in folder.glob("*_target.pdbqt.gz"))
    random.Random(1).shuffle(names)
    return names


def dockstring_receptor(target: str) -> str:
    """Return the atoms of a DOCKSTRING receptor as PDBQT."""
    with gzip.open(data_folder() / "dockstring_targets" / f"{target}_target.pdbqt.gz", "rt") as lines:
        return "".join(line for line in lines if line.startswith(("ATOM", "HETATM")))


def dockstring_box(target: str, edge_angstrom: float) -> SearchBox:
    """Return a cube around the published centre of a DOCKSTRING target."""
    lines = (data_folder() / "dockstring_targets" / f"{target}_conf.txt").read_text().splitlines()
    values = {key.strip(): float(value) for key, value in (line.split("=") for line in lines if "=" in line)}
    return SearchBox((values["center_x"], values["center_y"], values["center_z"]), (edge_angstrom,) * 3)


def library_molecules() -> Iterator[tuple[str, str]]:
    """Yield (name, SMILES) of ChEMBL drugs and drug-like ZINC molecules in turn, in a fixed shuffled order."""
    folder = data_folder() / "library"
    drugs = [line.split()[::-1] for line in (folder / "chembl_drugs_1203.smi").read_text().splitlines()]
    with gzip.open(folder / "zinc_druglike_10k.smi.gz", "rt") as lines:
        zinc = [line.rstrip("\n").split("\t")[::-1] for line in lines][1:]
    for molecules in (drugs, zinc):
        random.Random(2).shuffle(molecules)
    for pair in zip(drugs, zinc, strict=False):
        yield from ((name, smiles) for name, smiles in (row for row in pair if len(row) == 2))
