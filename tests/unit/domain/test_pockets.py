import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.pockets import Pocket, pocket_of_rank
from molecular_analysis_dashboard.domain.sites import MAX_EDGE_ANGSTROM, MIN_EDGE_ANGSTROM, SearchBox

reals = st.floats(-1e3, 1e3)
points = st.tuples(reals, reals, reals)
edges = st.floats(MIN_EDGE_ANGSTROM, MAX_EDGE_ANGSTROM)
pockets = st.builds(
    Pocket,
    rank=st.integers(1, 20),
    center=points,
    volume_angstrom3=st.floats(0, 1e5),
    score=reals,
    residues=st.lists(st.text(max_size=8)).map(tuple),
    box=st.builds(SearchBox, points, st.tuples(edges, edges, edges)),
)


def ranked(count: int) -> list[Pocket]:
    box = SearchBox((0.0, 0.0, 0.0), (10.0, 10.0, 10.0))
    return [Pocket(rank, box.center, 500.0, 9.0 - rank, ("A:GLU80",), box) for rank in range(1, count + 1)]


@given(pockets)
def test_pocket_survives_json(pocket: Pocket) -> None:
    assert Pocket.from_json(json.loads(json.dumps(pocket.as_json()))) == pocket


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pocket_is_chosen_by_its_rank(rank: int) -> None:
    assert pocket_of_rank(ranked(3), rank).rank == rank


@pytest.mark.parametrize(
    ("count", "rank", "code", "told"),
    [(0, 1, "no_pocket_found", "residues or by hand"), (3, 4, "pocket_not_found", "the last one has rank 3")],
)
def test_rank_that_there_is_not_is_refused(count: int, rank: int, code: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        pocket_of_rank(ranked(count), rank)

    assert caught.value.error_code == code
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("by", "size"), [(0.0, (10, 20, 30)), (2.5, (15, 25, 35)), (-4.0, (4, 12, 22)), (55.0, (120, 126, 126))]
)
def test_box_is_widened_within_the_limits(by: float, size: tuple[float, ...]) -> None:
    box = SearchBox((1.0, 2.0, 3.0), (10.0, 20.0, 30.0))
    assert box.widened(by) == SearchBox(box.center, (float(size[0]), float(size[1]), float(size[2])))
