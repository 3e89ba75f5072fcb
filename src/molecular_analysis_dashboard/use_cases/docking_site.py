"""The site that a docking task works at: read from what is stored, opened in the engine process."""

from molecular_analysis_dashboard.domain.catalog import Receptor
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.jobs import Job
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import ChemistryProcess, ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork


def stored_site(uow: UnitOfWork, job: Job) -> tuple[Receptor, SearchBox, DockingProtocol]:
    """Return what a job docks at; EngineFailed (``job_incomplete``) if it does not say."""
    if job.receptor_id is None or job.site_id is None or job.protocol_id is None:
        raise EngineFailed("The job names no receptor, site or protocol.", code="job_incomplete")
    receptor = uow.structures.get_receptor(job.receptor_id)
    return receptor, uow.structures.get_site(job.site_id).box, uow.protocols.get(job.protocol_id).protocol


def load_site(
    results: BlobStore, receptor: Receptor, box: SearchBox, protocol: DockingProtocol, build: str
) -> SiteSpec:
    """Read the receptor's file; no connection is held meanwhile."""
    if receptor.pdbqt_sha256 is None or receptor.content_hash is None:
        raise EngineFailed("The receptor is not prepared.", code="receptor_not_ready")
    with results.open(receptor.pdbqt_sha256) as stream:
        pdbqt = stream.read().decode()
    return SiteSpec(receptor.content_hash, pdbqt, box, protocol, build)


def open_site(process: ChemistryProcess, site: SiteSpec) -> None:
    """Open the site; an engine that ends twice on it cannot use this receptor."""
    try:
        process.open_site(site)
    except ProcessEnded as first:
        if first.cause is ExitCause.STOPPED:
            raise
        process.restart()
        try:
            process.open_site(site)
        except ProcessEnded as second:
            if second.cause is ExitCause.STOPPED:
                raise
            raise EngineFailed(
                f"The engine cannot open this receptor and box. {second.message}",
                code="engine_cannot_open_site",
                **second.details,
            ) from second
