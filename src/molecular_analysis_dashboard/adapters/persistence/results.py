"""Hit lists, rejected ligands and poses in PostgreSQL."""

import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, cast, func, select, text, tuple_

from molecular_analysis_dashboard.adapters.persistence.hit_filters import SIZE_CORRECTED_SCORE, matching
from molecular_analysis_dashboard.adapters.persistence.packed_text import unpacked
from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import ligand_states, poses, results
from molecular_analysis_dashboard.domain.analyses import LigandProperties, NotAnalysed
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import (
    Hit,
    HitAnalysis,
    HitFilter,
    HitOrder,
    Outcome,
    RejectedResult,
    StoredPose,
)

# Column and whether the best comes first by descending value.
_ORDERS: dict[HitOrder, tuple[ColumnElement[Any], bool]] = {
    HitOrder.SCORE: (results.c.score_kcal_mol, False),
    HitOrder.LIGAND_EFFICIENCY: (results.c.ligand_efficiency, True),
    HitOrder.SIZE_CORRECTED: (SIZE_CORRECTED_SCORE, False),
    HitOrder.NAME: (results.c.name, False),
    HitOrder.MOLECULAR_WEIGHT: (results.c.molecular_weight, False),
}

_QUALITIES = (HitOrder.SCORE, HitOrder.LIGAND_EFFICIENCY, HitOrder.SIZE_CORRECTED)
_HIT = select(results, SIZE_CORRECTED_SCORE.label("size_corrected_score"))


class SqlResults(Repository):
    """Implements `ports.repositories.Results`."""

    def hits(
        self, job_id: UUID, *, order: HitOrder, where: HitFilter, after: tuple[object, UUID] | None, limit: int
    ) -> list[Hit]:
        """Return hits in a stable order, behind the (value, ligand id) `after`."""
        column, descending = _ORDERS[order]
        keys = (column, results.c.ligand_id)
        query = _HIT.where(matching(job_id, where))
        if after is not None:
            # The cast gives the value back its column's precision: REAL came as the shortest decimal that names it.
            here, there = tuple_(*keys), tuple_(cast(after[0], column.type), after[1])
            query = query.where(here < there if descending else here > there)
        query = query.order_by(*(key.desc() if descending else key for key in keys)).limit(limit)
        return [_hit(row) for row in self._connection.execute(query).mappings()]

    def count_hits(self, job_id: UUID, where: HitFilter) -> int:
        """Count hits that pass a filter."""
        query = select(func.count()).select_from(results).where(matching(job_id, where))
        return int(self._connection.execute(query).scalar_one())

    def hit(self, job_id: UUID, ligand_id: UUID) -> Hit:
        """Return one hit, or raise NotFound."""
        query = _HIT.where(matching(job_id, HitFilter()), results.c.ligand_id == ligand_id)
        return _hit(self._one(query, "hit", ligand_id))

    def best(self, job_id: UUID, where: HitFilter, *, skip: int, limit: int) -> list[UUID]:
        """Return the ids of hits that pass a filter, best score first, behind the first `skip`."""
        query = select(results.c.ligand_id).where(matching(job_id, where))
        query = query.order_by(results.c.score_kcal_mol, results.c.ligand_id).offset(skip).limit(limit)
        return list(self._connection.execute(query).scalars())

    def ranks(self, hit: Hit, job_id: UUID) -> dict[HitOrder, int]:
        """Return the rank of a hit by each order of quality, 1 is best; equals share theirs."""
        return {order: self._better(hit, job_id, order) + 1 for order in _QUALITIES}

    def _better(self, hit: Hit, job_id: UUID, order: HitOrder) -> int:
        column, descending = _ORDERS[order]
        own = select(column).where(results.c.job_id == job_id, results.c.ligand_id == hit.ligand_id).scalar_subquery()
        query = select(func.count()).select_from(results).where(matching(job_id, HitFilter()))
        return int(self._connection.execute(query.where(column > own if descending else column < own)).scalar_one())

    def rejected(
        self, job_id: UUID, *, after: tuple[int, UUID] | None, limit: int
    ) -> list[tuple[UUID, RejectedResult]]:
        """Return rejected ligands in input order."""
        keys = (results.c.line, results.c.ligand_id)
        query = select(results).where(results.c.job_id == job_id, results.c.outcome == Outcome.REJECTED)
        if after is not None:
            query = query.where(tuple_(*keys) > tuple_(*after))
        rows = self._connection.execute(query.order_by(*keys).limit(limit)).mappings()
        return [(row["ligand_id"], _rejected(row)) for row in rows]

    def poses(self, job_id: UUID, ligand_ids: Sequence[UUID]) -> list[StoredPose]:
        """Return the poses of ligands, in the order of the ids and of rank."""
        of_state = and_(
            ligand_states.c.job_id == poses.c.job_id,
            ligand_states.c.ligand_id == poses.c.ligand_id,
            ligand_states.c.state_no == poses.c.state_no,
        )
        of_result = and_(results.c.job_id == poses.c.job_id, results.c.ligand_id == poses.c.ligand_id)
        query = (
            select(
                poses.c.ligand_id,
                poses.c.rank,
                poses.c.state_no,
                poses.c.score_kcal_mol,
                poses.c.coordinates_zlib,
                poses.c.side_chains_zlib,
                ligand_states.c.smiles,
                ligand_states.c.mol_block_zlib,
                results.c.name,
            )
            .join_from(poses, ligand_states, of_state)
            .join(results, of_result)
            .where(poses.c.job_id == job_id, poses.c.ligand_id == func.any(text("CAST(:ids AS uuid[])")))
            .order_by(poses.c.rank)
        )
        found: dict[UUID, list[StoredPose]] = {}
        for row in self._connection.execute(query, {"ids": list(ligand_ids)}):
            found.setdefault(row.ligand_id, []).append(
                StoredPose(
                    ligand_id=row.ligand_id,
                    name=row.name,
                    rank=row.rank,
                    score_kcal_mol=row.score_kcal_mol,
                    state_smiles=row.smiles,
                    mol_block=zlib.decompress(row.mol_block_zlib).decode(),
                    coordinates=zlib.decompress(row.coordinates_zlib),
                    side_chains_pdb=unpacked(row.side_chains_zlib),
                    state_no=row.state_no,
                )
            )
        return [pose for ligand_id in ligand_ids for pose in found.get(ligand_id, [])]


def _hit(row: RowMapping) -> Hit:
    return Hit(
        ligand_id=row["ligand_id"],
        name=row["name"],
        smiles=row["smiles"],
        inchikey=row["inchikey"],
        heavy_atoms=row["heavy_atoms"],
        molecular_weight=row["molecular_weight"],
        score_kcal_mol=row["score_kcal_mol"],
        ligand_efficiency=row["ligand_efficiency"],
        n_poses=row["n_poses"],
        state_smiles=row["state_smiles"],
        seconds_cpu=row["seconds_cpu"],
        n_rounds=row["n_rounds"],
        converged=row["converged"],
        score_spread_kcal_mol=row["score_spread_kcal_mol"],
        provenance=row["provenance"],
        recorded_at=row["recorded_at"],
        size_corrected_score=row["size_corrected_score"],
        properties=_properties(row),
        analysis=_analysis(row),
    )


def _properties(row: RowMapping) -> LigandProperties | None:
    if row["alerts"] is None:
        return None
    values = {name: row[name] for name in LigandProperties.__dataclass_fields__}
    return LigandProperties(**values | {"alerts": tuple(row["alerts"])})


def _analysis(row: RowMapping) -> HitAnalysis | None:
    if row["analysed_at"] is None:
        return None
    return HitAnalysis(
        analysed_at=row["analysed_at"],
        failure=None if row["analysis_failure"] is None else NotAnalysed(row["analysis_failure"]),
        valid=row["valid"],
        failed_checks=tuple(row["failed_checks"] or ()),
        strain_kcal_mol=row["strain_kcal_mol"],
    )


def _rejected(row: RowMapping) -> RejectedResult:
    return RejectedResult(
        line=row["line"],
        name=row["name"],
        input_text=row["smiles"],
        reason=RejectionReason(row["reason"]),
        message=row["message"],
    )
