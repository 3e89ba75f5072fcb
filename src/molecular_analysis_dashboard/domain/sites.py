"""Binding sites: a search box and where it came from."""

from dataclasses import dataclass
from enum import StrEnum

from molecular_analysis_dashboard.domain.errors import InvalidInput

# Above 27,000 Å³ Vina's own manual warns that the search needs more effort (its "too large" notice).
LARGE_VOLUME_ANGSTROM3 = 27_000.0
MAX_EDGE_ANGSTROM = 126.0
MIN_EDGE_ANGSTROM = 4.0

Vector = tuple[float, float, float]


class SiteOrigin(StrEnum):
    """Where the box came from."""

    NATIVE_LIGAND = "native_ligand"
    RESIDUES = "residues"
    POCKET = "pocket"
    MANUAL = "manual"


@dataclass(frozen=True)
class SearchBox:
    """An axis-aligned box in the receptor's frame.

    Parameters
    ----------
    center, size : tuple of three floats
        In Å.

    Raises
    ------
    InvalidInput
        If an edge is not finite or not within 4 to 126 Å.
    """

    center: Vector
    size: Vector

    def __post_init__(self) -> None:
        if not all(abs(value) < 1e6 for value in self.center):
            raise InvalidInput(
                "The centre of the search box must be three finite numbers in Å.",
                code="box_center_invalid",
                center=[str(value) for value in self.center],
            )
        if not all(MIN_EDGE_ANGSTROM <= edge <= MAX_EDGE_ANGSTROM for edge in self.size):
            raise InvalidInput(
                f"Each edge of the search box must be {MIN_EDGE_ANGSTROM:g} to {MAX_EDGE_ANGSTROM:g} Å long.",
                code="box_size_invalid",
                size=[str(value) for value in self.size],
            )

    @property
    def volume_angstrom3(self) -> float:
        """Volume in Å³."""
        x, y, z = self.size
        return x * y * z

    def widened(self, margin_angstrom: float) -> "SearchBox":
        """Return the box with every face moved outwards by a margin, as far as a box may reach."""
        x, y, z = (min(edge + 2 * margin_angstrom, MAX_EDGE_ANGSTROM) for edge in self.size)
        return SearchBox(self.center, (x, y, z))

    def contains(self, point: Vector, margin: float = 0.0) -> bool:
        """Whether a point (Å) lies inside the box shrunk by `margin` Å on every side."""
        return all(
            abs(value - middle) <= edge / 2 - margin
            for value, middle, edge in zip(point, self.center, self.size, strict=True)
        )
