"""Refusing structures whose coordinates are no numbers; parsers take such text for zero or pass it on."""

import math

import gemmi

from molecular_analysis_dashboard.domain.errors import InvalidInput

_ATOM_RECORDS = ("ATOM", "HETATM")
# Columns 31 to 54 of an atom record hold x, y and z.
_COLUMNS = ((30, 38), (38, 46), (46, 54))
_SHOWN_CHARACTERS = 80


def refuse_unreadable_lines(text: str) -> None:
    """Check every atom line of a PDB or PDBQT text.

    Raises
    ------
    InvalidInput
        ``coordinates_invalid`` with the first line whose coordinates are not three finite numbers.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(_ATOM_RECORDS) and not all(_is_finite(line[start:end]) for start, end in _COLUMNS):
            shown = line[:_SHOWN_CHARACTERS].rstrip()
            raise InvalidInput(
                f"Line {number} has no three finite coordinates in columns 31 to 54: “{shown}”. Repair or remove it.",
                code="coordinates_invalid",
                line=number,
                text=shown,
            )


def refuse_unplaced_atoms(structure: gemmi.Structure) -> None:
    """Check every atom of a parsed structure, where lines mean nothing.

    Raises
    ------
    InvalidInput
        ``coordinates_invalid`` with the first atom whose coordinates are not finite.
    """
    for model in structure:
        for site in model.all():
            if not all(math.isfinite(value) for value in site.atom.pos.tolist()):
                name = f"{site.atom.name} of {site.chain.name}:{site.residue.name} {site.residue.seqid}"
                raise InvalidInput(
                    f"Atom {name} has no three finite coordinates. Repair or remove it.",
                    code="coordinates_invalid",
                    atom=name,
                )


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
