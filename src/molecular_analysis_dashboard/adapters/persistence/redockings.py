"""Redockings in PostgreSQL: what is docked again, each run with its poses, and the verdict."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, RowMapping, func, insert, select, update

from molecular_analysis_dashboard.adapters.persistence.ledger import SqlLedger
from molecular_analysis_dashboard.adapters.persistence.packed_text import packed, unpacked
from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import redocking_poses, redocking_runs, redockings
from molecular_analysis_dashboard.domain.docking import RejectedLigand
from molecular_analysis_dashboard.domain.jobs import ClaimedTask
from molecular_analysis_dashboard.domain.redocking import (
    BondOrderSource,
    NativeMolecule,
    NativeScore,
    NewRun,
    PoseMeasure,
    Redocked,
    Redocking,
    RedockingRun,
    RedockingVerdict,
    RedockOutcome,
    Verdict,
)
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import Outcome, StoredPose


class SqlRedockings(Repository):
    """Implements `ports.validation.Redockings`."""

    def add(self, redocking: Redocking, runs: Sequence[NewRun]) -> None:
        """Store a redocking with its runs, which wait."""
        native = redocking.native
        values = {
            "job_id": redocking.job_id,
            "org_id": self._org_id,
            "native_name": native.name,
            "native_selector": redocking.native_selector,
            "native_mol_block": native.mol_block,
            "bond_order_source": native.bond_order_source,
            "warnings": list(native.warnings),
            "checks": [dict(check) for check in redocking.checks],
        }
        self._connection.execute(insert(redockings).values(values))
        common = {"org_id": self._org_id, "job_id": redocking.job_id}
        rows = [common | {"id": run.id, "run_no": run.run_no, "seed": run.seed} for run in runs]
        self._connection.execute(insert(redocking_runs), rows)

    def get(self, job_id: UUID) -> Redocking:
        """Return one, or raise NotFound."""
        return _redocking(self._one(select(redockings).where(redockings.c.job_id == job_id), "redocking", job_id))

    def run(self, run_id: UUID) -> RedockingRun:
        """Return one run, or raise NotFound."""
        query = select(redocking_runs).where(redocking_runs.c.id == run_id)
        row = self._one(query, "redocking run", run_id)
        return _run(row, self._measures([run_id]).get(run_id, ()))

    def runs(self, job_id: UUID) -> list[RedockingRun]:
        """Return the runs of a redocking by number, those that wait without poses."""
        rows = self._rows(job_id)
        found = self._measures([row["id"] for row in rows])
        return [_run(row, found.get(row["id"], ())) for row in rows]

    def provenance(self, job_id: UUID) -> list[Mapping[str, object]]:
        """Return what each finished run depended on, by number."""
        rows = self._rows(job_id)
        return [{"run": row["run_no"], **row["provenance"]} for row in rows if row["provenance"] is not None]

    def poses(self, job_id: UUID) -> list[tuple[RedockingRun, StoredPose]]:
        """Return all poses, by run and rank."""
        name = self.get(job_id).native.name
        runs = {row["id"]: (run, row) for run, row in zip(self.runs(job_id), self._rows(job_id), strict=True)}
        query = (
            select(redocking_poses)
            .join(redocking_runs, redocking_runs.c.id == redocking_poses.c.run_id)
            .where(redocking_runs.c.job_id == job_id)
            .order_by(redocking_runs.c.run_no, redocking_poses.c.rank)
        )
        return [(runs[row.run_id][0], _pose(row, runs[row.run_id][1], name)) for row in self._connection.execute(query)]

    def native_found(self, job_id: UUID, native: NativeMolecule) -> None:
        """Note the native ligand with its bond orders; the first that is noted stays."""
        known = {
            "native_mol_block": native.mol_block,
            "bond_order_source": native.bond_order_source,
            "warnings": list(native.warnings),
        }
        unknown = (redockings.c.job_id == job_id) & redockings.c.native_mol_block.is_(None)
        self._connection.execute(update(redockings).where(unknown).values(known))

    def record(self, task: ClaimedTask, run_id: UUID, outcome: RedockOutcome, provenance: Mapping[str, object]) -> bool:
        """Write the outcome of a run under the fence of its task; False if it had one already."""
        SqlLedger(self._connection, self._scope).own(task)
        values = {
            "task_id": task.id,
            "attempt_no": task.attempt_no,
            "provenance": dict(provenance),
            "recorded_at": func.now(),
        }
        waiting = (redocking_runs.c.id == run_id) & redocking_runs.c.outcome.is_(None)
        written = self._connection.execute(update(redocking_runs).where(waiting).values(values | _values(outcome)))
        if written.rowcount and isinstance(outcome, Redocked):
            self._insert_poses(task, run_id, outcome)
        return bool(written.rowcount)

    def judge(self, job_id: UUID, verdict: RedockingVerdict) -> None:
        """Store the verdict."""
        values = {"verdict": verdict.verdict, "sentence": verdict.sentence, "rule": verdict.rule}
        judged = update(redockings).where(redockings.c.job_id == job_id)
        self._connection.execute(judged.values(**values, judged_at=func.now()))

    def _insert_poses(self, task: ClaimedTask, run_id: UUID, outcome: Redocked) -> None:
        rows = [
            {
                "org_id": task.org_id,
                "run_id": run_id,
                "rank": pose.rank,
                "score_kcal_mol": pose.score_kcal_mol,
                "rmsd_angstrom": rmsd,
                "coordinates_zlib": zlib.compress(pose.coordinates),
                "side_chains_zlib": packed(pose.side_chains_pdb),
            }
            for pose, rmsd in zip(outcome.docked.poses, outcome.rmsds_angstrom, strict=True)
        ]
        self._connection.execute(insert(redocking_poses), rows)

    def _rows(self, job_id: UUID) -> Sequence[RowMapping]:
        query = select(redocking_runs).where(redocking_runs.c.job_id == job_id).order_by(redocking_runs.c.run_no)
        return self._connection.execute(query).mappings().all()

    def _measures(self, run_ids: Sequence[UUID]) -> dict[UUID, tuple[PoseMeasure, ...]]:
        query = select(redocking_poses).where(redocking_poses.c.run_id.in_(run_ids)).order_by(redocking_poses.c.rank)
        found: dict[UUID, tuple[PoseMeasure, ...]] = {}
        for row in self._connection.execute(query):
            measure = PoseMeasure(row.rank, row.score_kcal_mol, row.rmsd_angstrom)
            found[row.run_id] = (*found.get(row.run_id, ()), measure)
        return found


def _values(outcome: RedockOutcome) -> dict[str, Any]:
    if isinstance(outcome, RejectedLigand):
        return {
            "outcome": Outcome.REJECTED,
            "reason": outcome.reason,
            "message": outcome.message,
            "seconds_cpu": outcome.seconds_cpu,
        }
    docked, native = outcome.docked, outcome.native
    return {
        "outcome": Outcome.SCORED,
        "state_smiles": docked.state_smiles,
        "mol_block_zlib": zlib.compress(docked.state_mol_block.encode()),
        "native_in_place_kcal_mol": native.in_place_kcal_mol,
        "native_relaxed_kcal_mol": native.relaxed_kcal_mol,
        "native_relaxed_rmsd_angstrom": native.relaxed_rmsd_angstrom,
        "native_message": native.message,
        "seconds_cpu": docked.seconds_cpu,
    }


def _redocking(row: RowMapping) -> Redocking:
    judged = row["verdict"] is not None
    source = row["bond_order_source"]
    return Redocking(
        job_id=row["job_id"],
        native_selector=row["native_selector"],
        native=NativeMolecule(
            row["native_name"],
            row["native_mol_block"],
            None if source is None else BondOrderSource(source),
            tuple(row["warnings"]),
        ),
        checks=tuple(row["checks"]),
        verdict=RedockingVerdict(Verdict(row["verdict"]), row["sentence"], row["rule"]) if judged else None,
        judged_at=row["judged_at"],
    )


def _run(row: RowMapping, poses: tuple[PoseMeasure, ...]) -> RedockingRun:
    return RedockingRun(
        run_no=row["run_no"],
        seed=row["seed"],
        poses=poses,
        native=NativeScore(
            row["native_in_place_kcal_mol"],
            row["native_relaxed_kcal_mol"],
            row["native_relaxed_rmsd_angstrom"],
            row["native_message"],
        ),
        state_smiles=row["state_smiles"],
        reason=None if row["reason"] is None else RejectionReason(row["reason"]),
        message=row["message"],
        seconds_cpu=row["seconds_cpu"],
    )


def _pose(row: Row[Any], run: RowMapping, name: str) -> StoredPose:
    return StoredPose(
        ligand_id=row.run_id,
        name=name,
        rank=row.rank,
        score_kcal_mol=row.score_kcal_mol,
        state_smiles=run["state_smiles"],
        mol_block=zlib.decompress(run["mol_block_zlib"]).decode(),
        coordinates=zlib.decompress(row.coordinates_zlib),
        side_chains_pdb=unpacked(row.side_chains_zlib),
    )
