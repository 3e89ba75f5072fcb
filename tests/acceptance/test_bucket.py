"""A screen whose files lie in a bucket: every process reads and writes them there, and what is deleted goes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.support.ledger_stack import LedgerStack, ledger_stack
from tests.support.live_server import LiveServer
from tests.support.s3_server import S3Server, s3_server
from tests.support.structure_text import complex_pdb
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.presentation.api.application import create_app

SWEPT = ("jobs", "tasks", "attempts", "events", "results", "poses", "libraries", "ligands", "structures", "receptors")
LIGANDS = "CCO ethanol\nc1ccccc1 benzene\nCC(=O)O acetic-acid\nnot-a-molecule broken\n"


@pytest.fixture
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def accepted(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_screen_from_upload_to_poses_needs_no_folder_and_deleted_it_leaves_nothing(server: S3Server) -> None:
    bucket = server.make_bucket()
    with (
        ledger_stack(**server.settings(bucket), MAD_SWEEP_AFTER_S="3") as stack,
        LiveServer(create_app(stack.settings)) as api,
        api.client() as client,
    ):
        stack.start_worker(slots=1)
        assert accepted(client.get("/ready"), 200)["status"] == "ready"
        job_id = screen(stack, client)
        hits = accepted(client.get(f"/api/v1/jobs/{job_id}/hits"), 200)
        assert {hit["name"] for hit in hits["items"]} == {"ethanol", "benzene", "acetic-acid"}
        assert client.get(f"/api/v1/jobs/{job_id}/export/poses.sdf").text.count("$$$$") >= 3
        folders = sorted(key.rpartition("/")[0] for key in files(server, bucket))
        assert folders == ["mad/results", "mad/results", "mad/uploads", "mad/uploads"]
        delete_everything(client)
        wait_until(lambda: files(server, bucket) == [], 60, lambda: f"left: {files(server, bucket)}")
        assert {table: stack.scalar(f"SELECT count(*) FROM {table}") for table in SWEPT} == dict.fromkeys(SWEPT, 0)
        assert not (stack.folder / "uploads").exists()
        assert not (stack.folder / "results").exists()


def files(server: S3Server, bucket: str) -> list[str]:
    return [key for key in server.keys(bucket) if not key.startswith("mad/owner/")]


def delete_everything(client: httpx.Client) -> None:
    for job in accepted(client.get("/api/v1/jobs"), 200)["items"]:
        if job["kind"] == "screen":
            assert client.delete(f"/api/v1/jobs/{job['id']}").status_code == 204
    for kind in ("libraries", "structures"):
        for item in accepted(client.get(f"/api/v1/{kind}"), 200)["items"]:
            assert client.delete(f"/api/v1/{kind}/{item['id']}").status_code == 204


def screen(stack: LedgerStack, client: httpx.Client) -> UUID:
    """Upload, prepare, read and dock through the API; return the job that has ended."""
    upload = client.post("/api/v1/structures", params={"file_name": "4iaq.pdb"}, content=complex_pdb())
    structure_id = accepted(upload, 201)["id"]
    assert client.get(f"/api/v1/structures/{structure_id}/file").content == complex_pdb()
    preparing = accepted(client.post("/api/v1/receptors", json={"structure_id": structure_id}), 202)
    reading = accepted(
        client.post("/api/v1/libraries", params={"file_name": "four.smi"}, content=LIGANDS.encode()), 202
    )
    for made in (preparing, reading):
        wait_ended(stack, made["job"]["id"])
    receptor_id = preparing["receptor"]["id"]
    assert client.get(f"/api/v1/receptors/{receptor_id}/file", params={"format": "pdbqt"}).text.startswith(
        ("ATOM", "REMARK")
    )
    origin = {"type": "native_ligand", "selector": "LIG"}
    site = accepted(client.post("/api/v1/binding-sites", json={"structure_id": structure_id, "origin": origin}), 201)
    recipe = {"engine": "test", "scoring": "test", "effort": {"exhaustiveness": 1}}
    protocol = accepted(client.post("/api/v1/protocols", json={"name": "quick", "protocol": recipe}), 201)
    request = {
        "receptor_id": receptor_id,
        "site_id": site["id"],
        "library_id": reading["library"]["id"],
        "protocol_id": protocol["id"],
    }
    job_id = accepted(client.post("/api/v1/jobs", json=request), 202)["id"]
    wait_ended(stack, job_id)
    return UUID(job_id)


def wait_ended(stack: LedgerStack, job_id: str) -> None:
    state = "SELECT state FROM jobs WHERE id = :job_id"
    ended = wait_until(
        lambda: found if (found := stack.scalar(state, job_id=UUID(job_id))) in ("completed", "failed") else None,
        120,
        lambda: stack.explain(UUID(job_id)),
    )
    assert ended == "completed", stack.explain(UUID(job_id))
