from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.docking import PRESETS, DockingProtocol, EffortPreset, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.scheduling import (
    PREPARATION_COST_S,
    Chunk,
    CostedLigand,
    base_cost_s,
    cut_into_chunks,
    dock_queue,
    docking_cost_s,
    effort_runs,
    search_runs,
    states_per_ligand,
)

costs = st.lists(st.floats(0.001, 100.0), max_size=80).map(lambda values: sorted(values, reverse=True))
slot_counts = st.integers(0, 32)
targets = st.floats(0.5, 600.0)
atoms = st.integers(1, 100)
torsions = st.integers(0, 32)


def ligands_costing(values: list[float]) -> list[CostedLigand]:
    return [CostedLigand(UUID(int=number), value) for number, value in enumerate(values)]


def cut(values: list[float], *, slots: int, target_s: float = 60.0, exhaustiveness: int = 1) -> list[Chunk]:
    total = sum(docking_cost_s(value, exhaustiveness) for value in values)
    return list(
        cut_into_chunks(
            ligands_costing(values),
            runs=exhaustiveness,
            remaining_cost_s=total,
            slots=slots,
            target_s=target_s,
        )
    )


@given(costs, slot_counts, targets)
def test_every_ligand_is_in_exactly_one_chunk_in_order(values: list[float], slots: int, target_s: float) -> None:
    chunks = cut(values, slots=slots, target_s=target_s)
    assert [id_ for chunk in chunks for id_ in chunk.ligand_ids] == [ligand.id for ligand in ligands_costing(values)]
    assert all(chunk.ligand_ids for chunk in chunks)


@given(costs, slot_counts, targets, st.integers(1, 32))
def test_chunk_knows_what_it_costs(values: list[float], slots: int, target_s: float, effort: int) -> None:
    by_id = {ligand.id: docking_cost_s(ligand.base_cost_s, effort) for ligand in ligands_costing(values)}
    for chunk in cut(values, slots=slots, target_s=target_s, exhaustiveness=effort):
        assert chunk.cost_s == pytest.approx(sum(by_id[id_] for id_ in chunk.ligand_ids))


@given(costs, slot_counts, targets)
def test_only_a_single_ligand_may_exceed_the_target(values: list[float], slots: int, target_s: float) -> None:
    for chunk in cut(values, slots=slots, target_s=target_s):
        assert chunk.cost_s <= target_s * (1 + 1e-9) or len(chunk.ligand_ids) == 1


@given(st.integers(1, 16), st.integers(1, 80), st.floats(0.01, 100.0))
def test_small_job_keeps_every_slot_busy(slots: int, count: int, cost: float) -> None:
    assert len(cut([cost] * count, slots=slots)) >= min(slots, count)


@given(st.integers(1, 8), st.floats(0.01, 1.0))
def test_end_of_a_job_comes_in_small_pieces(slots: int, cost: float) -> None:
    chunks = cut([cost] * 1000, slots=slots, target_s=10.0)
    sizes = [len(chunk.ligand_ids) for chunk in chunks]
    # The very last chunk holds what is left over; before it no chunk is larger than one before.
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)
    assert sizes[-1] <= sizes[0]
    assert max(chunk.cost_s for chunk in chunks[-slots:]) < chunks[0].cost_s


@given(costs)
def test_underestimated_remainder_still_plans_everything(values: list[float]) -> None:
    chunks = list(cut_into_chunks(ligands_costing(values), runs=1, remaining_cost_s=0.0, slots=4, target_s=60.0))
    assert len(chunks) == len(values)


def test_nothing_to_cut_gives_no_chunk() -> None:
    assert cut([], slots=4) == []


def test_ligand_beyond_the_target_goes_alone_and_does_not_drag_others_along() -> None:
    assert len(cut([500.0, 1.0, 1.0], slots=1)[0].ligand_ids) == 1


@given(atoms, torsions)
def test_larger_or_more_flexible_ligands_cost_more(heavy_atoms: int, rotatable: int) -> None:
    here = base_cost_s(heavy_atoms, rotatable)
    assert 0 < here < base_cost_s(heavy_atoms + 1, rotatable)
    assert here < base_cost_s(heavy_atoms, rotatable + 1)


@given(st.floats(0.001, 100.0), st.integers(1, 64))
def test_more_effort_costs_more_and_preparation_is_always_paid(base: float, effort: int) -> None:
    assert PREPARATION_COST_S < docking_cost_s(base, effort) < docking_cost_s(base, effort + 1)


def test_queue_is_named_after_the_build() -> None:
    assert dock_queue("vina-1.2.7-x") == "dock.vina-1.2.7-x"


@pytest.mark.parametrize("protonate", [True, False])
@pytest.mark.parametrize("enumerate_stereo", [True, False])
def test_more_states_are_expected_with_a_higher_cap_and_never_more_than_it(
    protonate: bool, enumerate_stereo: bool
) -> None:
    expected = [
        states_per_ligand(LigandOptions(protonate=protonate, enumerate_stereo=enumerate_stereo, max_states=cap))
        for cap in range(1, 100)
    ]
    assert expected == sorted(expected)
    assert all(1 <= states <= cap for cap, states in enumerate(expected, 1))


def test_runs_count_every_state() -> None:
    one = DockingProtocol(effort=SearchEffort(8), ligands=LigandOptions(max_states=1))
    assert search_runs(one) == 8
    assert search_runs(replace(one, scoring="ad4")) == pytest.approx(8 * 2.6)
    assert search_runs(replace(one, flexible_residues=("A:GLU80", "A:THR315"))) == pytest.approx(8 * 1.6**2)
    assert search_runs(DockingProtocol(effort=SearchEffort(8))) == pytest.approx(17.6)


def test_efforts_cost_as_they_are_named() -> None:
    quick, standard, thorough = (
        effort_runs(PRESETS[name]) for name in (EffortPreset.QUICK, EffortPreset.STANDARD, EffortPreset.THOROUGH)
    )
    assert quick < standard < thorough
    assert standard * 2 < effort_runs(SearchEffort(8)) == 8


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (SearchEffort(4, 0.25), SearchEffort(4, 0.125)),
        (SearchEffort(4, 0.25, 2), SearchEffort(8, 0.25, 1)),
        (SearchEffort(4, 0.25, 3), SearchEffort(4, 0.25, 3, 2)),
    ],
)
def test_what_searches_more_is_expected_to_cost_more(more: SearchEffort, less: SearchEffort) -> None:
    assert effort_runs(more) > effort_runs(less)
