"""Accepting a receptor that comes as PDBQT already."""

import re
from collections.abc import Iterator

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.pdbqt import RECEPTOR_TYPES, atom_lines, atom_type
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import WHOLE_STRUCTURE
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import (
    PreparationReport,
    PreparedReceptor,
    ReceptorOptions,
    ResidueNote,
    Severity,
)

_LIGAND_TAGS = re.compile(r"^(ROOT|BRANCH|BEGIN_RES)\b", re.MULTILINE)
# Other programs write two-letter elements in capitals; the element is the same.
_RESPELLED = {"CL": "Cl", "BR": "Br", "MG": "Mg", "ZN": "Zn", "MN": "Mn", "FE": "Fe", "CU": "Cu", "NI": "Ni",
              "CO": "Co", "CD": "Cd", "HG": "Hg"}  # fmt: skip


def accept_pdbqt(
    text: str, structure: gemmi.Structure, options: ReceptorOptions, versions: dict[str, str]
) -> PreparedReceptor:
    """Check a ready PDBQT and pass its atom lines on.

    Raises
    ------
    InvalidInput
        ``pdbqt_is_ligand`` or ``pdbqt_atom_types``.
    """
    if _LIGAND_TAGS.search(text):
        raise InvalidInput(
            "This PDBQT holds a ligand or flexible side chains. Give a rigid receptor.", code="pdbqt_is_ligand"
        )
    lines = [_respelled(line) for line in atom_lines(_first_model(text))]
    unknown = sorted({atom_type(line) for line in lines} - RECEPTOR_TYPES)
    if unknown:
        raise InvalidInput(
            f"Vina has no atom types {', '.join(unknown[:20])} of this PDBQT. Upload the structure as PDB or mmCIF "
            "and let it be prepared here.",
            code="pdbqt_atom_types",
            atom_types=unknown,
        )
    steps = ["taken as a ready PDBQT: atom types checked, nothing changed"]
    if options.chains or options.keep or options.remove or options.caps:
        steps.append("the options for chains, groups and caps do not apply to a ready PDBQT")
    report = PreparationReport(
        notes=tuple(_notes({atom_type(line) for line in lines})),
        steps=tuple(steps),
        n_residues=sum(len(chain) for chain in structure[0]),
        n_atoms=len(lines),
        versions=versions,
    )
    while len(structure) > 1:
        del structure[1]
    pdb = structure.make_pdb_string(gemmi.PdbWriteOptions(minimal=True))
    return PreparedReceptor("\n".join(lines) + "\n", pdb, report)


def _notes(types: set[str]) -> Iterator[ResidueNote]:
    if "HD" not in types:
        yield ResidueNote(
            WHOLE_STRUCTURE,
            "no_polar_hydrogens",
            "It has no polar hydrogens (type HD), by which engines know donors. Add them, or upload a PDB file.",
            Severity.WARNING,
        )


def _first_model(text: str) -> str:
    return text.split("\nENDMDL")[0]


def _respelled(line: str) -> str:
    found = atom_type(line)
    return f"{line[:77]}{_RESPELLED[found]}" if found in _RESPELLED else line
