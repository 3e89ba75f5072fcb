"""Placing the hydrogens that a docking engine does not carry."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

Coordinates = NDArray[np.float64]


def complete_pose(mol: Chem.Mol, placed: Mapping[int, tuple[float, float, float]]) -> Coordinates:
    """Return coordinates (n_atoms, 3) in Å of a pose whose engine moved only some atoms.

    Parameters
    ----------
    mol : Chem.Mol
        All atoms with the conformer that the engine started from.
    placed : mapping
        Atom index to coordinates in Å: every heavy atom and the polar hydrogens.

    Notes
    -----
    An engine keeps bond lengths and angles, so each missing hydrogen moves with the rigid surroundings of its
    parent: they are superimposed (Kabsch 1976, doi:10.1107/S0567739476001873) and carry it along.
    """
    start: Coordinates = mol.GetConformer().GetPositions()
    result: Coordinates = start.copy()
    for index, position in placed.items():
        result[index] = position
    for atom in mol.GetAtoms():
        missing = [n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() not in placed]
        if atom.GetIdx() in placed and missing:
            frame = _frame(atom, placed)
            rotation, shift = superposition(start[frame], result[frame])
            result[missing] = start[missing] @ rotation.T + shift
            # Anchoring at the parent keeps the bond length exact where the frame has given way.
            parent = atom.GetIdx()
            result[missing] += result[parent] - (start[parent] @ rotation.T + shift)
    return result


def superposition(source: Coordinates, target: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Return the proper rotation (3, 3) and the shift (3,) that best lay `source` (n, 3) on `target` (n, 3)."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    covariance = (source - source_mean).T @ (target - target_mean)
    left, _, right = np.linalg.svd(covariance)
    handedness = np.sign(np.linalg.det(right.T @ left.T)) or 1.0
    rotation = right.T @ np.diag([1.0, 1.0, handedness]) @ left.T
    return rotation, target_mean - rotation @ source_mean


def _frame(atom: Chem.Atom, placed: Mapping[int, tuple[float, float, float]]) -> list[int]:
    """Return atoms that stay rigid with `atom`: its neighbours and, at a chain's end, their neighbours."""
    frame = [atom.GetIdx(), *(n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() in placed)]
    heavy = [n for n in atom.GetNeighbors() if n.GetAtomicNum() > 1]
    if len(heavy) == 1:
        # A terminal group does not turn in the engine, unless it has polar hydrogens, which then are in the frame.
        polar = any(n.GetAtomicNum() == 1 and n.GetIdx() in placed for n in atom.GetNeighbors())
        if not polar:
            frame += [n.GetIdx() for n in heavy[0].GetNeighbors() if n.GetIdx() in placed]
    return list(dict.fromkeys(frame))
