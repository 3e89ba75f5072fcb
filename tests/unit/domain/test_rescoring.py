from datetime import UTC, datetime
from uuid import UUID

import pytest

from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.rescoring import (
    PoseScore,
    RankAgreement,
    RescoredLigand,
    Rescoring,
    RescoringMethod,
)
from molecular_analysis_dashboard.domain.sites import MAX_EDGE_ANGSTROM, SearchBox

ID = UUID(int=1)


def rescoring(method: RescoringMethod, agreement: RankAgreement | None) -> Rescoring:
    return Rescoring(ID, ID, method, "smina", "vina", 3, agreement)


@pytest.mark.parametrize(
    ("method", "agreement", "sentence"),
    [
        (RescoringMethod("vina", "vinardo"), None, None),
        (
            RescoringMethod("vina", "vinardo"),
            RankAgreement(87, 0.824, -0.1),
            "Ranks of 87 ligands docked by smina (vina) and rescored by vina (vinardo): Spearman's rho 0.82, Kendall's "
            "tau -0.10.",
        ),
        (
            RescoringMethod("vina", "vina", relax=True),
            RankAgreement(2, None, None),
            "2 ligand(s) docked by smina (vina) and rescored by vina, relaxed: too few different scores to compare "
            "ranks.",
        ),
    ],
)
def test_agreement_is_told_in_a_sentence(
    method: RescoringMethod, agreement: RankAgreement | None, sentence: str | None
) -> None:
    assert rescoring(method, agreement).sentence == sentence


def ligand(docked_rank: int | None, rank: int | None, pose: int | None = 2) -> RescoredLigand:
    poses = (PoseScore(1, -7.0, None, None, RejectionReason.TIMEOUT, "."), PoseScore(2, -6.5, -5.0, 0.25, None, None))
    return RescoredLigand(
        ID, "n", "C", "K", 1, -7.0, docked_rank, -5.0, rank, pose, None, None, 0.1, datetime.now(UTC), poses
    )


@pytest.mark.parametrize(("docked", "now", "change"), [(5, 2, 3), (2, 5, -3), (4, 4, 0), (None, None, None)])
def test_places_gained_count_upwards(docked: int | None, now: int | None, change: int | None) -> None:
    assert ligand(docked, now).rank_change == change


def test_a_ligand_has_moved_as_far_as_its_best_pose() -> None:
    assert ligand(1, 1).moved_angstrom == 0.25
    assert ligand(1, 1, pose=1).moved_angstrom is None
    assert ligand(None, None, pose=None).moved_angstrom is None


def test_a_method_asks_nothing_of_an_engine_but_its_name_and_scoring() -> None:
    method = RescoringMethod("mine", "vinardo", relax=True)

    assert (method.protocol.engine, method.protocol.scoring) == ("mine", "vinardo")
    assert method.protocol.effort.as_json() == {"exhaustiveness": 8}


def test_a_box_widens_on_every_side_as_far_as_it_may() -> None:
    box = SearchBox((1.0, 2.0, 3.0), (10.0, 20.0, 125.0)).widened(4.0)

    assert (box.center, box.size) == ((1.0, 2.0, 3.0), (18.0, 28.0, MAX_EDGE_ANGSTROM))
