"""What every program of the Vina family needs: receptors and ligands checked, and its PDBQT poses made whole."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import FlexibleReceptor
from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import (
    LIGAND_TYPES,
    RECEPTOR_TYPES,
    atom_lines,
    atom_type,
    position,
)
from molecular_analysis_dashboard.adapters.chemistry.poses import pack_coordinates
from molecular_analysis_dashboard.adapters.chemistry.sites import check_box
from molecular_analysis_dashboard.adapters.engines.ad4_parameters import AD4_LIGAND_TYPES
from molecular_analysis_dashboard.domain.docking import EngineBuild, Pose
from molecular_analysis_dashboard.domain.engine_commands import AD4, scoring_refusal
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.hashing import MAX_SEED
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox

# Vina's own default; fewer would change the search itself, because the best so many minima are refined.
SEARCH_POSES = 9
_BETWEEN, _MINIMISED = "INTER", "INTER + INTRA"
_TERMS = re.compile(r"^REMARK (INTER|INTER \+ INTRA): +(-?[0-9.]+) *$", re.MULTILINE)
# Of a pose that touches nothing no ratio can be read off.
_LEAST_KCAL_MOL = 1e-3


def check_seed(seed: int) -> None:
    """Refuse a seed that the family would not take at its word (`EngineFailed`)."""
    if not 1 <= seed <= MAX_SEED:
        raise EngineFailed(f"The seed must be 1 to {MAX_SEED}; Vina reads 0 as random.", code="seed_invalid")


def check_scoring(engine: str, scoring: str, builds: Iterable[EngineBuild]) -> None:
    """Refuse a scoring function that none of an engine's builds offers (`EngineFailed`)."""
    offered = [name for build in builds for name in build.scoring_functions]
    if scoring not in offered:
        raise EngineFailed(scoring_refusal(engine, scoring, offered), code="scoring_unsupported", scoring=scoring)


def check_receptor(receptor_pdbqt: str, box: SearchBox) -> None:
    """Refuse a receptor without atoms or with atom types that Vina does not know, or a bad box (`EngineFailed`)."""
    types = {atom_type(line) for line in atom_lines(receptor_pdbqt)}
    if not types:
        raise EngineFailed("The receptor holds no atoms. Prepare it again.", code="receptor_refused")
    if unknown := sorted(types - RECEPTOR_TYPES):
        raise EngineFailed(
            f"Vina has no atom types {', '.join(unknown)} of the receptor. Remove those groups and prepare it again.",
            code="receptor_refused",
            atom_types=unknown,
        )
    try:
        check_box(receptor_pdbqt, box)
    except InvalidInput as cause:
        raise EngineFailed(cause.message, code=cause.error_code, **cause.details) from cause


def atoms_only(receptor_pdbqt: str) -> str:
    """Return the atom lines of a receptor."""
    return "\n".join(atom_lines(receptor_pdbqt)) + "\n"


def refuse_unknown_types(pdbqt: str, scoring: str) -> None:
    """Refuse a ligand with an atom type that has no map (`LigandRejected`)."""
    known = AD4_LIGAND_TYPES if scoring == AD4 else LIGAND_TYPES
    if unknown := sorted({atom_type(line) for line in atom_lines(pdbqt)} - known):
        raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, f"Atom types: {', '.join(unknown)}.")


def refuse_unfit(state: LigandState, box: SearchBox) -> None:
    """Refuse a ligand whose largest rigid part is longer than the box's diagonal (`LigandRejected`)."""
    longest = max(_rigid_extents(state.pdbqt), default=0.0)
    diagonal = math.dist((0, 0, 0), box.size)
    if longest > diagonal:
        raise LigandRejected(
            RejectionReason.OUTSIDE_BOX,
            f"A rigid part is {longest:.1f} Å long; the box's diagonal is {diagonal:.1f} Å.",
        )


def refuse_outside(mol: Chem.Mol, box: SearchBox) -> None:
    """Refuse to score a molecule with an atom outside the box (`LigandRejected`)."""
    positions = mol.GetConformer().GetPositions()
    if not all(box.contains((x, y, z)) for x, y, z in positions.tolist()):
        raise LigandRejected(RejectionReason.OUTSIDE_BOX, "Scoring in place needs every atom inside the box.")


def models_in(text: str) -> list[str]:
    """Return the models of a PDBQT text that hold atoms."""
    return [model for model in text.split("ENDMDL") if "ATOM" in model]


def ranked_poses(
    scored_models: Iterable[tuple[float, float | None, str]],
    mol: Chem.Mol,
    atoms: Mapping[int, int],
    box: SearchBox,
    flexible: FlexibleReceptor | None = None,
) -> tuple[Pose, ...]:
    """Return the poses that stay inside the box, best first, with the hydrogens that PDBQT does not carry.

    Parameters
    ----------
    scored_models : iterable
        Score and objective (kcal/mol, see `Pose`) and PDBQT text of each model.
    mol : Chem.Mol
        The docked state, with the conformer that the program started from.
    atoms : mapping
        Serial of an atom line to atom index (`index_map`); the lines of a ligand come before those of side chains.
    flexible : FlexibleReceptor, optional
        The side chains that were searched too.

    Raises
    ------
    LigandRejected
        If every pose reaches beyond the box.
    """
    found = []
    for score, objective, model in scored_models:
        points = [position(line) for line in atom_lines(model)]
        at = {atom: points[serial - 1] for serial, atom in atoms.items()}
        if _is_inside(at, mol, box):
            side_chains = flexible.placed(model) if flexible else ""
            found.append((score, pack_coordinates(complete_pose(mol, at)), objective, side_chains))
    if not found:
        raise LigandRejected(RejectionReason.OUTSIDE_BOX, "Every pose reaches beyond the box.")
    found.sort(key=lambda pose: pose[0])
    return tuple(Pose(rank, *pose) for rank, pose in enumerate(found, start=1))


def with_objectives(scored: Sequence[tuple[float, str]], scoring: str) -> list[tuple[float, float | None, str]]:
    """Add to scored models what the search minimised (see `Pose`), None where the program does not write its parts.

    None for `ad4` too; see `vina_search.objectives`.

    Vina 1.2 subtracts the best pose's internal energy from all poses of a search before it divides by the torsion term;
    the best pose's score and its energy with the receptor therefore tell that divisor.
    """
    if scoring == AD4:
        return [(score, None, model) for score, model in scored]
    terms = [dict(_TERMS.findall(model)) for _, model in scored]
    best = min(range(len(scored)), key=lambda number: scored[number][0])
    between = float(terms[best].get(_BETWEEN, "nan"))
    scale = scored[best][0] / between if abs(between) >= _LEAST_KCAL_MOL else math.nan
    found = [scale * float(one.get(_MINIMISED, "nan")) for one in terms]
    if not all(map(math.isfinite, found)):
        return [(score, None, model) for score, model in scored]
    return [(score, objective, model) for (score, model), objective in zip(scored, found, strict=True)]


def _is_inside(at: Mapping[int, tuple[float, float, float]], mol: Chem.Mol, box: SearchBox) -> bool:
    # Vina lets atoms leave the box by a fraction of a voxel.
    return all(
        box.contains(point, margin=-1.0) for index, point in at.items() if mol.GetAtomWithIdx(index).GetAtomicNum() > 1
    )


def _rigid_extents(pdbqt: str) -> Iterator[float]:
    """Yield the largest distance (Å) within each rigid part of a ligand."""
    part: list[tuple[float, float, float]] = []
    for line in [*pdbqt.splitlines(), "TORSDOF"]:
        if line.startswith(("ATOM", "HETATM")):
            part.append(position(line))
        elif line.startswith(("BRANCH", "ENDBRANCH", "ENDROOT", "TORSDOF")) and part:
            points = np.array(part)
            yield float(np.linalg.norm(points[:, None] - points[None, :], axis=2).max())
            part = []
