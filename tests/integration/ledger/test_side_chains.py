"""Side chains of poses as they are stored: with those that have some, and nothing with the others."""

from dataclasses import replace
from uuid import UUID

from tests.integration.ledger.bench import SCORED, Bench

from molecular_analysis_dashboard.domain.docking import DockedLigand, Pose

# More than one kilobyte, with a letter that is not ASCII: it must come back as it was.
MOVED = "".join(
    f"ATOM  {n:5d}  CB  SER A{n:4d}      -3.018   0.494   6.589  1.00  0.00           C\n" for n in range(20)
)
MOVED += "REMARK Å\nEND\n"
FLEXIBLE = replace(SCORED, poses=(Pose(1, -7.0, b"\0" * 12, side_chains_pdb=MOVED), Pose(2, -6.0, b"\0" * 12)))


def recorded(bench: Bench, outcome: DockedLigand) -> UUID:
    job_id = bench.job(1)
    task = bench.take(bench.tasks(job_id)[0])
    assert bench.record(task, task.ligand_ids[0], outcome)
    return job_id


def read(bench: Bench, job_id: UUID) -> list[str]:
    ids = [row.ligand_id for row in bench.rows("SELECT ligand_id FROM results WHERE job_id = :id", id=job_id)]
    with bench.database.begin(bench.scope) as uow:
        return [pose.side_chains_pdb for pose in uow.results.poses(job_id, ids)]


def test_side_chains_come_back_with_their_pose_as_they_were(bench: Bench) -> None:
    job_id = recorded(bench, FLEXIBLE)

    assert read(bench, job_id) == [MOVED, ""]
    stored = "SELECT length(side_chains_zlib) FROM poses WHERE job_id = :id AND rank = 1"
    assert bench.scalar(stored, id=job_id) < len(MOVED) / 4


def test_poses_of_a_rigid_receptor_store_nothing(bench: Bench) -> None:
    job_id = recorded(bench, SCORED)

    assert read(bench, job_id) == [""]
    assert bench.scalar("SELECT count(*) FROM poses WHERE job_id = :id AND side_chains_zlib IS NULL", id=job_id) == 1
