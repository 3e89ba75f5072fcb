"""Several independent searches of one ligand state, merged as if they had been one."""

from collections.abc import Sequence
from dataclasses import replace

from molecular_analysis_dashboard.adapters.chemistry.poses import pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose, SearchSummary
from molecular_analysis_dashboard.domain.hashing import derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.ports.engine import DockingSite

# Two rounds found the same pose when its energy differs by no more than a local minimisation leaves open, and no
# atom lies where a contact would be another one.
SAME_SCORE_KCAL_MOL = 0.1
SAME_POSE_ANGSTROM = 1.0
_SCORE_DECIMALS = 3
# What it takes to call a pose found again where the effort does not say.
_FOUND_AGAIN = 2


def dock_in_rounds(
    site: DockingSite, state: LigandState, protocol: DockingProtocol, seed: int
) -> tuple[tuple[Pose, ...], SearchSummary]:
    """Dock a state with the protocol's whole effort.

    The first round has the state's own seed, so that an effort of one round is one search of the engine.

    Raises
    ------
    LigandRejected
        If no round found a pose: the reason of the first.
    """
    effort = protocol.effort
    found: list[tuple[Pose, ...]] = []
    rejections: list[LigandRejected] = []
    for number in range(effort.max_rounds):
        try:
            found.append(site.dock(state, seed=_round_seed(seed, number)))
        except LigandRejected as rejection:
            rejections.append(rejection)
        if effort.agreeing_rounds and _n_agreeing(state, found) >= effort.agreeing_rounds:
            break
    if not found:
        raise rejections[0] if rejections else LigandRejected(RejectionReason.NO_POSE)
    summary = _summary(state, found, rounds=len(found) + len(rejections), needed=effort.agreeing_rounds)
    return merged(state, found, protocol), summary


def merged(state: LigandState, found: Sequence[tuple[Pose, ...]], protocol: DockingProtocol) -> tuple[Pose, ...]:
    """Rank the poses of several searches by what these minimise; score them as one search with this best pose would."""
    if len(found) == 1:
        return found[0]
    poses = sorted((pose for poses in found for pose in poses), key=_objective)
    constant = poses[0].score_kcal_mol - poses[0].objective
    kept: list[Pose] = []
    for pose in poses:
        if pose.objective - poses[0].objective > protocol.energy_range_kcal_mol or len(kept) == protocol.n_poses:
            break
        if all(_rmsd(state, other, pose) >= protocol.min_rmsd_angstrom for other in kept):
            score = round(pose.objective + constant, _SCORE_DECIMALS)
            kept.append(replace(pose, rank=len(kept) + 1, score_kcal_mol=score))
    return tuple(kept)


def _round_seed(seed: int, number: int) -> int:
    return seed if number == 0 else derive_seed(seed, "round", number)


def _n_agreeing(state: LigandState, found: Sequence[tuple[Pose, ...]]) -> int:
    """Count the rounds that found the best pose of all."""
    if not found:
        return 0
    best = min((poses[0] for poses in found), key=_objective)
    near = (poses[0] for poses in found if poses[0].objective - best.objective <= SAME_SCORE_KCAL_MOL)
    return sum(_rmsd(state, best, pose) <= SAME_POSE_ANGSTROM for pose in near)


def _summary(state: LigandState, found: Sequence[tuple[Pose, ...]], *, rounds: int, needed: int) -> SearchSummary:
    if rounds == 1:
        return SearchSummary()
    best = [poses[0].objective for poses in found]
    converged = _n_agreeing(state, found) >= (needed or _FOUND_AGAIN)
    return SearchSummary(rounds, converged, round(max(best) - min(best), _SCORE_DECIMALS))


def _objective(pose: Pose) -> float:
    return pose.objective


def _rmsd(state: LigandState, first: Pose, second: Pose) -> float:
    return symmetry_rmsd(pose_mol(state.mol_block, first.coordinates), pose_mol(state.mol_block, second.coordinates))
