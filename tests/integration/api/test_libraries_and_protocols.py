import threading
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import SMILES, Bench
from tests.integration.api.test_structures import code_of
from tests.support.simulated_worker import SimulatedWorker

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import Worker

LIBRARIES, PROTOCOLS = "/api/v1/libraries", "/api/v1/protocols"


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"name": "mine", "smiles": "CCO ethanol"}},
        {"params": {"file_name": "x.smi", "name": "mine"}, "content": b"CCO ethanol"},
        {"files": [("file", ("x.smi", b"CCO ethanol")), ("name", (None, b"mine"))]},
    ],
    ids=["pasted", "raw", "form"],
)
def test_a_library_is_accepted_with_its_job(client: httpx.Client, request_: dict[str, Any]) -> None:
    answer = client.post(LIBRARIES, **request_)

    assert answer.status_code == 202, answer.text
    library, job = answer.json()["library"], answer.json()["job"]
    assert (library["name"], library["state"], library["size_bytes"]) == ("mine", "preparing", 11)
    assert (job["kind"], job["state"], job["library_id"]) == ("ingest", "planning", library["id"])
    assert client.get(f"{LIBRARIES}/{library['id']}").json() == library


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"params": {"file_name": "x.smi"}, "content": b""}, 422, "empty_file"),
        ({"json": {"name": "x", "smiles": " \n "}}, 422, "empty_file"),
        ({"json": {"name": "x", "smiles": ""}}, 422, "validation_failed"),
        ({"json": {"name": "x"}}, 422, "validation_failed"),
        ({"json": {"name": "x", "smiles": "C", "more": 1}}, 422, "validation_failed"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed_json"),
        ({"content": b"CCO"}, 422, "file_name_missing"),
    ],
)
def test_a_library_that_cannot_be_read_at_all_is_refused(
    client: httpx.Client, request_: dict[str, Any], status: int, code: str
) -> None:
    before = client.get(LIBRARIES).json()
    answer = client.post(LIBRARIES, **request_)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert client.get(LIBRARIES).json() == before


def test_ligands_and_rejections_come_in_input_order(bench: Bench) -> None:
    client, address = bench.client, f"{LIBRARIES}/{bench.library_id}"
    library = client.get(address).json()
    assert (library["state"], library["n_records"], library["n_ligands"], library["n_rejected"]) == ("ready", 5, 4, 1)

    first = client.get(f"{address}/ligands", params={"limit": 3}).json()
    second = client.get(f"{address}/ligands", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in first["items"] + second["items"]] == list(SMILES)
    assert second["next_cursor"] is None
    (rejection,) = client.get(f"{address}/rejections").json()["items"]
    assert (rejection["line"], rejection["reason"], rejection["input"]) == (5, "unreadable_record", "=1+1")


def test_ligands_with_a_note_can_be_listed_alone(client: httpx.Client, worker: SimulatedWorker) -> None:
    accepted = client.post(LIBRARIES, json={"name": "salts", "smiles": "CCO a\nCC b\nCCC c"}).json()
    library_id, job_id = accepted["library"]["id"], accepted["job"]["id"]
    smiles = {"a": "CCO", "b": "CC", "c": "CCC"}
    worker.ingest(UUID(job_id), UUID(library_id), smiles, rejected=[4], notes={"b": "Removed: HCl."})

    address = f"{LIBRARIES}/{library_id}"
    assert client.get(address).json()["n_noted"] == 1
    (noted,) = client.get(f"{address}/ligands", params={"noted": True}).json()["items"]
    assert (noted["name"], noted["notes"]) == ("b", ["Removed: HCl."])
    assert len(client.get(f"{address}/ligands").json()["items"]) == 3
    counts = client.get(f"/api/v1/jobs/{job_id}").json()["counts"]
    assert (counts["input"], counts["read"], counts["rejected_at_reading"], counts["waiting"]) == (4, 3, 1, 0)


def test_rejections_download_with_formulas_disarmed(bench: Bench) -> None:
    answer = bench.client.get(f"{LIBRARIES}/{bench.library_id}/rejections.csv")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "line,name,input,reason,message",
        "5,bad-5,'=1+1,unreadable_record,It cannot be read.",
    ]


def test_a_cursor_of_another_listing_is_refused(bench: Bench) -> None:
    address = f"{LIBRARIES}/{bench.library_id}"
    cursor = bench.client.get(f"{address}/ligands", params={"limit": 1}).json()["next_cursor"]
    answer = bench.client.get(f"{address}/rejections", params={"cursor": cursor})

    assert (answer.status_code, code_of(answer)) == (422, "invalid_cursor")


def test_a_library_in_use_is_not_deleted(bench: Bench) -> None:
    job_id = bench.submit()
    answer = bench.client.delete(f"{LIBRARIES}/{bench.library_id}")
    assert (answer.status_code, code_of(answer)) == (409, "in_use")

    bench.client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert bench.client.delete(f"{LIBRARIES}/{bench.library_id}").status_code == 204
    assert bench.client.get(f"{LIBRARIES}/{bench.library_id}/ligands").status_code == 404


def test_a_library_being_read_is_not_deleted(client: httpx.Client, worker: SimulatedWorker) -> None:
    body = client.post(LIBRARIES, json={"name": "x", "smiles": "C"}).json()
    worker.claim(UUID(body["job"]["id"]))

    assert code_of(client.delete(f"{LIBRARIES}/{body['library']['id']}")) == "in_use"


@pytest.fixture
def lab_engine(database: SqlDatabase) -> None:
    """A worker was there that has an engine of the laboratory's own."""
    build = "lab-2.1-gpu"
    schema = {"type": "object", "properties": {"exhaustiveness": {"maximum": 8}, "n_poses": {"maximum": 5}}}
    worker = Worker(new_id(), "host", 1, "0", (), (build,), 1, 2.0, {build: ("lab", "lab-ml")}, {build: schema})
    with database.begin(SystemScope()) as uow:
        uow.workers.register(worker)
        uow.workers.ended(worker.id)
        uow.commit()


def test_equal_content_under_one_name_is_one_version(client: httpx.Client) -> None:
    body = {"name": "standard", "protocol": {"seed": 1}}
    first, again = client.post(PROTOCOLS, json=body), client.post(PROTOCOLS, json=body)
    changed = client.post(PROTOCOLS, json={"name": "standard", "protocol": {"seed": 2}})
    elsewhere = client.post(PROTOCOLS, json={"name": "other", "protocol": {"seed": 1}})

    assert [answer.status_code for answer in (first, again, changed, elsewhere)] == [201, 200, 201, 201]
    assert first.json() == again.json()
    assert (first.json()["version"], changed.json()["version"], elsewhere.json()["version"]) == (1, 2, 1)
    assert first.json()["content_hash"] == elsewhere.json()["content_hash"] != changed.json()["content_hash"]
    assert client.get(f"{PROTOCOLS}/{first.json()['id']}").json() == first.json()
    assert changed.json()["id"] in [item["id"] for item in client.get(PROTOCOLS).json()["items"]]


def test_protocols_saved_at_once_get_versions_without_a_gap(client: httpx.Client) -> None:
    answers: list[httpx.Response] = []

    def save(seed: int) -> None:
        answers.append(client.post(PROTOCOLS, json={"name": "raced", "protocol": {"seed": seed}}))

    threads = [threading.Thread(target=save, args=(1 + number % 3,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [201] * 3
    assert {answer.json()["version"] for answer in answers} == {1, 2, 3}


@pytest.mark.usefixtures("lab_engine")
@pytest.mark.parametrize(
    ("protocol", "code", "choices"),
    [
        ({"scoring": "ad4"}, "scoring_unsupported", ["vina", "vinardo"]),
        ({"engine": "smina", "scoring": "smina"}, "engine_unknown", ["lab", "vina"]),
        ({"engine": "lab", "scoring": "vina"}, "scoring_unsupported", ["lab", "lab-ml"]),
    ],
)
def test_a_protocol_that_no_engine_could_follow_is_refused(
    client: httpx.Client, protocol: dict[str, str], code: str, choices: list[str]
) -> None:
    answer = client.post(PROTOCOLS, json={"name": "x", "protocol": protocol})

    assert (answer.status_code, code_of(answer)) == (422, code)
    assert answer.json()["error"]["details"]["choices"] == choices
    assert all(choice in answer.json()["error"]["message"] for choice in choices)


def test_ad4_is_taken_once_a_worker_with_autogrid_was_there(client: httpx.Client, database: SqlDatabase) -> None:
    plain, scored = "vina-1.2.7-portable", "vina-1.2.7-autogrid4.2.6-12345678-portable"
    body = {"name": "x", "protocol": {"scoring": "ad4"}}

    refused = client.post(PROTOCOLS, json=body)
    assert (refused.status_code, code_of(refused)) == (422, "scoring_unsupported")
    assert "install AutoGrid" in refused.json()["error"]["message"]

    scoring = {plain: ("vina", "vinardo"), scored: ("ad4",)}
    schemas = {plain: {}, scored: {"type": "object", "properties": {"n_poses": {"maximum": 5}}}}
    worker = Worker(new_id(), "host", 1, "0", (), (plain, scored), 1, 2.0, scoring, schemas)
    with database.begin(SystemScope()) as uow:
        uow.workers.register(worker)
        uow.workers.ended(worker.id)
        uow.commit()

    plain_effort = {"effort": {"exhaustiveness": 8}}
    assert client.post(PROTOCOLS, json={"name": "x", "protocol": {"scoring": "ad4", **plain_effort}}).is_success
    # The build that scores so is the one whose parameters count.
    many = client.post(PROTOCOLS, json={"name": "x", "protocol": {"scoring": "ad4", "n_poses": 6, **plain_effort}})
    assert (many.status_code, code_of(many)) == (422, "parameter_unsupported")
    assert client.post(PROTOCOLS, json={"name": "x", "protocol": {"n_poses": 6}}).is_success


@pytest.mark.usefixtures("lab_engine")
def test_a_scoring_function_of_a_worker_s_engine_is_taken(client: httpx.Client) -> None:
    answer = client.post(PROTOCOLS, json={"name": "x", "protocol": {"engine": "lab", "scoring": "lab-ml"}})

    assert answer.status_code == 201
    engines = client.get("/api/v1/engines").json()["items"]
    assert ["lab", "lab-ml"] in [engine["scoring_functions"] for engine in engines]


@pytest.mark.usefixtures("lab_engine")
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"n_poses": 6}, "n_poses"),
        ({"effort": {"exhaustiveness": 16}}, "exhaustiveness"),
        ({"min_rmsd_angstrom": 2.0}, "min_rmsd_angstrom"),
    ],
)
def test_a_parameter_that_the_engine_does_not_offer_is_refused(
    client: httpx.Client, parameters: dict[str, object], field: str
) -> None:
    plain = {"engine": "lab", "scoring": "lab", "effort": {"exhaustiveness": 8}, "n_poses": 5}
    refused = client.post(PROTOCOLS, json={"name": "x", "protocol": plain | parameters})

    assert client.post(PROTOCOLS, json={"name": "x", "protocol": plain}).is_success
    assert (refused.status_code, code_of(refused)) == (422, "parameter_unsupported")
    assert refused.json()["error"]["details"]["field"] == field
    assert field in refused.json()["error"]["message"]
    schemas = {engine["engine"]: engine["parameter_schema"] for engine in client.get("/api/v1/engines").json()["items"]}
    assert schemas["lab"]["properties"]["n_poses"] == {"maximum": 5}
