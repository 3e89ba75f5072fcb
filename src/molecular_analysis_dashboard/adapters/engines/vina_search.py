"""What Vina's search costs and what it minimises, as its sources have it (1.2.7, `src/lib/vina.cpp`)."""

import math

import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import FlexibleReceptor
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines
from molecular_analysis_dashboard.domain.engine_commands import AD4
from molecular_analysis_dashboard.domain.ligands import LigandState

# `Vina::global_search`: steps of a run = 70 * 3 * (50 + atoms + 10 * degrees of freedom) / 2, each minimised by
# (25 + atoms) / 3 steps of BFGS.
_STEPS_PER_UNIT, _OFFSET, _UNITS_PER_FREEDOM, _RIGID_FREEDOM = 105, 50, 10, 6
# Measured evaluations of a step of BFGS: 2.1 to 2.55 for 14 of 16 drugs. Near-rigid ones need up to 7.9, so their
# shortened runs come out shorter than asked for; they are the ones that are found at once.
_EVALUATIONS_PER_LOCAL_STEP = 2.25
# Of a pose that touches nothing no ratio can be read off.
_LEAST_KCAL_MOL = 1e-3


def max_evaluations(state: LigandState, run_length: float, flexible: FlexibleReceptor | None = None) -> int:
    """Return the evaluations after which each Monte-Carlo run ends; 0 leaves its length to Vina.

    `max_evals` bounds every run of a search by itself, not their sum (`monte_carlo.cpp`). What is under way when
    it is passed, one step of a few dozen evaluations, is finished.

    Parameters
    ----------
    run_length : float
        Fraction of what Vina gives this ligand by itself; 1 or more leaves it alone.
    flexible : FlexibleReceptor, optional
        Side chains that are searched too: Vina counts their atoms and torsions with the ligand's.
    """
    if run_length >= 1:
        return 0
    atoms = sum(1 for _ in atom_lines(state.pdbqt))
    torsions = state.torsions
    if flexible is not None:
        atoms += flexible.movable_atoms
        torsions += flexible.torsions
    units = _OFFSET + atoms + _UNITS_PER_FREEDOM * (_RIGID_FREEDOM + torsions)
    steps = _STEPS_PER_UNIT * units * ((25 + atoms) // 3)
    return max(1, math.ceil(_EVALUATIONS_PER_LOCAL_STEP * steps * run_length))


def objectives(energies: NDArray[np.float64], scoring: str) -> list[float | None]:
    """Return what the search minimised for each pose, divided as the score is by the torsion term, in kcal/mol.

    With `ad4` there is none: a pose's score is between + torsions, its own energy within the ligand left out, and Vina
    ranks the poses of one search by it. So scores of several searches compare as they are.

    Parameters
    ----------
    energies : array
        Of shape (poses, 5): score, between ligand and receptor, within the ligand, torsions, within the best pose.
        The score of a pose is (between + within - within the best pose) / (1 + weight * torsions). Of side chains that
        move, what they cost without the ligand counts as within it.
    """
    if scoring == AD4:
        return [None] * len(energies)
    score, between, within, _, within_best = energies[0].tolist()
    bare = between + within - within_best
    if abs(bare) < _LEAST_KCAL_MOL:
        return [None] * len(energies)
    return [float(value) for value in (energies[:, 1] + energies[:, 2]) * (score / bare)]


def score_in_place(energies: NDArray[np.float64], flexible: FlexibleReceptor | None) -> float:
    """Return the score (kcal/mol) of a ligand that was scored in place or relaxed.

    With side chains that may move Vina 1.2.7 takes their own energy off a grid, where it should cancel what it computed
    exactly; the difference (0.2 kcal/mol for two residues) is left out here.

    Parameters
    ----------
    energies : array
        Score; ligand with what is rigid, with side chains; side chains with what is rigid, among themselves; within the
        ligand; torsions; what is subtracted as the energy without a receptor.
    """
    if flexible is None:
        return float(energies[0])
    bare = energies[1:6].sum() - energies[7]
    return float(energies[0]) if abs(bare) < _LEAST_KCAL_MOL else float(energies[1:3].sum() * energies[0] / bare)
