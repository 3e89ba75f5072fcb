"""Reading what a rescoring found: the new ranking beside the old one, and files of it."""

from collections.abc import Callable, Iterator, Sequence

from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import Job, JobKind
from molecular_analysis_dashboard.domain.rescoring import PoseScore, RescoredLigand, Rescoring, RescoringOrder
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.export_results import csv_text, guarded

# Each page ranks the whole job anew.
_LIGANDS_PER_PAGE = 5000
_POSED_LIGANDS_PER_READ = 100
LIGAND_COLUMNS = (
    "rank", "rank_change", "name", "smiles", "inchikey", "score_kcal_mol", "docked_score_kcal_mol", "docked_rank",
    "pose", "moved_angstrom", "n_poses", "n_refused_poses", "reason", "message", "seconds_cpu",
)  # fmt: skip
Pages = Iterator[list[RescoredLigand]]


def rescoring_job(uow: UnitOfWork, job: Job) -> Rescoring:
    """Return what a job rescores; Conflict (``not_a_rescoring``) for any other kind."""
    if job.kind is not JobKind.RESCORE:
        raise Conflict(f"A {job.kind} job is no rescoring.", code="not_a_rescoring", kind=job.kind)
    return uow.rescorings.get(job.id)


def ligands_csv(database: Database, scope: TenantScope, job: Job) -> Iterator[str]:
    """Yield a row for each ligand, best new score first; those without one come last, with the reason."""
    yield csv_text([LIGAND_COLUMNS])
    for page in scored_pages(database, scope, job):
        yield csv_text(map(_row, page))
    for page in refused_pages(database, scope, job):
        yield csv_text(map(_row, page))


def poses_sdf(database: Database, chemistry: RequestChemistry, scope: TenantScope, job: Job) -> Iterator[str]:
    """Yield every pose that has a new score as an SDF record, best ligand first: where relaxing led, if it did."""
    for page in scored_pages(database, scope, job):
        for start in range(0, len(page), _POSED_LIGANDS_PER_READ):
            some = {ligand.ligand_id: ligand for ligand in page[start : start + _POSED_LIGANDS_PER_READ]}
            with database.begin(scope) as uow:
                poses = uow.rescorings.poses(job.id, list(some))
            for pose, scores in poses:
                yield chemistry.pose_sdf(pose, _fields(pose, scores, some[pose.ligand_id]))


def _fields(pose: StoredPose, scores: PoseScore, ligand: RescoredLigand) -> dict[str, str | float | int]:
    fields: dict[str, str | float | int | None] = {
        "name": pose.name,
        "rank": ligand.rank,
        "docked_rank": ligand.docked_rank,
        "pose": pose.rank,
        "score_kcal_mol": scores.score_kcal_mol,
        "docked_score_kcal_mol": scores.docked_score_kcal_mol,
        "moved_angstrom": scores.moved_angstrom,
        "smiles": ligand.smiles,
        "state_smiles": pose.state_smiles,
        "ligand_id": str(pose.ligand_id),
    }
    return {key: value for key, value in fields.items() if value is not None}


def scored_pages(database: Database, scope: TenantScope, job: Job) -> Pages:
    """Yield the ligands that have a new score, best first, each page in a transaction of its own."""

    def read(uow: UnitOfWork, last: RescoredLigand | None) -> list[RescoredLigand]:
        after = None if last is None or last.score_kcal_mol is None else (last.score_kcal_mol, last.ligand_id)
        return uow.rescorings.ligands(job.id, order=RescoringOrder.SCORE, after=after, limit=_LIGANDS_PER_PAGE)

    return _pages(database, scope, read)


def refused_pages(database: Database, scope: TenantScope, job: Job) -> Pages:
    """Yield the ligands without a new score, best docking score first."""

    def read(uow: UnitOfWork, last: RescoredLigand | None) -> list[RescoredLigand]:
        after = None if last is None else (last.docked_score_kcal_mol, last.ligand_id)
        return uow.rescorings.refused(job.id, after=after, limit=_LIGANDS_PER_PAGE)

    return _pages(database, scope, read)


def _pages(
    database: Database,
    scope: TenantScope,
    read: Callable[[UnitOfWork, RescoredLigand | None], list[RescoredLigand]],
) -> Pages:
    last: RescoredLigand | None = None
    while True:
        with database.begin(scope) as uow:
            page = read(uow, last)
        if page:
            yield page
            last = page[-1]
        if len(page) < _LIGANDS_PER_PAGE:
            return


def _row(ligand: RescoredLigand) -> Sequence[object]:
    moved = ligand.moved_angstrom
    return (
        ligand.rank,
        ligand.rank_change,
        guarded(ligand.name),
        ligand.smiles,
        ligand.inchikey,
        ligand.score_kcal_mol,
        ligand.docked_score_kcal_mol,
        ligand.docked_rank,
        ligand.pose,
        None if moved is None else round(moved, 3),
        len(ligand.poses),
        sum(pose.reason is not None for pose in ligand.poses),
        ligand.reason,
        guarded(ligand.message or ""),
        ligand.seconds_cpu,
    )
