"""Whole results as files: keyset pages of short transactions, so that a slow reader holds nothing."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import LigandProperties
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import SCREENING_KINDS, Job, JobKind
from molecular_analysis_dashboard.domain.results import Hit, HitAnalysis, HitFilter, HitOrder, StoredPose
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.read_results import RejectedPosition, rejected_page

_HITS_PER_PAGE = 1000
_POSED_HITS_PER_PAGE = 100
HIT_COLUMNS = (
    "rank", "name", "smiles", "inchikey", "score_kcal_mol", "ligand_efficiency", "n_poses", "state_smiles",
    "seconds_cpu", "converged", "score_spread_kcal_mol", "size_corrected_score", "logp", "tpsa", "h_bond_donors",
    "h_bond_acceptors", "rotatable_bonds", "rings", "fraction_sp3", "qed", "alerts", "valid", "failed_checks",
    "strain_kcal_mol", "not_analysed",
)  # fmt: skip
_PROPERTIES = tuple(LigandProperties.__dataclass_fields__)
REJECTED_COLUMNS = ("line", "name", "input", "reason", "message")
# Spreadsheets take a cell that begins with one of these for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def screen(database: Database, scope: TenantScope, job_id: UUID) -> Job:
    """Return a screen or validation; Conflict (``not_a_screen``) for any other job, which has no hits to export."""
    return _of_kinds(database, scope, job_id, SCREENING_KINDS)


def docking(database: Database, scope: TenantScope, job_id: UUID) -> Job:
    """Return a job that docks or rescores; Conflict (``not_a_screen``) for any other, which has no scores."""
    return _of_kinds(database, scope, job_id, SCREENING_KINDS | {JobKind.REDOCK, JobKind.RESCORE})


def _of_kinds(database: Database, scope: TenantScope, job_id: UUID, kinds: frozenset[JobKind]) -> Job:
    with database.begin(scope) as uow:
        job = uow.jobs.get(job_id)
    if job.kind not in kinds:
        raise Conflict(f"A {job.kind} job has no hits to export.", code="not_a_screen", kind=job.kind)
    return job


def hits_csv(database: Database, scope: TenantScope, job_id: UUID) -> Iterator[str]:
    """Yield the hit list as CSV, best score first.

    SMILES are canonical and therefore begin with an atom or a bracket: they need no guard and are never altered.
    """
    yield csv_text([HIT_COLUMNS])
    rank = 0
    for page in hit_pages(database, scope, job_id, _HITS_PER_PAGE):
        yield csv_text(_hit_row(rank + number, hit) for number, hit in enumerate(page, 1))
        rank += len(page)


def _hit_row(rank: int, hit: Hit) -> Sequence[object]:
    return (
        rank,
        guarded(hit.name),
        hit.smiles,
        hit.inchikey,
        hit.score_kcal_mol,
        round(hit.ligand_efficiency, 6),
        hit.n_poses,
        hit.state_smiles,
        hit.seconds_cpu,
        "" if hit.converged is None else str(hit.converged).lower(),
        hit.score_spread_kcal_mol,
        round(hit.size_corrected_score, 6),
        *_property_cells(hit.properties),
        *_analysis_cells(hit.analysis),
    )


def _property_cells(found: LigandProperties | None) -> Sequence[object]:
    if found is None:
        return ("",) * len(_PROPERTIES)
    return [getattr(found, name) for name in _PROPERTIES[:-1]] + [guarded("; ".join(found.alerts))]


def _analysis_cells(found: HitAnalysis | None) -> Sequence[object]:
    """Return empty cells for what was not analysed, which is not the same as invalid."""
    if found is None:
        return ("",) * 4
    valid = {True: "true", False: "false", None: ""}[found.valid]
    strain = "" if found.strain_kcal_mol is None else found.strain_kcal_mol
    return valid, "; ".join(found.failed_checks), strain, found.failure or ""


def poses_sdf(database: Database, chemistry: RequestChemistry, scope: TenantScope, job_id: UUID) -> Iterator[str]:
    """Yield every pose as an SDF record, best hit first and its best pose first.

    Fields mean what the columns of the same names mean in the hit list, so that the two join by rank or ligand_id.
    """
    rank = 0
    for page in hit_pages(database, scope, job_id, _POSED_HITS_PER_PAGE):
        with database.begin(scope) as uow:
            poses = uow.results.poses(job_id, [hit.ligand_id for hit in page])
        hits = {hit.ligand_id: (rank + number, hit) for number, hit in enumerate(page, 1)}
        for pose in poses:
            own_rank, hit = hits[pose.ligand_id]
            yield _record(chemistry, pose, hit, own_rank)
        rank += len(page)


def ligand_poses_sdf(
    database: Database, chemistry: RequestChemistry, scope: TenantScope, job_id: UUID, ligand_id: UUID
) -> tuple[str, str]:
    """Return the name and the poses of one ligand as SDF, best first, without a rank; NotFound if it has none."""
    with database.begin(scope) as uow:
        uow.jobs.get(job_id)
        hit = uow.results.hit(job_id, ligand_id)
        poses = uow.results.poses(job_id, [ligand_id])
    return hit.name, "".join(_record(chemistry, pose, hit, None) for pose in poses)


def _record(chemistry: RequestChemistry, pose: StoredPose, hit: Hit, rank: int | None) -> str:
    fields: dict[str, str | float | int] = {"name": pose.name}
    if rank is not None:
        fields["rank"] = rank
    return chemistry.pose_sdf(
        pose,
        fields
        | {
            "pose": pose.rank,
            "score_kcal_mol": pose.score_kcal_mol,
            "smiles": hit.smiles,
            "state_smiles": pose.state_smiles,
            "inchikey": hit.inchikey,
            "ligand_id": str(pose.ligand_id),
        },
    )


def rejected_csv(database: Database, scope: TenantScope, job: Job) -> Iterator[str]:
    """Yield everything of a screen that has no score as CSV, by line of the library's file."""
    yield csv_text([REJECTED_COLUMNS])
    position: RejectedPosition | None = RejectedPosition()
    while position is not None:
        with database.begin(scope) as uow:
            page = rejected_page(uow, job, after=position, limit=_HITS_PER_PAGE)
        yield csv_text(_rejected_row(item.line, item.name, item.input, item.reason, item.message) for item in page)
        position = page[-1].position if len(page) == _HITS_PER_PAGE else None


def library_rejections_csv(database: Database, scope: TenantScope, library_id: UUID) -> Iterator[str]:
    """Yield the records of a library that are no ligands as CSV, in input order."""
    yield csv_text([REJECTED_COLUMNS])
    record: int | None = 0
    while record is not None:
        with database.begin(scope) as uow:
            page = uow.libraries.rejection_page(library_id, after_record=record, limit=_HITS_PER_PAGE)
        yield csv_text(_rejected_row(item.line, item.name, item.input_text, item.reason, item.message) for item in page)
        record = page[-1].record if len(page) == _HITS_PER_PAGE else None


def _rejected_row(line: int, name: str, input_text: str, reason: str, message: str) -> Sequence[object]:
    return line, guarded(name), guarded(input_text), str(reason), guarded(message)


def hit_pages(database: Database, scope: TenantScope, job_id: UUID, size: int) -> Iterator[list[Hit]]:
    """Yield the hits of a job in pages of `size`, best score first."""
    after: tuple[object, UUID] | None = None
    while True:
        with database.begin(scope) as uow:
            page = uow.results.hits(job_id, order=HitOrder.SCORE, where=HitFilter(), after=after, limit=size)
        if page:
            yield page
        if len(page) < size:
            return
        after = (page[-1].score_kcal_mol, page[-1].ligand_id)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as RFC 4180 wants them."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
