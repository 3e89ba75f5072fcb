from tests.support.ledger_stack import LedgerStack

from molecular_analysis_dashboard.domain.jobs import JobState

DRUGS = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
}


def test_every_ligand_of_a_screen_is_scored(stack: LedgerStack) -> None:
    stack.start_worker()
    job_id = stack.submit(DRUGS)
    job = stack.wait_final(job_id)
    assert job.state is JobState.COMPLETED
    assert {name: row[0] for name, row in stack.fingerprint(job_id).items()} == dict.fromkeys(DRUGS, "scored")
