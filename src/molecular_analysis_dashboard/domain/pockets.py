"""Pockets: where a receptor's surface could hold a ligand, ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.sites import SearchBox, Vector

# As wide as around a native ligand.
BOX_PADDING_ANGSTROM = 5.0


@dataclass(frozen=True)
class Pocket:
    """One hollow of a prepared receptor.

    Parameters
    ----------
    rank : int
        1 is the most promising pocket of its receptor.
    center : Vector
        Centroid of the alpha spheres, in Å.
    volume_angstrom3 : float
        Room between the atoms, in Å³.
    score : float
        Decides the rank; more is better, and scores of two receptors do not compare.
    residues : tuple of str
        The residues that line it, as ``A:GLU80``, in the receptor's order.
    box : SearchBox
        Around the alpha spheres' centres, widened by `BOX_PADDING_ANGSTROM`.
    """

    rank: int
    center: Vector
    volume_angstrom3: float
    score: float
    residues: tuple[str, ...]
    box: SearchBox

    def as_json(self) -> dict[str, object]:
        """Return the pocket as JSON-compatible values."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild a pocket from what `as_json` returned."""
        box = SearchBox(_vector(body["box"]["center"]), _vector(body["box"]["size"]))
        read = {"center": _vector(body["center"]), "residues": tuple(body["residues"]), "box": box}
        return cls(**{**body, **read})


def pocket_of_rank(pockets: Sequence[Pocket], rank: int) -> Pocket:
    """Return the pocket of a rank.

    Raises
    ------
    InvalidInput
        ``no_pocket_found`` if the receptor has none, ``pocket_not_found`` if it has fewer.
    """
    for pocket in pockets:
        if pocket.rank == rank:
            return pocket
    if not pockets:
        raise InvalidInput(
            "The receptor has no pocket that could hold a ligand. Define the site by residues or by hand.",
            code="no_pocket_found",
        )
    raise InvalidInput(
        f"The receptor has no pocket of rank {rank}; the last one has rank {len(pockets)}. Choose one of these.",
        code="pocket_not_found",
        rank=rank,
        n_pockets=len(pockets),
    )


def _vector(values: Sequence[float]) -> Vector:
    x, y, z = values
    return x, y, z
