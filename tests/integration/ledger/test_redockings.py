"""Runs of a redocking on the ledger: fenced, counted, judged once."""

from dataclasses import replace
from uuid import UUID

import pytest
from tests.integration.ledger.bench import BUILD, NOW, QUEUE, SCORED, Bench, at_once, rejected
from tests.integration.ledger.test_fence import superseded

from molecular_analysis_dashboard.domain.errors import Superseded
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, Job, JobKind, JobState, NewTask, TaskKind
from molecular_analysis_dashboard.domain.redocking import (
    BondOrderSource,
    NativeMolecule,
    NativeScore,
    NewRun,
    Redocked,
    Redocking,
    RedockOutcome,
)

FOUND = Redocked(SCORED, (0.7,), NativeScore(-6.0, -6.5, 0.2))


@pytest.fixture
def job_id(bench: Bench) -> UUID:
    """A redocking of two runs."""
    job_id, runs = new_id(), sorted((new_id(), number) for number in (1, 2))
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.add(
            Job(
                id=job_id,
                org_id=bench.principal.org_id,
                kind=JobKind.REDOCK,
                state=JobState.RUNNING,
                name="redocking",
                created_by=bench.principal.user_id,
                created_at=NOW,
                engine_build=BUILD,
                n_ligands=2,
                planning_complete=True,
            ),
            [NewTask(new_id(), job_id, TaskKind.REDOCK, QUEUE, (run_id,)) for run_id, _ in runs],
        )
        native = NativeMolecule("LIG")
        uow.redockings.add(Redocking(job_id, "LIG:A:1", native), [NewRun(id_, n, 41 + n) for id_, n in runs])
        uow.commit()
    return job_id


@pytest.fixture
def task(bench: Bench, job_id: UUID) -> ClaimedTask:
    return bench.take(bench.tasks(job_id)[0])


def record(bench: Bench, task: ClaimedTask, outcome: RedockOutcome = FOUND) -> bool:
    with bench.database.begin(bench.scope) as uow:
        fresh = uow.redockings.record(task, task.ligand_ids[0], outcome, {"worker": "w"})
        uow.commit()
    return fresh


def test_late_write_of_a_superseded_attempt_writes_nothing(bench: Bench, task: ClaimedTask) -> None:
    superseded(bench, task)
    with pytest.raises(Superseded):
        record(bench, task)
    assert bench.scalar("SELECT count(*) FROM redocking_poses") == 0
    assert bench.scalar("SELECT count(*) FROM redocking_runs WHERE outcome IS NOT NULL") == 0


def test_first_outcome_of_a_run_wins_however_many_write_at_once(bench: Bench, task: ClaimedTask) -> None:
    fresh = at_once(6, lambda _: record(bench, task))

    assert sorted(fresh) == [False] * 5 + [True]
    assert not record(bench, task, rejected())
    assert bench.scalar("SELECT count(*) FROM redocking_poses") == 1
    with bench.database.begin(bench.scope) as uow:
        run = uow.redockings.run(task.ligand_ids[0])
    assert (run.top_rmsd_angstrom, run.native, run.reason) == (0.7, FOUND.native, None)


def test_runs_are_counted_at_the_end_and_after_a_loss(bench: Bench, job_id: UUID, task: ClaimedTask) -> None:
    record(bench, task, rejected())
    superseded(bench, task)

    with bench.database.begin(bench.scope) as uow:
        counts = uow.jobs.counts(job_id)
    assert (counts.n_input, counts.rejected, counts.waiting) == (2, 1, 1)


def test_job_gets_one_last_task_and_ends_only_after_it(bench: Bench, job_id: UUID, task: ClaimedTask) -> None:
    other = bench.take(bench.tasks(job_id)[1])
    for one in (task, other):
        record(bench, one)
        bench.end(one)

    assert bench.finish_jobs() == []
    assert bench.finish_jobs() == []

    last = bench.scalar("SELECT id FROM tasks WHERE job_id = :id AND kind = 'evaluate'", id=job_id)
    bench.end(bench.take(last))
    assert bench.finish_jobs() == [(job_id, JobState.COMPLETED)]


@pytest.mark.parametrize("end", [EndCause.FAILED, EndCause.CANCELLED])
def test_job_that_fails_or_is_cancelled_is_not_evaluated(
    bench: Bench, job_id: UUID, task: ClaimedTask, end: EndCause
) -> None:
    if end is EndCause.CANCELLED:
        bench.change(job_id, JobState.CANCELLING)
    bench.end(task, end, code="x", message="y")

    ended = dict(bench.finish_jobs())

    assert ended[job_id] is (JobState.FAILED if end is EndCause.FAILED else JobState.CANCELLED)
    assert bench.scalar("SELECT count(*) FROM tasks WHERE kind = 'evaluate'") == 0


def test_run_without_an_outcome_is_told_as_a_defect(bench: Bench, job_id: UUID, task: ClaimedTask) -> None:
    other = bench.take(bench.tasks(job_id)[1])
    record(bench, task)
    bench.end(task)
    bench.end(other)

    assert bench.finish_jobs() == [(job_id, JobState.FAILED)]
    with bench.database.begin(SystemScope()) as uow:
        error = uow.jobs.get(job_id).error
    assert error is not None
    assert error["code"] == "ligands_unaccounted"


def test_bond_orders_that_were_found_first_stay(bench: Bench, job_id: UUID) -> None:
    for block in ("first", "second"):
        with bench.database.begin(bench.scope) as uow:
            uow.redockings.native_found(job_id, NativeMolecule("LIG", block, BondOrderSource.DICTIONARY))
            uow.commit()
    with bench.database.begin(bench.scope) as uow:
        native = uow.redockings.get(job_id).native
    assert (native.mol_block, native.bond_order_source) == ("first", BondOrderSource.DICTIONARY)


def test_side_chains_come_back_with_the_poses_of_their_run(bench: Bench, job_id: UUID) -> None:
    moved = replace(FOUND, docked=replace(SCORED, poses=(replace(SCORED.poses[0], side_chains_pdb="ATOM\nEND\n"),)))
    for task_id, outcome in zip(bench.tasks(job_id), (moved, FOUND), strict=True):
        assert record(bench, bench.take(task_id), outcome)

    with bench.database.begin(bench.scope) as uow:
        found = uow.redockings.poses(job_id)
    assert sorted(pose.side_chains_pdb for _, pose in found) == ["", "ATOM\nEND\n"]
