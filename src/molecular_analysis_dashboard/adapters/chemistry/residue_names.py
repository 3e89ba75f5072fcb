"""Bringing residues and atoms of other naming schemes to the PDB's."""

from collections.abc import Mapping
from dataclasses import replace

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import Notebook, ReceptorResidue

# Selenium stands in for sulphur to phase crystals; the protein that is meant has sulphur.
_SELENIUM = {"MSE": ("MET", "SD"), "CSE": ("CYS", "SG"), "SEC": ("CYS", "SG")}
# Names that CHARMM, GROMACS and AMBER write for atoms of standard amino acids.
_FORCE_FIELD_ATOMS: Mapping[str, Mapping[str, str]] = {"ILE": {"CD": "CD1"}}
_TERMINAL_ATOMS = {"OT1": "O", "OT2": "OXT", "OCT1": "O", "OCT2": "OXT", "O1": "O", "O2": "OXT"}
# Before 2007 the PDB wrote nucleotides so.
_OLD_NUCLEOTIDE_ATOMS = {"O1P": "OP1", "O2P": "OP2", "O3P": "OP3", "C5M": "C7"}


def standardized(residue: ReceptorResidue, book: Notebook) -> ReceptorResidue:
    """Return the residue under standard names; selenomethionine and selenocysteine become their sulphur parents."""
    renamed = _renamed(residue)
    if residue.name not in _SELENIUM:
        return renamed
    parent, sulphur = _SELENIUM[residue.name]
    atoms = tuple(replace(atom, name=sulphur, element="S") if atom.element == "Se" else atom for atom in renamed.atoms)
    book.change(residue, "selenium_replaced", f"{residue.name} is treated as {parent}.")
    return replace(renamed, name=parent, atoms=atoms, is_hetero=False)


def _renamed(residue: ReceptorResidue) -> ReceptorResidue:
    names = {atom.name for atom in residue.atoms}
    aliases = dict(_FORCE_FIELD_ATOMS.get(residue.name, {}))
    if {"C", "CA", "N"} <= names and "O" not in names:
        aliases |= _TERMINAL_ATOMS
    if {"C3*", "C4*"} & names or {"C3'", "P"} <= names:
        aliases |= _OLD_NUCLEOTIDE_ATOMS | {name: name.replace("*", "'") for name in names if "*" in name}
    if not any(old in names and new not in names for old, new in aliases.items()):
        return residue
    atoms = tuple(
        replace(atom, name=aliases[atom.name]) if aliases.get(atom.name, atom.name) not in names else atom
        for atom in residue.atoms
    )
    return replace(residue, atoms=atoms)
