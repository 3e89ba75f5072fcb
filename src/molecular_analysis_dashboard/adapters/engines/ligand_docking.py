"""One ligand from SMILES to a scored or rejected outcome, as the engine process runs it."""

import resource
from collections.abc import Sequence
from dataclasses import dataclass, replace

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.ligand_properties import ligand_properties
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.domain.docking import (
    DockedLigand,
    DockingProtocol,
    LigandOutcome,
    Pose,
    RejectedLigand,
    SearchSummary,
    StateScore,
)
from molecular_analysis_dashboard.domain.hashing import derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.ports.engine import DockingSite

# A pose that touches nothing scores zero.
_TOUCHING_KCAL_MOL = 0.05


@dataclass(frozen=True)
class _DockedState:
    state: LigandState
    poses: tuple[Pose, ...]
    search: SearchSummary
    seed: int
    dropped: int


def dock_ligand(
    site: DockingSite, ligand: LigandInput, protocol: DockingProtocol, seed_parts: Sequence[str]
) -> LigandOutcome:
    """Prepare every state of a ligand, dock each, and let the best one represent it.

    Parameters
    ----------
    seed_parts : sequence of str
        What the seed depends on besides the protocol's seed and the state: receptor hash and box.

    Returns
    -------
    LigandOutcome
        A ligand without a pose of negative score is no hit. A bad ligand is a `RejectedLigand`, never an exception;
        `MemoryError` passes through to the host.
    """
    started = cpu_s()
    try:
        states = prepare_states(ligand, protocol.ligands, derive_seed(protocol.seed, ligand.smiles, *seed_parts))
        docked, scores = _dock_states(site, states, protocol, seed_parts)
    except LigandRejected as rejection:
        return RejectedLigand(rejection.reason, rejection.message, cpu_s() - started)
    best = min(docked, key=lambda one: (one.poses[0].score_kcal_mol, one.state.smiles))
    if absurd := _absurd(best):
        return RejectedLigand(absurd.reason, absurd.message, cpu_s() - started)
    steps = best.state.steps
    if best.dropped:
        steps = (*steps, f"{best.dropped} pose(s) dropped: their coordinates show another molecule")
    return DockedLigand(
        state_smiles=best.state.smiles,
        state_mol_block=best.state.mol_block,
        poses=best.poses,
        heavy_atoms=best.state.heavy_atoms,
        states=scores,
        steps=steps,
        seed=best.seed,
        seconds_cpu=cpu_s() - started,
        search=best.search,
        properties=ligand_properties(ligand.smiles),
    )


def cpu_s() -> float:
    """Processor time of this process and of the programs that it ran, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _absurd(best: _DockedState) -> LigandRejected | None:
    """Say why a ligand whose best score is not negative is no hit: nothing holds it where it lies."""
    score = best.poses[0].score_kcal_mol
    if score < 0:
        return None
    if score < _TOUCHING_KCAL_MOL:
        return LigandRejected(
            RejectionReason.NO_POSE, f"The best pose does not touch the receptor ({score:+.1f} kcal/mol)."
        )
    return LigandRejected(
        RejectionReason.NO_POSE,
        f"The best pose clashes with the receptor ({score:+.1f} kcal/mol): the box leaves no room for it.",
    )


def _dock_states(
    site: DockingSite, states: Sequence[LigandState], protocol: DockingProtocol, seed_parts: Sequence[str]
) -> tuple[list[_DockedState], tuple[StateScore, ...]]:
    """Dock every state; one that fails is kept as a score of None unless all of them fail."""
    docked: list[_DockedState] = []
    scores: list[StateScore] = []
    first_rejection: LigandRejected | None = None
    for state in states:
        try:
            one = _dock_state(site, state, protocol, derive_seed(protocol.seed, state.smiles, *seed_parts))
        except LigandRejected as rejection:
            first_rejection = first_rejection or rejection
            scores.append(StateScore(state.smiles, None, rejection.message))
            continue
        docked.append(one)
        scores.append(StateScore(state.smiles, one.poses[0].score_kcal_mol))
    if not docked:
        raise first_rejection or LigandRejected(RejectionReason.NO_POSE)
    return docked, tuple(scores)


def _dock_state(site: DockingSite, state: LigandState, protocol: DockingProtocol, seed: int) -> _DockedState:
    poses, search = dock_in_rounds(site, state, protocol, seed)
    faithful = [pose for pose in poses if matches_state(state.mol_block, pose.coordinates, state.smiles)]
    if not faithful:
        raise LigandRejected(
            RejectionReason.NO_POSE, "No pose's coordinates show the docked molecule, stereo included."
        )
    ranked = tuple(replace(pose, rank=rank) for rank, pose in enumerate(faithful, start=1))
    return _DockedState(state, ranked, search, seed, len(poses) - len(faithful))
