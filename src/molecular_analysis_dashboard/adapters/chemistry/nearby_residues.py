"""Cutting the residues near a search box out of a prepared receptor, and naming them."""

from collections.abc import Iterator
from dataclasses import dataclass

from molecular_analysis_dashboard.domain.sites import SearchBox

_ATOM_RECORDS = ("ATOM", "HETATM")
# RDKit knows bond orders, and people know residues, by these names only.
_STANDARD_NAMES = {
    **dict.fromkeys(("HID", "HIE", "HIP", "HSD", "HSE", "HSP"), "HIS"),
    **dict.fromkeys(("CYX", "CYM"), "CYS"),
    "ASH": "ASP",
    "GLH": "GLU",
    "LYN": "LYS",
}


@dataclass(frozen=True)
class PdbResidue:
    """The atom lines of one residue, as the receptor's PDB file has them."""

    lines: tuple[str, ...]

    @property
    def label(self) -> str:
        """``CHAIN:NAMENUMBER[insertion code]``, for example ``A:GLU80``, under the amino acid's standard name."""
        line = self.lines[0]
        return f"{line[21].strip()}:{self.name}{line[22:26].strip()}{line[26].strip()}"

    @property
    def name(self) -> str:
        """Standard name, whatever the force field calls the protonation state."""
        name = self.lines[0][17:20].strip()
        return _STANDARD_NAMES.get(name, name)

    def numbered(self, number: int) -> list[str]:
        """Return the lines under the standard name and another number, without insertion code."""
        return [f"{line[:17]}{self.name:>3}{line[20:22]}{number:4d} {line[27:]}" for line in self.lines]


def residues_near_box(pdb: str, box: SearchBox, margin_angstrom: float) -> list[PdbResidue]:
    """Return the residues that have an atom in the box widened by a margin on every side, in the file's order."""
    low = [center - size / 2 - margin_angstrom for center, size in zip(box.center, box.size, strict=True)]
    high = [center + size / 2 + margin_angstrom for center, size in zip(box.center, box.size, strict=True)]

    def is_near(line: str) -> bool:
        position = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        return all(lowest <= value <= highest for lowest, value, highest in zip(low, position, high, strict=True))

    return [residue for residue in pdb_residues(pdb) if any(map(is_near, residue.lines))]


def pdb_residues(pdb: str) -> Iterator[PdbResidue]:
    """Yield the residues of a receptor's PDB file in its order."""
    lines: list[str] = []
    for line in pdb.splitlines():
        if not line.startswith(_ATOM_RECORDS):
            continue
        if lines and line[17:27] != lines[0][17:27]:
            yield PdbResidue(tuple(lines))
            lines = []
        lines.append(line)
    if lines:
        yield PdbResidue(tuple(lines))
