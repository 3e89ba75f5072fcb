"""Everything that the results of a job depend on, as one document."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime

from molecular_analysis_dashboard.domain.catalog import Library
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import Job, JobKind
from molecular_analysis_dashboard.domain.results import Hit
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.export_results import hit_pages
from molecular_analysis_dashboard.use_cases.read_rescoring import scored_pages

_HITS_PER_PAGE = 1000
# Recorded with each result, and the same for all of a job.
_SHARED_KEYS = frozenset({"engine_build", "receptor_hash", "protocol_hash", "box", "threads"})
SEED_RULE = (
    "The seed of each ligand state is SHA-256 over (protocol seed, state SMILES, receptor hash, box) reduced to "
    "1..2^31-1; search rounds after the first derive theirs from it. It never depends on chunk, order, worker or "
    "attempt, so the same ligand gives the same poses again."
)


def provenance_json(database: Database, scope: TenantScope, job: Job, *, api_version: str) -> Iterator[str]:
    """Yield the provenance of a job as indented JSON: what all results share, then one line for each hit or run.

    A hit has its rank, seed and steps, and names its worker, whose software is among what is shared. Of a rescoring
    there are the ligands with their ranks; nothing of it depends on a seed.
    """
    with database.begin(scope) as uow:
        shared = _shared(uow, job, api_version)
    title, items = _ITEMS.get(job.kind, ("hits", _hits))
    yield json.dumps(shared, indent=2, ensure_ascii=False).removesuffix("\n}")
    yield f',\n  "{title}": ['
    number = 0
    for item in items(database, scope, job):
        number += 1
        yield ("\n    " if number == 1 else ",\n    ") + json.dumps(item, ensure_ascii=False)
    yield "\n  ]\n}\n" if number else "]\n}\n"


def _hits(database: Database, scope: TenantScope, job: Job) -> Iterator[dict[str, object]]:
    rank = 0
    for page in hit_pages(database, scope, job.id, _HITS_PER_PAGE):
        for hit in page:
            rank += 1
            yield _hit(rank, hit)


def _runs(database: Database, scope: TenantScope, job: Job) -> Iterator[dict[str, object]]:
    with database.begin(scope) as uow:
        found = uow.redockings.provenance(job.id)
    yield from ({key: value for key, value in run.items() if key not in _SHARED_KEYS} for run in found)


def _rescored(database: Database, scope: TenantScope, job: Job) -> Iterator[dict[str, object]]:
    for page in scored_pages(database, scope, job):
        for ligand in page:
            yield {
                "rank": ligand.rank,
                "ligand_id": str(ligand.ligand_id),
                "name": ligand.name,
                "pose": ligand.pose,
                "recorded_at": _time(ligand.recorded_at),
            }


# What a job's results are called, and what of each is told.
_ITEMS = {JobKind.REDOCK: ("runs", _runs), JobKind.RESCORE: ("ligands", _rescored)}


def _hit(rank: int, hit: Hit) -> dict[str, object]:
    own = {key: value for key, value in hit.provenance.items() if key not in _SHARED_KEYS}
    return {"rank": rank, "ligand_id": str(hit.ligand_id), "name": hit.name, "state_smiles": hit.state_smiles} | own


def _readable(details: Mapping[str, object]) -> dict[str, object]:
    """Return details with texts of several lines, such as a mol block, as lists of their lines."""
    return {
        key: value.splitlines() if isinstance(value, str) and "\n" in value else value for key, value in details.items()
    }


def _shared(uow: UnitOfWork, job: Job, api_version: str) -> dict[str, object]:
    """Collect what was stored with the screen; deleted inputs keep their place in it."""
    body: dict[str, object] = {"version": api_version, "job": _job(uow, job)}
    if job.kind is not JobKind.RESCORE:
        body["seeds"] = SEED_RULE
    body["spec"] = dict(job.spec)
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
            "details": _readable(site.details),
        }
    body |= _library_and_protocol(uow, job)
    body["workers"] = [
        {"id": str(worker.id), "host": worker.host, "version": worker.version, "software": worker.software}
        for worker in uow.workers.of_job(job.id)
    ]
    return body


def _library_and_protocol(uow: UnitOfWork, job: Job) -> dict[str, object]:
    body: dict[str, object] = {}
    if job.library_id is not None:
        body["library"] = _library(uow.libraries.get(job.library_id, deleted=True))
    if job.kind is JobKind.VALIDATE:
        body["decoys"] = _library(uow.libraries.get(uow.validations.get(job.id).decoys_library_id, deleted=True))
    if job.kind is JobKind.RESCORE:
        body["screen_id"] = str(job.screen_id)
    if job.kind is JobKind.REDOCK:
        body["native"] = _readable(asdict(uow.redockings.get(job.id).native))
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


def _library(library: Library) -> dict[str, object]:
    return {
        "id": str(library.id),
        "name": library.name,
        "file_name": library.file_name,
        "sha256": library.sha256,
        "n_records": library.n_records,
        "n_ligands": library.n_ligands,
        "n_rejected": library.n_rejected,
        "n_noted": library.n_noted,
    }


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
