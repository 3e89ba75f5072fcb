"""Choosing the waters that stay by their place: near the site, or bridging between ligand and receptor."""

import math
from collections.abc import Sequence

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, Severity, WaterPolicy

# Longest donor-acceptor distance of a hydrogen bond (McDonald & Thornton 1994, doi:10.1006/jmbi.1994.1334, use 3.9;
# 3.5 keeps to the strong ones).
_HYDROGEN_BOND_ANGSTROM = 3.5
# Without a ligand in the file, a water that the receptor alone holds this often is taken for part of it.
_CONTACTS_WITHOUT_LIGAND = 3
_POLAR = frozenset({"N", "O", "S", "F", "Cl"})

Atoms = Sequence[ReceptorAtom]


def refuse_without_site(options: ReceptorOptions) -> None:
    """Check that a policy that looks at the site knows where it is.

    Raises
    ------
    InvalidInput
        ``site_needed``.
    """
    if options.waters in (WaterPolicy.NEAR, WaterPolicy.BRIDGING) and options.site_center is None:
        raise InvalidInput(
            f"The water policy “{options.waters}” needs a site. Give its centre, or keep all waters or none.",
            code="site_needed",
        )


def chosen_waters(
    waters: Sequence[ReceptorResidue],
    receptor: Sequence[ReceptorResidue],
    ligands: Sequence[ReceptorResidue],
    options: ReceptorOptions,
    book: Notebook,
) -> list[ReceptorResidue]:
    """Return the waters that stay, with a note on each that the policy chose one by one.

    Parameters
    ----------
    receptor : sequence of ReceptorResidue
        Chains and groups that stay.
    ligands : sequence of ReceptorResidue
        Groups that were removed from the site.
    """
    held = _polar_atoms(receptor)
    native = _polar_atoms([group for group in ligands if book.site.is_within(group, 0.0)])
    kept = []
    for water in waters:
        if reason := _reason(water, held, native, options, book):
            kept.append(water)
            if options.waters is not WaterPolicy.ALL:
                book.note(water, "kept", f"Water kept: {reason}.", Severity.INFO)
    book.steps.append(f"kept {len(kept)} of {len(waters)} waters (policy: {options.waters})")
    return kept


def _reason(water: ReceptorResidue, held: Atoms, native: Atoms, options: ReceptorOptions, book: Notebook) -> str:
    if any(selector in options.remove for selector in water.selectors):
        return ""
    if any(selector in options.keep for selector in water.selectors):
        return "the options say so"
    if options.waters is WaterPolicy.ALL:
        return "water policy"
    if options.waters is WaterPolicy.NONE or not book.site.is_within(water, options.water_reach_angstrom):
        return ""
    if options.waters is WaterPolicy.NEAR:
        return f"it is within {options.water_reach_angstrom:g} Å of the site"
    to_receptor, to_ligand = _contacts(water, held), _contacts(water, native)
    if native:
        return "it bridges between the ligand and the receptor" if to_receptor and to_ligand else ""
    if to_receptor >= _CONTACTS_WITHOUT_LIGAND:
        return f"the receptor holds it by {to_receptor} hydrogen bonds"
    return ""


def _contacts(water: ReceptorResidue, atoms: Atoms) -> int:
    oxygen = water.atoms[0].position
    return sum(1 for atom in atoms if math.dist(atom.position, oxygen) <= _HYDROGEN_BOND_ANGSTROM)


def _polar_atoms(residues: Sequence[ReceptorResidue]) -> list[ReceptorAtom]:
    return [atom for residue in residues for atom in residue.atoms if atom.element in _POLAR]
