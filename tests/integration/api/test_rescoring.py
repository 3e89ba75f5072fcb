import csv
import io
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from rdkit import Chem
from tests.integration.api.conftest import Bench
from tests.integration.api.test_results import all_names
from tests.integration.api.test_structures import code_of

from molecular_analysis_dashboard.domain.rejections import RejectionReason

JOBS = "/api/v1/jobs"
# Docked, best first: aspirin, benzene, ethanol, acetic acid; the second pose of each scores 0.5 more.
SCORES = {"ethanol": -3.0, "benzene": -4.5, "aspirin": -6.25, "acetic acid": -2.0}
REFUSED = RejectionReason.UNSUPPORTED_ELEMENT
OUTCOMES: dict[str, list[float | RejectionReason]] = {
    "aspirin": [-4.0, -4.5],
    "benzene": [-5.0, REFUSED],
    "ethanol": [REFUSED, RejectionReason.TIMEOUT],
    "acetic acid": [-1.0, -0.5],
}


@pytest.fixture
def screen(bench: Bench) -> UUID:
    return bench.screened(**SCORES)


def ask(bench: Bench, screen: UUID, **body: Any) -> UUID:
    answer = bench.client.post(f"{JOBS}/{screen}/rescorings", json={"scoring": "vinardo"} | body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["screen_id"] == str(screen)
    return UUID(answer.json()["id"])


@pytest.fixture
def rescored(bench: Bench, screen: UUID) -> UUID:
    """All four ligands rescored in place, and the rankings compared."""
    job_id = ask(bench, screen)
    bench.worker.rescore(job_id, OUTCOMES)
    bench.worker.evaluate(job_id)
    return job_id


def test_ligands_are_listed_by_new_rank_with_the_old_one_beside(bench: Bench, rescored: UUID) -> None:
    found = bench.client.get(f"{JOBS}/{rescored}/rescoring/ligands").json()["items"]

    columns = ("name", "rank", "docked_rank", "rank_change", "score_kcal_mol", "docked_score_kcal_mol", "pose")
    assert [tuple(ligand[name] for name in columns) for ligand in found] == [
        ("benzene", 1, 2, 1, -5.0, -4.5, 1),
        ("aspirin", 2, 1, -1, -4.5, -6.25, 2),
        ("acetic acid", 3, 3, 0, -1.0, -2.0, 1),
    ]
    benzene = found[0]["poses"]
    assert [(pose["rank"], pose["score_kcal_mol"], pose["reason"]) for pose in benzene] == [
        (1, -5.0, None),
        (2, None, "unsupported_element"),
    ]
    assert benzene[1]["message"] == "The scoring function has no parameters for one of the elements."
    assert found[0]["seconds_cpu"] == 1.0


def test_pages_follow_the_asked_order(bench: Bench, rescored: UUID) -> None:
    address = f"{JOBS}/{rescored}/rescoring/ligands"

    assert all_names(bench.client, address, limit=1) == ["benzene", "aspirin", "acetic acid"]
    assert all_names(bench.client, address, limit=2, order="docked_score") == ["aspirin", "benzene", "acetic acid"]
    assert all_names(bench.client, f"{JOBS}/{rescored}/rescoring/refused", limit=1) == ["ethanol"]


def test_a_ligand_that_nothing_could_score_says_why(bench: Bench, rescored: UUID) -> None:
    (ethanol,) = bench.client.get(f"{JOBS}/{rescored}/rescoring/refused").json()["items"]

    assert (ethanol["reason"], ethanol["score_kcal_mol"], ethanol["rank"]) == ("unsupported_element", None, None)
    assert [pose["reason"] for pose in ethanol["poses"]] == ["unsupported_element", "timeout"]
    counts = bench.client.get(f"{JOBS}/{rescored}").json()["counts"]
    assert (counts["input"], counts["scored"], counts["rejected"], counts["waiting"]) == (4, 3, 1, 0)


def test_the_agreement_is_told_in_numbers_and_in_a_sentence(bench: Bench, rescored: UUID, screen: UUID) -> None:
    found = bench.client.get(f"{JOBS}/{rescored}/rescoring").json()

    assert found["method"] == {"engine": "vina", "scoring": "vinardo", "relax": False}
    assert (found["screen_id"], found["docked_engine"], found["docked_scoring"]) == (str(screen), "vina", "vina")
    assert found["agreement"] == {"n_ligands": 3, "spearman": 0.5, "kendall": pytest.approx(1 / 3)}
    assert found["sentence"] == (
        "Ranks of 3 ligands docked by vina and rescored by vina (vinardo): Spearman's rho 0.50, Kendall's tau 0.33."
    )


def test_a_rescoring_that_runs_has_no_agreement_yet_but_ranks(bench: Bench, screen: UUID) -> None:
    job_id = ask(bench, screen, ranks={"first": 1, "last": 2})
    bench.worker.rescore(job_id, OUTCOMES)

    found = bench.client.get(f"{JOBS}/{job_id}/rescoring").json()
    assert (found["agreement"], found["sentence"]) == (None, None)
    assert bench.client.get(f"{JOBS}/{job_id}").json()["state"] == "running"
    assert all_names(bench.client, f"{JOBS}/{job_id}/rescoring/ligands", limit=9) == ["benzene", "aspirin"]


def test_two_ligands_are_too_few_to_compare(bench: Bench, screen: UUID) -> None:
    job_id = ask(bench, screen, ranks={"first": 1, "last": 2})
    bench.worker.rescore(job_id, OUTCOMES)
    bench.worker.evaluate(job_id)

    found = bench.client.get(f"{JOBS}/{job_id}/rescoring").json()
    assert found["agreement"] == {"n_ligands": 2, "spearman": None, "kendall": None}
    assert found["sentence"].startswith("2 ligand(s) docked by vina")


def test_the_table_downloads_with_refused_ligands_last(bench: Bench, rescored: UUID) -> None:
    rows = list(csv.DictReader(io.StringIO(bench.client.get(f"{JOBS}/{rescored}/rescoring/ligands.csv").text)))

    columns = ("rank", "rank_change", "name", "score_kcal_mol", "docked_score_kcal_mol", "n_refused_poses", "reason")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("1", "1", "benzene", "-5.0", "-4.5", "1", ""),
        ("2", "-1", "aspirin", "-4.5", "-6.25", "0", ""),
        ("3", "0", "acetic acid", "-1.0", "-2.0", "0", ""),
        ("", "", "ethanol", "", "-3.0", "2", "unsupported_element"),
    ]
    assert rows[0]["smiles"] == "c1ccccc1"


def poses(text: str) -> list[Chem.Mol]:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(text, removeHs=False)
    return list(supplier)


def test_poses_download_where_they_were_docked_or_where_relaxing_led(
    bench: Bench, screen: UUID, rescored: UUID
) -> None:
    relaxing = ask(bench, screen, relax=True)
    bench.worker.rescore(relaxing, OUTCOMES)
    in_place, relaxed = (
        poses(bench.client.get(f"{JOBS}/{job_id}/rescoring/poses.sdf").text) for job_id in (rescored, relaxing)
    )
    docked = poses(bench.client.get(f"{JOBS}/{screen}/export/poses.sdf").text)

    assert [mol.GetProp("name") for mol in in_place] == ["benzene", "aspirin", "aspirin", "acetic acid", "acetic acid"]
    assert [mol.GetProp("score_kcal_mol") for mol in in_place[:3]] == ["-5.0", "-4.0", "-4.5"]
    assert [mol.HasProp("moved_angstrom") for mol in (in_place[0], relaxed[0])] == [False, True]
    first = next(mol for mol in docked if mol.GetProp("name") == "benzene").GetConformer().GetPositions()
    assert in_place[0].GetConformer().GetPositions() == pytest.approx(first, abs=1e-4)
    assert relaxed[0].GetConformer().GetPositions() == pytest.approx(first + np.array([1.0, 0.0, 0.0]), abs=1e-4)
    ligand = bench.client.get(f"{JOBS}/{relaxing}/rescoring/ligands").json()["items"][0]
    assert ligand["poses"][0]["moved_angstrom"] == 1.0


def test_provenance_says_what_was_scored_with_what(bench: Bench, screen: UUID, rescored: UUID) -> None:
    found = bench.client.get(f"{JOBS}/{rescored}/export/provenance.json").json()

    assert (found["screen_id"], found["job"]["kind"], found["job"]["engine_build"]) == (
        str(screen),
        "rescore",
        "vina-1.2.7-test",
    )
    assert (found["spec"]["engine"], found["spec"]["scoring"], found["spec"]["relax"]) == ("vina", "vinardo", False)
    assert found["spec"]["receptor_hash"] == found["receptor"]["content_hash"]
    assert "seeds" not in found
    assert [ligand["name"] for ligand in found["ligands"]] == ["benzene", "aspirin", "acetic acid"]


def test_docking_scores_stay_and_a_screen_is_rescored_in_many_ways(bench: Bench, screen: UUID, rescored: UUID) -> None:
    again = ask(bench, screen, scoring="vina", name="a check")

    assert again != rescored
    hits = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]
    assert {hit["name"]: hit["score_kcal_mol"] for hit in hits} == SCORES
    listed = bench.client.get(JOBS, params={"kind": "rescore"}).json()["items"]
    assert [job["name"] for job in listed if job["screen_id"] == str(screen)] == [
        "a check",
        "Rescore four on 4iaq by vina (vinardo)",
    ]
    assert listed[0]["estimated_cpu_s"] == pytest.approx(4 * 3 * 0.3)


def test_ligands_are_chosen_by_rank_filter_or_id_and_all_by_default(bench: Bench, screen: UUID) -> None:
    hits = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]

    def asked(**body: Any) -> int:
        return int(bench.client.get(f"{JOBS}/{ask(bench, screen, **body)}").json()["counts"]["input"])

    assert asked() == 4
    assert asked(ranks={"first": 2, "last": 3}) == 2
    assert asked(filter={"min_rings": 1}) == 2
    assert asked(ligand_ids=[hits[3]["ligand_id"]], ranks={"first": 1, "last": 1}) == 1


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "nothing_to_change"),
    ({"engine": "unheard-of"}, 422, "engine_unknown"),
    ({"scoring": "love"}, 422, "scoring_unsupported"),
    ({"scoring": "ad4"}, 422, "scoring_unsupported"),
    ({"scoring": "vinardo", "ranks": {"first": 5, "last": 9}}, 409, "nothing_to_rescore"),
    ({"scoring": "vinardo", "ranks": {"first": 1, "last": 100_001}}, 422, "too_many_ligands"),
    ({"scoring": "vinardo", "ranks": {"first": 3, "last": 2}}, 422, "validation_failed"),
    ({"scoring": "vinardo", "ligand_ids": [str(uuid4())]}, 422, "hits_unknown"),
    ({"scoring": "vinardo", "filter": {"order": "score"}}, 422, "validation_failed"),
    ({"scoring": "vinardo", "max_poses": 0}, 422, "validation_failed"),
    ({"scoring": "vinardo", "relax": "yes"}, 422, "validation_failed"),
    ({"scoring": ""}, 422, "validation_failed"),
    ({"scorings": "vinardo"}, 422, "validation_failed"),
]


def test_a_request_that_cannot_be_meant_is_refused(bench: Bench, screen: UUID) -> None:
    for body, status, code in WRONG:
        answer = bench.client.post(f"{JOBS}/{screen}/rescorings", json=body)
        assert (answer.status_code, code_of(answer)) == (status, code), body
    listed = bench.client.get(JOBS, params={"kind": "rescore"}).json()["items"]
    assert [job for job in listed if job["screen_id"] == str(screen)] == []


def test_only_screens_are_rescored_and_only_rescorings_are_read_as_such(
    bench: Bench, screen: UUID, rescored: UUID
) -> None:
    body = {"scoring": "vinardo"}

    assert code_of(bench.client.post(f"{JOBS}/{rescored}/rescorings", json=body)) == "not_a_screen"
    assert code_of(bench.client.post(f"{JOBS}/{uuid4()}/rescorings", json=body)) == "job_not_found"
    for part in ("", "/ligands", "/refused", "/ligands.csv", "/poses.sdf"):
        answer = bench.client.get(f"{JOBS}/{screen}/rescoring{part}")
        assert (answer.status_code, code_of(answer)) == (409, "not_a_rescoring"), part
    assert code_of(bench.client.get(f"{JOBS}/{rescored}/export/hits.csv")) == "not_a_screen"
    wrong = bench.client.get(f"{JOBS}/{rescored}/rescoring/ligands", params={"cursor": "love"})
    assert code_of(wrong) == "invalid_cursor"


def test_one_key_is_one_job(bench: Bench, screen: UUID) -> None:
    address, headers = f"{JOBS}/{screen}/rescorings", {"Idempotency-Key": f"key-{screen}"}
    first, again = (bench.client.post(address, json={"scoring": "vinardo"}, headers=headers) for _ in range(2))

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_a_screen_without_hits_has_nothing_to_rescore(bench: Bench) -> None:
    job_id = bench.submit()

    assert (
        code_of(bench.client.post(f"{JOBS}/{job_id}/rescorings", json={"scoring": "vinardo"})) == "nothing_to_rescore"
    )


def test_a_rescoring_waits_for_a_worker_that_has_its_engine(bench: Bench, screen: UUID) -> None:
    job_id = ask(bench, screen)
    bench.worker.end()

    assert bench.client.get(f"{JOBS}/{job_id}/waiting").json()["code"] == "no_workers"
