"""Side chains that move: looked at when a job is submitted, and given with each pose."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from rdkit import Chem
from tests.integration.api.conftest import SMILES, Bench
from tests.integration.api.test_structures import code_of
from tests.support.prepared_residues import PDBQT
from tests.support.simulated_worker import SimulatedWorker

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.settings import Settings

JOBS, PROTOCOLS = "/api/v1/jobs", "/api/v1/protocols"
OFFERED = {"type": "object", "properties": {"exhaustiveness": {"minimum": 1}, "flexible_residues": {"type": "array"}}}
MOVED = "ATOM    871  CG  ASP A 129      -3.018   0.494   6.589  1.00  0.00           C\nEND\n"
PLAIN = {"exhaustiveness": 8}


@pytest.fixture
def worker(settings: Settings, database: SqlDatabase, principal: Principal) -> Iterator[SimulatedWorker]:
    """A worker whose build moves side chains."""
    store = LocalBlobStore(settings.storage.results_dir)
    worker = SimulatedWorker.start(database, store, principal.org_id, schema=OFFERED)
    yield worker
    worker.end()


@pytest.fixture
def lining(bench: Bench) -> Bench:
    """The same with a receptor whose residues line the site."""
    accepted = bench.client.post("/api/v1/receptors", json={"structure_id": bench.structure_id}).json()
    receptor_id = accepted["receptor"]["id"]
    bench.worker.prepare(UUID(accepted["job"]["id"]), UUID(receptor_id), receptor_pdbqt=PDBQT.encode())
    return replace(bench, receptor_id=receptor_id)


def protocol(bench: Bench, *residues: str, **fields: object) -> httpx.Response:
    body = {"effort": PLAIN, "flexible_residues": list(residues)} | fields
    return bench.client.post(PROTOCOLS, json={"name": f"flexible {residues}"[:200], "protocol": body})


def flexible(bench: Bench, *residues: str) -> Bench:
    answer = protocol(bench, *residues)
    assert answer.is_success, answer.text
    return replace(bench, protocol_id=answer.json()["id"])


def redocking(bench: Bench) -> dict[str, Any]:
    return {"kind": "redock"} | {name: value for name, value in bench.request.items() if name != "library_id"}


def validation(bench: Bench) -> dict[str, Any]:
    library_id = bench.request["library_id"]
    shared = {name: value for name, value in bench.request.items() if name != "library_id"}
    return {"kind": "validate", "actives_library_id": library_id, "decoys_library_id": library_id} | shared


def test_a_screen_of_side_chains_that_line_the_site_is_accepted(lining: Bench) -> None:
    asked = flexible(lining, "A:ILE130", "A:ASP129")

    rigid = lining.client.post(JOBS, json=lining.request | {"protocol_id": flexible(lining).protocol_id}).json()
    answer = lining.client.post(JOBS, json=asked.request)
    assert answer.status_code == 202
    assert answer.json()["estimated_cpu_s"] > 2 * rigid["estimated_cpu_s"]
    stored = lining.client.get(f"{PROTOCOLS}/{asked.protocol_id}").json()["protocol"]
    assert stored["flexible_residues"] == ["A:ASP129", "A:ILE130"]


REFUSED = [
    ("A:ASP131", "flexible_residue_unknown"),
    ("A:GLU129", "flexible_residue_unknown"),
    ("B:ASP129", "flexible_residue_unknown"),
    ("A:ALA135", "flexible_residue_rigid"),
    ("A:CYS122", "flexible_residue_bonded"),
    ("A:TYR38", "flexible_residue_outside"),
]


@pytest.mark.parametrize(
    "body", [lambda bench: bench.request, redocking, validation], ids=["screen", "redock", "validate"]
)
def test_side_chains_that_cannot_move_are_refused_before_a_job_is_written(lining: Bench, body: Any) -> None:
    before = lining.client.get(JOBS).json()
    for residue, code in REFUSED:
        answer = lining.client.post(JOBS, json=body(flexible(lining, "A:ASP129", residue)))
        assert (answer.status_code, code_of(answer)) == (422, code), residue
        error = answer.json()["error"]
        assert error["details"]["residues"] == [residue]
        assert residue in error["message"]
    assert lining.client.get(JOBS).json() == before


def test_a_redocking_with_moving_side_chains_is_accepted_and_gives_them_with_its_poses(lining: Bench) -> None:
    answer = lining.client.post(JOBS, json=redocking(flexible(lining, "A:ASP129")) | {"runs": 1})
    assert answer.status_code == 202, answer.text
    job_id = UUID(answer.json()["id"])
    lining.worker.redock(job_id, [0.5], side_chains_pdb=MOVED)

    sdf = lining.client.get(f"{JOBS}/{job_id}/redocking/poses.sdf").text
    assert f">  <flexible_residues_pdb>\n{MOVED}\n" in sdf


def test_what_moved_is_given_with_each_pose(lining: Bench) -> None:
    job_id = flexible(lining, "A:ASP129").submit()
    lining.worker.plan(job_id)
    lining.worker.dock(job_id, dict.fromkeys(SMILES, -5.0), side_chains_pdb=MOVED)

    (hit, *_) = lining.client.get(f"{JOBS}/{job_id}/hits").json()["items"]
    detail = lining.client.get(f"{JOBS}/{job_id}/hits/{hit['ligand_id']}").json()
    assert [pose["side_chains_pdb"] for pose in detail["poses"]] == [MOVED, MOVED]
    for address in (f"ligands/{hit['ligand_id']}/poses.sdf", "export/poses.sdf"):
        supplier = Chem.SDMolSupplier()
        supplier.SetData(lining.client.get(f"{JOBS}/{job_id}/{address}").text)
        assert {mol.GetProp("flexible_residues_pdb").strip() for mol in supplier} == {MOVED.strip()}
    provenance = lining.client.get(f"{JOBS}/{job_id}/export/provenance.json").json()
    assert provenance["protocol"]["body"]["flexible_residues"] == ["A:ASP129"]


def test_poses_of_a_rigid_receptor_say_nothing_of_side_chains(bench: Bench) -> None:
    job_id = bench.screened(ethanol=-3.0)

    assert "flexible_residues_pdb" not in bench.client.get(f"{JOBS}/{job_id}/export/poses.sdf").text
    provenance = bench.client.get(f"{JOBS}/{job_id}/export/provenance.json").json()
    assert "flexible_residues" not in provenance["protocol"]["body"]


def test_a_screen_whose_side_chains_moved_is_not_rescored(lining: Bench) -> None:
    job_id = flexible(lining, "A:ASP129").screened(ethanol=-3.0)

    answer = lining.client.post(f"{JOBS}/{job_id}/rescorings", json={"scoring": "vinardo"})
    assert (answer.status_code, code_of(answer)) == (409, "side_chains_moved")
    assert answer.json()["error"]["details"]["flexible_residues"] == ["A:ASP129"]
    assert lining.client.post(
        f"{JOBS}/{lining.screened(ethanol=-3.0)}/rescorings", json={"scoring": "vinardo"}
    ).is_success


def test_an_engine_that_does_not_move_side_chains_is_refused_with_the_field(
    lining: Bench, database: SqlDatabase, principal: Principal, tmp_path: Any
) -> None:
    asked = flexible(lining, "A:ASP129")
    lining.worker.end()
    store = LocalBlobStore(tmp_path)
    rigid = {"type": "object", "properties": {"scoring": {"enum": ["vina"]}}}
    for build, schema in (("vina-1.2.7-rigid", rigid), ("vina-1.2.7-untold", {})):
        other = SimulatedWorker.start(database, store, principal.org_id, build=build, schema=schema)
        answer = lining.client.post(JOBS, json=asked.request)
        other.end()
        assert (answer.status_code, code_of(answer)) == (422, "parameter_unsupported"), build
        assert answer.json()["error"]["details"] == {"field": "flexible_residues", "engine_build": build}


def test_a_protocol_for_an_engine_that_does_not_move_side_chains_is_not_saved(
    bench: Bench, database: SqlDatabase, principal: Principal, tmp_path: Any
) -> None:
    schema = {"type": "object", "properties": {"n_poses": {"maximum": 5}}}
    rigid = SimulatedWorker.start(
        database, LocalBlobStore(tmp_path), principal.org_id, build="lab-1.0-x", schema=schema
    )
    refused = protocol(bench, "A:ASP129", engine="lab", scoring="vina")
    without = protocol(bench, engine="lab", scoring="vina")
    rigid.end()

    assert without.is_success
    assert (refused.status_code, code_of(refused)) == (422, "parameter_unsupported")
    assert refused.json()["error"]["details"]["field"] == "flexible_residues"
    assert "flexible_residues = A:ASP129" in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", ["ASP129", "A:129", "A:ASP", "A:asp129", "A: ASP129", "AB:ASP129", "A:ASP129AB", ""])
def test_a_name_that_is_no_residue_is_refused(bench: Bench, name: str) -> None:
    refused = protocol(bench, name)

    assert (refused.status_code, code_of(refused)) == (422, "validation_failed")
    assert "for example A:GLU80" in refused.text


def test_a_repeated_request_is_answered_although_its_receptor_is_gone(lining: Bench) -> None:
    body, headers = flexible(lining, "A:ASP129").request, {"Idempotency-Key": str(uuid4())}
    first = lining.client.post(JOBS, json=body, headers=headers)
    lining.client.post(f"{JOBS}/{first.json()['id']}/cancel")
    assert lining.client.delete(f"/api/v1/structures/{lining.structure_id}").is_success

    again = lining.client.post(JOBS, json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
