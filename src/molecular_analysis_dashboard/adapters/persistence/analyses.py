"""Analyses of poses in PostgreSQL, and the copies of them on hits."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, text, update

from molecular_analysis_dashboard.adapters.persistence.jobs import job_of_row
from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import interactions, jobs, pose_analyses
from molecular_analysis_dashboard.domain.analyses import (
    AnalysedPose,
    Interaction,
    InteractionType,
    NotAnalysed,
    PoseAnalysis,
    StoredAnalysis,
)
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Job, JobKind, JobState

_DONE = text(
    """
    SELECT r.ligand_id, r.analysis_failure IS NULL AS succeeded FROM results r
    WHERE r.job_id = :screen_id AND r.ligand_id = ANY (CAST(:ligand_ids AS uuid[])) AND r.analysed_at IS NOT NULL
      AND (r.analysis_failure IS NULL
           OR EXISTS (SELECT FROM pose_analyses a
                      WHERE a.job_id = r.job_id AND a.ligand_id = r.ligand_id AND a.task_id = :task_id))
    """
)
# Locks the hit, so that two jobs about one ligand write one after the other.
_COPY = text(
    """
    UPDATE results SET analysed_at = clock_timestamp(), analysis_failure = :failure, valid = :valid,
                       failed_checks = :failed_checks, strain_kcal_mol = :strain_kcal_mol
    WHERE job_id = :screen_id AND ligand_id = :ligand_id AND outcome = 'scored'
      AND (analysed_at IS NULL OR analysis_failure IS NOT NULL)
    RETURNING 1
    """
)


class SqlAnalyses(Repository):
    """Implements `ports.analyses.Analyses`."""

    def done(self, task: ClaimedTask, screen_id: UUID) -> dict[UUID, bool]:
        """Return the task's ligands that need no analysis: id to whether it succeeded."""
        parameters = {"screen_id": screen_id, "ligand_ids": list(task.ligand_ids), "task_id": task.id}
        return {row.ligand_id: row.succeeded for row in self._connection.execute(_DONE, parameters)}

    def record(self, task: ClaimedTask, screen_id: UUID, ligand_id: UUID, poses: Sequence[AnalysedPose]) -> bool:
        """Store the analyses of one ligand's poses, best first; False if others have succeeded meanwhile."""
        best = poses[0].outcome
        found = best if isinstance(best, PoseAnalysis) else PoseAnalysis()
        key: dict[str, object] = {"job_id": screen_id, "ligand_id": ligand_id}
        copied = self._connection.execute(
            _COPY,
            {
                "screen_id": screen_id,
                "ligand_id": ligand_id,
                "failure": None if isinstance(best, PoseAnalysis) else best.reason,
                "valid": found.valid,
                "failed_checks": list(found.failed_checks) if found.checks else None,
                "strain_kcal_mol": found.strain_kcal_mol,
            },
        ).scalar_one_or_none()
        if copied is None:
            return False
        for table in (interactions, pose_analyses):
            self._connection.execute(delete(table).where(table.c.job_id == screen_id, table.c.ligand_id == ligand_id))
        written_by = {"org_id": task.org_id, "task_id": task.id, "attempt_no": task.attempt_no}
        self._connection.execute(insert(pose_analyses), [key | written_by | _row(pose) for pose in poses])
        rows = [key | {"org_id": task.org_id} | row for pose in poses for row in _interaction_rows(pose)]
        if rows:
            self._connection.execute(insert(interactions), rows)
        return True

    def of_ligand(self, screen_id: UUID, ligand_id: UUID) -> list[StoredAnalysis]:
        """Return the analyses of one ligand's poses, best first."""
        of_pose: dict[int, list[Interaction]] = {}
        wanted = (interactions.c.job_id == screen_id, interactions.c.ligand_id == ligand_id)
        for row in self._connection.execute(
            select(interactions).where(*wanted).order_by(interactions.c.residue, interactions.c.type)
        ):
            one = Interaction(InteractionType(row.type), row.residue, row.distance_angstrom)
            of_pose.setdefault(row.rank, []).append(one)
        query = select(pose_analyses).where(pose_analyses.c.job_id == screen_id, pose_analyses.c.ligand_id == ligand_id)
        rows = self._connection.execute(query.order_by(pose_analyses.c.rank))
        return [_stored(row, tuple(of_pose.get(row.rank, ()))) for row in rows]

    def interactions_of_best(self, screen_id: UUID, ligand_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """Return ``TYPE@RESIDUE`` of the best pose of each analysed ligand."""
        rows = self._connection.execute(
            text(
                "SELECT r.ligand_id, array_remove(array_agg(i.type || '@' || i.residue), NULL) AS found "
                "FROM results r LEFT JOIN interactions i "
                "ON i.job_id = r.job_id AND i.ligand_id = r.ligand_id AND i.rank = 1 "
                "WHERE r.job_id = :screen_id AND r.ligand_id = ANY (CAST(:ids AS uuid[])) "
                "AND r.analysed_at IS NOT NULL AND r.analysis_failure IS NULL GROUP BY r.ligand_id"
            ),
            {"screen_id": screen_id, "ids": list(ligand_ids)},
        )
        return {row.ligand_id: frozenset(row.found) for row in rows}

    def screens_due(self) -> list[Job]:
        """Lock and return completed screens whose best ligands are still to be analysed."""
        query = (
            select(jobs)
            .where(
                jobs.c.analyse_top.is_not(None),
                jobs.c.kind == JobKind.SCREEN,
                jobs.c.state == JobState.COMPLETED,
                jobs.c.deleted_at.is_(None),
            )
            .with_for_update(skip_locked=True, key_share=True)
        )
        return [job_of_row(row) for row in self._connection.execute(query).mappings()]

    def asked(self, screen_id: UUID) -> None:
        """Note that the analyses of a completed screen were asked for."""
        self._connection.execute(update(jobs).where(jobs.c.id == screen_id).values(analyse_top=None))


def _row(pose: AnalysedPose) -> dict[str, object]:
    outcome = pose.outcome
    failure = None if isinstance(outcome, PoseAnalysis) else outcome
    found = outcome if isinstance(outcome, PoseAnalysis) else PoseAnalysis()
    return {
        "state_no": pose.state_no,
        "rank": pose.rank,
        "failure": failure.reason if failure else None,
        "message": failure.message if failure else None,
        "valid": found.valid,
        "checks": dict(found.checks),
        "strain_kcal_mol": found.strain_kcal_mol,
        "strain_method": found.strain_method,
        "rmsd_angstrom": list(found.rmsd_angstrom),
        "problems": dict(found.problems),
        "seconds_cpu": found.seconds_cpu,
    }


def _interaction_rows(pose: AnalysedPose) -> list[dict[str, object]]:
    if not isinstance(pose.outcome, PoseAnalysis):
        return []
    return [
        {
            "state_no": pose.state_no,
            "rank": pose.rank,
            "residue": one.residue,
            "type": one.type,
            "distance_angstrom": one.distance_angstrom,
        }
        for one in pose.outcome.interactions
    ]


def _stored(row: Row[Any], found: tuple[Interaction, ...]) -> StoredAnalysis:
    return StoredAnalysis(
        rank=row.rank,
        failure=None if row.failure is None else NotAnalysed(row.failure),
        message=row.message,
        valid=row.valid,
        checks=row.checks,
        strain_kcal_mol=row.strain_kcal_mol,
        strain_method=row.strain_method,
        rmsd_angstrom=tuple(row.rmsd_angstrom),
        problems=row.problems,
        seconds_cpu=row.seconds_cpu,
        analysed_at=row.analysed_at,
        interactions=found,
    )
