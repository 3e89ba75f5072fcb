"""Reading results that come from more than one place, in one stable order."""

import heapq
from dataclasses import dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.jobs import Job, JobKind
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.results import Hit, HitOrder
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

_NO_LIGAND = UUID(int=0)


def sort_value(hit: Hit, order: HitOrder) -> str | float:
    """Return the value by which an order sorts a hit."""
    match order:
        case HitOrder.SCORE:
            return hit.score_kcal_mol
        case HitOrder.LIGAND_EFFICIENCY:
            return hit.ligand_efficiency
        case HitOrder.SIZE_CORRECTED:
            return hit.size_corrected_score
        case HitOrder.NAME:
            return hit.name
        case HitOrder.MOLECULAR_WEIGHT:
            return hit.molecular_weight


@dataclass(frozen=True)
class RejectedPosition:
    """How far a reader has come in the library's rejections and in the job's own."""

    record: int = 0
    line: int = 0
    ligand_id: UUID = _NO_LIGAND


@dataclass(frozen=True)
class RejectedItem:
    """Something without a score, and the position behind it."""

    position: RejectedPosition
    stage: str
    ligand_id: UUID | None
    line: int
    name: str
    input: str
    reason: RejectionReason
    message: str


def rejected_page(uow: UnitOfWork, job: Job, *, after: RejectedPosition, limit: int) -> list[RejectedItem]:
    """Return up to `limit` rejected records and ligands of a job by line of the library's file."""
    reading: list[RejectedItem] = []
    if job.library_id is not None and job.kind is JobKind.SCREEN:
        reading = [
            RejectedItem(
                RejectedPosition(found.record),
                "reading",
                None,
                found.line,
                found.name,
                found.input_text,
                found.reason,
                found.message,
            )
            for found in uow.libraries.rejection_page(job.library_id, after_record=after.record, limit=limit)
        ]
    docking = [
        RejectedItem(
            RejectedPosition(0, found.line, ligand_id),
            "docking",
            ligand_id,
            found.line,
            found.name,
            found.input_text,
            found.reason,
            found.message,
        )
        for ligand_id, found in uow.results.rejected(job.id, after=(after.line, after.ligand_id), limit=limit)
    ]
    merged = heapq.merge(reading, docking, key=lambda item: item.line)
    return _with_positions(list(merged)[:limit], after)


def _with_positions(items: list[RejectedItem], after: RejectedPosition) -> list[RejectedItem]:
    """Let each item carry the position in both sources."""
    record, line, ligand_id = after.record, after.line, after.ligand_id
    placed = []
    for item in items:
        if item.stage == "reading":
            record = item.position.record
        else:
            line, ligand_id = item.position.line, item.position.ligand_id
        placed.append(replace(item, position=RejectedPosition(record, line, ligand_id)))
    return placed
