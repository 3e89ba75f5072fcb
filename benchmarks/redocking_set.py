"""Readers of the redocking set: complexes, and what others published about the same ones."""

import csv
from dataclasses import dataclass
from pathlib import Path

FOLDER = "redocking"
_PUBLISHED = "published_posebusters_paper_vina_gold.csv"


@dataclass(frozen=True)
class Complex:
    """One protein with its ligand in the crystal pose."""

    id: str
    is_astex: bool
    heavy_atoms: int
    rotatable_bonds: int
    folder: Path

    @property
    def protein(self) -> Path:
        """The structure, gzipped PDB."""
        return self.folder / f"{self.id}_protein.pdb.gz"

    @property
    def ligand(self) -> Path:
        """The native ligand, SDF."""
        return self.folder / f"{self.id}_ligand.sdf"


@dataclass(frozen=True)
class Published:
    """One published redocking of a complex."""

    rmsd_angstrom: float
    is_valid: bool


def read_complexes(data: Path) -> list[Complex]:
    """Return all complexes: those of the Astex set first, within each part the cheapest first."""
    with (data / FOLDER / "manifest.csv").open(newline="") as stream:
        found = [
            Complex(
                row["id"],
                row["astex"] == "1",
                int(row["n_heavy"]),
                int(row["rotb"]),
                data / FOLDER / row["id"],
            )
            for row in csv.DictReader(stream)
        ]
    return sorted(found, key=lambda one: (not one.is_astex, one.heavy_atoms**2 * (one.rotatable_bonds + 6), one.id))


def read_published(data: Path) -> dict[tuple[str, str], Published]:
    """Return the published top poses of the Astex set by (method, complex), methods ``vina`` and ``gold``."""
    published = {}
    with (data / FOLDER / _PUBLISHED).open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["dataset"] == "astex" and row["rmsd"]:
                key = (row["method"], row["pdb_id"].lower())
                published[key] = Published(float(row["rmsd"]), row["pb_valid"] == "True")
    return published
