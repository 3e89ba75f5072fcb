"""Filters of hit lists as SQL, in the words of the indexes that serve them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Select,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
)

from molecular_analysis_dashboard.adapters.persistence.tables import SIZE_CORRECTED, interactions, results
from molecular_analysis_dashboard.domain.analyses import AlertCatalogue
from molecular_analysis_dashboard.domain.interaction_filters import InteractionCondition, InteractionFilter
from molecular_analysis_dashboard.domain.results import HitFilter

SIZE_CORRECTED_SCORE: ColumnElement[float] = literal_column(SIZE_CORRECTED, Double)
_AT_MOST = {
    "max_score_kcal_mol": results.c.score_kcal_mol,
    "max_molecular_weight": results.c.molecular_weight,
    "max_strain_kcal_mol": results.c.strain_kcal_mol,
    "max_logp": results.c.logp,
    "max_tpsa": results.c.tpsa,
    "max_h_bond_donors": results.c.h_bond_donors,
    "max_h_bond_acceptors": results.c.h_bond_acceptors,
    "max_rotatable_bonds": results.c.rotatable_bonds,
    "max_rings": results.c.rings,
}
_AT_LEAST = {
    "min_ligand_efficiency": results.c.ligand_efficiency,
    "min_molecular_weight": results.c.molecular_weight,
    "min_logp": results.c.logp,
    "min_tpsa": results.c.tpsa,
    "min_rings": results.c.rings,
    "min_fraction_sp3": results.c.fraction_sp3,
    "min_qed": results.c.qed,
}


def matching(job_id: UUID, where: HitFilter) -> ColumnElement[bool]:
    """Return the condition that a row of `results` is a hit of a job that passes a filter."""
    # The literal predicate lets the partial indexes serve.
    conditions: list[ColumnElement[bool]] = [results.c.job_id == job_id, _predicate("outcome = 'scored'")]
    for bounds, is_within in ((_AT_MOST, "__le__"), (_AT_LEAST, "__ge__")):
        for name, column in bounds.items():
            if (limit := getattr(where, name)) is not None:
                conditions.append(getattr(column, is_within)(limit))
    if where.name_contains:
        conditions.append(results.c.name.icontains(where.name_contains, autoescape=True))
    conditions += _analysis_conditions(where)
    if where.without_alerts:
        conditions += [results.c.alerts.is_not(None), *map(_without, where.without_alerts)]
    if where.interactions.conditions:
        conditions.append(results.c.ligand_id.in_(_interacting(job_id, where.interactions)))
    return and_(*conditions)


def _analysis_conditions(where: HitFilter) -> Iterator[ColumnElement[bool]]:
    if where.analysed is True:
        yield and_(results.c.analysed_at.is_not(None), results.c.analysis_failure.is_(None))
    if where.analysed is False:
        yield or_(results.c.analysed_at.is_(None), results.c.analysis_failure.is_not(None))
    if where.valid is not None:
        # Also said in the words of the index of analysed hits.
        yield and_(_predicate("analysed_at IS NOT NULL"), results.c.valid.is_(where.valid))


def _without(catalogue: AlertCatalogue) -> ColumnElement[bool]:
    # One of our own words, and so no parameter.
    alert = f"SELECT FROM unnest(results.alerts) AS alert WHERE starts_with(alert, '{catalogue}:')"
    return _predicate(f"NOT EXISTS ({alert})")


def _predicate(sql: str) -> ColumnElement[bool]:
    return literal_column(sql, Boolean)


def _interacting(job_id: UUID, wanted: InteractionFilter) -> Select[Any]:
    """Select the ligands whose best pose meets enough conditions: each is looked up in the index of residues."""
    met = union_all(*(_meeting(job_id, condition) for condition in wanted.conditions)).subquery()
    least = len(wanted.conditions) - wanted.max_missing
    return select(met.c.ligand_id).group_by(met.c.ligand_id).having(func.count() >= least)


def _meeting(job_id: UUID, condition: InteractionCondition) -> Select[Any]:
    """Select each ligand that meets a condition once."""
    terms = [
        select(interactions.c.ligand_id, literal(number).label("term")).where(
            interactions.c.job_id == job_id,
            interactions.c.residue == term.residue,
            interactions.c.type.in_(term.types),
            interactions.c.rank == 1,
        )
        for number, term in enumerate(condition.terms)
    ]
    found = union(*terms).subquery()
    return select(found.c.ligand_id).group_by(found.c.ligand_id).having(func.count() >= condition.least)
