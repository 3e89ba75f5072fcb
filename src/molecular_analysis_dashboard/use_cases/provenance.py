"""Everything that the results of a screen depend on, as one document."""

from dataclasses import asdict
from datetime import datetime

from molecular_analysis_dashboard.domain.jobs import Job
from molecular_analysis_dashboard.domain.results import HitFilter, HitOrder
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

SEED_RULE = (
    "The seed of each ligand state is SHA-256 over (protocol seed, state SMILES, receptor hash, box) reduced to "
    "1..2^31-1. It never depends on chunk, order, worker or attempt, so the same ligand gives the same poses again."
)


def provenance_of(uow: UnitOfWork, job: Job, *, api_version: str) -> dict[str, object]:
    """Collect the provenance of a screen from what was stored with it; deleted inputs keep their place in it."""
    body: dict[str, object] = {
        "version": api_version,
        "job": _job(uow, job),
        "seeds": SEED_RULE,
        "spec": dict(job.spec),
    }
    if job.structure_id is not None:
        structure = uow.structures.get(job.structure_id, deleted=True)
        body["structure"] = {
            "id": str(structure.id),
            "file_name": structure.file_name,
            "sha256": structure.sha256,
        }
    if job.receptor_id is not None:
        receptor = uow.structures.get_receptor(job.receptor_id, deleted=True)
        body["receptor"] = {
            "id": str(receptor.id),
            "name": receptor.name,
            "options": receptor.options,
            "content_hash": receptor.content_hash,
            "pdbqt_sha256": receptor.pdbqt_sha256,
            "pdb_sha256": receptor.pdb_sha256,
            "report": receptor.report,
        }
    if job.site_id is not None:
        site = uow.structures.get_site(job.site_id, deleted=True)
        body["binding_site"] = {
            "id": str(site.id),
            "name": site.name,
            "origin": site.origin,
            "center_angstrom": site.box.center,
            "size_angstrom": site.box.size,
            "details": site.details,
        }
    body |= _library_and_protocol(uow, job)
    first = uow.results.hits(job.id, order=HitOrder.SCORE, where=HitFilter(), after=None, limit=1)
    # Package versions are recorded with each result by the worker that made it; a build pins them for a whole job.
    body["best_hit"] = {"name": first[0].name, "provenance": first[0].provenance} if first else None
    return body


def _library_and_protocol(uow: UnitOfWork, job: Job) -> dict[str, object]:
    body: dict[str, object] = {}
    if job.library_id is not None:
        library = uow.libraries.get(job.library_id, deleted=True)
        body["library"] = {
            "id": str(library.id),
            "name": library.name,
            "file_name": library.file_name,
            "sha256": library.sha256,
            "n_records": library.n_records,
            "n_ligands": library.n_ligands,
            "n_rejected": library.n_rejected,
        }
    if job.protocol_id is not None:
        version = uow.protocols.get(job.protocol_id)
        body["protocol"] = {
            "id": str(version.id),
            "name": version.name,
            "version": version.version,
            "content_hash": version.content_hash,
            "body": version.protocol.as_json(),
        }
    return body


def _job(uow: UnitOfWork, job: Job) -> dict[str, object]:
    counts = uow.jobs.counts(job.id)
    records = {"input": counts.n_input, "waiting": counts.waiting} | asdict(counts)
    records.pop("n_input")
    return {
        "id": str(job.id),
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "engine_build": job.engine_build,
        "counts": records,
        "created_by": str(job.created_by),
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "request_id": job.origin.request_id,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
