"""Writing a typed receptor as PDBQT for engines and as PDB for eyes."""

import string
from collections.abc import Iterator, Mapping, Sequence

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


def chain_letters(residues: Sequence[ReceptorResidue]) -> dict[str, str]:
    """Return the character under which PDB files, which have one column for it, know each chain.

    A name of one character stays; longer ones, as mmCIF has, get free letters in order. Beyond 62 chains letters
    repeat.
    """
    names = list(dict.fromkeys(residue.chain for residue in residues))
    letters = {name: name or " " for name in names if len(name) <= 1}
    free = [letter for letter in _LETTERS if letter not in letters]
    for index, name in enumerate(name for name in names if len(name) > 1):
        letters[name] = free[index] if index < len(free) else _LETTERS[index % len(_LETTERS)]
    return letters


def receptor_pdbqt(residues: Sequence[ReceptorResidue]) -> str:
    """Return the atoms that have a type, with charges."""
    lines: list[str] = []
    letters = chain_letters(residues)
    for residue, atom in _atoms(residues):
        if atom.atom_type:
            start = _columns(residue, atom, len(lines) + 1, letters)
            lines.append(f"{start}  1.00  0.00    {atom.charge:+6.3f} {atom.atom_type:<2}")
    return "\n".join(lines) + "\n"


def receptor_pdb(residues: Sequence[ReceptorResidue]) -> str:
    """Return every atom with its element, chains ended by TER."""
    lines: list[str] = []
    letters = chain_letters(residues)
    serial = 0
    previous: ReceptorResidue | None = None
    for residue in residues:
        if previous is not None and not previous.is_hetero and (residue.is_hetero or residue.chain != previous.chain):
            lines.append("TER")
        for atom in residue.atoms:
            serial += 1
            lines.append(f"{_columns(residue, atom, serial, letters)}  1.00  0.00          {atom.element:>2}")
        previous = residue
    return "\n".join([*lines, "END", ""])


def _atoms(residues: Sequence[ReceptorResidue]) -> Iterator[tuple[ReceptorResidue, ReceptorAtom]]:
    for residue in residues:
        for atom in residue.atoms:
            yield residue, atom


def _columns(residue: ReceptorResidue, atom: ReceptorAtom, serial: int, letters: Mapping[str, str]) -> str:
    """Return columns 1 to 54; numbers beyond their columns wrap around, as other programs do."""
    record = "HETATM" if residue.is_hetero else "ATOM  "
    wide = len(atom.name) >= 4 or len(atom.element) == 2
    name = atom.name[:4] if wide else f" {atom.name}"
    x, y, z = atom.position
    return (
        f"{record}{serial % 100_000:5d} {name:<4} {residue.name[:3]:>3} {letters[residue.chain]}"
        f"{residue.number % 10_000:4d}{residue.icode[:1] or ' '}   {x:8.3f}{y:8.3f}{z:8.3f}"
    )
