"""One search from several starts."""

import numpy as np
import pytest

from molecular_analysis_dashboard.adapters.chemistry.poses import pack_coordinates, unpack_coordinates
from molecular_analysis_dashboard.adapters.engines.starts import search_from_starts, shared_runs
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

METHANOL = """
     RDKit          3D

  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.4000    0.0000    0.0000 O   0  0
  1  2  1  0
M  END
"""
PROTOCOL = DockingProtocol(effort=SearchEffort(exhaustiveness=8), n_poses=3, energy_range_kcal_mol=3.0)


def state(*starts: str) -> LigandState:
    return LigandState("CO", METHANOL, starts[0], 2, 0, 0, ring_conformers=starts[1:])


def pose(score: float, shift: float = 0.0) -> Pose:
    return Pose(1, score, pack_coordinates(np.array([[shift, 0.0, 0.0], [shift + 1.4, 0.0, 0.0]])))


class Search:
    """Answers each start with the poses prepared for it and remembers what it was asked."""

    def __init__(self, **poses: tuple[Pose, ...]) -> None:
        self._poses = poses
        self.asked: list[tuple[str, int, int]] = []

    def __call__(self, start: str, runs: int, seed: int) -> tuple[Pose, ...]:
        self.asked.append((start, runs, seed))
        if start not in self._poses:
            raise LigandRejected(RejectionReason.OUTSIDE_BOX, start)
        return self._poses[start]


@pytest.mark.parametrize(
    ("n_starts", "runs", "shares"),
    [(1, 8, [8]), (2, 8, [4, 4]), (3, 8, [3, 3, 2]), (4, 8, [2, 2, 2, 2]), (4, 2, [1, 1]), (3, 1, [1])],
)
def test_runs_are_shared_and_never_multiplied(n_starts: int, runs: int, shares: list[int]) -> None:
    starts = [f"start {number}" for number in range(n_starts)]

    assert shared_runs(starts, runs) == list(zip(starts, shares, strict=False))


def test_one_start_is_one_search_with_the_seed_itself() -> None:
    search = Search(a=(pose(-5.0), pose(-4.9)))

    assert search_from_starts(state("a"), PROTOCOL, 7, search) == (pose(-5.0), pose(-4.9))
    assert search.asked == [("a", 8, 7)]


def test_best_pose_of_any_start_is_first() -> None:
    search = Search(a=(pose(-5.0),), b=(pose(-6.0, 4.0), pose(-5.5, 8.0)))

    found = search_from_starts(state("a", "b"), PROTOCOL, 7, search)

    assert [(one.rank, one.score_kcal_mol) for one in found] == [(1, -6.0), (2, -5.5), (3, -5.0)]
    assert len({seed for _, _, seed in search.asked}) == 2


def test_pose_that_two_starts_found_is_kept_once() -> None:
    search = Search(a=(pose(-5.0),), b=(pose(-5.2, 0.3),))

    (found,) = search_from_starts(state("a", "b"), PROTOCOL, 7, search)

    assert found.score_kcal_mol == -5.2


def test_what_the_protocol_would_drop_of_one_search_is_dropped() -> None:
    search = Search(a=(pose(-9.0), pose(-7.0, 4.0), pose(-6.5, 8.0)), b=(pose(-6.4, 12.0), pose(-5.9, 16.0)))

    found = search_from_starts(state("a", "b"), PROTOCOL, 7, search)

    assert [one.score_kcal_mol for one in found] == [-9.0, -7.0, -6.5]
    assert unpack_coordinates(found[1].coordinates)[0, 0] == 4.0


def test_start_without_a_pose_leaves_the_others() -> None:
    (found,) = search_from_starts(state("a", "b"), PROTOCOL, 7, Search(b=(pose(-5.0),)))

    assert found.score_kcal_mol == -5.0


def test_state_without_a_pose_from_any_start_is_rejected_for_the_first_reason() -> None:
    with pytest.raises(LigandRejected, match=r"search box\. a") as caught:
        search_from_starts(state("a", "b"), PROTOCOL, 7, Search())

    assert caught.value.reason is RejectionReason.OUTSIDE_BOX
