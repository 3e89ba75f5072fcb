import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.analyses import AnalysisOptions
from molecular_analysis_dashboard.domain.docking import (
    PRESETS,
    DockedLigand,
    DockingProtocol,
    EffortPreset,
    Pose,
    SearchEffort,
    StateScore,
)
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.hashing import MAX_SEED, content_hash
from molecular_analysis_dashboard.domain.jobs import JobCounts
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.receptors import (
    HeteroGroup,
    PreparationReport,
    PreparedReceptor,
    ReceptorOptions,
    ResidueNote,
    Severity,
    WaterPolicy,
)
from molecular_analysis_dashboard.domain.rejections import SENTENCES, LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import MAX_EDGE_ANGSTROM, MIN_EDGE_ANGSTROM, SearchBox

reals = st.floats(-1e4, 1e4)
names = st.text(max_size=6)
protocols = st.builds(
    DockingProtocol,
    engine=names,
    scoring=names,
    effort=st.builds(SearchEffort, st.integers(1, 64), st.floats(0.01, 1), st.integers(1, 64), st.integers(0, 64)),
    n_poses=st.integers(1, 20),
    min_rmsd_angstrom=st.floats(0, 10),
    energy_range_kcal_mol=st.floats(0, 20),
    seed=st.integers(1, MAX_SEED),
    ligands=st.builds(LigandOptions, st.booleans(), st.floats(0, 14), st.booleans(), st.integers(1, 64)),
    flexible_residues=st.sets(names, max_size=3).map(lambda found: tuple(sorted(found))),
)
options = st.builds(
    ReceptorOptions,
    model=st.integers(1, 20),
    chains=st.lists(names).map(tuple),
    waters=st.sampled_from(WaterPolicy),
    keep=st.lists(names).map(tuple),
    remove=st.lists(names).map(tuple),
    ph=st.floats(0, 14),
    override_problems=st.booleans(),
    site_center=st.none() | st.tuples(reals, reals, reals),
    site_radius_angstrom=st.floats(0, 50),
)
edges = st.floats(MIN_EDGE_ANGSTROM, MAX_EDGE_ANGSTROM)


@given(protocols)
def test_protocol_survives_json_with_its_hash(protocol: DockingProtocol) -> None:
    again = DockingProtocol.from_json(json.loads(json.dumps(protocol.as_json())))
    assert again == protocol
    assert again.content_hash == protocol.content_hash


def test_whatever_changes_a_result_changes_the_hash_of_the_protocol() -> None:
    plain = DockingProtocol()
    others = [
        replace(plain, seed=43),
        replace(plain, n_poses=4),
        replace(plain, effort=SearchEffort(9)),
        replace(plain, effort=SearchEffort(9, run_length=0.5)),
        replace(plain, effort=SearchEffort(9, max_rounds=2)),
        replace(plain, effort=SearchEffort(9, max_rounds=2, agreeing_rounds=2)),
        *(replace(plain, effort=effort) for effort in PRESETS.values() if effort != plain.effort),
        replace(plain, ligands=LigandOptions(ph=7.0)),
        replace(plain, flexible_residues=("A:GLU80",)),
        replace(plain, flexible_residues=("A:GLU80", "A:THR315")),
    ]
    assert len({protocol.content_hash for protocol in (plain, *others)}) == 1 + len(others)


def test_protocol_stored_before_efforts_had_rounds_reads_as_full_runs_and_keeps_its_hash() -> None:
    stored = {
        "engine": "vina",
        "scoring": "vina",
        "effort": {"exhaustiveness": 8},
        "n_poses": 3,
        "min_rmsd_angstrom": 1.0,
        "energy_range_kcal_mol": 3.0,
        "seed": 42,
        "ligands": LigandOptions().as_json(),
    }
    protocol = DockingProtocol.from_json(stored)

    assert protocol.effort == SearchEffort(exhaustiveness=8, run_length=1.0, max_rounds=1, agreeing_rounds=0)
    assert protocol.effort.preset is EffortPreset.CUSTOM
    assert protocol.as_json() == stored
    assert protocol.content_hash == content_hash(stored)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_is_known_by_its_numbers(preset: EffortPreset) -> None:
    assert SearchEffort.from_json(PRESETS[preset].as_json()).preset is preset
    assert replace(PRESETS[preset], exhaustiveness=999).preset is EffortPreset.CUSTOM


def test_protocol_searches_as_standard_when_nothing_is_said() -> None:
    assert DockingProtocol().effort.preset is EffortPreset.STANDARD


def test_protocol_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected"):
        DockingProtocol.from_json({"exhaustivness": 8})


@given(options)
def test_receptor_options_survive_json(given_options: ReceptorOptions) -> None:
    assert ReceptorOptions.from_json(json.loads(json.dumps(given_options.as_json()))) == given_options


def test_receptor_options_of_unknown_water_policy_are_refused() -> None:
    with pytest.raises(ValueError, match="some"):
        ReceptorOptions.from_json({"waters": "some"})


def test_preparation_report_is_json() -> None:
    report = PreparationReport((ResidueNote("A:HIS 57", "kept", "Kept.", Severity.WARNING, 3.5),), ("read",), 1, 10, {})
    assert json.loads(json.dumps(report.as_json()))["notes"][0]["severity"] == "warning"


def test_receptor_is_identified_by_what_the_engine_reads() -> None:
    receptor = PreparedReceptor("pdbqt", "pdb", PreparationReport())
    assert receptor.content_hash == replace(receptor, pdb="other").content_hash
    assert receptor.content_hash != replace(receptor, pdbqt="other").content_hash


def test_hetero_group_is_selected_by_name_chain_and_number() -> None:
    assert HeteroGroup("LIG", "A", "12B", "ligand", 20, (0.0, 0.0, 0.0)).selector == "LIG:A:12B"


@given(st.tuples(reals, reals, reals), st.tuples(edges, edges, edges))
def test_box_of_allowed_edges_holds_its_centre_and_corners(
    center: tuple[float, float, float], size: tuple[float, float, float]
) -> None:
    box = SearchBox(center, size)
    assert box.contains(center)
    outside = tuple(middle + edge / 2 + 0.01 for middle, edge in zip(center, size, strict=True))
    assert not box.contains((outside[0], center[1], center[2]))
    assert box.volume_angstrom3 == pytest.approx(size[0] * size[1] * size[2])


def test_margin_shrinks_the_box_on_every_side() -> None:
    box = SearchBox((0.0, 0.0, 0.0), (10.0, 10.0, 10.0))
    assert box.contains((5.0, 0.0, -5.0))
    assert not box.contains((5.0, 0.0, 0.0), margin=0.1)
    assert not box.contains((0.0, float("nan"), 0.0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), 1e6, -1e6])
@pytest.mark.parametrize("axis", range(3))
def test_centre_that_is_nowhere_is_refused(bad: float, axis: int) -> None:
    center = [0.0, 0.0, 0.0]
    center[axis] = bad
    with pytest.raises(InvalidInput) as refused:
        SearchBox((center[0], center[1], center[2]), (20.0, 20.0, 20.0))
    assert refused.value.error_code == "box_center_invalid"
    json.dumps(refused.value.details, allow_nan=False)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), -20.0, 0.0, 3.999, 126.001])
@pytest.mark.parametrize("axis", range(3))
def test_edge_that_no_search_can_use_is_refused(bad: float, axis: int) -> None:
    size = [20.0, 20.0, 20.0]
    size[axis] = bad
    with pytest.raises(InvalidInput) as refused:
        SearchBox((0.0, 0.0, 0.0), (size[0], size[1], size[2]))
    assert refused.value.error_code == "box_size_invalid"
    json.dumps(refused.value.details, allow_nan=False)


@given(st.integers(0, 1000), st.lists(st.integers(0, 1000), min_size=5, max_size=5))
def test_counts_always_sum_to_the_input(waiting: int, settled: list[int]) -> None:
    counts = JobCounts(waiting + sum(settled), *settled)
    assert counts.waiting == waiting


@pytest.mark.parametrize("reason", list(RejectionReason))
def test_every_reason_has_a_sentence_of_its_own(reason: RejectionReason) -> None:
    sentence = SENTENCES[reason]
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert list(SENTENCES.values()).count(sentence) == 1


def test_rejection_says_its_sentence_and_then_the_detail() -> None:
    assert LigandRejected(RejectionReason.EMPTY).message == "The record holds no atoms."
    assert LigandRejected(RejectionReason.EMPTY, "It is blank.").message == "The record holds no atoms. It is blank."


def test_docked_ligand_is_scored_by_its_best_pose() -> None:
    poses = (Pose(1, -8.0, b""), Pose(2, -7.0, b""))
    ligand = DockedLigand("CCO", "", poses, 16, (StateScore("CCO", -8.0),), (), 1, 0.1)
    assert ligand.score_kcal_mol == -8.0
    assert ligand.ligand_efficiency == 0.5


def test_analyses_are_part_of_a_protocol_only_where_they_are_not_the_default() -> None:
    none = DockingProtocol(analyses=AnalysisOptions(top=0))

    assert "analyses" not in DockingProtocol().as_json()
    assert none.content_hash != DockingProtocol().content_hash
    assert DockingProtocol.from_json(none.as_json()) == none


def test_protocol_without_flexible_residues_keeps_the_hash_that_it_was_stored_with() -> None:
    stored = DockingProtocol().as_json()
    assert "flexible_residues" not in stored

    for body in (stored, stored | {"flexible_residues": []}):
        assert DockingProtocol.from_json(body).content_hash == content_hash(stored)
    assert DockingProtocol.from_json(stored | {"flexible_residues": ["A:GLU80"]}).content_hash != content_hash(stored)


def test_order_of_flexible_residues_and_repetition_mean_nothing() -> None:
    asked = [DockingProtocol.from_json({"flexible_residues": found}) for found in (["B", "A"], ["A", "B", "A"])]

    assert asked[0].flexible_residues == ("A", "B")
    assert asked[0].content_hash == asked[1].content_hash
