"""The Chemical Component Dictionary, offline, as it comes with biotite."""

from dataclasses import dataclass
from functools import lru_cache

import biotite.structure.info as structure_info
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages

# biotite.structure.BondType: aromatic flavours carry their Kekulé order.
_SINGLE, _DOUBLE, _TRIPLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE
_ORDERS = {0: _SINGLE, 1: _SINGLE, 2: _DOUBLE, 3: _TRIPLE, 5: _SINGLE, 6: _DOUBLE, 7: _TRIPLE, 8: _SINGLE}


@dataclass(frozen=True)
class Component:
    """One component: atoms by name with element and charge, and bonds with Kekulé orders."""

    name: str
    atoms: dict[str, tuple[str, int]]
    bonds: tuple[tuple[str, str, Chem.BondType], ...]


@lru_cache(maxsize=256)
def component(name: str) -> Component | None:
    """Return a component by its code, None if the dictionary has no such entry."""
    try:
        entry = structure_info.residue(name)
    except KeyError:
        return None
    names = [str(atom) for atom in entry.atom_name]
    atoms = {
        atom: (str(element).capitalize(), int(charge))
        for atom, element, charge in zip(names, entry.element, entry.charge, strict=True)
    }
    bonds = tuple((names[i], names[j], _ORDERS.get(int(order), _SINGLE)) for i, j, order in entry.bonds.as_array())
    return Component(name, atoms, bonds)


def heavy_mol(
    found: Component, positions: dict[str, tuple[float, float, float]], *, without: frozenset[str] = frozenset()
) -> tuple[Chem.Mol, tuple[str, ...]] | None:
    """Build the heavy atoms present in a file with the component's bond orders and charges.

    Parameters
    ----------
    positions : dict
        Atom names of the file to coordinates in Å; names must be the component's.
    without : frozenset of str
        Elements to leave out with their bonds, such as the metal of a haem.

    Returns
    -------
    tuple or None
        Sanitized molecule with a conformer, and atom names in its order; None if names or valences disagree.
    """
    if any(name not in found.atoms for name in positions):
        return None
    kept = [name for name in positions if found.atoms[name][0] not in without | {"H", "D"}]
    mol = Chem.RWMol()
    index = {name: mol.AddAtom(_atom(*found.atoms[name])) for name in kept}
    bereft: set[str] = set()
    for first, second, order in found.bonds:
        if first in index and second in index:
            mol.AddBond(index[first], index[second], order)
        elif first in index and found.atoms[second][0] in without:
            bereft.add(first)
        elif second in index and found.atoms[first][0] in without:
            bereft.add(second)
    _settle_donors(mol, [index[name] for name in sorted(bereft)])
    conformer = Chem.Conformer(len(kept))
    for name in kept:
        conformer.SetAtomPosition(index[name], positions[name])
    mol.AddConformer(conformer, assignId=True)
    if Chem.SanitizeMol(mol, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        take_messages()
        return None
    Chem.AssignStereochemistryFrom3D(mol)
    return mol.GetMol(), tuple(kept)


def _atom(element: str, charge: int) -> Chem.Atom:
    atom = Chem.Atom(element)
    atom.SetFormalCharge(charge)
    return atom


def _settle_donors(mol: Chem.RWMol, indices: list[int]) -> None:
    """Make atoms that gave up a bond to a metal anions or neutral, without a hydrogen in the metal's place."""
    usual = {"N": 3, "O": 2, "S": 2, "C": 4}
    for index in indices:
        atom = mol.GetAtomWithIdx(index)
        order = sum(int(bond.GetBondTypeAsDouble()) for bond in atom.GetBonds())
        missing = usual.get(atom.GetSymbol(), order) - order
        atom.SetNoImplicit(True)
        atom.SetFormalCharge(-missing if missing > 0 else 0)
