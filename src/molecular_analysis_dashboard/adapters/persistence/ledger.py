"""The ledger: who works on what, and what came of it.

A claim is one conditional update that raises the attempt number; that number fences every later write. Recording
locks the task row `FOR SHARE`, so a write either happens wholly before an attempt is ended or is refused.
"""

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import bindparam, insert, text
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.jobs import write_event
from molecular_analysis_dashboard.adapters.persistence.packed_text import packed
from molecular_analysis_dashboard.adapters.persistence.rows import RECORDED, Repository
from molecular_analysis_dashboard.adapters.persistence.tables import ligand_states, poses
from molecular_analysis_dashboard.domain.analyses import LigandProperties
from molecular_analysis_dashboard.domain.docking import DockedLigand
from molecular_analysis_dashboard.domain.errors import Superseded
from molecular_analysis_dashboard.domain.jobs import (
    FINAL_TASK_STATES,
    TASK_AFTER,
    BeatAnswer,
    ClaimedTask,
    EndCause,
    JobState,
    Origin,
    TaskKind,
)
from molecular_analysis_dashboard.domain.results import NewResult, Outcome
from molecular_analysis_dashboard.domain.traces import seen_by_task

_CLAIM = text(
    """
    UPDATE tasks t
    SET state = 'running', attempt_no = t.attempt_no + 1, worker_id = :worker_id,
        heartbeat_at = clock_timestamp(), started_at = coalesce(t.started_at, clock_timestamp())
    FROM jobs j
    WHERE t.id = :task_id AND j.id = t.job_id AND t.state IN ('pending', 'released')
      AND j.state IN ('planning', 'running') AND j.deleted_at IS NULL
    RETURNING t.id, t.org_id, t.job_id, t.kind, t.attempt_no, t.ligand_ids, t.cost_s,
              j.n_ligands, j.request_id, j.traceparent
    """
)

_ATTEMPT = text(
    """
    INSERT INTO attempts (org_id, task_id, attempt_no, job_id, worker_id, slot_pid)
    VALUES (:org_id, :task_id, :attempt_no, :job_id, :worker_id, :slot_pid)
    """
)

# A job is starved when its task has waited on a queue of this worker while none of its tasks runs anywhere. Counts
# never fall: an attempt that resumes a task has not yet looked what earlier ones recorded.
_BEAT = text(
    """
    WITH beat AS (
        UPDATE tasks SET heartbeat_at = clock_timestamp(),
            n_scored = greatest(n_scored, :n_scored), n_rejected = greatest(n_rejected, :n_rejected)
        WHERE id = :task_id AND attempt_no = :attempt_no AND state = 'running'
        RETURNING job_id, worker_id
    )
    SELECT j.state, :may_yield AND EXISTS (
        SELECT FROM tasks w
        WHERE w.queue = ANY (SELECT unnest(queues) FROM workers WHERE id = beat.worker_id)
          AND w.state = 'released' AND w.job_id <> beat.job_id
          AND w.released_at < clock_timestamp() - make_interval(secs => :yield_after_s)
          AND NOT EXISTS (SELECT FROM tasks r WHERE r.job_id = w.job_id AND r.state = 'running')
    ) AS starved
    FROM beat JOIN jobs j ON j.id = beat.job_id
    """
)

_OWN = text("SELECT state = 'running' AND attempt_no = :attempt_no AS owns FROM tasks WHERE id = :task_id FOR SHARE")

_RECORD = text(
    """
    INSERT INTO results (
        job_id, ligand_id, org_id, task_id, attempt_no, outcome, reason, message, line, name, smiles, inchikey,
        heavy_atoms, molecular_weight, score_kcal_mol, ligand_efficiency, n_poses, state_smiles, seconds_cpu, n_rounds,
        converged, score_spread_kcal_mol, provenance,
        logp, tpsa, h_bond_donors, h_bond_acceptors, rotatable_bonds, rings, fraction_sp3, qed, alerts
    )
    SELECT :job_id, l.id, l.org_id, :task_id, :attempt_no, :outcome, :reason, :message, l.line, l.name, l.smiles,
           l.inchikey, l.heavy_atoms, l.molecular_weight, :score_kcal_mol, :ligand_efficiency, :n_poses, :state_smiles,
           :seconds_cpu, :n_rounds, :converged, :score_spread_kcal_mol, :provenance,
           :logp, :tpsa, :h_bond_donors, :h_bond_acceptors, :rotatable_bonds, :rings, :fraction_sp3, :qed, :alerts
    FROM ligands l WHERE l.id = :ligand_id
    ON CONFLICT (job_id, ligand_id) DO NOTHING
    RETURNING 1
    """
).bindparams(bindparam("provenance", type_=JSONB))

_END_TASK = text(
    f"""
    UPDATE tasks t
    SET state = :state, error = :error,
        worker_id = CASE WHEN :final THEN t.worker_id END,
        released_at = CASE WHEN :final THEN t.released_at END,
        finished_at = CASE WHEN :final THEN clock_timestamp() END,
        (n_scored, n_rejected) = (
            {RECORDED}
        )
    WHERE t.id = :task_id AND t.attempt_no = :attempt_no AND t.state = 'running'
    RETURNING t.n_scored, t.n_rejected
    """
).bindparams(bindparam("error", type_=JSONB(none_as_null=True)))

_END_ATTEMPT = text(
    """
    UPDATE attempts SET ended_at = clock_timestamp(), end_cause = :cause, error = :error
    WHERE task_id = :task_id AND attempt_no = :attempt_no
    """
).bindparams(bindparam("error", type_=JSONB(none_as_null=True)))

# One scored ligand anywhere says that neither the receptor nor the installation is to blame.
_ALIKE = text(
    """
    SELECT NOT EXISTS (SELECT FROM results WHERE job_id = :job_id AND outcome = 'scored')
           AND (SELECT count(*) FROM (SELECT FROM results
                                      WHERE job_id = :job_id AND outcome = 'rejected' AND reason = :reason
                                      LIMIT :enough) AS alike) >= :enough
    """
)


class SqlLedger(Repository):
    """Implements `ports.repositories.Ledger`."""

    def claim(self, task_id: UUID, *, worker_id: UUID, slot_pid: int) -> ClaimedTask | None:
        """Take a task by one conditional update, or return None when it is not to be had."""
        row = self._connection.execute(_CLAIM, {"task_id": task_id, "worker_id": worker_id}).one_or_none()
        if row is None:
            return None
        self._connection.execute(
            _ATTEMPT,
            {
                "org_id": row.org_id,
                "task_id": row.id,
                "attempt_no": row.attempt_no,
                "job_id": row.job_id,
                "worker_id": worker_id,
                "slot_pid": slot_pid,
            },
        )
        kind = TaskKind(row.kind)
        return ClaimedTask(
            id=row.id,
            org_id=row.org_id,
            job_id=row.job_id,
            kind=kind,
            attempt_no=row.attempt_no,
            ligand_ids=tuple(row.ligand_ids),
            cost_s=row.cost_s,
            origin=seen_by_task(Origin(row.request_id, row.traceparent), row.id, kind, row.n_ligands),
        )

    def beat(
        self, task: ClaimedTask, *, n_scored: int, n_rejected: int, may_yield: bool, yield_after_s: float
    ) -> BeatAnswer:
        """Say that this attempt lives; the answer says whether it may go on."""
        row = self._connection.execute(
            _BEAT,
            _key(task)
            | {
                "n_scored": n_scored,
                "n_rejected": n_rejected,
                "may_yield": may_yield,
                "yield_after_s": yield_after_s,
            },
        ).one_or_none()
        if row is None:
            return BeatAnswer.SUPERSEDED
        if row.state in (JobState.CANCELLING, JobState.CANCELLED, JobState.FAILED):
            return BeatAnswer.CANCELLED
        return BeatAnswer.YIELD if row.starved else BeatAnswer.GO_ON

    def own(self, task: ClaimedTask) -> None:
        """Lock the task row `FOR SHARE` and raise Superseded unless this attempt still owns it."""
        if not self._connection.execute(_OWN, _key(task)).scalar_one_or_none():
            raise Superseded("Another attempt owns this task now.", task_id=str(task.id), attempt_no=task.attempt_no)

    def set_current(self, task: ClaimedTask, ligand_id: UUID | None) -> None:
        """Note which ligand is in the engine now."""
        self._connection.execute(
            text(
                "UPDATE attempts SET current_ligand_id = :ligand_id "
                "WHERE task_id = :task_id AND attempt_no = :attempt_no"
            ),
            _key(task) | {"ligand_id": ligand_id},
        )

    def recorded(self, task: ClaimedTask) -> dict[UUID, bool]:
        """Return the task's ligands that have a result already: id to whether it is scored."""
        rows = self._connection.execute(
            text(
                "SELECT ligand_id, outcome FROM results "
                "WHERE job_id = :job_id AND ligand_id = ANY (CAST(:ligand_ids AS uuid[]))"
            ),
            {"job_id": task.job_id, "ligand_ids": list(task.ligand_ids)},
        )
        return {row.ligand_id: row.outcome == Outcome.SCORED for row in rows}

    def losses(self, task: ClaimedTask) -> dict[UUID, int]:
        """Return how often each ligand of the task was current when an attempt was lost."""
        rows = self._connection.execute(
            text(
                "SELECT current_ligand_id, count(*) AS n FROM attempts WHERE job_id = :job_id AND end_cause = 'lost' "
                "AND current_ligand_id = ANY (CAST(:ligand_ids AS uuid[])) GROUP BY current_ligand_id"
            ),
            {"job_id": task.job_id, "ligand_ids": list(task.ligand_ids)},
        )
        return {row.current_ligand_id: row.n for row in rows}

    def record(self, task: ClaimedTask, result: NewResult) -> bool:
        """Insert the outcome and its poses under the fence; False if a result was there already."""
        self.own(task)
        outcome = result.outcome
        docked = outcome if isinstance(outcome, DockedLigand) else None
        rejected = None if isinstance(outcome, DockedLigand) else outcome
        inserted = self._connection.execute(
            _RECORD,
            {
                "job_id": task.job_id,
                "ligand_id": result.ligand_id,
                "task_id": task.id,
                "attempt_no": task.attempt_no,
                "outcome": Outcome.SCORED if docked else Outcome.REJECTED,
                "reason": rejected.reason if rejected else None,
                "message": rejected.message if rejected else None,
                "score_kcal_mol": docked.score_kcal_mol if docked else None,
                "ligand_efficiency": docked.ligand_efficiency if docked else None,
                "n_poses": len(docked.poses) if docked else 0,
                "state_smiles": docked.state_smiles if docked else None,
                "seconds_cpu": outcome.seconds_cpu,
                "n_rounds": docked.search.rounds if docked else None,
                "converged": docked.search.converged if docked else None,
                "score_spread_kcal_mol": docked.search.score_spread_kcal_mol if docked else None,
                "provenance": result.provenance,
                **_properties(docked.properties if docked else None),
            },
        ).scalar_one_or_none()
        if inserted is None:
            return False
        if docked is not None:
            self._insert_poses(task, result.ligand_id, docked)
        return True

    def _insert_poses(self, task: ClaimedTask, ligand_id: UUID, docked: DockedLigand) -> None:
        common: dict[str, object] = {"job_id": task.job_id, "ligand_id": ligand_id, "org_id": task.org_id}
        states = [
            common
            | {
                "state_no": number,
                "smiles": state.smiles,
                "score_kcal_mol": state.score_kcal_mol,
                "message": state.message,
                "mol_block_zlib": (
                    zlib.compress(docked.state_mol_block.encode()) if state.smiles == docked.state_smiles else None
                ),
            }
            for number, state in enumerate(docked.states, 1)
        ]
        best = next(row["state_no"] for row in states if row["mol_block_zlib"] is not None)
        self._connection.execute(insert(ligand_states), states)
        self._connection.execute(
            insert(poses),
            [
                common
                | {
                    "state_no": best,
                    "rank": pose.rank,
                    "score_kcal_mol": pose.score_kcal_mol,
                    "coordinates_zlib": zlib.compress(pose.coordinates),
                    "side_chains_zlib": packed(pose.side_chains_pdb),
                }
                for pose in docked.poses
            ],
        )

    def count_refused(self, task: ClaimedTask) -> None:
        """Count a late write that the fence refused."""
        self._connection.execute(
            text(
                "UPDATE attempts SET n_refused_writes = n_refused_writes + 1 "
                "WHERE task_id = :task_id AND attempt_no = :attempt_no"
            ),
            _key(task),
        )

    def end(self, task: ClaimedTask, cause: EndCause, *, error: Mapping[str, object] | None = None) -> bool:
        """End the attempt and move its task on, with exact counts; False if it was superseded."""
        state = TASK_AFTER[cause]
        row = self._connection.execute(
            _END_TASK, _key(task) | {"state": state, "final": state in FINAL_TASK_STATES, "error": error}
        ).one_or_none()
        if row is None:
            return False
        self._connection.execute(_END_ATTEMPT, _key(task) | {"cause": cause, "error": error})
        write_event(
            self._connection,
            task.org_id,
            task.job_id,
            "task.ended",
            {"task_id": str(task.id), "cause": cause, "scored": row.n_scored, "rejected": row.n_rejected},
        )
        return True

    def fails_alike(self, job_id: UUID, reason: str, *, enough: int) -> bool:
        """Whether no ligand of the job is scored and at least `enough` are rejected for this reason."""
        parameters = {"job_id": job_id, "reason": reason, "enough": enough}
        return bool(self._connection.execute(_ALIKE, parameters).scalar_one())


def _properties(found: LigandProperties | None) -> dict[str, object]:
    if found is None:
        return dict.fromkeys(LigandProperties.__dataclass_fields__)
    return asdict(found) | {"alerts": list(found.alerts)}


def _key(task: ClaimedTask) -> dict[str, object]:
    return {"task_id": task.id, "attempt_no": task.attempt_no}
