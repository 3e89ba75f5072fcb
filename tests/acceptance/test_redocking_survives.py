"""Whatever is killed, a redocking ends with the runs of an undisturbed one and its verdict."""

from typing import Any
from uuid import UUID

from mad_test_engine import CRASHER, SLEEPER
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tests.support.ledger_stack import LedgerStack
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.jobs import JobState
from molecular_analysis_dashboard.domain.redocking import MissCause, RedockingRun, Verdict
from molecular_analysis_dashboard.domain.rejections import RejectionReason

RUNS = 4
# Two seconds of locked search for each run: long enough to be hit in the middle.
EFFORT = 200


def native(smiles: str) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    return str(Chem.MolToMolBlock(mol))


def recorded(stack: LedgerStack, job_id: UUID) -> int:
    return int(
        stack.scalar("SELECT count(*) FROM redocking_runs WHERE job_id = :id AND outcome IS NOT NULL", id=job_id)
    )


def fingerprint(stack: LedgerStack, job_id: UUID) -> list[Any]:
    """Everything about the runs that must not depend on what happened on the way."""
    query = (
        "SELECT r.run_no, r.outcome, r.reason, p.rank, p.score_kcal_mol, p.rmsd_angstrom, p.coordinates_zlib "
        "FROM redocking_runs r LEFT JOIN redocking_poses p ON p.run_id = r.id WHERE r.job_id = :id ORDER BY 1, 4"
    )
    return [tuple(row) for row in stack.rows(query, id=job_id)]


def runs(stack: LedgerStack, job_id: UUID) -> list[RedockingRun]:
    with stack.database.begin(stack.scope) as uow:
        return uow.redockings.runs(job_id)


def test_killed_worker_and_engine_cost_no_run_and_no_verdict(stack: LedgerStack) -> None:
    doomed = stack.start_worker()
    undisturbed = stack.submit_redocking(native("CC(=O)Nc1ccccc1"), RUNS, exhaustiveness=EFFORT)
    stack.wait_completed(undisturbed)
    job_id = stack.submit_redocking(native("CC(=O)Nc1ccccc1"), RUNS, exhaustiveness=EFFORT)
    running = "SELECT count(*) FROM tasks WHERE job_id = :id AND state = 'running'"
    wait_until(lambda: stack.scalar(running, id=job_id) == 2, 60, lambda: stack.explain(job_id))
    doomed.engines()[0].kill()
    wait_until(lambda: recorded(stack, job_id) >= 1, 60, lambda: stack.explain(job_id))
    doomed.kill()
    stack.start_worker()

    stack.wait_completed(job_id, 120)

    assert fingerprint(stack, job_id) == fingerprint(stack, undisturbed)
    with stack.database.begin(stack.scope) as uow:
        counts, redocking = uow.jobs.counts(job_id), uow.redockings.get(job_id)
    assert (counts.n_input, counts.scored, counts.waiting) == (RUNS, RUNS, 0)
    assert redocking.verdict is not None
    evaluated = "SELECT count(*) FROM tasks WHERE job_id = :id AND kind = 'evaluate'"
    assert stack.scalar(evaluated, id=job_id) == 1


def test_a_native_that_ends_its_engine_is_rejected_run_by_run(stack: LedgerStack) -> None:
    stack.start_worker()
    job_id = stack.submit_redocking(native(f"{CRASHER}CCO"), 2)
    stack.wait_completed(job_id)

    assert [run.reason for run in runs(stack, job_id)] == [RejectionReason.ENGINE_CRASH] * 2
    assert {run.miss for run in runs(stack, job_id)} == {MissCause.NOT_DOCKED}
    with stack.database.begin(stack.scope) as uow:
        verdict = uow.redockings.get(job_id).verdict
    assert verdict is not None
    assert verdict.verdict is Verdict.RED


def test_a_cancelled_redocking_stops_its_engines(stack: LedgerStack) -> None:
    worker = stack.start_worker()
    job_id = stack.submit_redocking(native(f"{SLEEPER}CCO"), 3)
    running = "SELECT count(*) FROM tasks WHERE job_id = :id AND state = 'running'"
    wait_until(lambda: stack.scalar(running, id=job_id) == 2, 60, lambda: stack.explain(job_id))
    engines = worker.engines()
    stack.change(job_id, JobState.CANCELLING)
    stack.wake()

    assert stack.wait_final(job_id).state is JobState.CANCELLED
    wait_until(lambda: not any(engine.is_running() for engine in engines), 10, "an engine goes on")
    assert recorded(stack, job_id) == 0
