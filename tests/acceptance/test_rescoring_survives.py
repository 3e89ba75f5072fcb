"""Whatever is killed, a rescoring ends with the scores of an undisturbed one and its comparison."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from mad_test_engine import BUILD_ID
from tests.support.ledger_stack import LedgerStack
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.analyses import LigandChoice
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.domain.jobs import Origin
from molecular_analysis_dashboard.domain.rescoring import RankAgreement
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.use_cases.submit_rescoring import RescoringRequest, submit_rescoring

# Two poses of each, 50 ms to score one: long enough to be hit in the middle.
LIGANDS = {f"chain-{length}": "C" * length for length in range(3, 33)}


def ask(stack: LedgerStack, screen_id: UUID) -> UUID:
    request = RescoringRequest(screen_id, None, "test", False, LigandChoice(1, None), HitFilter(), None, None, 0, {})
    submitted = submit_rescoring(
        stack.database,
        Principal(stack.user_id, stack.org_id),
        request,
        idempotency_key=None,
        target_s=60.0,
        origin=Origin(),
    )
    assert submitted.job.engine_build == BUILD_ID
    return submitted.job.id


def fingerprint(stack: LedgerStack, job_id: UUID) -> list[Any]:
    """Everything about the scores that must not depend on what happened on the way."""
    query = (
        "SELECT l.ligand_id, l.score_kcal_mol, l.pose, l.reason, p.rank, p.score_kcal_mol, p.reason "
        "FROM rescored_ligands l JOIN rescored_poses p USING (job_id, ligand_id) WHERE l.job_id = :id ORDER BY 1, 5"
    )
    return [tuple(row) for row in stack.rows(query, id=job_id)]


def agreement(stack: LedgerStack, job_id: UUID) -> RankAgreement | None:
    with stack.database.begin(stack.scope) as uow:
        return uow.rescorings.get(job_id).agreement


def test_killed_worker_and_engine_cost_no_score(stack: LedgerStack) -> None:
    doomed = stack.start_worker()
    screen_id = stack.submit(LIGANDS)
    stack.wait_completed(screen_id)
    undisturbed = ask(stack, screen_id)
    stack.wait_completed(undisturbed)
    job_id = ask(stack, screen_id)
    recorded = "SELECT count(*) FROM rescored_ligands WHERE job_id = :id"
    wait_until(lambda: stack.scalar(recorded, id=job_id) >= 2, 60, lambda: stack.explain(job_id))
    doomed.engines()[0].kill()
    wait_until(lambda: stack.scalar(recorded, id=job_id) >= 8, 60, lambda: stack.explain(job_id))
    doomed.kill()
    stack.start_worker()

    stack.wait_completed(job_id, 120)

    assert fingerprint(stack, job_id) == fingerprint(stack, undisturbed)
    assert len(fingerprint(stack, job_id)) == 2 * len(LIGANDS)
    with stack.database.begin(stack.scope) as uow:
        counts = uow.jobs.counts(job_id)
    assert (counts.n_input, counts.scored, counts.waiting) == (len(LIGANDS), len(LIGANDS), 0)
    found = agreement(stack, job_id)
    assert found is not None
    assert found == agreement(stack, undisturbed)
    # The test engine scores by size, docked with noise far below a heavy atom's worth.
    assert found == replace(found, n_ligands=len(LIGANDS), spearman=1.0, kendall=1.0)
