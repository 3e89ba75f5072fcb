"""Pairs of heavy atoms of different residues that are near each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue


@dataclass(frozen=True)
class Contact:
    """Two heavy atoms and their distance in Å."""

    residue: ReceptorResidue
    atom: ReceptorAtom
    other_residue: ReceptorResidue
    other_atom: ReceptorAtom
    distance_angstrom: float


def contacts_within(residues: Sequence[ReceptorResidue], reach_angstrom: float) -> Iterator[Contact]:
    """Yield every contact between atoms that are no metals, from both sides."""
    search, _model = _search(residues, reach_angstrom)
    for index, residue in enumerate(residues):
        for atom in residue.atoms:
            if atom.is_hydrogen or element(atom.element).is_metal:
                continue
            place = gemmi.Position(*atom.position)
            for mark in search.find_atoms(place, "\0", radius=reach_angstrom):
                other = residues[mark.residue_idx]
                if mark.residue_idx != index and not element(other.atoms[mark.atom_idx].element).is_metal:
                    yield Contact(residue, atom, other, other.atoms[mark.atom_idx], mark.pos.dist(place))


@cache
def element(symbol: str) -> gemmi.Element:
    """Return gemmi's data on an element."""
    return gemmi.Element(symbol)


def _search(residues: Sequence[ReceptorResidue], reach_angstrom: float) -> tuple[gemmi.NeighborSearch, gemmi.Model]:
    # The search refers to the model, so both go back together.
    model = gemmi.Model(1)
    chain = gemmi.Chain("A")
    for residue in residues:
        added = gemmi.Residue()
        for atom in residue.atoms:
            copy = gemmi.Atom()
            copy.name, copy.element = atom.name, element(atom.element)
            copy.pos = gemmi.Position(*atom.position)
            added.add_atom(copy)
        chain.add_residue(added)
    model.add_chain(chain)
    search = gemmi.NeighborSearch(model, gemmi.UnitCell(), reach_angstrom)
    return search.populate(include_h=False), model
