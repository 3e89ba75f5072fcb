"""Conformers of a molecule that differ in its saturated rings, which docking keeps rigid."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose, superposition
from molecular_analysis_dashboard.adapters.chemistry.ring_fragments import RingSystem, floppy_ring_systems
from molecular_analysis_dashboard.adapters.chemistry.ring_puckers import WINDOW_KCAL_MOL, Pucker, puckers

Coordinates = NDArray[np.float64]
_Combination = tuple[tuple[RingSystem, Pucker], ...]


def ring_conformers(mol: Chem.Mol, opened: Collection[tuple[int, int]], most: int) -> tuple[Coordinates, ...]:
    """Return coordinates (n_atoms, 3) in Å by combined ring strain, the least strained first; empty if no ring bends.

    Bond lengths, angles and everything outside the rings are those of the molecule's conformer; chains turn with the
    rings they hang on. Combinations within 2.5 kcal/mol of the best count.

    Parameters
    ----------
    mol : Chem.Mol
        With hydrogens and one conformer.
    opened : collection of pairs of int
        Ring bonds that docking opens.
    """
    combinations: list[_Combination] = [()]
    for system in floppy_ring_systems(mol, opened):
        if choice := puckers(mol, system):
            longer = [(*one, (system, pucker)) for one in combinations for pucker in choice]
            # Strains add up, so none of the best combinations begins with any but the best beginnings.
            combinations = [one for one in sorted(longer, key=_strain)[:most] if _strain(one) <= WINDOW_KCAL_MOL]
    return tuple(_with_puckers(mol, one) for one in combinations if one)


def _strain(combination: _Combination) -> float:
    return sum(pucker.strain_kcal_mol for _, pucker in combination)


def _with_puckers(mol: Chem.Mol, combination: _Combination) -> Coordinates:
    positions: Coordinates = mol.GetConformer().GetPositions()
    for system, pucker in combination:
        positions = _bent(mol, positions, system, pucker)
    # The nonpolar hydrogens of a pucker may have changed places: those of the molecule follow instead.
    placed = {
        atom.GetIdx(): tuple(positions[atom.GetIdx()].tolist())
        for atom in mol.GetAtoms()
        if atom.GetAtomicNum() > 1 or atom.GetNeighbors()[0].GetAtomicNum() != 6
    }
    return complete_pose(mol, placed)


def _bent(mol: Chem.Mol, positions: Coordinates, system: RingSystem, pucker: Pucker) -> Coordinates:
    """Give a ring system its pucker; what hangs on it follows rigidly, each bond and angle kept."""
    n_core = len(system.core)
    rotation, shift = superposition(pucker.coordinates[:n_core], positions[list(system.core)])
    piece = dict(zip(system.atoms, pucker.coordinates @ rotation.T + shift, strict=True))
    bent = positions.copy()
    bent[list(system.core)] = [piece[index] for index in system.core]
    for index in system.shell:
        frame = (index, *_frame(mol, index, system))
        turn = _axes(*(positions[one] for one in frame)).T @ _axes(*(piece[one] for one in frame))
        branch = _branch(mol, index, system.core)
        bent[branch] = (positions[branch] - positions[index]) @ turn + piece[index]
    return bent


def _frame(mol: Chem.Mol, index: int, system: RingSystem) -> tuple[int, int]:
    """Return the ring atom that holds an atom of the shell, and a third that fixes the turn about this bond."""
    anchor = next(other for other in _neighbours(mol, index) if other in system.core)
    rim = (other for other in _neighbours(mol, index) if other in system.rim)
    return anchor, next(rim, next(other for other in _neighbours(mol, anchor) if other in system.core))


def _axes(origin: Coordinates, along: Coordinates, third: Coordinates) -> Coordinates:
    x = (along - origin) / np.linalg.norm(along - origin)
    z = np.cross(x, third - origin)
    z /= np.linalg.norm(z)
    return np.array([x, np.cross(z, x), z])


def _branch(mol: Chem.Mol, start: int, core: Collection[int]) -> list[int]:
    seen, todo = {start}, [start]
    while todo:
        new = set(_neighbours(mol, todo.pop())).difference(seen, core)
        seen |= new
        todo += new
    return sorted(seen)


def _neighbours(mol: Chem.Mol, index: int) -> list[int]:
    return [other.GetIdx() for other in mol.GetAtomWithIdx(index).GetNeighbors()]
