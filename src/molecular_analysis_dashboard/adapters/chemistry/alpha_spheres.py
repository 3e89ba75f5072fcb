"""Alpha spheres: the empty spheres that touch four atoms, and their clusters (Liang, Edelsbrunner and Woodward 1998).

A small one lies within the protein's packing, a large one on its outside; those between fill its hollows. The limits
are the defaults of fpocket 4 (options -m, -M, -D and -i; Le Guilloux, Schmidtke and Tuffery 2009,
doi:10.1186/1471-2105-10-168).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, QhullError, cKDTree

MIN_RADIUS_ANGSTROM = 3.4
MAX_RADIUS_ANGSTROM = 6.2
LINK_ANGSTROM = 2.4
MIN_SPHERES = 15
# Six times the volume of a tetrahedron that is as good as flat, in Å³: it has no circumsphere of use.
_FLAT_ANGSTROM3 = 1e-6

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class AlphaSpheres:
    """Spheres that touch four atoms and hold none.

    Parameters
    ----------
    centers : array of shape (n, 3)
        In Å.
    radii : array of shape (n,)
        From the centre to the centres of the four atoms, in Å.
    atoms : array of shape (n, 4)
        Indices of the four atoms.
    """

    centers: Floats
    radii: Floats
    atoms: Integers

    def __len__(self) -> int:
        return len(self.radii)

    def of(self, indices: Integers) -> "AlphaSpheres":
        """Return some of the spheres."""
        return AlphaSpheres(self.centers[indices], self.radii[indices], self.atoms[indices])


def alpha_spheres(positions: Floats) -> AlphaSpheres:
    """Return the spheres of the sizes that hollows have; none where the atoms span no volume.

    Parameters
    ----------
    positions : array of shape (n, 3)
        Centres of the heavy atoms, in Å.
    """
    corners = _tetrahedra(positions)
    first = positions[corners[:, 0]]
    b, c, d = (positions[corners[:, index]] - first for index in (1, 2, 3))
    crossed = np.cross(c, d)
    six_volumes = np.einsum("ij,ij->i", b, crossed)
    is_solid = np.abs(six_volumes) > _FLAT_ANGSTROM3
    numerator = _squared(b) * crossed + _squared(c) * np.cross(d, b) + _squared(d) * np.cross(b, c)
    to_center = numerator / (2 * np.where(is_solid, six_volumes, 1.0))[:, None]
    radii = np.linalg.norm(to_center, axis=1)
    kept = is_solid & (radii >= MIN_RADIUS_ANGSTROM) & (radii <= MAX_RADIUS_ANGSTROM)
    return AlphaSpheres((first + to_center)[kept], radii[kept], corners[kept])


def clusters(spheres: AlphaSpheres) -> list[AlphaSpheres]:
    """Return the groups of spheres whose centres are linked by short steps, but for the smallest groups."""
    if not len(spheres):
        return []
    first, second = cKDTree(spheres.centers).query_pairs(LINK_ANGSTROM, output_type="ndarray").T
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(len(spheres), len(spheres)))
    _, group_of = connected_components(links, directed=False)
    members = np.split(np.argsort(group_of, kind="stable"), np.cumsum(np.bincount(group_of))[:-1])
    return [spheres.of(indices) for indices in members if len(indices) >= MIN_SPHERES]


def _tetrahedra(positions: Floats) -> Integers:
    """Return the corners of the Delaunay tetrahedra, shape (n, 4)."""
    try:
        corners: Integers = Delaunay(positions).simplices.astype(np.intp)
    except (QhullError, ValueError):
        # Too few atoms, or all in one plane.
        corners = np.empty((0, 4), dtype=np.intp)
    return corners


def _squared(vectors: Floats) -> Floats:
    lengths: Floats = (vectors * vectors).sum(axis=1)[:, None]
    return lengths
