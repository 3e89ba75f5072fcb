import threading
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from tests.integration.api.conftest import SMILES, Bench, upload_structure
from tests.integration.api.test_structures import code_of
from tests.support.simulated_worker import BUILD, SimulatedWorker

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope
from molecular_analysis_dashboard.domain.jobs import EndCause
from molecular_analysis_dashboard.domain.rejections import RejectionReason

JOBS = "/api/v1/jobs"


def get(bench: Bench, job_id: UUID) -> dict[str, Any]:
    body: dict[str, Any] = bench.client.get(f"{JOBS}/{job_id}").json()
    return body


def test_a_screen_is_written_with_all_that_it_depends_on(bench: Bench) -> None:
    answer = bench.client.post(JOBS, json=bench.request, headers={"X-Request-ID": "screen-1"})

    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["state"], job["name"]) == ("screen", "planning", "four on 4iaq")
    assert (job["engine_build"], job["request_id"], job["planning_complete"]) == (BUILD, "screen-1", False)
    assert job["structure_id"] == bench.structure_id
    # 0.1 s a heavy atom and run, 2.2 states of one run each, and 0.1 s to prepare each of the four.
    assert job["estimated_cpu_s"] == pytest.approx(0.1 * (3 + 6 + 13 + 4) * 2.2 + 0.4)
    assert job["counts"] == {
        "input": 5, "scored": 0, "rejected": 0, "rejected_at_reading": 1, "cancelled": 0, "read": 0, "waiting": 4,
    }  # fmt: skip
    assert get(bench, UUID(job["id"])) == job


def test_counts_sum_to_the_input_all_the_way(bench: Bench) -> None:
    job_id = bench.submit()
    bench.worker.plan(job_id, tasks=2)
    for expected in ("running", "completed"):
        bench.worker.dock(job_id, {name: -5.0 for name in SMILES} | {"benzene": RejectionReason.TIMEOUT})
        job = get(bench, job_id)
        counts = dict(job["counts"])
        assert counts.pop("input") == sum(counts.values()) == 5
        assert job["state"] == expected
    assert (counts["scored"], counts["rejected"], counts["waiting"]) == (3, 1, 0)
    assert job["started_at"] < job["finished_at"]


def test_jobs_are_listed_newest_first_with_counts_and_by_kind(bench: Bench) -> None:
    first, second = bench.submit(), bench.submit(name="second")
    page = bench.client.get(JOBS, params={"limit": 2}).json()

    assert [item["id"] for item in page["items"]] == [str(second), str(first)]
    assert page["items"][0]["counts"]["input"] == 5
    screens = bench.client.get(JOBS, params={"kind": "screen", "limit": 200}).json()["items"]
    assert {item["kind"] for item in screens} == {"screen"}
    assert bench.client.get(JOBS, params={"kind": "dock"}).status_code == 422


def refused(bench: Bench, **changed: str) -> tuple[int, str]:
    before = bench.client.get(JOBS).json()
    answer = bench.client.post(JOBS, json=bench.request | changed)
    assert bench.client.get(JOBS).json() == before
    return answer.status_code, code_of(answer)


@pytest.mark.parametrize("missing", ["receptor", "site", "library", "protocol"])
def test_nothing_is_screened_with_something_unknown(bench: Bench, missing: str) -> None:
    what = "binding_site" if missing == "site" else missing

    assert refused(bench, **{f"{missing}_id": str(uuid4())}) == (404, f"{what}_not_found")


def test_a_receptor_must_be_ready(bench: Bench) -> None:
    body = bench.client.post("/api/v1/receptors", json={"structure_id": bench.structure_id}).json()

    assert refused(bench, receptor_id=body["receptor"]["id"]) == (409, "receptor_not_ready")


def test_a_library_must_be_read(bench: Bench) -> None:
    body = bench.client.post("/api/v1/libraries", json={"name": "x", "smiles": "C"}).json()

    assert refused(bench, library_id=body["library"]["id"]) == (409, "library_not_ready")


def test_a_library_without_a_ligand_is_refused(bench: Bench) -> None:
    body = bench.client.post("/api/v1/libraries", json={"name": "x", "smiles": "nonsense"}).json()
    bench.worker.ingest(UUID(body["job"]["id"]), UUID(body["library"]["id"]), {}, rejected=[1])

    assert refused(bench, library_id=body["library"]["id"]) == (409, "library_empty")


def test_the_site_must_be_of_the_receptor_s_structure(bench: Bench) -> None:
    other = upload_structure(bench.client)["id"]
    site = bench.client.post(
        "/api/v1/binding-sites", json={"structure_id": other, "origin": {"type": "native_ligand"}}
    ).json()

    assert refused(bench, site_id=site["id"]) == (422, "site_of_other_structure")


def test_an_engine_that_no_worker_ever_had_is_refused(bench: Bench, database: SqlDatabase) -> None:
    with database.begin(SystemScope()) as uow:
        uow.connection.execute(text("UPDATE workers SET engine_builds = '{}'"))
        uow.commit()

    assert refused(bench) == (409, "no_engine")


def test_a_screen_is_accepted_while_workers_are_down(bench: Bench) -> None:
    bench.worker.end()
    job_id = bench.submit()

    assert get(bench, job_id)["engine_build"] == BUILD
    assert waiting(bench, job_id)[0] == "no_workers"


def test_a_live_worker_s_build_wins_over_a_newer_one_that_is_gone(
    bench: Bench, database: SqlDatabase, principal: Principal, tmp_path: Any
) -> None:
    gone = SimulatedWorker.start(database, LocalBlobStore(tmp_path), principal.org_id, build="vina-1.3.0-new")
    gone.end()

    assert get(bench, bench.submit())["engine_build"] == BUILD
    engines = bench.client.get("/api/v1/engines").json()["items"]
    assert [(item["engine"], item["build_id"], item["live_slots"]) for item in engines] == [
        ("vina", BUILD, 2),
        ("vina", "vina-1.3.0-new", 0),
    ]


# --- Idempotency


def test_a_repeated_request_gets_its_job_as_it_stands(bench: Bench) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = bench.client.post(JOBS, json=bench.request, headers=headers)
    again = bench.client.post(JOBS, json=bench.request | {"kind": "screen"}, headers=headers)

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers


def test_a_key_belongs_to_one_request(bench: Bench) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = bench.client.post(JOBS, json=bench.request, headers=headers)
    other = bench.client.post(JOBS, json=bench.request | {"name": "other"}, headers=headers)

    assert (other.status_code, code_of(other)) == (409, "idempotency_key_reused")
    assert other.json()["error"]["details"]["job_id"] == first.json()["id"]


def test_key_of_a_deleted_job_is_refused(bench: Bench) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    job_id = bench.client.post(JOBS, json=bench.request, headers=headers).json()["id"]
    bench.client.post(f"{JOBS}/{job_id}/cancel")
    assert bench.client.delete(f"{JOBS}/{job_id}").status_code == 204

    again = bench.client.post(JOBS, json=bench.request, headers=headers)
    assert (again.status_code, code_of(again)) == (409, "idempotency_key_reused")
    assert "deleted" in again.json()["error"]["message"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_no_key_is_refused(bench: Bench, key: str) -> None:
    assert bench.client.post(JOBS, json=bench.request, headers={"Idempotency-Key": key}).status_code == 422


def test_equal_requests_at_once_write_one_job(bench: Bench) -> None:
    key = str(uuid4())
    barrier = threading.Barrier(8)
    answers: list[httpx.Response] = []

    def submit() -> None:
        with httpx.Client(base_url=bench.client.base_url, timeout=30) as client:
            barrier.wait()
            answers.append(client.post(JOBS, json=bench.request, headers={"Idempotency-Key": key}))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1


# --- Control


def test_a_waiting_job_is_cancelled_without_any_worker(bench: Bench) -> None:
    job_id = bench.submit()
    bench.worker.end()
    job = bench.client.post(f"{JOBS}/{job_id}/cancel").json()

    assert (job["state"], job["counts"]["cancelled"], job["counts"]["waiting"]) == ("cancelled", 4, 0)
    assert job["finished_at"] is not None


def test_a_running_job_is_cancelled_when_its_tasks_have_stopped(bench: Bench) -> None:
    job_id = bench.submit()
    bench.worker.plan(job_id, tasks=2)
    task = bench.worker.dock(job_id, {"aspirin": -6.0}, end=False)

    assert bench.client.post(f"{JOBS}/{job_id}/cancel").json()["state"] == "cancelling"
    assert bench.client.post(f"{JOBS}/{job_id}/cancel").json()["state"] == "cancelling"
    bench.worker.finish(task, EndCause.CANCELLED)
    job = get(bench, job_id)
    assert (job["state"], job["counts"]["scored"], job["counts"]["cancelled"]) == ("cancelled", 1, 3)
    assert [hit["name"] for hit in bench.client.get(f"{JOBS}/{job_id}/hits").json()["items"]] == ["aspirin"]


def test_a_paused_job_gives_nothing_out_until_it_is_resumed(bench: Bench, database: SqlDatabase) -> None:
    job_id = bench.submit()
    bench.worker.plan(job_id, tasks=2)
    assert bench.client.post(f"{JOBS}/{job_id}/pause").json()["state"] == "paused"

    with database.begin(SystemScope()) as uow:
        assert all(demand.job_id != job_id for demand in uow.dispatch.demands(f"dock.{BUILD}"))
    assert bench.client.post(f"{JOBS}/{job_id}/pause").status_code == 200
    assert bench.client.post(f"{JOBS}/{job_id}/resume").json()["state"] == "running"
    assert bench.client.post(f"{JOBS}/{job_id}/resume").status_code == 200
    for _ in range(2):
        bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0))
    assert get(bench, job_id)["state"] == "completed"


@pytest.mark.parametrize("action", ["cancel", "pause", "resume"])
def test_a_job_that_has_ended_is_not_controlled(bench: Bench, action: str) -> None:
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))
    answer = bench.client.post(f"{JOBS}/{job_id}/{action}")

    assert (answer.status_code, code_of(answer)) == (409, "job_state")
    assert get(bench, job_id)["state"] == "completed"


def test_only_a_job_that_has_ended_is_deleted(bench: Bench) -> None:
    job_id = bench.submit()
    answer = bench.client.delete(f"{JOBS}/{job_id}")
    assert (answer.status_code, code_of(answer)) == (409, "job_not_finished")

    bench.client.post(f"{JOBS}/{job_id}/cancel")
    assert bench.client.delete(f"{JOBS}/{job_id}").status_code == 204
    for address in ("", "/hits", "/events", "/waiting", "/rejected", "/export/hits.csv"):
        assert bench.client.get(f"{JOBS}/{job_id}{address}").status_code == 404
    assert str(job_id) not in [item["id"] for item in bench.client.get(JOBS, params={"limit": 200}).json()["items"]]


# --- Why it waits


def waiting(bench: Bench, job_id: UUID) -> tuple[str, str]:
    body = bench.client.get(f"{JOBS}/{job_id}/waiting").json()
    assert set(body["facts"]) == {
        "pending", "released", "running", "slots", "busy_slots", "live_workers", "jobs_ahead",
    }  # fmt: skip
    return body["code"], body["message"]


def test_the_explanation_follows_the_job(bench: Bench) -> None:
    job_id = bench.submit()
    assert waiting(bench, job_id)[0] == "planning"
    bench.worker.plan(job_id, tasks=2)
    assert waiting(bench, job_id)[0] == "starting"
    task = bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0), end=False)
    assert waiting(bench, job_id) == ("running", "1 task running, 1 waiting for a free slot.")
    last = bench.worker.dock(job_id, dict.fromkeys(SMILES, -5.0), end=False)
    assert waiting(bench, job_id)[0] == "all_running"
    bench.worker.finish(task)
    bench.worker.finish(last)
    assert waiting(bench, job_id) == ("finished", "The job has ended: completed.")


def test_a_paused_job_says_so(bench: Bench) -> None:
    job_id = bench.submit()
    bench.client.post(f"{JOBS}/{job_id}/pause")

    assert waiting(bench, job_id) == ("paused", "The job is paused; resume it to go on. Paused by a user.")


def test_a_job_behind_others_says_so(bench: Bench) -> None:
    ahead, job_id = bench.submit(), bench.submit()
    bench.worker.plan(ahead, tasks=2)
    bench.worker.plan(job_id)
    tasks = [bench.worker.dock(ahead, {}, end=False) for _ in range(2)]

    assert waiting(bench, job_id)[0] == "queued_behind_other_jobs"
    for task in tasks:
        bench.worker.finish(task, EndCause.DRAINED)


def test_a_job_whose_build_is_gone_names_it(
    bench: Bench, database: SqlDatabase, principal: Principal, tmp_path: Any
) -> None:
    job_id = bench.submit()
    bench.worker.end()
    other = SimulatedWorker.start(database, LocalBlobStore(tmp_path), principal.org_id, build="smina-2.0-x")
    code, message = waiting(bench, job_id)
    other.end()

    assert code == "no_worker_for_engine"
    assert BUILD in message


def test_a_worker_that_fell_silent_counts_as_none(bench: Bench, database: SqlDatabase) -> None:
    job_id = bench.submit()
    with database.begin(SystemScope()) as uow:
        uow.connection.execute(text("UPDATE workers SET heartbeat_at = now() - interval '20 s' WHERE ended_at IS NULL"))
        uow.commit()

    assert waiting(bench, job_id)[0] == "no_workers"
