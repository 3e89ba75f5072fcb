"""Closing chain breaks and unresolved ends of proteins with acetyl and N-methyl groups."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.adapters.chemistry.chain_gaps import is_joined
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import is_standard_residue
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)

# Lengths (Å) and angles (degrees) of peptides (Engh & Huber 1991, doi:10.1107/S0108767391001071).
_C_N, _C_O, _C_C, _N_C = 1.329, 1.231, 1.525, 1.458
_CA_N_C, _CA_C_N, _N_C_O, _N_C_C, _C_N_C = 121.7, 116.2, 123.0, 116.2, 121.7
# Backbone angles phi tried for an acetyl group: sheet, helix, and what lies between.
_PHI_DEGREES = (-120.0, -60.0, -90.0, -150.0, 60.0, 180.0)
# A cap nearer than this to anything else would be worse than none.
_CLASH_ANGSTROM = 2.6

Point = NDArray[np.float64]
Chains = Mapping[str, Sequence[ReceptorResidue]]


def capped(
    chains: Chains, groups: Sequence[ReceptorResidue], starts: Collection[str], book: Notebook
) -> dict[str, list[ReceptorResidue]]:
    """Return the chains with a cap at every end that is not the end of the molecule.

    Parameters
    ----------
    groups : sequence of ReceptorResidue
        What else a cap must not touch.
    starts : collection of str
        Labels of residues with which a sequence begins; they stay as they are. So do last residues with ``OXT``.
    """
    everything = [residue for residues in chains.values() for residue in residues] + list(groups)
    return {name: list(_capped_chain(residues, everything, starts, book)) for name, residues in chains.items()}


def _capped_chain(
    residues: Sequence[ReceptorResidue],
    everything: list[ReceptorResidue],
    starts: Collection[str],
    book: Notebook,
) -> Iterator[ReceptorResidue]:
    for index, residue in enumerate(residues):
        before = residues[index - 1] if index else None
        after = residues[index + 1] if index + 1 < len(residues) else None
        is_start = before is None and residue.label in starts
        if not is_start and not (before is not None and is_joined(before, residue)):
            yield from _fitting(_acetyls(residue), residue, everything, book)
        yield residue
        if residue.atom("OXT") is None and not (after is not None and is_joined(residue, after)):
            yield from _fitting(_methylamines(residue), residue, everything, book)


def _fitting(
    caps: Iterator[ReceptorResidue],
    residue: ReceptorResidue,
    everything: list[ReceptorResidue],
    book: Notebook,
) -> Iterator[ReceptorResidue]:
    """Yield the first cap that touches nothing, and say so; a residue that cannot have one has none to try."""
    points = np.array([atom.position for other in everything if other is not residue for atom in other.atoms])
    tried = False
    for cap in caps:
        tried = True
        own = np.array([atom.position for atom in cap.atoms])
        if len(points) == 0 or np.linalg.norm(own[:, None] - points[None, :], axis=2).min() >= _CLASH_ANGSTROM:
            book.change(residue, "capped", f"The open end of the chain is closed with {cap.name}.")
            everything.append(cap)
            yield cap
            return
    if tried:
        book.change(residue, "not_capped", "There is no room to close the open end of the chain; it ends neutral.")


def _acetyls(residue: ReceptorResidue) -> Iterator[ReceptorResidue]:
    backbone = _backbone(residue)
    if backbone is None:
        return
    n, ca, c = backbone
    for phi in _PHI_DEGREES:
        carbonyl = _placed(c, ca, n, _C_N, _CA_N_C, phi)
        oxygen = _placed(ca, n, carbonyl, _C_O, _N_C_O, 0.0)
        methyl = _placed(ca, n, carbonyl, _C_C, _N_C_C, 180.0)
        yield _cap("ACE", residue, residue.number - 1, (("C", "C", carbonyl), ("O", "O", oxygen), ("CH3", "C", methyl)))


def _methylamines(residue: ReceptorResidue) -> Iterator[ReceptorResidue]:
    backbone = _backbone(residue)
    oxygen = residue.atom("O")
    if backbone is None or oxygen is None:
        return
    _, ca, c = backbone
    # Opposite the carbonyl oxygen, in its plane.
    nitrogen = _placed(np.array(oxygen.position), ca, c, _C_N, _CA_C_N, 180.0)
    methyl = _placed(ca, c, nitrogen, _N_C, _C_N_C, 180.0)
    yield _cap("NME", residue, residue.number + 1, (("N", "N", nitrogen), ("C", "C", methyl)))


def _cap(name: str, residue: ReceptorResidue, number: int, atoms: Sequence[tuple[str, str, Point]]) -> ReceptorResidue:
    placed = tuple(ReceptorAtom(atom, element, (float(x), float(y), float(z))) for atom, element, (x, y, z) in atoms)
    return ReceptorResidue(residue.chain, number, residue.icode, name, placed)


def _backbone(residue: ReceptorResidue) -> tuple[Point, Point, Point] | None:
    """Return the places of N, CA and C of an amino acid, None for anything else."""
    n, ca, c = (residue.atom(name) for name in ("N", "CA", "C"))
    if not is_standard_residue(residue.name) or n is None or ca is None or c is None:
        return None
    return np.array(n.position), np.array(ca.position), np.array(c.position)


def _placed(a: Point, b: Point, c: Point, length: float, angle: float, dihedral: float) -> Point:
    """Return a point at `length` (Å) from `c`, at `angle` to c-b and `dihedral` about it (degrees).

    Parsons et al. 2005, doi:10.1002/jcc.20237.
    """
    theta, phi = math.radians(angle), math.radians(dihedral)
    axis = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, axis)
    normal /= np.linalg.norm(normal)
    frame = np.column_stack([axis, np.cross(normal, axis), normal])
    local = np.array([-math.cos(theta), math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi)])
    point: Point = c + length * frame @ local
    return point
