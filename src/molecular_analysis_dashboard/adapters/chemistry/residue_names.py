"""Modified residues whose standard parent differs by one exchangeable element."""

from dataclasses import replace

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)

# Selenium stands in for sulphur to phase crystals; the protein that is meant has sulphur.
_SELENIUM = {"MSE": ("MET", "SD"), "CSE": ("CYS", "SG"), "SEC": ("CYS", "SG")}


def standardized(residue: ReceptorResidue, book: Notebook) -> ReceptorResidue:
    """Return selenomethionine and selenocysteine as their sulphur parents, anything else unchanged."""
    if residue.name not in _SELENIUM:
        return residue
    parent, sulphur = _SELENIUM[residue.name]
    atoms = tuple(
        ReceptorAtom(sulphur, "S", atom.position) if atom.element == "Se" else atom for atom in residue.atoms
    )
    book.change(residue, "selenium_replaced", f"{residue.name} is treated as {parent}.")
    return replace(residue, name=parent, atoms=atoms, is_hetero=False)
