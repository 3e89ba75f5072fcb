"""A real screen whose poses are analysed by a real worker, by themselves, after it has completed."""

from importlib.util import find_spec
from pathlib import Path

from tests.support.ledger_stack import LedgerStack
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.sites import SearchBox

LIGANDS = {"toluene": "Cc1ccccc1", "phenol": "Oc1ccccc1", "ethanol": "CCO"}
# In the pocket of the 5-HT1B receptor that ProLIF ships (PDB 4IAQ).
BOX = SearchBox((3.2, 0.4, 11.2), (20.0, 20.0, 20.0))


def test_the_best_poses_of_a_completed_screen_are_analysed(stack: LedgerStack) -> None:
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    receptor = (Path(spec.origin).parent / "data" / "vina" / "rec.pdb").read_text()
    job_id = stack.submit(LIGANDS, analyse_top=2, receptor_pdbqt=receptor, box=BOX)
    stack.start_worker(slots=1)
    stack.wait_completed(job_id)
    of_screen = "SELECT id FROM jobs WHERE screen_id = :id"
    wait_until(lambda: len(stack.rows(of_screen, id=job_id)) == 1, 30, lambda: stack.explain(job_id))
    analysis_id = stack.scalar(of_screen, id=job_id)
    stack.wait_completed(analysis_id, timeout_s=120)

    poses = stack.rows(
        "SELECT r.name, a.rank, a.failure, a.checks, a.problems, a.strain_kcal_mol FROM pose_analyses a "
        "JOIN results r USING (job_id, ligand_id) WHERE a.job_id = :id ORDER BY r.name, a.rank",
        id=job_id,
    )
    assert [(pose.name, pose.rank) for pose in poses] == [("phenol", 1), ("phenol", 2), ("toluene", 1), ("toluene", 2)]
    for pose in poses:
        assert (pose.failure, pose.problems) == (None, {})
        assert len(pose.checks) == 22
        assert pose.strain_kcal_mol is not None
    assert stack.scalar("SELECT count(*) FROM results WHERE job_id = :id AND analysed_at IS NULL", id=job_id) == 1
    assert stack.scalar("SELECT analyse_top FROM jobs WHERE id = :id", id=job_id) is None
