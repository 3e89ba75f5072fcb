"""Low-energy conformations of one ring system, found on the system cut out of its molecule."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molecular_analysis_dashboard.adapters.chemistry.conformers import embedding_parameters
from molecular_analysis_dashboard.adapters.chemistry.hydrogens import superposition
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_smiles
from molecular_analysis_dashboard.adapters.chemistry.ring_fragments import RingSystem, cut_out, floppy_ring_systems

Coordinates = NDArray[np.float64]

# Chair against twist boat is 5 to 6 kcal/mol, equatorial against axial methyl 1.7 (Eliel & Wilen 1994).
WINDOW_KCAL_MOL = 2.5
# Chairs of one ring lie 0.5 Å and more apart, copies of one below 0.1 Å.
_SAME_ANGSTROM = 0.3
_TRIES = 12
_MOST_ROUNDS = 4
_FORCE_FIELD_STEPS = 300
# Which puckers there are must not depend on the docking seed.
_SEED = 20_090
_MOST_SYMMETRIES = 64


@dataclass(frozen=True)
class Pucker:
    """One conformation of a ring system.

    Parameters
    ----------
    coordinates : array of shape (n, 3)
        Of the system's atoms in Å, in a frame of its own.
    strain_kcal_mol : float
        Energy above the least strained conformation (MMFF94s of the system alone).
    """

    coordinates: Coordinates
    strain_kcal_mol: float


def puckers(mol: Chem.Mol, system: RingSystem) -> tuple[Pucker, ...]:
    """Return the distinct conformations of a ring system within 2.5 kcal/mol, the least strained first.

    Energies are of the ring system with its first neighbours alone: chains would bury differences between rings under
    their own. What differs by a symmetry of the molecule is one conformation. Empty where MMFF94s lacks parameters.
    """
    piece = cut_out(mol, system)
    if piece is None:
        take_messages()
        return ()
    heavy = Chem.RemoveAllHs(piece)
    known = _conformations(str(Chem.MolToSmiles(heavy)))
    if known is None:
        return ()
    hands = _hands(piece, piece.GetConformer().GetPositions())
    maps = [_with_hydrogens(match, piece, known.mol) for match in _matches(heavy, known.mol)]
    laid = [(energy, x[one]) for energy, x in known.found for one in maps]
    same = [(energy, x) for energy, x in laid if np.array_equal(_hands(piece, x), hands)]
    kept = RingLikeness(mol, system).distinct(same)
    return tuple(Pucker(x[: len(system.atoms)], energy - kept[0][0]) for energy, x in kept)


@dataclass(frozen=True)
class _Conformations:
    """A ring system by itself, and the energies (kcal/mol) and coordinates (Å) of its low-energy conformations."""

    mol: Chem.Mol
    found: tuple[tuple[float, Coordinates], ...]


# Libraries hold the same ring systems over and over; finding the conformations of one takes as long as a ligand.
@lru_cache(maxsize=4096)
def _conformations(smiles: str) -> _Conformations | None:
    """Return what is known of a ring system, or None where nothing can be."""
    bare = read_smiles(smiles)
    if bare is None:
        take_messages()
        return None
    known = Chem.AddHs(bare)
    systems = floppy_ring_systems(known)
    # MMFF94s minimizes a molecule with its own idea of aromaticity, which matches no other.
    mol = Chem.Mol(known)
    if len(systems) != 1 or not rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        take_messages()
        return None
    likeness = RingLikeness(mol, systems[0], of_whole_molecule=True)
    found: list[tuple[float, Coordinates]] = []
    for number in range(_MOST_ROUNDS * systems[0].n_floppy_rings):
        longer = likeness.distinct([*found, *_minima(mol, _SEED + number)])
        if number and len(longer) == len(found):
            break
        found = longer
    take_messages()
    return _Conformations(known, tuple(found))


def _matches(heavy: Chem.Mol, known: Chem.Mol) -> Sequence[Sequence[int]]:
    """Return the ways to lay a ring system on itself as it is known."""
    matches: Sequence[Sequence[int]] = known.GetSubstructMatches(heavy, uniquify=False, maxMatches=_MOST_SYMMETRIES)
    return matches


def _with_hydrogens(match: Sequence[int], piece: Chem.Mol, known: Chem.Mol) -> list[int]:
    """Extend a match of heavy atoms to the hydrogens, in whatever order each atom has them."""
    heavy = [atom for atom in piece.GetAtoms() if atom.GetAtomicNum() > 1]
    place = {}
    for atom, index in zip(heavy, match, strict=True):
        place[atom.GetIdx()] = index
        place.update(zip(_hydrogens(atom), _hydrogens(known.GetAtomWithIdx(index)), strict=True))
    return [place[index] for index in range(piece.GetNumAtoms())]


def _hydrogens(atom: Chem.Atom) -> list[int]:
    return [other.GetIdx() for other in atom.GetNeighbors() if other.GetAtomicNum() == 1]


def _minima(piece: Chem.Mol, seed: int) -> list[tuple[float, Coordinates]]:
    """Embed the ring system a few times and minimize; see `conformers.embed` for why the small-ring torsions may go."""
    for small_ring_torsions in (True, False):
        parameters = embedding_parameters(seed, _TRIES, useSmallRingTorsions=small_ring_torsions)
        with suppress(RuntimeError, ValueError):
            rdDistGeom.EmbedMultipleConfs(piece, _TRIES, parameters)
            break
    else:
        return []
    ends = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(
        piece, numThreads=1, mmffVariant="MMFF94s", maxIters=_FORCE_FIELD_STEPS
    )
    return [(energy, one.GetPositions()) for (_, energy), one in zip(ends, piece.GetConformers(), strict=True)]


def _hands(piece: Chem.Mol, positions: Coordinates) -> NDArray[np.bool_]:
    """Return on which side each four-bonded atom shows its neighbours, but where two of them are hydrogens."""
    around = [[other.GetIdx() for other in atom.GetNeighbors()] for atom in piece.GetAtoms()]
    centres = [
        four
        for four in around
        if len(four) == 4 and sum(piece.GetAtomWithIdx(index).GetAtomicNum() == 1 for index in four) < 2
    ]
    corners = positions[np.array(centres, dtype=np.intp).reshape(-1, 4)]
    first, second, third = (corners[:, number] - corners[:, 3] for number in range(3))
    sides: NDArray[np.bool_] = np.einsum("ij,ij->i", first, np.cross(second, third)) > 0
    return sides


class RingLikeness:
    """Tells conformations of one ring system apart, as docking sees them: by its atoms without nonpolar hydrogens.

    Parameters
    ----------
    of_whole_molecule : bool
        Whether coordinates will be those of the molecule's atoms, not those of the system's.
    """

    def __init__(self, mol: Chem.Mol, system: RingSystem, *, of_whole_molecule: bool = False) -> None:
        atoms = [
            (number, index)
            for number, index in enumerate((*system.core, *system.shell))
            if _is_docked(mol.GetAtomWithIdx(index))
        ]
        self._shown = [index if of_whole_molecule else number for number, index in atoms]
        self._maps = _symmetries(mol, [index for _, index in atoms])

    def distinct(self, found: Sequence[tuple[float, Coordinates]]) -> list[tuple[float, Coordinates]]:
        """Return those (kcal/mol, Å) within the window that differ, the least strained first."""
        ordered = sorted(found, key=lambda one: one[0])
        kept: list[tuple[float, Coordinates]] = []
        for energy, x in ordered:
            if energy - ordered[0][0] > WINDOW_KCAL_MOL:
                break
            if all(self.deviation_angstrom(other, x) > _SAME_ANGSTROM for _, other in kept):
                kept.append((energy, x))
        return kept

    def deviation_angstrom(self, first: Coordinates, second: Coordinates) -> float:
        """Return the RMSD of two sets of coordinates, superimposed."""
        return min(_rmsd(first[self._shown], second[self._shown][order]) for order in self._maps)


def _is_docked(atom: Chem.Atom) -> bool:
    return bool(atom.GetAtomicNum() > 1 or atom.GetNeighbors()[0].GetAtomicNum() != 6)


def _symmetries(mol: Chem.Mol, atoms: Sequence[int]) -> list[list[int]]:
    """Return the ways to lay atoms on one another that the whole molecule allows."""
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    graph = Chem.RWMol()
    place = {}
    for index in atoms:
        atom = Chem.Atom(mol.GetAtomWithIdx(index).GetAtomicNum())
        atom.SetIsotope(ranks[index] + 1)
        atom.SetNoImplicit(True)
        place[index] = graph.AddAtom(atom)
    for bond in mol.GetBonds():
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if begin in place and end in place:
            graph.AddBond(place[begin], place[end], Chem.BondType.SINGLE)
    return [list(match) for match in graph.GetSubstructMatches(graph, uniquify=False, maxMatches=_MOST_SYMMETRIES)]


def _rmsd(first: Coordinates, second: Coordinates) -> float:
    rotation, shift = superposition(first, second)
    return float(np.sqrt(np.square(first @ rotation.T + shift - second).sum(axis=1).mean()))
