"""Protonation of side chains that bind a metal, which protonation programs do not see."""

import math
from collections.abc import Sequence
from dataclasses import replace

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)

# Metal-ligand distances in proteins are 1.9 to 2.6 Å (Harding 2006, doi:10.1107/S0907444906014594).
_BOND_ANGSTROM = 2.8
_MAGNITUDE_ONE = frozenset({"Na", "K", "Li", "Rb", "Cs"})
_NITROGEN_HYDROGENS = {"ND1": "HD1", "NE2": "HE2"}
# Atoms through which an acid binds, and the proton that it then has given up.
_ACIDS = {
    "CYS": (("SG",), {"HG"}),
    "ASP": (("OD1", "OD2"), {"HD1", "HD2"}),
    "GLU": (("OE1", "OE2"), {"HE1", "HE2"}),
    "TYR": (("OH",), {"HH"}),
}


def settle_metal_contacts(residue: ReceptorResidue, metals: Sequence[ReceptorAtom], book: Notebook) -> ReceptorResidue:
    """Take the proton off the atom through which a residue binds a metal; the rest of the residue keeps its own."""
    strong = [metal for metal in metals if metal.element not in _MAGNITUDE_ONE]
    if residue.name in _ACIDS:
        donors, protons = _ACIDS[residue.name]
        if any(_binds(residue, name, strong) for name in donors):
            return _without(residue, protons, book, "Deprotonated: it binds a metal.")
    if residue.name == "HIS":
        bound = [name for name in _NITROGEN_HYDROGENS if _binds(residue, name, strong)]
        if len(bound) == 1:
            return _histidine(residue, bound[0], book)
    return residue


def metals_of(groups: Sequence[ReceptorResidue]) -> list[ReceptorAtom]:
    """Return the metal atoms among hetero groups."""
    nonmetals = {"H", "D", "C", "N", "O", "F", "P", "S", "Cl", "Se", "Br", "I", "B", "Si", "As"}
    return [atom for group in groups for atom in group.atoms if atom.element not in nonmetals]


def _histidine(residue: ReceptorResidue, bound: str, book: Notebook) -> ReceptorResidue:
    free = next(name for name in _NITROGEN_HYDROGENS if name != bound)
    message = f"{bound} binds a metal, so {free} carries the proton."
    if residue.atom(_NITROGEN_HYDROGENS[free]) is None:
        # Typing adds all hydrogens of the form that the placeholder on the free nitrogen names.
        kept = tuple(atom for atom in residue.atoms if not atom.is_hydrogen)
        nitrogen = residue.atom(free)
        if nitrogen is None:
            return residue
        book.change(residue, "protonation", message)
        return replace(residue, atoms=(*kept, _outward_hydrogen(residue, nitrogen, _NITROGEN_HYDROGENS[free])))
    if residue.atom(_NITROGEN_HYDROGENS[bound]) is None:
        return residue
    return _without(residue, {_NITROGEN_HYDROGENS[bound]}, book, message)


def _outward_hydrogen(residue: ReceptorResidue, nitrogen: ReceptorAtom, name: str) -> ReceptorAtom:
    """Place a hydrogen 1.01 Å from a ring nitrogen, away from the ring's centre."""
    ring = [atom for atom in residue.atoms if atom.name in ("CG", "ND1", "CD2", "CE1", "NE2")]
    center = [sum(atom.position[axis] for atom in ring) / len(ring) for axis in range(3)]
    outward = [n - c for n, c in zip(nitrogen.position, center, strict=True)]
    length = math.hypot(*outward)
    x, y, z = (n + 1.01 * o / length for n, o in zip(nitrogen.position, outward, strict=True))
    return ReceptorAtom(name, "H", (x, y, z))


def _binds(residue: ReceptorResidue, name: str, metals: Sequence[ReceptorAtom]) -> bool:
    atom = residue.atom(name)
    return atom is not None and any(math.dist(atom.position, metal.position) <= _BOND_ANGSTROM for metal in metals)


def _without(residue: ReceptorResidue, names: set[str], book: Notebook, message: str) -> ReceptorResidue:
    if not any(atom.name in names for atom in residue.atoms):
        return residue
    book.change(residue, "protonation", message)
    return replace(residue, atoms=tuple(atom for atom in residue.atoms if atom.name not in names))
