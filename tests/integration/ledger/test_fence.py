from uuid import UUID

import pytest
from tests.integration.ledger.bench import SCORED, Bench, at_once, rejected

from molecular_analysis_dashboard.domain.docking import DockedLigand, Pose, StateScore
from molecular_analysis_dashboard.domain.errors import Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import NewResult

WRITTEN = "SELECT (SELECT count(*) FROM results) + (SELECT count(*) FROM poses) + (SELECT count(*) FROM ligand_states)"


@pytest.fixture
def task(bench: Bench) -> ClaimedTask:
    return bench.take(bench.tasks(bench.job(4))[0])


def superseded(bench: Bench, task: ClaimedTask) -> ClaimedTask:
    """Let the attempt be lost; return the one that follows it."""
    bench.silence(task, 100)
    with bench.database.begin(SystemScope()) as uow:
        assert [lost.id for lost in uow.control.reclaim(silent_s=12)] == [task.id]
        uow.commit()
    return bench.take(task.id)


def test_late_write_of_a_superseded_attempt_writes_nothing(bench: Bench, task: ClaimedTask) -> None:
    superseded(bench, task)
    with pytest.raises(Superseded):
        bench.record(task, task.ligand_ids[0])
    assert bench.scalar(WRITTEN) == 0


def test_write_between_two_attempts_is_refused(bench: Bench, task: ClaimedTask) -> None:
    bench.end(task, EndCause.DRAINED)
    with pytest.raises(Superseded):
        bench.record(task, task.ligand_ids[0])
    assert bench.scalar(WRITTEN) == 0


def test_refused_writes_are_counted_with_the_attempt(bench: Bench, task: ClaimedTask) -> None:
    superseded(bench, task)
    for _ in range(2):
        with bench.database.begin(bench.scope) as uow:
            uow.ledger.count_refused(task)
            uow.commit()
    counts = bench.rows("SELECT n_refused_writes FROM attempts WHERE task_id = :id ORDER BY attempt_no", id=task.id)
    assert [row[0] for row in counts] == [2, 0]


def test_first_record_of_a_ligand_wins(bench: Bench, task: ClaimedTask) -> None:
    first, *_ = task.ligand_ids
    assert bench.record(task, first, SCORED)
    assert not bench.record(task, first, rejected())
    assert [row.outcome for row in bench.rows("SELECT outcome FROM results")] == ["scored"]
    assert bench.scalar("SELECT count(*) FROM poses") == 1


def test_ligand_recorded_by_many_at_once_is_there_once(bench: Bench, task: ClaimedTask) -> None:
    fresh = at_once(8, lambda _: bench.record(task, task.ligand_ids[0]))
    assert sorted(fresh) == [False] * 7 + [True]
    assert bench.scalar("SELECT count(*) FROM poses") == 1


def test_poses_belong_to_the_best_state_and_every_state_stays_visible(bench: Bench, task: ClaimedTask) -> None:
    poses = (Pose(1, -8.0, b"\1" * 12), Pose(2, -7.5, b"\2" * 12))
    states = (StateScore("worse", -6.0), StateScore("best", -8.0), StateScore("none", None, "No pose."))
    bench.record(task, task.ligand_ids[0], DockedLigand("best", "block", poses, 2, states, (), 1, 0.1))
    rows = bench.rows("SELECT state_no, smiles, mol_block_zlib IS NOT NULL AS held FROM ligand_states ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, "worse", False), (2, "best", True), (3, "none", False)]
    assert [tuple(row) for row in bench.rows("SELECT state_no, rank FROM poses ORDER BY 2")] == [(2, 1), (2, 2)]


def test_half_written_ligand_is_not_there(bench: Bench, task: ClaimedTask) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.ledger.record(task, NewResult(task.ligand_ids[0], SCORED, {}))
    assert bench.scalar(WRITTEN) == 0


def test_next_attempt_learns_what_is_recorded(bench: Bench, task: ClaimedTask) -> None:
    bench.record(task, task.ligand_ids[0])
    bench.record(task, task.ligand_ids[1], rejected())
    following = superseded(bench, task)
    with bench.database.begin(bench.scope) as uow:
        assert uow.ledger.recorded(following) == {task.ligand_ids[0]: True, task.ligand_ids[1]: False}


def test_end_counts_exactly_what_is_recorded(bench: Bench, task: ClaimedTask) -> None:
    for ligand_id in task.ligand_ids[:3]:
        bench.record(task, ligand_id)
    bench.record(task, task.ligand_ids[3], rejected())
    with bench.database.begin(SystemScope()) as uow:
        uow.ledger.beat(task, n_scored=1, n_rejected=0, may_yield=False, yield_after_s=2)
        uow.commit()
    assert bench.end(task)
    row = bench.rows("SELECT state, n_scored, n_rejected, finished_at FROM tasks")[0]
    assert (row.state, row.n_scored, row.n_rejected) == ("done", 3, 1)
    assert row.finished_at is not None
    with bench.database.begin(bench.scope) as uow:
        counts = uow.jobs.counts(task.job_id)
    assert (counts.n_input, counts.scored, counts.rejected, counts.waiting) == (4, 3, 1, 0)


@pytest.mark.parametrize("cause", list(EndCause))
def test_superseded_attempt_ends_nothing(bench: Bench, task: ClaimedTask, cause: EndCause) -> None:
    following = superseded(bench, task)
    assert not bench.end(task, cause)
    row = bench.rows("SELECT state, attempt_no FROM tasks")[0]
    assert (row.state, row.attempt_no) == ("running", following.attempt_no)
    causes = bench.rows("SELECT end_cause FROM attempts ORDER BY attempt_no")
    assert [row.end_cause for row in causes] == ["lost", None]


def test_attempt_ends_once(bench: Bench, task: ClaimedTask) -> None:
    assert bench.end(task)
    assert not bench.end(task, EndCause.FAILED)
    assert bench.states(task.job_id) == ["done"]


def test_failed_attempt_keeps_its_error(bench: Bench, task: ClaimedTask) -> None:
    bench.end(task, EndCause.FAILED, code="engine_failed", message="It broke.")
    assert bench.scalar("SELECT error ->> 'code' FROM tasks") == "engine_failed"
    assert bench.scalar("SELECT error ->> 'code' FROM attempts") == "engine_failed"


def test_losses_count_only_attempts_that_were_lost_with_the_ligand_in_the_engine(
    bench: Bench, task: ClaimedTask
) -> None:
    def current(task: ClaimedTask, ligand_id: UUID) -> None:
        with bench.database.begin(bench.scope) as uow:
            uow.ledger.set_current(task, ligand_id)
            uow.commit()

    current(task, task.ligand_ids[2])
    second = superseded(bench, task)
    current(second, task.ligand_ids[2])
    bench.end(second, EndCause.DRAINED)
    third = bench.take(task.id)
    current(third, task.ligand_ids[2])
    fourth = superseded(bench, third)
    with bench.database.begin(bench.scope) as uow:
        assert uow.ledger.losses(fourth) == {task.ligand_ids[2]: 2}


def test_rejections_are_not_alike_where_any_ligand_is_scored(bench: Bench) -> None:
    task = bench.take(bench.tasks(bench.job(12))[0])
    for ligand_id in task.ligand_ids[:10]:
        bench.record(task, ligand_id, rejected())
    bench.record(task, task.ligand_ids[10])
    with bench.database.begin(bench.scope) as uow:
        assert not uow.ledger.fails_alike(task.job_id, "no_pose", enough=10)


def test_rejections_are_alike_whatever_else_was_rejected(bench: Bench) -> None:
    task = bench.take(bench.tasks(bench.job(12))[0])
    bench.record(task, task.ligand_ids[0], rejected(RejectionReason.TIMEOUT))
    for ligand_id in task.ligand_ids[1:10]:
        bench.record(task, ligand_id, rejected())
    with bench.database.begin(bench.scope) as uow:
        assert uow.ledger.fails_alike(task.job_id, "no_pose", enough=9)
        assert not uow.ledger.fails_alike(task.job_id, "no_pose", enough=10)
        assert not uow.ledger.fails_alike(task.job_id, "timeout", enough=2)
