"""Residues with the ideal coordinates of the Chemical Component Dictionary, alone or bonded into a chain."""

import biotite.structure.info as structure_info
import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import Link, links_between
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue

_PEPTIDE_BOND_ANGSTROM = 1.33

Point = NDArray[np.float64]


def component_residue(name: str, *, without: tuple[str, ...] = ()) -> ReceptorResidue:
    """Return the heavy atoms of a component, but for those named."""
    entry = structure_info.residue(name)
    atoms = tuple(
        ReceptorAtom(str(atom), str(element).capitalize(), (float(x), float(y), float(z)))
        for atom, element, (x, y, z) in zip(entry.atom_name, entry.element, entry.coord, strict=True)
        if element not in ("H", "D") and atom not in without
    )
    return ReceptorResidue("A", 50, "", name, atoms, is_hetero=True)


def in_chain(name: str) -> tuple[ReceptorResidue, list[Link]]:
    """Return an amino acid between two others, of which only the atoms next to it are there, and its bonds."""
    entry = structure_info.residue(name)
    places = {str(atom): np.asarray(entry.coord[index], float) for index, atom in enumerate(entry.atom_name)}
    residue = component_residue(name, without=("OXT",))
    neighbours = []
    leaving = next((atom for atom in ("H2", "HN2", "HN1", "H") if atom in places), None)
    if leaving is not None:
        carbon = _beyond(places["N"], places[leaving], _PEPTIDE_BOND_ANGSTROM)
        oxygen = _beyond(places["N"], places[leaving], _PEPTIDE_BOND_ANGSTROM + 1.23)
        neighbours.append(_neighbour(49, ("C", "C", carbon), ("O", "O", oxygen)))
    nitrogen = _beyond(places["C"], places["OXT"], _PEPTIDE_BOND_ANGSTROM)
    alpha = _beyond(places["C"], places["OXT"], _PEPTIDE_BOND_ANGSTROM + 1.46)
    neighbours.append(_neighbour(51, ("N", "N", nitrogen), ("CA", "C", alpha)))
    return residue, links_between([residue, *neighbours])[residue.label]


def _beyond(start: Point, end: Point, length: float) -> Point:
    """Return the point at `length` (Å) from the start in the direction of the end."""
    away = end - start
    point: Point = start + away / np.linalg.norm(away) * length
    return point


def _neighbour(number: int, *atoms: tuple[str, str, Point]) -> ReceptorResidue:
    made = tuple(ReceptorAtom(name, element, (float(x), float(y), float(z))) for name, element, (x, y, z) in atoms)
    return ReceptorResidue("A", number, "", "ALA", made)
