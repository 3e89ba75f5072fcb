"""Search boxes: from coordinates, from residues, and their checks against a receptor."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, position
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure, residue_number
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.domain.sites import (
    LARGE_VOLUME_ANGSTROM3,
    MAX_EDGE_ANGSTROM,
    MIN_EDGE_ANGSTROM,
    SearchBox,
)

DEFAULT_PADDING_ANGSTROM = 5.0
# Vina's pair terms end at 8 Å: a receptor farther away than that cannot score.
_CONTACT_ANGSTROM = 8.0
_SMALL_EDGE_ANGSTROM = 12.0
# Nearer to a receptor atom than this no heavy atom of a ligand can lie without a clash.
_CLASH_ANGSTROM = 3.0
# Of 50 binding sites of the PDB, boxed 5 Å around ligands of 9 to 41 heavy atoms, the tightest leaves 46 Å³ free;
# boxes of 9 Å in protein cores leave at most 14 Å³.
_LEAST_FREE_ANGSTROM3 = 40.0
_GRID_ANGSTROM = 1.0
# Below this many receptor atoms in or near the box nearly all of it is solvent.
_FEW_ATOMS = 50


class BoxNote(NamedTuple):
    """One finding about a box: a stable code, how much it matters and a sentence."""

    code: str
    severity: Severity
    message: str


def box_around(coordinates: ArrayLike, padding: float = DEFAULT_PADDING_ANGSTROM) -> SearchBox:
    """Return the axis-aligned box around coordinates of shape (n, 3), widened by `padding` on every side, in Å.

    Raises
    ------
    InvalidInput
        If there are no coordinates (``box_no_coordinates``) or the box would be too large.
    """
    points = np.asarray(coordinates, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0 or not np.isfinite(points).all():
        raise InvalidInput(
            "A search box needs at least one atom with three finite coordinates.", code="box_no_coordinates"
        )
    low, high = points.min(axis=0), points.max(axis=0)
    center = [round(float(value), 3) for value in (low + high) / 2]
    size = [round(max(float(value), MIN_EDGE_ANGSTROM), 3) for value in high - low + 2 * padding]
    return SearchBox((center[0], center[1], center[2]), (size[0], size[1], size[2]))


def box_from_residues(
    data: bytes, file_name: str, residues: Sequence[str], padding: float = DEFAULT_PADDING_ANGSTROM
) -> SearchBox:
    """Return the box around residues named ``CHAIN:NUMBER``, for example ``A:145``, in the first model.

    Raises
    ------
    InvalidInput
        ``residue_not_found``, naming the missing ones and the chains there are; see also `read_structure`.
    """
    model = read_structure(data, file_name)[0]
    wanted = {text.strip(): False for text in residues}
    points: list[list[float]] = []
    for chain in model:
        for residue in chain:
            name = f"{chain.name}:{residue_number(residue)}"
            if name in wanted and not residue.is_water():
                wanted[name] = True
                points += [atom.pos.tolist() for atom in residue]
    _refuse_missing(wanted, model)
    return box_around(points, padding)


def check_box(receptor_pdbqt: str, box: SearchBox, native_coordinates: ArrayLike | None = None) -> list[BoxNote]:
    """Check a box against a prepared receptor; see `check_box_on`."""
    return check_box_on([position(line) for line in atom_lines(receptor_pdbqt)], box, native_coordinates)


def check_box_on(
    receptor_coordinates: ArrayLike, box: SearchBox, native_coordinates: ArrayLike | None = None
) -> list[BoxNote]:
    """Check a box against receptor atoms and, if given, a native ligand's atoms, each of shape (n, 3) in Å.

    Raises
    ------
    InvalidInput
        ``box_off_receptor`` if no receptor atom is within reach of the box.
    """
    atoms = np.asarray(receptor_coordinates, dtype=np.float64).reshape(-1, 3)
    distances = _distances_to_box(atoms, box)
    nearest = float(distances.min()) if len(distances) else float("inf")
    if nearest > _CONTACT_ANGSTROM:
        raise InvalidInput(
            "The search box lies off the receptor: no receptor atom is inside or near it. Move the box to the site.",
            code="box_off_receptor",
            nearest_angstrom=None if nearest == float("inf") else round(nearest, 1),
        )
    notes = _size_notes(box)
    if int((distances <= _CONTACT_ANGSTROM / 2).sum()) < _FEW_ATOMS:
        notes.append(
            BoxNote(
                "box_mostly_solvent",
                Severity.WARNING,
                "Few receptor atoms are in or near the box. Check that it covers the binding site.",
            )
        )
    notes += _room_notes(atoms[distances <= _CLASH_ANGSTROM], box)
    if native_coordinates is not None:
        notes += _native_notes(box, np.asarray(native_coordinates, dtype=np.float64).reshape(-1, 3))
    return notes


def _size_notes(box: SearchBox) -> list[BoxNote]:
    notes = []
    if box.volume_angstrom3 > LARGE_VOLUME_ANGSTROM3:
        notes.append(
            BoxNote(
                "box_large",
                Severity.WARNING,
                f"The box holds {box.volume_angstrom3:,.0f} Å³; above {LARGE_VOLUME_ANGSTROM3:,.0f} Å³ the search "
                "needs more effort. Make the box smaller or choose a higher effort.",
            )
        )
    if min(box.size) < _SMALL_EDGE_ANGSTROM:
        notes.append(
            BoxNote(
                "box_small",
                Severity.WARNING,
                f"The shortest edge is {min(box.size):g} Å; drug-sized ligands may not fit.",
            )
        )
    return notes


def _room_notes(atoms: NDArray[np.float64], box: SearchBox) -> list[BoxNote]:
    if box.volume_angstrom3 > LARGE_VOLUME_ANGSTROM3:
        return []
    free = _free_volume(atoms, box)
    if free >= _LEAST_FREE_ANGSTROM3:
        return []
    return [
        BoxNote(
            "box_buried",
            Severity.WARNING,
            f"Only {free:.0f} Å³ ({100 * free / box.volume_angstrom3:.1f} %) of the box lie more than "
            f"{_CLASH_ANGSTROM:g} Å from receptor atoms: no drug-sized ligand fits. Move the box to a pocket or "
            "enlarge it.",
        )
    ]


def _free_volume(atoms: NDArray[np.float64], box: SearchBox) -> float:
    """Return the volume (Å³) of the box where the centre of a ligand's atom would not clash, on a grid."""
    axes = []
    for middle, edge in zip(box.center, box.size, strict=True):
        steps = math.ceil(edge / _GRID_ANGSTROM)
        axes.append(middle - edge / 2 + (np.arange(steps) + 0.5) * edge / steps)
    free = np.ones([len(axis) for axis in axes], dtype=bool)
    for atom in atoms:
        x, y, z = (np.square(axis - value) for axis, value in zip(axes, atom, strict=True))
        free &= x[:, None, None] + y[None, :, None] + z[None, None, :] > _CLASH_ANGSTROM**2
    return float(free.mean()) * box.volume_angstrom3


def _native_notes(box: SearchBox, native: NDArray[np.float64]) -> list[BoxNote]:
    outside = int((_distances_to_box(native, box) > 0).sum())
    if outside == 0:
        return [BoxNote("native_inside", Severity.INFO, "The native ligand lies inside the box.")]
    return [
        BoxNote(
            "native_outside",
            Severity.BLOCKING if outside == len(native) else Severity.WARNING,
            f"{outside} of {len(native)} atoms of the native ligand lie outside the box. Enlarge or move it.",
        )
    ]


def _distances_to_box(points: NDArray[np.float64], box: SearchBox) -> NDArray[np.float64]:
    beyond = np.abs(points - np.array(box.center)) - np.array(box.size) / 2
    distances: NDArray[np.float64] = np.linalg.norm(np.clip(beyond, 0.0, None), axis=1)
    return distances


def _refuse_missing(wanted: dict[str, bool], model: gemmi.Model) -> None:
    missing = [name for name, found in wanted.items() if not found]
    if missing or not wanted:
        chains = ", ".join(dict.fromkeys(chain.name for chain in model))
        raise InvalidInput(
            f"No such residue: {', '.join(missing) or 'none was named'}. Write CHAIN:NUMBER, for example A:145; "
            f"the structure has chains {chains}.",
            code="residue_not_found",
            missing=missing,
            max_edge_angstrom=MAX_EDGE_ANGSTROM,
        )
