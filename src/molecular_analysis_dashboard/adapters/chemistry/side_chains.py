"""One side chain as an engine turns it: its bonds, its torsion tree, and its atoms put back where a pose has them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_type, element_of, moved, position
from molecular_analysis_dashboard.domain.sites import Vector

# Bonds that a side chain turns about, outwards from the backbone (IUPAC-IUB 1970, doi:10.1021/bi00820a001); amides,
# guanidinium and rings are rigid, and what turns nothing but merged hydrogens is left out.
_TURNING = {
    "ARG": ("CB", "CG", "CD", "NE"),
    "ASN": ("CB", "CG"),
    "ASP": ("CB", "CG"),
    "CYS": ("CB", "SG"),
    "GLN": ("CB", "CG", "CD"),
    "GLU": ("CB", "CG", "CD"),
    "HIS": ("CB", "CG"),
    "ILE": ("CB", "CG1"),
    "LEU": ("CB", "CG"),
    "LYS": ("CB", "CG", "CD", "CE", "NZ"),
    "MET": ("CB", "CG", "SD"),
    "PHE": ("CB", "CG"),
    "SER": ("CB", "OG"),
    "THR": ("CB", "OG1"),
    "TRP": ("CB", "CG"),
    "TYR": ("CB", "CG", "OH"),
    "VAL": ("CB",),
}
# What force fields call protonation states; ready PDBQT files have these names.
_PARENTS = {
    "ASH": "ASP",
    "CYM": "CYS",
    "GLH": "GLU",
    "HID": "HIS",
    "HIE": "HIS",
    "HIP": "HIS",
    "HSD": "HIS",
    "HSE": "HIS",
    "HSP": "HIS",
    "LYN": "LYS",
}
_BEFORE = {("TYR", "OH"): "CZ"}
_BACKBONE = frozenset({"N", "H", "HN", "H1", "H2", "H3", "C", "O", "OXT", "HXT"})
_ROOT = "CA"
# C-S is the longest bond within a side chain, 1.82 Å; the shortest distance over two bonds is 2.1 Å.
BOND_ANGSTROM = 1.95
_BOND_TO_HYDROGEN_ANGSTROM = 1.45


@dataclass(frozen=True)
class _Step:
    """One line of a torsion tree: an atom, or the bond at which a branch begins or ends."""

    keyword: str
    atoms: tuple[str, ...]


@dataclass(frozen=True)
class SideChain:
    """One residue's atoms that an engine may move, and how.

    Parameters
    ----------
    whole : tuple of str
        Every atom line of the residue, as the receptor has them.
    order : tuple of int
        Of the atoms that are split off, in the order in which they are written: the root, which stays, first.
    """

    whole: tuple[str, ...]
    order: tuple[int, ...]
    _tree: tuple[_Step, ...]

    @property
    def torsions(self) -> int:
        """Bonds that it turns about."""
        return sum(step.keyword == "BRANCH" for step in self._tree)

    @property
    def lines(self) -> list[str]:
        """Atom lines that are split off."""
        return [self.whole[index] for index in self.order]

    def block(self, serial: int) -> str:
        """Return the PDBQT block of the residue, its atoms numbered on from `serial`."""
        head = self.whole[0]
        title = f"{head[17:20]} {head[21]}{head[22:27]}".rstrip()
        by_name = {_name(line): line for line in self.lines}
        serials = {name: serial + number for number, name in enumerate(by_name, 1)}
        first, *rest = (self._line(step, by_name, serials) for step in self._tree)
        return "\n".join([f"BEGIN_RES {title}", "ROOT", first, "ENDROOT", *rest, f"END_RES {title}", ""])

    def _line(self, step: _Step, by_name: Mapping[str, str], serials: Mapping[str, int]) -> str:
        if step.keyword != "ATOM":
            return f"{step.keyword} " + " ".join(f"{serials[name]:3d}" for name in step.atoms)
        (name,) = step.atoms
        return f"{by_name[name][:6]}{serials[name]:5d}{by_name[name][11:]}"

    def placed(self, places: Sequence[Vector]) -> list[str]:
        """Return the whole residue as PDB lines, what is split off at places (Å) in the order of `order`.

        Raises
        ------
        ValueError
            If there are more or fewer places than atoms.
        """
        at = dict(zip(self.order, places, strict=True))
        return [_pdb_line(line, at.get(index)) for index, line in enumerate(self.whole)]


def side_chain_of(whole: Sequence[str]) -> SideChain | None:
    """Return the side chain of a residue's atom lines; None where it has none that turns, or is not built as usual."""
    parts = [(_name(line), index) for index, line in enumerate(whole) if _name(line) not in _BACKBONE]
    indices = dict(parts)
    bonds = _bonds({name: whole[index] for name, index in indices.items()})
    residue = whole[0][17:20].strip()
    turning = _turning(_PARENTS.get(residue, residue), bonds)
    if not turning or len(indices) != len(parts):
        return None
    tree = tuple(_tree(_ROOT, turning, bonds))
    order = tuple(indices[step.atoms[0]] for step in tree if step.keyword == "ATOM")
    return SideChain(tuple(whole), order, tree) if len(order) == len(indices) else None


def _turning(residue: str, bonds: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return the bonds that a residue turns about and that are there, each outwards and with atoms beyond it."""
    found = []
    before = _ROOT
    for atom in _TURNING.get(residue, ()) if _ROOT in bonds else ():
        before = _BEFORE.get((residue, atom), before)
        if atom in bonds.get(before, ()) and len(bonds[atom]) > 1:
            found.append((before, atom))
        before = atom
    return found


def _bonds(lines: Mapping[str, str]) -> dict[str, set[str]]:
    bonds: dict[str, set[str]] = {name: set() for name in lines}
    for first, line in lines.items():
        for second, other in lines.items():
            is_hydrogen = "H" in (element_of(atom_type(line)), element_of(atom_type(other)))
            longest = _BOND_TO_HYDROGEN_ANGSTROM if is_hydrogen else BOND_ANGSTROM
            if first != second and math.dist(position(line), position(other)) <= longest:
                bonds[first].add(second)
    return bonds


def _tree(
    atom: str, turning: Sequence[tuple[str, str]], bonds: Mapping[str, set[str]], came: str | None = None
) -> Iterator[_Step]:
    """Yield what moves as one with an atom, then each branch that turns against it."""
    part = [atom]
    for one in part:
        part += sorted(
            other
            for other in bonds[one]
            if other not in (*part, came) and (one, other) not in turning and (other, one) not in turning
        )
    yield from (_Step("ATOM", (one,)) for one in part)
    for bond in turning:
        if bond[0] in part:
            yield _Step("BRANCH", bond)
            yield from _tree(bond[1], turning, bonds, came=bond[0])
            yield _Step("ENDBRANCH", bond)


def _name(line: str) -> str:
    return line[12:16].strip()


def _pdb_line(line: str, place: Vector | None) -> str:
    at = line if place is None else moved(line, *place)
    return f"{at[:66]:<66}{'':10}{element_of(atom_type(line)):>2}"
