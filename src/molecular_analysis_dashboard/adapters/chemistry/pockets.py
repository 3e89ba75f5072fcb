"""Pockets of a prepared receptor: clusters of alpha spheres, ranked by fpocket's published score.

The receptor's surface is that of its chains and of the cofactors and other groups that preparation kept. Groups of one
heavy atom are no part of it: a ligand takes the place of waters, and an ion fills no pocket.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from molecular_analysis_dashboard.adapters.chemistry.alpha_spheres import (
    AlphaSpheres,
    Floats,
    Integers,
    alpha_spheres,
    clusters,
)
from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import PdbResidue, pdb_residues
from molecular_analysis_dashboard.domain.pockets import BOX_PADDING_ANGSTROM, Pocket
from molecular_analysis_dashboard.domain.sites import MAX_EDGE_ANGSTROM, MIN_EDGE_ANGSTROM, SearchBox, Vector

# What is ranked lower has no part in the choice: of an enzyme fpocket finds some forty, most of them dents.
MAX_POCKETS = 20
# A sphere is apolar if three of its atoms have a Pauling electronegativity below 2.8 (fpocket's option -A).
_POLAR_ELEMENTS = ("N", "O", "F", "CL", "BR")
_APOLAR_ATOMS = 3
# Those that fpocket counts as polar (`aa.c`).
_POLAR_RESIDUES = frozenset("ARG ASN ASP GLN GLU HIS LYS SER THR TRP TYR".split())
# Score by partial least squares of Le Guilloux 2009, with the coefficients of fpocket's `pscoring.c`.
_INTERCEPT = -0.65784
_WEIGHT_OF_SPHERES = 29.78270
_WEIGHT_OF_APOLAR_SHARE = -4.06632
_WEIGHT_OF_HYDROPHOBIC_DENSITY = 11.72346
_WEIGHT_OF_POLAR_RESIDUES = 1.16349
_WEIGHT_OF_MEAN_DISTANCE = -2.06835
# The mean distance of more spheres than this is that of every n-th one: pairs grow with the square.
_MOST_SPHERES_IN_PAIRS = 2000
# Of the grid on which free volume is counted; the radii are gemmi's, who has them from cctbx.
_GRID_ANGSTROM = 1.0


@dataclass(frozen=True)
class Surface:
    """The heavy atoms that make a receptor's surface.

    Parameters
    ----------
    positions : array of shape (n, 3)
        In Å.
    elements : array of str, shape (n,)
        In capitals.
    residue_of : array of shape (n,)
        Index of each atom's residue.
    """

    positions: Floats
    elements: NDArray[np.str_]
    residue_of: Integers
    residues: Sequence[PdbResidue]

    def lining(self, spheres: AlphaSpheres) -> list[PdbResidue]:
        """Return the residues that the spheres touch, in the receptor's order."""
        return [self.residues[index] for index in np.unique(self.residue_of[spheres.atoms])]


def find_pockets(pdb: str) -> tuple[Pocket, ...]:
    """Return the most promising pockets of a prepared receptor, the best first.

    Parameters
    ----------
    pdb : str
        The receptor as its preparation writes it.
    """
    surface = surface_of(pdb)
    found = ranked_clusters(surface)[:MAX_POCKETS]
    return tuple(_pocket(rank, score, spheres, surface) for rank, (score, spheres) in enumerate(found, start=1))


def surface_of(pdb: str) -> Surface:
    """Read the atoms of a prepared receptor that make its surface."""
    residues: list[PdbResidue] = []
    atoms: list[tuple[Vector, str, int]] = []
    for residue in pdb_residues(pdb):
        heavy = [line for line in residue.lines if _element(line) not in ("H", "D")]
        if len(heavy) > 1:
            atoms += [(_position(line), _element(line), len(residues)) for line in heavy]
            residues.append(residue)
    return Surface(
        np.array([position for position, _, _ in atoms], dtype=np.float64).reshape(-1, 3),
        np.array([element for _, element, _ in atoms], dtype=np.str_),
        np.array([index for _, _, index in atoms], dtype=np.intp),
        residues,
    )


def ranked_clusters(surface: Surface) -> list[tuple[float, AlphaSpheres]]:
    """Return all pockets as their scores and spheres, the best first."""
    found = clusters(alpha_spheres(surface.positions))
    scores = _scores(found, surface)
    order = np.argsort(-scores, kind="stable")
    return [(float(scores[index]), found[index]) for index in order]


def _scores(found: Sequence[AlphaSpheres], surface: Surface) -> Floats:
    """Score all pockets of a receptor; three of the descriptors are relative to the other pockets."""
    if not found:
        return np.empty(0)
    apolar = [_is_apolar(spheres, surface) for spheres in found]
    apolar_spheres = [spheres.of(np.flatnonzero(mask)) for spheres, mask in zip(found, apolar, strict=True)]
    scores: Floats = (
        _INTERCEPT
        + _WEIGHT_OF_SPHERES * _scaled([len(spheres) for spheres in found])
        + _WEIGHT_OF_APOLAR_SHARE * _scaled([mask.mean() for mask in apolar])
        + _WEIGHT_OF_HYDROPHOBIC_DENSITY * _scaled([_mean_overlaps(spheres) for spheres in apolar_spheres])
        + _WEIGHT_OF_POLAR_RESIDUES * np.array([_polar_residues(spheres, surface) for spheres in found])
        + _WEIGHT_OF_MEAN_DISTANCE * np.array([_mean_distance(spheres) for spheres in found])
    )
    return scores


def _is_apolar(spheres: AlphaSpheres, surface: Surface) -> NDArray[np.bool_]:
    apolar_atoms = ~np.isin(surface.elements, _POLAR_ELEMENTS)[spheres.atoms]
    is_apolar: NDArray[np.bool_] = apolar_atoms.sum(axis=1) >= _APOLAR_ATOMS
    return is_apolar


def _mean_overlaps(apolar: AlphaSpheres) -> float:
    """Return how many other apolar spheres an apolar sphere overlaps with, on average."""
    if len(apolar) < 2:
        return 0.0
    pairs = cKDTree(apolar.centers).query_pairs(2 * float(apolar.radii.max()), output_type="ndarray")
    distances = np.linalg.norm(apolar.centers[pairs[:, 0]] - apolar.centers[pairs[:, 1]], axis=1)
    overlapping = distances <= apolar.radii[pairs[:, 0]] + apolar.radii[pairs[:, 1]]
    return 2 * float(overlapping.sum()) / len(apolar)


def _polar_residues(spheres: AlphaSpheres, surface: Surface) -> int:
    return sum(residue.name in _POLAR_RESIDUES for residue in surface.lining(spheres))


def _mean_distance(spheres: AlphaSpheres) -> float:
    every = 1 + len(spheres) // _MOST_SPHERES_IN_PAIRS
    return float(pdist(spheres.centers[::every]).mean())


def _scaled(values: Sequence[float]) -> Floats:
    """Scale to 0..1; all 0 where they do not differ."""
    from_least = np.array(values, dtype=np.float64) - min(values)
    scaled: Floats = from_least / (from_least.max() or 1.0)
    return scaled


def _pocket(rank: int, score: float, spheres: AlphaSpheres, surface: Surface) -> Pocket:
    return Pocket(
        rank=rank,
        center=_vector(spheres.centers.mean(axis=0)),
        volume_angstrom3=_free_volume(spheres, surface),
        score=round(score, 2),
        residues=tuple(residue.label for residue in surface.lining(spheres)),
        box=_box(spheres),
    )


def _box(spheres: AlphaSpheres) -> SearchBox:
    low, high = spheres.centers.min(axis=0), spheres.centers.max(axis=0)
    edges = np.clip(high - low + 2 * BOX_PADDING_ANGSTROM, MIN_EDGE_ANGSTROM, MAX_EDGE_ANGSTROM)
    return SearchBox(_vector((low + high) / 2), _vector(edges))


def _free_volume(spheres: AlphaSpheres, surface: Surface) -> float:
    """Return the volume (Å³) inside the spheres and outside the atoms' van der Waals radii, on a grid."""
    in_spheres = [
        _grid_points_inside(center, radius) for center, radius in zip(spheres.centers, spheres.radii, strict=True)
    ]
    points = np.unique(np.concatenate(in_spheres), axis=0) * _GRID_ANGSTROM
    is_free = np.ones(len(points), dtype=bool)
    for element in np.unique(surface.elements):
        radius = gemmi.Element(str(element)).vdw_r
        atoms = cKDTree(surface.positions[surface.elements == element])
        nearest, _ = atoms.query(points, distance_upper_bound=radius)
        is_free &= np.isinf(nearest)
    return float(is_free.sum()) * _GRID_ANGSTROM**3


def _grid_points_inside(center: Floats, radius: float) -> Integers:
    """Return the indices of the grid's points inside a sphere, shape (n, 3)."""
    first, last = np.ceil((center - radius) / _GRID_ANGSTROM), np.floor((center + radius) / _GRID_ANGSTROM)
    axes = [np.arange(low, high + 1, dtype=np.intp) for low, high in zip(first, last, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside: Integers = points[np.linalg.norm(points * _GRID_ANGSTROM - center, axis=1) <= radius]
    return inside


def _element(line: str) -> str:
    return line[76:78].strip().upper()


def _position(line: str) -> Vector:
    return float(line[30:38]), float(line[38:46]), float(line[46:54])


def _vector(values: Floats) -> Vector:
    x, y, z = (round(float(value), 3) for value in values)
    return x, y, z
