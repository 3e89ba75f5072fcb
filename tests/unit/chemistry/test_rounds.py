"""Several searches of one state, merged as if they had been one."""

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pack_coordinates, unpack_coordinates
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose, SearchEffort, SearchSummary
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

Answer = tuple[Pose, ...] | RejectionReason
SEED = 7


class ScriptedSite:
    """Answers each round with what the script says, and remembers the seeds."""

    def __init__(self, *script: Answer) -> None:
        self._script = list(script)
        self.seeds: list[int] = []

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        assert state.pdbqt
        self.seeds.append(seed)
        answer = self._script[len(self.seeds) - 1]
        if isinstance(answer, RejectionReason):
            raise LigandRejected(answer, f"round {len(self.seeds)}")
        return answer

    def score(self, state: LigandState) -> float:
        raise NotImplementedError


@pytest.fixture(scope="module")
def state() -> LigandState:
    return prepare_states(LigandInput("id", "toluene", "Cc1ccccc1"), LigandOptions(), 7)[0]


def found(state: LigandState, *poses: tuple[float, float], constant: float = 0.0) -> tuple[Pose, ...]:
    """Make a round's poses out of (objective, shift along x in Å); the score is the objective plus a constant."""
    start = mol_from_block(state.mol_block).GetConformer().GetPositions()
    return tuple(
        Pose(rank, objective + constant, pack_coordinates(start + np.array([shift, 0.0, 0.0])), objective)
        for rank, (objective, shift) in enumerate(poses, 1)
    )


def protocol(max_rounds: int, agreeing_rounds: int = 0, **changed: object) -> DockingProtocol:
    effort = SearchEffort(1, 0.1, max_rounds, agreeing_rounds)
    return replace(DockingProtocol(effort=effort), **changed)  # type: ignore[arg-type]  # any field of the protocol


def test_one_round_is_one_search_of_the_engine(state: LigandState) -> None:
    poses = found(state, (-7.0, 0.0), (-6.9, 0.2))
    site = ScriptedSite(poses)

    assert dock_in_rounds(site, state, protocol(1), SEED) == (poses, SearchSummary(1, None, None))
    assert site.seeds == [SEED]


def test_rounds_have_different_seeds_that_depend_on_nothing_else(state: LigandState) -> None:
    first, second = (ScriptedSite(*[found(state, (-7.0, 0.0))] * 3) for _ in range(2))
    for site in (first, second):
        dock_in_rounds(site, state, protocol(3), SEED)

    assert first.seeds == second.seeds
    assert first.seeds[0] == SEED
    assert len(set(first.seeds)) == 3


def test_search_ends_when_enough_rounds_found_the_best_pose(state: LigandState) -> None:
    same, better = found(state, (-7.0, 0.0)), found(state, (-7.05, 0.5))
    site = ScriptedSite(found(state, (-6.0, 9.0)), same, better)

    _, summary = dock_in_rounds(site, state, protocol(8, agreeing_rounds=2), SEED)

    assert summary == SearchSummary(rounds=3, converged=True, score_spread_kcal_mol=1.05)


@pytest.mark.parametrize(
    ("second", "why"),
    [((-7.0, 1.5), "another place"), ((-6.8, 0.0), "another score")],
)
def test_a_round_that_found_something_else_does_not_agree(
    state: LigandState, second: tuple[float, float], why: str
) -> None:
    site = ScriptedSite(found(state, (-7.0, 0.0)), found(state, second))

    _, summary = dock_in_rounds(site, state, protocol(2, agreeing_rounds=2), SEED)

    assert summary.converged is False, why
    assert summary.rounds == 2


def test_an_effort_without_agreement_searches_every_round_and_still_says_whether_it_converged(
    state: LigandState,
) -> None:
    site = ScriptedSite(*[found(state, (-7.0, 0.0))] * 4)

    _, summary = dock_in_rounds(site, state, protocol(4), SEED)

    assert summary == SearchSummary(4, True, 0.0)


def test_a_mirrored_ring_is_the_same_pose(state: LigandState) -> None:
    poses = found(state, (-7.0, 0.0))
    flipped = _with_ring_flipped(state, poses[0])

    _, summary = dock_in_rounds(ScriptedSite(poses, (flipped,)), state, protocol(2), SEED)

    assert summary.converged is True


def test_merged_poses_are_ranked_by_what_is_minimised_and_scored_as_one_search_would(state: LigandState) -> None:
    # The second round's best pose has the lower energy but, with its strain added, the worse score.
    first = found(state, (-7.0, 0.0), (-6.5, 4.0), constant=-1.0)
    second = found(state, (-7.4, 8.0), (-6.4, 4.1), constant=0.3)

    poses, _ = dock_in_rounds(ScriptedSite(first, second), state, protocol(2), SEED)

    assert [pose.objective_kcal_mol for pose in poses] == [-7.4, -7.0, -6.5]
    assert [pose.score_kcal_mol for pose in poses] == [-7.1, -6.7, -6.2]
    assert [pose.rank for pose in poses] == [1, 2, 3]


def test_scores_stand_in_where_an_engine_tells_no_objective(state: LigandState) -> None:
    rounds = [
        tuple(replace(pose, objective_kcal_mol=None) for pose in found(state, *poses))
        for poses in ([(-6.0, 0.0)], [(-7.0, 5.0)])
    ]

    poses, _ = dock_in_rounds(ScriptedSite(*rounds), state, protocol(2), SEED)

    assert [pose.score_kcal_mol for pose in poses] == [-7.0, -6.0]


def test_merged_poses_keep_to_the_protocol(state: LigandState) -> None:
    first = found(state, (-7.0, 0.0), (-6.9, 4.0), (-3.0, 8.0))
    second = found(state, (-6.95, 12.0), (-6.85, 16.0))
    script = (first, second)

    few, _ = dock_in_rounds(ScriptedSite(*script), state, protocol(2, n_poses=2), SEED)
    near, _ = dock_in_rounds(ScriptedSite(*script), state, protocol(2, n_poses=9, energy_range_kcal_mol=0.12), SEED)
    far, _ = dock_in_rounds(ScriptedSite(*script), state, protocol(2, n_poses=9, min_rmsd_angstrom=10.0), SEED)

    assert [pose.score_kcal_mol for pose in few] == [-7.0, -6.95]
    assert [pose.score_kcal_mol for pose in near] == [-7.0, -6.95, -6.9]
    assert [pose.score_kcal_mol for pose in far] == [-7.0, -6.95]


def test_a_round_without_a_pose_is_no_loss_beside_others(state: LigandState) -> None:
    site = ScriptedSite(RejectionReason.OUTSIDE_BOX, found(state, (-7.0, 0.0)), RejectionReason.NO_POSE)

    poses, summary = dock_in_rounds(site, state, protocol(3, agreeing_rounds=2), SEED)

    assert [pose.score_kcal_mol for pose in poses] == [-7.0]
    assert summary == SearchSummary(3, False, 0.0)


def test_a_ligand_without_a_pose_in_any_round_is_rejected_as_the_first_said(state: LigandState) -> None:
    site = ScriptedSite(RejectionReason.OUTSIDE_BOX, RejectionReason.NO_POSE)

    with pytest.raises(LigandRejected) as caught:
        dock_in_rounds(site, state, protocol(2), SEED)

    assert caught.value.reason is RejectionReason.OUTSIDE_BOX
    assert caught.value.message.endswith("round 1")


def _with_ring_flipped(state: LigandState, pose: Pose) -> Pose:
    """Number the atoms as they are after half a turn of the ring: other coordinates, the same picture."""
    mol = mol_from_block(state.mol_block)
    ways = mol.GetSubstructMatches(Chem.MolFromSmarts("[CH3]c1ccccc1"), uniquify=False)
    assert len(ways) == 2
    positions = unpack_coordinates(pose.coordinates)
    flipped = positions.copy()
    flipped[list(ways[0])] = positions[list(ways[1])]
    return replace(pose, coordinates=pack_coordinates(flipped))
