"""The pairs of target and ligand that the docking benchmark measures."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from benchmarks.data import dockstring_targets, library_molecules

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.validation import validate_batch
from molecular_analysis_dashboard.domain.ligands import (
    LigandInput,
    LigandOptions,
    LigandRecord,
    LigandState,
    ValidatedLigand,
)
from molecular_analysis_dashboard.domain.rejections import LigandRejected

TARGETS = 20
HALVES = ("choose", "report")
FLEXIBLE_TORSIONS = 10
_HEAVY_ATOMS = range(20, 43)
_MAX_TORSIONS = 14
# Ligands come in this order of strata, so that a quarter is flexible however early a run is stopped.
_ORDER = ("medium", "flexible", "low", "medium", "high", "flexible", "low", "high")
_BOUNDS = {"low": range(5), "medium": range(5, 8), "high": range(8, 10), "flexible": range(10, 15)}
_CONFORMER_SEED = 7


@dataclass(frozen=True)
class Pair:
    """One ligand state to be docked into one target."""

    target: str
    ligand: str
    state: LigandState

    @property
    def key(self) -> str:
        """Name in the results."""
        return f"{self.target}/{self.ligand}"


def targets_of(half: str) -> list[str]:
    """Return the targets on which a setting is chosen, or those on which it is reported."""
    return dockstring_targets()[:TARGETS][HALVES.index(half) :: 2]


def pairs_of(half: str) -> Iterator[Pair]:
    """Yield pairs without end, target after target in turn; no ligand is in both halves."""
    targets = targets_of(half)
    molecules = list(library_molecules())[HALVES.index(half) :: 2]
    random.Random(half).shuffle(molecules)
    waiting: dict[str, list[Pair]] = {name: [] for name in _BOUNDS}
    source = iter(molecules)
    for number in count():
        wanted = waiting[_ORDER[number % len(_ORDER)]]
        while not wanted:
            if (state := _prepared(*(molecule := next(source)))) is not None:
                stratum = next(name for name, torsions in _BOUNDS.items() if state.torsions in torsions)
                waiting[stratum].append(Pair("", molecule[0], state))
        taken = wanted.pop(0)
        yield Pair(targets[number % len(targets)], taken.ligand, taken.state)


def _prepared(name: str, smiles: str) -> LigandState | None:
    """Return the first state of a molecule in range; None for the others."""
    ligand = validate_batch([LigandRecord(1, f"{smiles} {name}", "smiles", name)])[0]
    if not isinstance(ligand, ValidatedLigand) or ligand.heavy_atoms not in _HEAVY_ATOMS:
        return None
    # Most molecules are of medium flexibility; those beyond the need are not worth preparing.
    if random.Random(name).random() < (0.7 if ligand.torsions < FLEXIBLE_TORSIONS - 2 else 0.0):
        return None
    try:
        state = prepare_states(LigandInput(name, name, ligand.smiles), LigandOptions(max_states=1), _CONFORMER_SEED)[0]
    except LigandRejected:
        return None
    return state if state.torsions <= _MAX_TORSIONS else None
