"""The Chemical Component Dictionary, offline, as it comes with biotite."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import biotite.structure.info as structure_info
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.bond_order_template import conformer_of, connected_mol
from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom

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
        # biotite warns of entries without coordinates, which nobody here looks at.
        with silenced("biotite"):
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
    found: Component, atoms: Sequence[ReceptorAtom], *, without: frozenset[str] = frozenset()
) -> tuple[Chem.Mol, tuple[str, ...]] | None:
    """Give the heavy atoms of a file the component's bond orders and charges.

    Atoms are recognized by name; where a file names them differently, by their connectivity, if that is complete.

    Parameters
    ----------
    without : frozenset of str
        Elements to leave out with their bonds, such as the metal of a haem.

    Returns
    -------
    tuple or None
        Sanitized molecule with a conformer, and atom names in its order; None if file and component disagree.
    """
    kept = [atom for atom in atoms if atom.element not in without and not atom.is_hydrogen]
    by_name = all(found.atoms.get(atom.name, ("", 0))[0] == atom.element for atom in kept)
    mol = _by_name(found, kept, without) if by_name else _by_graph(found, kept, without)
    if mol is None:
        take_messages()
        return None
    Chem.AssignStereochemistryFrom3D(mol)
    return mol, tuple(atom.name for atom in kept)


def _by_name(found: Component, kept: Sequence[ReceptorAtom], without: frozenset[str]) -> Chem.Mol | None:
    mol = _component_mol(found, [atom.name for atom in kept], without)
    if mol is not None:
        mol.AddConformer(conformer_of(kept), assignId=True)
    return mol


def _by_graph(found: Component, kept: Sequence[ReceptorAtom], without: frozenset[str]) -> Chem.Mol | None:
    """Recognize the atoms by their bonds; only a complete molecule can be."""
    names = [name for name, (element, _) in found.atoms.items() if element not in without | {"H", "D"}]
    if len(names) != len(kept):
        return None
    try:
        match = connected_mol(kept).GetSubstructMatch(_skeleton(found, names))
    except (ValueError, RuntimeError):
        return None
    if len(match) != len(kept):
        return None
    named = dict(zip(match, names, strict=True))
    mol = _component_mol(found, [named[index] for index in range(len(kept))], without)
    if mol is not None:
        mol.AddConformer(conformer_of(kept), assignId=True)
    return mol


def _skeleton(found: Component, names: Sequence[str]) -> Chem.Mol:
    """Return the named atoms with single bonds, as they are found by distance."""
    mol = Chem.RWMol()
    index = {name: mol.AddAtom(Chem.Atom(found.atoms[name][0])) for name in names}
    for first, second, _ in found.bonds:
        if first in index and second in index:
            mol.AddBond(index[first], index[second], _SINGLE)
    return mol.GetMol()


def _component_mol(found: Component, names: Sequence[str], without: frozenset[str]) -> Chem.Mol | None:
    """Return the named atoms with the component's bonds, None if that is no valid molecule."""
    mol = Chem.RWMol()
    index = {name: mol.AddAtom(_atom(*found.atoms[name])) for name in names}
    bereft: set[str] = set()
    for first, second, order in found.bonds:
        if first in index and second in index:
            mol.AddBond(index[first], index[second], order)
        elif first in index and found.atoms[second][0] in without:
            bereft.add(first)
        elif second in index and found.atoms[first][0] in without:
            bereft.add(second)
    _settle_donors(mol, [index[name] for name in sorted(bereft)])
    if Chem.SanitizeMol(mol, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    return mol.GetMol()


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
