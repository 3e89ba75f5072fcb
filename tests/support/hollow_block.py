"""A block of atoms with hollows of known place: a receptor whose pockets are no matter of opinion."""

import numpy as np
from numpy.typing import NDArray

_EDGE_ANGSTROM = 34.0
_SPACING_ANGSTROM = 2.0

Points = NDArray[np.float64]


def block(*hollows: tuple[Points, float]) -> Points:
    """Atoms on a slightly disordered grid, but for those in spherical hollows (centre, radius in Å)."""
    axis = np.arange(-_EDGE_ANGSTROM / 2, _EDGE_ANGSTROM / 2 + 0.1, _SPACING_ANGSTROM)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    atoms = grid + np.random.default_rng(7).uniform(-0.3, 0.3, grid.shape)
    for center, radius in hollows:
        atoms = atoms[np.linalg.norm(atoms - center, axis=1) > radius]
    return atoms


def block_pdbqt(atoms: Points) -> str:
    """The atoms as a ready receptor, two carbons to a residue."""
    return "".join(
        f"ATOM  {index:5d}  C   LEU A{index // 2:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 C \n"
        for index, (x, y, z) in enumerate(atoms)
    )
