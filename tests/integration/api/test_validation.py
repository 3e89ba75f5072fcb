"""Redockings and validations through the API, driven by a worker without chemistry."""

import csv
import io
from typing import Any
from uuid import UUID

import httpx
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from sqlalchemy import text
from tests.integration.api.conftest import SMILES, Bench
from tests.integration.api.test_structures import code_of

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.rejections import RejectionReason

JOBS = "/api/v1/jobs"
DECOYS = {"propane": "CCC", "toluene": "Cc1ccccc1", "also ethanol": "OCC"}


def get(bench: Bench, path: str) -> Any:
    answer = bench.client.get(f"{JOBS}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def redocking(bench: Bench, **more: object) -> httpx.Response:
    where = {name: value for name, value in bench.request.items() if name != "library_id"}
    return bench.client.post(JOBS, json=where | {"kind": "redock"} | more)


def redocked(bench: Bench, *outcomes: list[float] | RejectionReason) -> str:
    answer = redocking(bench, runs=len(outcomes))
    assert answer.status_code == 202, answer.text
    job_id = str(answer.json()["id"])
    for outcome in outcomes:
        bench.worker.redock(UUID(job_id), outcome)
    bench.worker.evaluate(UUID(job_id))
    return job_id


def placed(smiles: str) -> str:
    """A ligand where the structure of the tests has its own."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    return str(Chem.MolToMolBlock(mol))


def test_each_seed_is_a_task_and_the_verdict_comes_last(bench: Bench) -> None:
    job = redocking(bench).json()
    assert (job["kind"], job["state"], job["planning_complete"], job["library_id"]) == (
        "redock",
        "planning",
        True,
        None,
    )
    assert job["counts"]["input"] == job["counts"]["waiting"] == 3
    bench.worker.redock(UUID(job["id"]), [0.5, 3.0])
    bench.worker.redock(UUID(job["id"]), [1.9])
    running = get(bench, job["id"])
    assert (running["counts"]["scored"], running["counts"]["waiting"]) == (2, 1)
    assert get(bench, f"{job['id']}/redocking")["verdict"] is None

    bench.worker.redock(UUID(job["id"]), [2.0])
    bench.worker.evaluate(UUID(job["id"]))

    found = get(bench, f"{job['id']}/redocking")
    assert found["verdict"]["verdict"] == "green"
    assert found["verdict"]["rule"].startswith("green: the best-scored pose lies within 2 Å")
    assert [run["seed"] for run in found["runs"]] == [42, 43, 44]
    assert {run["top_rmsd_angstrom"] for run in found["runs"]} == {0.5, 1.9, 2.0}
    assert found["native"]["name"] == "LIG"
    assert "native_inside" in {check["code"] for check in found["checks"]}
    assert get(bench, job["id"])["state"] == "completed"
    events = [event["type"] for event in get(bench, f"{job['id']}/events")["items"]]
    assert "redocking.judged" in events


def test_a_miss_is_told_with_its_cause(bench: Bench) -> None:
    job_id = redocked(bench, [5.0, 1.0], RejectionReason.NO_POSE)

    found = get(bench, f"{job_id}/redocking")
    assert found["verdict"]["verdict"] == "amber"
    assert {run["miss"] for run in found["runs"]} == {"scoring", "not_docked"}
    counts = get(bench, job_id)["counts"]
    assert (counts["scored"], counts["rejected"], counts["input"]) == (1, 1, 2)


def test_runs_and_poses_download(bench: Bench) -> None:
    job_id = redocked(bench, [0.5, 3.0], RejectionReason.TIMEOUT)

    rows = list(csv.DictReader(io.StringIO(bench.client.get(f"{JOBS}/{job_id}/redocking/runs.csv").text)))
    assert sorted((row["pose"], row["rmsd_angstrom"], row["reason"]) for row in rows) == [
        ("", "", "timeout"), ("1", "0.5", ""), ("2", "3.0", ""),
    ]  # fmt: skip
    sdf = bench.client.get(f"{JOBS}/{job_id}/redocking/poses.sdf").text
    supplier = Chem.SDMolSupplier()
    supplier.SetData(sdf)
    assert [float(mol.GetProp("rmsd_angstrom")) for mol in supplier] == [0.5, 3.0]
    provenance = get(bench, f"{job_id}/export/provenance.json")
    assert [run["seed"] for run in provenance["runs"]] == [7, 7]
    assert provenance["native"]["name"] == "LIG"


def test_a_ligand_sent_along_is_checked_against_the_box(bench: Bench) -> None:
    lines = placed("CCO").splitlines()
    moved = [f"{float(line[:10]) + 500:10.4f}{line[10:]}" if len(line) > 60 else line for line in lines]

    answer = redocking(bench, native={"file_name": "far.sdf", "content": "\n".join(moved) + "\n$$$$\n"})

    assert (answer.status_code, code_of(answer)) == (422, "native_outside")


def test_nothing_to_redock_is_refused(bench: Bench) -> None:
    site = bench.client.post(
        "/api/v1/binding-sites",
        json={
            "structure_id": bench.structure_id,
            "origin": {"type": "manual", "center": [0.0, 0.0, 0.0], "size": [60.0, 60.0, 60.0]},
        },
    )
    assert site.status_code == 201, site.text

    answer = redocking(bench, site_id=site.json()["id"])

    assert (answer.status_code, code_of(answer)) == (422, "no_native_ligand")


def test_a_repeated_redocking_is_one(bench: Bench) -> None:
    where = {name: value for name, value in bench.request.items() if name != "library_id"} | {"kind": "redock"}
    headers = {"Idempotency-Key": "redock-once"}
    first = bench.client.post(JOBS, json=where, headers=headers)
    again = bench.client.post(JOBS, json=where, headers=headers)
    other = bench.client.post(JOBS, json=where | {"runs": 1}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize("path", ["redocking", "redocking/runs.csv", "redocking/poses.sdf", "validation"])
def test_a_screen_has_neither_verdict_nor_metrics(bench: Bench, path: str) -> None:
    answer = bench.client.get(f"{JOBS}/{bench.submit()}/{path}")

    assert (answer.status_code, code_of(answer)) == (409, f"not_a_{path.partition('/')[0]}")


def test_a_cancelled_redocking_keeps_its_runs_and_has_no_verdict(bench: Bench) -> None:
    job_id = str(redocking(bench).json()["id"])
    bench.worker.redock(UUID(job_id), [0.5])
    bench.client.post(f"{JOBS}/{job_id}/cancel")
    bench.worker.end_jobs()

    job, found = get(bench, job_id), get(bench, f"{job_id}/redocking")
    assert job["state"] == "cancelled"
    assert (job["counts"]["scored"], job["counts"]["cancelled"]) == (1, 2)
    assert found["verdict"] is None
    assert sorted(len(run["poses"]) for run in found["runs"]) == [0, 0, 1]


def decoys(bench: Bench, smiles: dict[str, str]) -> str:
    body = {"name": "decoys", "smiles": "\n".join(f"{value} {name}" for name, value in smiles.items())}
    library = bench.client.post("/api/v1/libraries", json=body).json()
    bench.worker.ingest(UUID(library["job"]["id"]), UUID(library["library"]["id"]), smiles)
    return str(library["library"]["id"])


def validation(bench: Bench, decoys_library_id: str) -> httpx.Response:
    where = {name: value for name, value in bench.request.items() if name != "library_id"}
    libraries = {"actives_library_id": bench.library_id, "decoys_library_id": decoys_library_id}
    return bench.client.post(JOBS, json=where | libraries | {"kind": "validate"})


def test_actives_and_decoys_are_one_job_with_metrics(bench: Bench) -> None:
    answer = validation(bench, decoys(bench, DECOYS))
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    assert answer.json()["counts"]["input"] == len(SMILES) + 1 + len(DECOYS)
    assert get(bench, f"{job_id}/validation")["enrichment"] is None
    bench.worker.plan(UUID(job_id))
    bench.worker.dock(
        UUID(job_id),
        dict.fromkeys(SMILES, -9.0) | dict.fromkeys(DECOYS, -5.0) | {"benzene": RejectionReason.NO_POSE},
    )
    bench.worker.evaluate(UUID(job_id))

    found = get(bench, f"{job_id}/validation")["enrichment"]
    # Ethanol is in both sets; of the three other actives benzene is ranked last.
    assert (found["n_actives"], found["n_decoys"], found["n_in_both"]) == (3, 2, 2)
    assert (found["n_rejected_actives"], found["n_rejected_decoys"]) == (1, 0)
    assert found["docking"]["roc_auc"]["value"] == pytest.approx(2 / 3)
    assert found["roc"][0] == {"false_positive_rate": 0.0, "true_positive_rate": 0.0}
    assert found["roc"][-1] == {"false_positive_rate": 1.0, "true_positive_rate": 1.0}
    assert len(get(bench, f"{job_id}/hits")["items"]) == len(SMILES) + len(DECOYS) - 1
    assert bench.client.get(f"{JOBS}/{job_id}/export/hits.csv").status_code == 200
    assert get(bench, f"{job_id}/export/provenance.json")["decoys"]["name"] == "decoys"
    assert get(bench, job_id)["state"] == "completed"


def test_one_library_twice_is_refused(bench: Bench) -> None:
    answer = validation(bench, bench.library_id)

    assert (answer.status_code, code_of(answer)) == (422, "same_library")


def test_a_library_of_decoys_in_use_outlives_its_deletion(bench: Bench, database: SqlDatabase) -> None:
    library_id = decoys(bench, DECOYS)
    job_id = validation(bench, library_id).json()["id"]

    answer = bench.client.delete(f"/api/v1/libraries/{library_id}")

    assert (answer.status_code, code_of(answer)) == (409, "in_use")
    assert get(bench, job_id)["counts"]["waiting"] == len(SMILES) + len(DECOYS)
    with database.begin(SystemScope()) as uow:
        kept = uow.connection.execute(text("SELECT count(*) FROM ligands WHERE library_id = :id"), {"id": library_id})
        assert kept.scalar_one() == len(DECOYS)
