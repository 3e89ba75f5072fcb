"""What receptor preparation works on: residues with atoms, their notes and their distance to the site."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, ResidueNote, Severity
from molecular_analysis_dashboard.domain.sites import Vector

# Problems this near to the site block (docs/decisions/0017).
BLOCK_ANGSTROM = 8.0
# Stands where a note names a residue.
WHOLE_STRUCTURE = "whole structure"


@dataclass(frozen=True, slots=True)
class ReceptorAtom:
    """One atom; `atom_type` is empty for hydrogens that the engine does not carry."""

    name: str
    element: str
    position: Vector
    atom_type: str = ""
    charge: float = 0.0

    @property
    def is_hydrogen(self) -> bool:
        """Whether it is hydrogen or deuterium."""
        return self.element in ("H", "D")


@dataclass(frozen=True)
class ReceptorResidue:
    """One residue or hetero group under its author names."""

    chain: str
    number: int
    icode: str
    name: str
    atoms: tuple[ReceptorAtom, ...]
    is_hetero: bool = False

    @property
    def label(self) -> str:
        """``CHAIN:NAME NUMBER[insertion code]``."""
        return f"{self.chain}:{self.name} {self.number}{self.icode}"

    @property
    def selectors(self) -> tuple[str, str, str]:
        """The forms in which options name a group."""
        return self.name, f"{self.name}:{self.chain}", f"{self.name}:{self.chain}:{self.number}{self.icode}"

    def atom(self, name: str) -> ReceptorAtom | None:
        """Return the atom of this name, None when it is missing."""
        return next((atom for atom in self.atoms if atom.name == name), None)


@dataclass(frozen=True)
class Site:
    """The place around which notes matter, where one is known."""

    center: Vector | None
    radius_angstrom: float

    @classmethod
    def of(cls, options: ReceptorOptions) -> "Site":
        """Return the site that the options name."""
        return cls(options.site_center, options.site_radius_angstrom)

    def distance(self, residue: ReceptorResidue) -> float | None:
        """Distance (Å) from the site's centre to the nearest atom, None without a site."""
        if self.center is None or not residue.atoms:
            return None
        return min(math.dist(self.center, atom.position) for atom in residue.atoms)

    def is_within(self, residue: ReceptorResidue, reach_angstrom: float) -> bool:
        """Whether the residue comes within `reach_angstrom` of the site; False without a site."""
        distance = self.distance(residue)
        return distance is not None and distance - self.radius_angstrom <= reach_angstrom


@dataclass
class Notebook:
    """Collects the notes and steps of one preparation."""

    site: Site
    notes: list[ResidueNote] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def note(self, residue: ReceptorResidue, action: str, message: str, severity: Severity = Severity.INFO) -> None:
        """Write down what was done to a residue."""
        distance = self.site.distance(residue)
        rounded = None if distance is None else round(distance, 2)
        self.notes.append(ResidueNote(residue.label, action, message, severity, rounded))

    def whole(self, action: str, message: str, severity: Severity = Severity.WARNING) -> None:
        """Write down something about the structure as a whole."""
        self.notes.append(ResidueNote(WHOLE_STRUCTURE, action, message, severity))

    def problem(self, residue: ReceptorResidue, action: str, message: str) -> None:
        """Write down a problem: blocking near the site, a warning elsewhere."""
        near = self.site.is_within(residue, BLOCK_ANGSTROM)
        self.note(residue, action, message, Severity.BLOCKING if near else Severity.WARNING)

    def change(self, residue: ReceptorResidue, action: str, message: str) -> None:
        """Write down a change of atoms: a warning near the site, for information elsewhere."""
        near = self.site.is_within(residue, BLOCK_ANGSTROM)
        self.note(residue, action, message, Severity.WARNING if near else Severity.INFO)


def nearest(residue: ReceptorResidue, others: Iterable[ReceptorAtom]) -> float:
    """Least distance (Å) between a residue's atoms and other atoms; infinity when there are none."""
    return min(
        (math.dist(atom.position, other.position) for atom in residue.atoms for other in others),
        default=math.inf,
    )
