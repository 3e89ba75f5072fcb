"""The PDBQT format: AutoDock atom types and the columns of atom lines."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Types the bundled Vina accepts (AutoDock-Vina v1.2.7, src/lib/atom_constants.h), with their elements.
_ELEMENTS_BY_TYPE = {
    "C": "C", "A": "C", "CG0": "C", "CG1": "C", "CG2": "C", "CG3": "C",
    "N": "N", "NA": "N", "O": "O", "OA": "O", "P": "P", "S": "S", "SA": "S", "H": "H", "HD": "H",
    "F": "F", "Cl": "Cl", "Br": "Br", "I": "I", "Si": "Si", "Se": "Se", "At": "At",
    "Mg": "Mg", "Mn": "Mn", "Zn": "Zn", "Ca": "Ca", "Fe": "Fe",
    "Cu": "Cu", "Na": "Na", "K": "K", "Hg": "Hg", "Co": "Co", "U": "U", "Cd": "Cd", "Ni": "Ni",
}  # fmt: skip
# Other programs write these in receptor files; Vina does not know them.
_ELEMENTS_BY_FOREIGN_TYPE = {"NS": "N", "OS": "O", "HS": "H", "CL": "Cl", "BR": "Br", "MG": "Mg", "ZN": "Zn",
                             "MN": "Mn", "CA": "Ca", "FE": "Fe", "W": "O", "B": "B", "Z": "C"}  # fmt: skip
PSEUDO_TYPES = frozenset({"G0", "G1", "G2", "G3"})
METAL_TYPES = frozenset({"Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K", "Hg", "Co", "U", "Cd", "Ni"})
RECEPTOR_TYPES = frozenset(_ELEMENTS_BY_TYPE)
LIGAND_TYPES = (RECEPTOR_TYPES - METAL_TYPES - {"Se", "At"}) | PSEUDO_TYPES


def element_of(atom_type: str) -> str:
    """Return the element symbol of an AutoDock atom type, ``X`` when it is unknown."""
    known = _ELEMENTS_BY_TYPE.get(atom_type) or _ELEMENTS_BY_FOREIGN_TYPE.get(atom_type)
    return known or "X"


def atom_lines(pdbqt: str) -> Iterator[str]:
    """Yield the atom lines of a PDBQT text in order."""
    for line in pdbqt.splitlines():
        if line.startswith(("ATOM", "HETATM")):
            yield line


def atom_type(line: str) -> str:
    """Return the AutoDock type of an atom line (columns 78-79)."""
    return line[77:].strip()


def partial_charge(line: str) -> float:
    """Return the partial charge (e) of an atom line (columns 71-76), NaN where there is none to read."""
    try:
        return float(line[70:76])
    except ValueError:
        return math.nan


def retyped(line: str, atom_type: str) -> str:
    """Return the atom line with another AutoDock type."""
    return f"{line[:77]}{atom_type:<2}"


def position(line: str) -> tuple[float, float, float]:
    """Return the coordinates (Å) of an atom line."""
    return float(line[30:38]), float(line[38:46]), float(line[46:54])


def moved(line: str, x: float, y: float, z: float) -> str:
    """Return the atom line with other coordinates (Å)."""
    return f"{line[:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}"


def index_map(pdbqt: str) -> dict[int, int]:
    """Return Meeko's map from the serial of an atom line to the 0-based atom index of the mol block."""
    numbers = [
        int(field) for line in pdbqt.splitlines() if line.startswith("REMARK INDEX MAP") for field in line.split()[3:]
    ]
    return {serial: index - 1 for index, serial in zip(numbers[::2], numbers[1::2], strict=True)}


def with_positions(pdbqt: str, positions: NDArray[np.float64]) -> str:
    """Return a PDBQT with its atoms at coordinates of shape (n_lines, 3) in Å."""
    rows = iter(positions.tolist())
    return "".join(
        (moved(line, *next(rows)) if line.startswith(("ATOM", "HETATM")) else line) + "\n"
        for line in pdbqt.splitlines()
    )


def placed_at(pdbqt: str, positions: NDArray[np.float64]) -> str:
    """Return a ligand's PDBQT at coordinates of its mol block, of shape (n_atoms, 3) in Å.

    Closure pseudo-atoms sit on the atoms they stand for.

    Raises
    ------
    LigandRejected
        ``preparation_failed`` if a pseudo-atom stands for none.
    """
    atoms = index_map(pdbqt)
    start = np.array([position(line) for line in atom_lines(pdbqt)])
    target = start.copy()
    for serial, index in atoms.items():
        target[serial - 1] = positions[index]
    for serial in range(1, len(start) + 1):
        if serial not in atoms:
            twins = [s for s in atoms if np.allclose(start[s - 1], start[serial - 1], atol=2e-3)]
            if not twins:
                raise LigandRejected(RejectionReason.PREPARATION_FAILED, "A ring closure atom has no partner.")
            target[serial - 1] = target[twins[0] - 1]
    return with_positions(pdbqt, target)
