"""Reading what redockings and validations found."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.jobs import Job, JobKind
from molecular_analysis_dashboard.domain.redocking import RedockingRun
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

RUN_COLUMNS = (
    "run", "seed", "pose", "score_kcal_mol", "rmsd_angstrom", "native_in_place_kcal_mol", "native_relaxed_kcal_mol",
    "miss", "reason", "message", "seconds_cpu",
)  # fmt: skip


def redocking_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Return a redocking's job; Conflict (``not_a_redocking``) for any other kind."""
    return _of_kind(uow, job_id, JobKind.REDOCK, "redocking")


def validation_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Return a validation's job; Conflict (``not_a_validation``) for any other kind."""
    return _of_kind(uow, job_id, JobKind.VALIDATE, "validation")


def _of_kind(uow: UnitOfWork, job_id: UUID, kind: JobKind, what: str) -> Job:
    job = uow.jobs.get(job_id)
    if job.kind is not kind:
        raise Conflict(f"A {job.kind} job is no {what}.", code=f"not_a_{what}", kind=job.kind)
    return job


def runs_csv(runs: Iterable[RedockingRun]) -> str:
    """Return a row for each pose; a run without poses has one row, with its reason if it was rejected."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(RUN_COLUMNS)
    for run in runs:
        native = (run.native.in_place_kcal_mol, run.native.relaxed_kcal_mol)
        for number, pose in enumerate(run.poses or (None,)):
            measured = (None, None, None) if pose is None else (pose.rank, pose.score_kcal_mol, pose.rmsd_angstrom)
            # What belongs to the whole run stands in its first row.
            whole = (*native, run.miss, run.reason, run.message, run.seconds_cpu) if number == 0 else (None,) * 6
            writer.writerow((run.run_no, run.seed, *measured, *whole))
    return buffer.getvalue()


def poses_sdf(chemistry: RequestChemistry, poses: Sequence[tuple[RedockingRun, StoredPose]]) -> Iterator[str]:
    """Yield every pose as an SDF record, by run and rank."""
    for run, pose in poses:
        measure = next(found for found in run.poses if found.rank == pose.rank)
        yield chemistry.pose_sdf(
            pose,
            {
                "run": run.run_no,
                "seed": run.seed,
                "pose": pose.rank,
                "score_kcal_mol": pose.score_kcal_mol,
                "rmsd_angstrom": round(measure.rmsd_angstrom, 4),
                "state_smiles": pose.state_smiles,
            },
        )
