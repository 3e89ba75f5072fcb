"""Rescorings in PostgreSQL: what was asked, each ligand with its best new score, and every pose."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, RowMapping, Select, func, insert, null, select, tuple_, update
from sqlalchemy.dialects import postgresql

from molecular_analysis_dashboard.adapters.persistence.ledger import SqlLedger
from molecular_analysis_dashboard.adapters.persistence.results import SqlResults
from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import (
    jobs,
    rescored_ligands,
    rescored_poses,
    rescorings,
    results,
)
from molecular_analysis_dashboard.domain.docking import RejectedLigand
from molecular_analysis_dashboard.domain.jobs import ClaimedTask
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.rescoring import (
    NewPoseScore,
    PoseScore,
    RankAgreement,
    RescoredLigand,
    RescoredPose,
    Rescoring,
    RescoringMethod,
    RescoringOrder,
)
from molecular_analysis_dashboard.domain.results import StoredPose

_ORDERS: dict[RescoringOrder, str] = {
    RescoringOrder.SCORE: "score_kcal_mol",
    RescoringOrder.DOCKED_SCORE: "docked_score_kcal_mol",
}
_LIGANDS = rescored_ligands.c
_KEYS = (_LIGANDS.ligand_id, _LIGANDS.score_kcal_mol, _LIGANDS.docked_score_kcal_mol)
_FROM_SCREEN = (results.c.name, results.c.smiles, results.c.inchikey, results.c.heavy_atoms)
# Of a pose all but its coordinates, which few readers want.
_SCORES = tuple(column for column in rescored_poses.c if column.name != "coordinates_zlib")
_SCORED = _LIGANDS.score_kcal_mol.is_not(None)


class SqlRescorings(Repository):
    """Implements `ports.rescoring.Rescorings`."""

    def add(self, rescoring: Rescoring) -> None:
        """Store what is asked."""
        values = {
            "job_id": rescoring.job_id,
            "org_id": self._org_id,
            "engine": rescoring.method.engine,
            "scoring": rescoring.method.scoring,
            "relax": rescoring.method.relax,
            "docked_engine": rescoring.docked_engine,
            "docked_scoring": rescoring.docked_scoring,
            "max_poses": rescoring.max_poses,
        }
        self._connection.execute(insert(rescorings).values(values))

    def get(self, job_id: UUID) -> Rescoring:
        """Return one, or raise NotFound."""
        query = select(rescorings, jobs.c.screen_id).join(jobs, jobs.c.id == rescorings.c.job_id)
        row = self._one(query.where(rescorings.c.job_id == job_id), "rescoring", job_id)
        return Rescoring(
            job_id=row["job_id"],
            screen_id=row["screen_id"],
            method=RescoringMethod(row["engine"], row["scoring"], row["relax"]),
            docked_engine=row["docked_engine"],
            docked_scoring=row["docked_scoring"],
            max_poses=row["max_poses"],
            agreement=None if row["agreement"] is None else RankAgreement.from_json(row["agreement"]),
        )

    def done(self, task: ClaimedTask) -> dict[UUID, bool]:
        """Return the task's ligands that are recorded already: id to whether it has a new score."""
        query = select(_LIGANDS.ligand_id, _SCORED.label("is_scored")).where(
            _LIGANDS.job_id == task.job_id, _LIGANDS.ligand_id.in_(task.ligand_ids)
        )
        return {row.ligand_id: row.is_scored for row in self._connection.execute(query)}

    def record(self, task: ClaimedTask, ligand_id: UUID, poses: Sequence[NewPoseScore]) -> bool:
        """Write a ligand with its poses, best docked first, under the fence of its task; False if it was there."""
        SqlLedger(self._connection, self._scope).own(task)
        key: dict[str, object] = {"job_id": task.job_id, "ligand_id": ligand_id, "org_id": task.org_id}
        ligand = key | {"task_id": task.id, "attempt_no": task.attempt_no} | _best(poses)
        query = postgresql.insert(rescored_ligands).values(ligand).on_conflict_do_nothing()
        if not self._connection.execute(query).rowcount:
            return False
        self._connection.execute(insert(rescored_poses), [key | _pose_row(pose) for pose in poses])
        return True

    def ligands(
        self, job_id: UUID, *, order: RescoringOrder, after: tuple[float, UUID] | None, limit: int
    ) -> list[RescoredLigand]:
        """Return the ligands that have a new score, in a stable order behind the (value, ligand id) `after`."""
        ranks = (_rank(_LIGANDS.score_kcal_mol, "rank"), _rank(_LIGANDS.docked_score_kcal_mol, "docked_rank"))
        return self._page(job_id, select(*_KEYS, *ranks).where(_SCORED), _ORDERS[order], after, limit)

    def refused(self, job_id: UUID, *, after: tuple[float, UUID] | None, limit: int) -> list[RescoredLigand]:
        """Return the ligands none of whose poses has a new score, best docking score first."""
        unranked = (null().label("rank"), null().label("docked_rank"))
        order = _ORDERS[RescoringOrder.DOCKED_SCORE]
        return self._page(job_id, select(*_KEYS, *unranked).where(~_SCORED), order, after, limit)

    def poses(self, job_id: UUID, ligand_ids: Sequence[UUID]) -> list[tuple[StoredPose, PoseScore]]:
        """Return poses that have a new score, in the order of the ids and of rank: where relaxing led, if it did."""
        whole = self._pose_rows(job_id, ligand_ids, rescored_poses.c.coordinates_zlib)
        rows = {(row.ligand_id, row.rank): row for row in whole}
        docked = SqlResults(self._connection, self._scope).poses(self.get(job_id).screen_id, ligand_ids)
        found = []
        for pose in docked:
            row = rows.get((pose.ligand_id, pose.rank))
            if row is None or row.score_kcal_mol is None:
                continue
            there = pose.coordinates if row.coordinates_zlib is None else zlib.decompress(row.coordinates_zlib)
            found.append((replace(pose, coordinates=there), _pose(row)))
        return found

    def scores(self, job_id: UUID) -> list[tuple[float, float]]:
        """Return docking score and new score of every ligand that has both."""
        both = select(_LIGANDS.docked_score_kcal_mol, _LIGANDS.score_kcal_mol)
        query = both.where(_LIGANDS.job_id == job_id, _SCORED).order_by(_LIGANDS.ligand_id)
        return [(row[0], row[1]) for row in self._connection.execute(query)]

    def conclude(self, job_id: UUID, agreement: RankAgreement) -> None:
        """Store how well the rankings agree."""
        concluded = update(rescorings).where(rescorings.c.job_id == job_id)
        self._connection.execute(concluded.values(agreement=agreement.as_json(), compared_at=func.now()))

    def _page(
        self, job_id: UUID, ranked: Select[Any], order: str, after: tuple[float, UUID] | None, limit: int
    ) -> list[RescoredLigand]:
        """Return a page of ligands; only its own rows are read whole."""
        every = ranked.where(_LIGANDS.job_id == job_id).subquery().c
        keys = (every[order], every.ligand_id)
        some = select(every.ligand_id, every.rank, every.docked_rank).order_by(*keys).limit(limit)
        page = (some if after is None else some.where(tuple_(*keys) > tuple_(*after))).subquery().c
        query = (
            select(rescored_ligands, page.rank, page.docked_rank, *_FROM_SCREEN)
            .join(page.ligand_id.table, page.ligand_id == _LIGANDS.ligand_id)
            .join(jobs, jobs.c.id == _LIGANDS.job_id)
            .join(results, (results.c.job_id == jobs.c.screen_id) & (results.c.ligand_id == _LIGANDS.ligand_id))
            .where(_LIGANDS.job_id == job_id)
            .order_by(_LIGANDS[order], _LIGANDS.ligand_id)
        )
        rows = self._connection.execute(query).mappings().all()
        poses: dict[UUID, tuple[PoseScore, ...]] = {}
        for pose in self._pose_rows(job_id, [row["ligand_id"] for row in rows]):
            poses[pose.ligand_id] = (*poses.get(pose.ligand_id, ()), _pose(pose))
        return [_ligand(row, poses[row["ligand_id"]]) for row in rows]

    def _pose_rows(self, job_id: UUID, ligand_ids: Sequence[UUID], *more: ColumnElement[Any]) -> Sequence[Row[Any]]:
        table = rescored_poses.c
        query = select(*_SCORES, *more).where(table.job_id == job_id, table.ligand_id.in_(ligand_ids))
        return self._connection.execute(query.order_by(table.rank)).all()


def _rank(score: ColumnElement[Any], name: str) -> ColumnElement[int]:
    return func.rank().over(order_by=score).label(name)


def _best(poses: Sequence[NewPoseScore]) -> dict[str, object]:
    """Return what a ligand takes over from its poses: the best new score, else why its best pose has none."""
    scored = [(pose.outcome.score_kcal_mol, pose.rank) for pose in poses if isinstance(pose.outcome, RescoredPose)]
    score, pose = min(scored) if scored else (None, None)
    first = poses[0].outcome
    refused = first if not scored and isinstance(first, RejectedLigand) else None
    return {
        "docked_score_kcal_mol": poses[0].docked_score_kcal_mol,
        "score_kcal_mol": score,
        "pose": pose,
        "reason": refused.reason if refused else None,
        "message": refused.message if refused else None,
        "seconds_cpu": sum(one.outcome.seconds_cpu for one in poses),
    }


def _pose_row(pose: NewPoseScore) -> dict[str, object]:
    outcome = pose.outcome
    scored = outcome if isinstance(outcome, RescoredPose) else None
    refused = outcome if isinstance(outcome, RejectedLigand) else None
    coordinates = scored.coordinates if scored else None
    return {
        "state_no": pose.state_no,
        "rank": pose.rank,
        "docked_score_kcal_mol": pose.docked_score_kcal_mol,
        "score_kcal_mol": scored.score_kcal_mol if scored else None,
        "moved_angstrom": scored.moved_angstrom if scored else None,
        "coordinates_zlib": None if coordinates is None else zlib.compress(coordinates),
        "reason": refused.reason if refused else None,
        "message": refused.message if refused else None,
    }


def _pose(row: Row[Any]) -> PoseScore:
    return PoseScore(
        rank=row.rank,
        docked_score_kcal_mol=row.docked_score_kcal_mol,
        score_kcal_mol=row.score_kcal_mol,
        moved_angstrom=row.moved_angstrom,
        reason=None if row.reason is None else RejectionReason(row.reason),
        message=row.message,
    )


def _ligand(row: RowMapping, poses: tuple[PoseScore, ...]) -> RescoredLigand:
    names = [name for name in RescoredLigand.__dataclass_fields__ if name not in ("poses", "reason")]
    reason = None if row["reason"] is None else RejectionReason(row["reason"])
    return RescoredLigand(**{name: row[name] for name in names}, reason=reason, poses=poses)
