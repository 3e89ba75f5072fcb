"""What AutoDock 4's scoring function knows: atom types and their parameters, as files for AutoGrid."""

import math
from collections.abc import Iterable

from molecular_analysis_dashboard.adapters.chemistry.pdbqt import (
    PSEUDO_TYPES,
    atom_lines,
    atom_type,
    partial_charge,
    retyped,
)
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.sites import SearchBox

SPACING_ANGSTROM = 0.375
# Huey et al. 2007 (doi:10.1002/jcc.20634), as AutoGrid and Vina have them built in: the weights of dispersion and
# repulsion, hydrogen bonds, electrostatics, desolvation, and of each torsion, which the maps do not need.
_WEIGHTS = {"vdW": 0.1662, "hbond": 0.1209, "estat": 0.1406, "desolv": 0.1322, "tors": 0.2983}
# AutoDock-Vina v1.2.7, src/lib/atom_constants.h, so that maps and the energy within a ligand agree: distance (Å) and
# depth (kcal/mol) of the minimum between two atoms of the type, volume (Å³), solvation parameter.
_DISPERSION = {
    "C": (4.00, 0.150, 33.5103, -0.00143),
    "A": (4.00, 0.150, 33.5103, -0.00052),
    "N": (3.50, 0.160, 22.4493, -0.00162),
    "NA": (3.50, 0.160, 22.4493, -0.00162),
    "O": (3.20, 0.200, 17.1573, -0.00251),
    "OA": (3.20, 0.200, 17.1573, -0.00251),
    "P": (4.20, 0.200, 38.7924, -0.00110),
    "S": (4.00, 0.200, 33.5103, -0.00214),
    "SA": (4.00, 0.200, 33.5103, -0.00214),
    "H": (2.00, 0.020, 0.0, 0.00051),
    "HD": (2.00, 0.020, 0.0, 0.00051),
    "F": (3.09, 0.080, 15.4480, -0.00110),
    "Cl": (4.09, 0.276, 35.8235, -0.00110),
    "Br": (4.33, 0.389, 42.5661, -0.00110),
    "I": (4.72, 0.550, 55.0585, -0.00110),
    "Si": (4.60, 0.200, 50.9650, -0.00143),
    "At": (4.80, 0.550, 57.9058, -0.00110),
    "Mg": (1.30, 0.875, 1.5600, -0.00110),
    "Mn": (1.30, 0.875, 2.1400, -0.00110),
    "Zn": (1.48, 0.550, 1.7000, -0.00110),
    "Ca": (1.98, 0.550, 2.7700, -0.00110),
    "Fe": (1.30, 0.010, 1.8400, -0.00110),
}
# Distance (Å) and depth (kcal/mol) of a hydrogen bond, and AutoGrid's number for its kind: a directional donor, an
# acceptor of one or of two bonds.
_HYDROGEN_BOND = {"HD": (0.0, 0.0, 2), "NA": (1.9, 5.0, 4), "OA": (1.9, 5.0, 5), "SA": (2.5, 1.0, 5)}
# Vina takes selenium for sulphur (`atom_equivalence_data`); AutoGrid does not know it.
_TAKEN_FOR = {"Se": "S"}
# Every type that Meeko gives a ligand; AutoGrid 4.2.6 takes no more than these fourteen in one run.
MAPPED_TYPES = ("C", "A", "N", "NA", "OA", "P", "S", "SA", "HD", "F", "Cl", "Br", "I", "Si")
# Cut rings: their carbons read the map of carbon, the pseudo-atoms none.
AD4_LIGAND_TYPES = frozenset(MAPPED_TYPES) | PSEUDO_TYPES | {"CG0", "CG1", "CG2", "CG3"}
# As AutoDock has it since 4.0: smoothing (Å) of the pair potentials, and the sign that asks for the distance-dependent
# dielectric of Mehler and Solmajer.
_SMOOTHING, _DIELECTRIC = 0.5, -0.1465


def check_ad4_receptor(receptor_pdbqt: str) -> None:
    """Refuse a receptor with atoms that AutoDock 4 has no parameters for, or without charges.

    Raises
    ------
    EngineFailed
        ``receptor_refused`` or ``charges_missing``.
    """
    lines = list(atom_lines(receptor_pdbqt))
    if unknown := sorted({atom_type(line) for line in lines} - _DISPERSION.keys() - _TAKEN_FOR.keys()):
        raise EngineFailed(
            f"AutoDock 4 has no parameters for {', '.join(unknown)} of the receptor. Remove those groups and prepare "
            "it again, or choose the scoring function vina.",
            code="receptor_refused",
            atom_types=unknown,
        )
    charges = [partial_charge(line) for line in lines]
    if not all(map(math.isfinite, charges)) or not any(charges):
        raise EngineFailed(
            "The receptor has no partial charges, or some that cannot be read; the scoring function ad4 needs them. "
            "Upload the structure as PDB or mmCIF and let it be prepared here, or choose the scoring function vina.",
            code="charges_missing",
        )


def with_known_types(receptor_pdbqt: str) -> tuple[str, list[str]]:
    """Return a receptor's atoms with types that AutoGrid knows, and which these are."""
    lines = [retyped(line, _TAKEN_FOR.get(atom_type(line), atom_type(line))) for line in atom_lines(receptor_pdbqt)]
    return "\n".join(lines) + "\n", sorted({atom_type(line) for line in lines})


def parameter_file() -> str:
    """Return AutoGrid's parameter file."""
    lines = [f"FE_coeff_{term} {weight}" for term, weight in _WEIGHTS.items()]
    for name, (distance, depth, volume, solvation) in _DISPERSION.items():
        hb_distance, hb_depth, hb_kind = _HYDROGEN_BOND.get(name, (0.0, 0.0, 0))
        numbers = f"{distance} {depth} {volume} {solvation:.5f} {hb_distance} {hb_depth} {hb_kind}"
        lines.append(f"atom_par {name} {numbers} -1 -1 0")
    return "\n".join(lines) + "\n"


def grid_specification(prefix: str, receptor_types: Iterable[str], box: SearchBox) -> str:
    """Return AutoGrid's grid parameter file for maps of all ligand types over a box."""
    lines = [
        f"npts {' '.join(map(str, _intervals(box)))}",
        "parameter_file parameters.dat",
        f"gridfld {prefix}.maps.fld",
        f"spacing {SPACING_ANGSTROM}",
        f"receptor_types {' '.join(receptor_types)}",
        f"ligand_types {' '.join(MAPPED_TYPES)}",
        f"receptor {prefix}.pdbqt",
        f"gridcenter {' '.join(f'{value:.3f}' for value in box.center)}",
        f"smooth {_SMOOTHING}",
        *(f"map {prefix}.{name}.map" for name in MAPPED_TYPES),
        f"elecmap {prefix}.e.map",
        f"dsolvmap {prefix}.d.map",
        f"dielectric {_DIELECTRIC}",
    ]
    return "\n".join(lines) + "\n"


def grid_points(box: SearchBox) -> int:
    """Return how many values each map over a box holds."""
    return math.prod(number + 1 for number in _intervals(box))


def _intervals(box: SearchBox) -> tuple[int, ...]:
    """Return the intervals along each axis: enough for the box, and even, which Vina demands of maps that it reads."""
    halves = (math.ceil(edge / (2 * SPACING_ANGSTROM) - 1e-9) for edge in box.size)
    return tuple(2 * half for half in halves)
