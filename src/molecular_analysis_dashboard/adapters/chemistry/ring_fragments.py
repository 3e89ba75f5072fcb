"""Ring systems that bend, each cut out of its molecule with the atoms that decide how."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rdkit import Chem

# Rings of three are flat, and rings of four bend by less than docking resolves.
_LEAST_FLOPPY_RING = 5
_LEAST_SATURATED_ATOMS = 2


@dataclass(frozen=True)
class RingSystem:
    """Rings that share atoms, and what surrounds them, as atom indices of their molecule.

    Parameters
    ----------
    core : tuple of int
        The atoms of the rings.
    shell : tuple of int
        Their other neighbours, hydrogens included.
    rim : tuple of int
        What keeps an atom of the shell flat, neutral or bulky: bound to it by more than a single bond, of opposite
        charge, or part of a group such as tert-butyl.
    n_floppy_rings : int
        How many of the rings bend.
    """

    core: tuple[int, ...]
    shell: tuple[int, ...]
    rim: tuple[int, ...]
    n_floppy_rings: int

    @property
    def atoms(self) -> tuple[int, ...]:
        """Core, shell and rim in this order."""
        return (*self.core, *self.shell, *self.rim)


def floppy_ring_systems(mol: Chem.Mol, opened: Collection[tuple[int, int]] = ()) -> tuple[RingSystem, ...]:
    """Return the ring systems of a molecule with hydrogens that bend and that docking keeps rigid.

    Parameters
    ----------
    opened : collection of pairs of int
        Ring bonds that docking opens; a system with one of them bends in the search itself and is left out.
    """
    systems = [
        (rings, frozenset[int]().union(*rings))
        for rings in _joined([frozenset(ring) for ring in mol.GetRingInfo().AtomRings()])
    ]
    floppy = [
        (core, n_floppy)
        for rings, core in systems
        if (n_floppy := sum(_is_floppy(mol, ring) for ring in rings))
        and not any(begin in core and end in core for begin, end in opened)
    ]
    if not floppy:
        return ()
    kekulized = Chem.Mol(mol)
    Chem.Kekulize(kekulized, clearAromaticFlags=True)
    return tuple(_with_surroundings(kekulized, core, n_floppy) for core, n_floppy in floppy)


def cut_out(mol: Chem.Mol, system: RingSystem) -> Chem.Mol | None:
    """Return a ring system as a molecule of its own, hydrogen in place of what is cut off.

    Its first atoms are those of the system, in their order, where they were and with the hands that they show. None
    if what is cut out makes no sensible molecule.
    """
    kept = system.atoms
    order = [*kept, *(atom.GetIdx() for atom in mol.GetAtoms() if atom.GetIdx() not in kept)]
    piece = Chem.RWMol(Chem.RenumberAtoms(mol, order))
    # Stereo bonds that keep pointing at atoms of before the cut end the process when the piece is embedded.
    Chem.RemoveStereochemistry(piece)
    Chem.Kekulize(piece, clearAromaticFlags=True)
    piece.BeginBatchEdit()
    for index in range(len(kept)):
        atom = piece.GetAtomWithIdx(index)
        # Only single bonds are cut.
        atom.SetNumExplicitHs(sum(other.GetIdx() >= len(kept) for other in atom.GetNeighbors()))
        atom.SetNoImplicit(True)
    for index in range(len(kept), len(order)):
        piece.RemoveAtom(index)
    piece.CommitBatchEdit()
    try:
        Chem.SanitizeMol(piece)
    except (ValueError, RuntimeError):
        return None
    capped = Chem.AddHs(piece, addCoords=True)
    Chem.AssignStereochemistryFrom3D(capped)
    Chem.AssignAtomChiralTagsFromStructure(capped, replaceExistingTags=True)
    return capped


def _joined(rings: Sequence[frozenset[int]]) -> list[list[frozenset[int]]]:
    systems: list[list[frozenset[int]]] = []
    for ring in rings:
        touching = [system for system in systems if any(ring & other for other in system)]
        systems = [system for system in systems if system not in touching]
        systems.append([ring, *(other for system in touching for other in system)])
    return systems


def _is_floppy(mol: Chem.Mol, ring: Collection[int]) -> bool:
    saturated = [index for index in ring if mol.GetAtomWithIdx(index).GetHybridization() == Chem.HybridizationType.SP3]
    return len(ring) >= _LEAST_FLOPPY_RING and len(saturated) >= _LEAST_SATURATED_ATOMS


def _with_surroundings(kekulized: Chem.Mol, core: frozenset[int], n_floppy: int) -> RingSystem:
    shell = _neighbours(kekulized, core, core)
    inner = core.union(shell)
    rim = {
        other
        for index in shell
        for other in _neighbours(kekulized, [index], inner)
        if _belongs_to(kekulized, index, other)
    }
    return RingSystem(tuple(sorted(core)), tuple(shell), tuple(sorted(rim)), n_floppy)


def _neighbours(mol: Chem.Mol, of: Collection[int], without: Collection[int]) -> list[int]:
    found = {other.GetIdx() for index in of for other in mol.GetAtomWithIdx(index).GetNeighbors()}
    return sorted(found.difference(without))


def _belongs_to(kekulized: Chem.Mol, index: int, other: int) -> bool:
    inner, outer = kekulized.GetAtomWithIdx(index), kekulized.GetAtomWithIdx(other)
    is_multiple = kekulized.GetBondBetweenAtoms(index, other).GetBondType() != Chem.BondType.SINGLE
    is_bulky = all(neighbour.GetAtomicNum() > 1 for neighbour in inner.GetNeighbors()) and inner.GetDegree() == 4
    return is_multiple or is_bulky or inner.GetFormalCharge() * outer.GetFormalCharge() < 0
