import pytest

from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.domain.jobs import Origin, TaskKind
from molecular_analysis_dashboard.domain.traces import TRACED_LIGANDS, seen_by_task

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORIGIN = Origin("request", SAMPLED)


@pytest.mark.parametrize("n_ligands", [0, 1, TRACED_LIGANDS])
def test_small_job_is_traced_whole(n_ligands: int) -> None:
    assert {seen_by_task(ORIGIN, new_id(), TaskKind.DOCK, n_ligands) for _ in range(200)} == {ORIGIN}


def test_large_job_is_traced_in_about_as_many_ligands() -> None:
    seen = [seen_by_task(ORIGIN, new_id(), TaskKind.DOCK, 10 * TRACED_LIGANDS) for _ in range(5000)]
    traced = [origin for origin in seen if origin == ORIGIN]
    assert 350 < len(traced) < 650  # one in ten; seven standard deviations either way
    assert {origin.traceparent for origin in seen} == {SAMPLED, f"{SAMPLED[:-2]}00"}
    assert {origin.request_id for origin in seen} == {"request"}


def test_choice_depends_on_the_task_alone() -> None:
    ids = [new_id() for _ in range(50)]
    first = [seen_by_task(ORIGIN, id_, TaskKind.DOCK, 10**6) for id_ in ids]
    assert [seen_by_task(ORIGIN, id_, TaskKind.DOCK, 10**6) for id_ in ids] == first


OF_LIGANDS = (TaskKind.DOCK, TaskKind.ANALYSE, TaskKind.RESCORE)


@pytest.mark.parametrize("kind", [kind for kind in TaskKind if kind not in OF_LIGANDS])
def test_tasks_without_ligands_are_always_traced(kind: TaskKind) -> None:
    assert seen_by_task(ORIGIN, new_id(), kind, 10**6) == ORIGIN


def test_job_without_a_trace_has_none() -> None:
    assert seen_by_task(Origin("request"), new_id(), TaskKind.DOCK, 10**6) == Origin("request")
