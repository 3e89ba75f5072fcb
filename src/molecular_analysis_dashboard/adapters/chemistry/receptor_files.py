"""Writing a typed receptor as PDBQT for engines and as PDB for eyes."""

from collections.abc import Iterator, Sequence

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue


def receptor_pdbqt(residues: Sequence[ReceptorResidue]) -> str:
    """Return the atoms that have a type, with charges."""
    lines: list[str] = []
    for residue, atom in _atoms(residues):
        if atom.atom_type:
            start = _columns(residue, atom, len(lines) + 1)
            lines.append(f"{start}  1.00  0.00    {atom.charge:+6.3f} {atom.atom_type:<2}")
    return "\n".join(lines) + "\n"


def receptor_pdb(residues: Sequence[ReceptorResidue]) -> str:
    """Return every atom with its element, chains ended by TER."""
    lines: list[str] = []
    serial = 0
    previous: ReceptorResidue | None = None
    for residue in residues:
        if previous is not None and not previous.is_hetero and (residue.is_hetero or residue.chain != previous.chain):
            lines.append("TER")
        for atom in residue.atoms:
            serial += 1
            lines.append(f"{_columns(residue, atom, serial)}  1.00  0.00          {atom.element:>2}")
        previous = residue
    return "\n".join([*lines, "END", ""])


def _atoms(residues: Sequence[ReceptorResidue]) -> Iterator[tuple[ReceptorResidue, ReceptorAtom]]:
    for residue in residues:
        for atom in residue.atoms:
            yield residue, atom


def _columns(residue: ReceptorResidue, atom: ReceptorAtom, serial: int) -> str:
    """Return columns 1 to 54; numbers beyond their columns wrap around, as other programs do."""
    record = "HETATM" if residue.is_hetero else "ATOM  "
    wide = len(atom.name) >= 4 or len(atom.element) == 2
    name = atom.name[:4] if wide else f" {atom.name}"
    x, y, z = atom.position
    return (
        f"{record}{serial % 100_000:5d} {name:<4} {residue.name[:3]:>3} {residue.chain[:1] or ' '}"
        f"{residue.number % 10_000:4d}{residue.icode[:1] or ' '}   {x:8.3f}{y:8.3f}{z:8.3f}"
    )
