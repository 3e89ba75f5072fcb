import pytest

from molecular_analysis_dashboard.domain.analyses import InteractionType, PoseAnalysis
from molecular_analysis_dashboard.domain.clusters import as_bits, leader_clusters, tanimoto
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.interaction_filters import InteractionTerm, interaction_filter


@pytest.mark.parametrize(
    ("checks", "valid"),
    [
        ({"bond_lengths": True, "no_radicals": True}, True),
        ({"bond_lengths": True, "no_radicals": False}, False),
        ({"bond_lengths": None, "no_radicals": False}, False),
        ({"bond_lengths": None, "no_radicals": True}, None),
        ({}, None),
    ],
)
def test_a_pose_is_valid_only_if_every_check_passes(checks: dict[str, bool | None], valid: bool | None) -> None:
    assert PoseAnalysis(checks=checks).valid is valid


def test_a_condition_names_types_one_by_one_or_in_groups() -> None:
    found = interaction_filter(["hbond@A:glu80", "2 of HBDonor@B:SER100B, Any@:HOH5,metal@A:ZN401"], 1)

    first, second = found.conditions
    assert first.terms == (InteractionTerm((InteractionType.HB_DONOR, InteractionType.HB_ACCEPTOR), "A:GLU80"),)
    assert (first.least, second.least, found.max_missing) == (1, 2, 1)
    assert [term.residue for term in second.terms] == ["B:SER100B", ":HOH5", "A:ZN401"]
    assert second.terms[1].types == tuple(InteractionType)


@pytest.mark.parametrize(
    ("texts", "missing"),
    [
        (["HBond"], 0),
        (["HBond@GLU80"], 0),
        (["HBond@A:GLU"], 0),
        (["Love@A:GLU80"], 0),
        (["HBond@A:GLU80,"], 0),
        (["0 of HBond@A:GLU80"], 0),
        (["2 of HBond@A:GLU80"], 0),
        (["2 of HBond@A:GLU80,HBond@A:GLU80"], 0),
        (["HBond@A:GLU80"], 1),
        (["HBond@A:GLU80"] * 21, 0),
        ([" "], 0),
        ([",".join(f"HBond@A:GLU{number}" for number in range(21))], 0),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_part(texts: list[str], missing: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        interaction_filter(texts, missing)

    assert refused.value.error_code == "invalid_interaction_filter"
    assert "part" in refused.value.details


def test_without_conditions_nothing_is_filtered() -> None:
    assert interaction_filter([], 3).conditions == ()


@pytest.mark.parametrize(
    ("first", "second", "similarity"), [(0b1100, 0b0110, 1 / 3), (0b11, 0b11, 1.0), (0b11, 0b1100, 0.0), (0, 0, 1.0)]
)
def test_similarity_is_tanimoto_s(first: int, second: int, similarity: float) -> None:
    assert tanimoto(first, second) == pytest.approx(similarity)


def test_each_joins_the_most_similar_leader_or_leads_itself() -> None:
    #        leads   joins 0  leads    joins 2 (0.75 beats 0.6)
    bits = [0b11110, 0b01110, 0b11111_00000, 0b01111_00000, 0b1]

    assert leader_clusters(bits, least_similarity=0.6) == [0, 0, 2, 2, 4]
    assert leader_clusters(bits, least_similarity=1.0) == [0, 1, 2, 3, 4]
    assert leader_clusters([], least_similarity=0.6) == []


def test_equal_words_are_equal_bits() -> None:
    one, two, three = as_bits([frozenset({"a", "b"}), frozenset({"b", "c"}), frozenset()])

    assert tanimoto(one, two) == pytest.approx(1 / 3)
    assert three == 0
