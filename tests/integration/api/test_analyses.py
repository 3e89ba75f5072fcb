import csv
import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.api.conftest import Bench
from tests.integration.api.test_results import all_names
from tests.integration.api.test_structures import code_of

from molecular_analysis_dashboard.domain.analyses import (
    Interaction,
    InteractionType,
    NotAnalysed,
    PoseAnalysis,
    PoseFailure,
)

JOBS = "/api/v1/jobs"
SCORES = {"ethanol": -3.0, "benzene": -4.5, "aspirin": -6.25, "acetic acid": -2.0}


def touching(*pairs: str) -> tuple[Interaction, ...]:
    return tuple(
        Interaction(InteractionType(kind), residue, 3.0) for kind, _, residue in (pair.partition("@") for pair in pairs)
    )


OUTCOMES: dict[str, PoseAnalysis | PoseFailure] = {
    "aspirin": PoseAnalysis(
        {"bond_lengths": True, "no_radicals": True},
        touching("HBDonor@A:GLU80", "Hydrophobic@A:VAL18", "FaceToFace@A:PHE82"),
        2.5,
        "MMFF94s, of 20 conformers",
        (),
        {"interactions": "Not looked at: A:HEM1."},
    ),
    "benzene": PoseAnalysis(
        {"bond_lengths": False, "no_radicals": True},
        touching("HBAcceptor@A:GLU80", "Hydrophobic@A:VAL18", "Hydrophobic@A:LEU134"),
        7.5,
    ),
    "ethanol": PoseFailure(NotAnalysed.TIMEOUT, "It did not answer within 300 s."),
}


@pytest.fixture
def screen(bench: Bench) -> UUID:
    """Four scored ligands: one valid, one invalid, one that could not be analysed, and one that nobody looked at."""
    job_id = bench.screened(**SCORES)
    answer = bench.client.post(f"{JOBS}/{job_id}/analyses", json={"ranks": {"first": 1, "last": 3}})
    assert answer.status_code == 202, answer.text
    assert answer.json()["screen_id"] == str(job_id)
    bench.worker.analyse(UUID(answer.json()["id"]), OUTCOMES)
    return job_id


def ligand_id(bench: Bench, screen: UUID, name: str) -> str:
    (hit,) = bench.client.get(f"{JOBS}/{screen}/hits", params={"name_contains": name}).json()["items"]
    return str(hit["ligand_id"])


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"valid": True}, ["aspirin"]),
    ({"valid": False}, ["benzene"]),
    ({"analysed": True}, ["aspirin", "benzene"]),
    ({"analysed": False}, ["ethanol", "acetic acid"]),
    ({"max_strain_kcal_mol": 3}, ["aspirin"]),
    ({"min_qed": 0.5}, ["aspirin"]),
    ({"max_logp": 0.0}, ["ethanol"]),
    ({"min_rings": 1, "max_h_bond_donors": 0}, ["benzene"]),
    ({"min_fraction_sp3": 0.9}, ["ethanol"]),
    ({"min_tpsa": 60, "max_tpsa": 70}, ["aspirin"]),
    ({"without_alerts": "BRENK"}, ["benzene", "ethanol", "acetic acid"]),
    ({"without_alerts": ["PAINS", "NIH"]}, ["aspirin", "benzene", "ethanol", "acetic acid"]),
    ({"interactions": "HBond@A:GLU80"}, ["aspirin", "benzene"]),
    ({"interactions": "HBDonor@A:GLU80"}, ["aspirin"]),
    ({"interactions": ["HBond@A:GLU80", "Any@A:LEU134"]}, ["benzene"]),
    ({"interactions": ["HBDonor@A:GLU80", "Any@A:LEU134"], "max_missing_interactions": 1}, ["aspirin", "benzene"]),
    ({"interactions": "2 of PiStacking@A:PHE82,Hydrophobic@A:VAL18,Any@A:TRP1"}, ["aspirin"]),
    ({"interactions": "HBond@A:GLU80,Any@A:LEU134"}, ["aspirin", "benzene"]),
    ({"interactions": "HBond@A:GLU81"}, []),
    ({"interactions": "HBond@A:GLU80", "valid": True, "max_score_kcal_mol": -5}, ["aspirin"]),
]


def test_hits_are_filtered_by_what_was_found(bench: Bench, screen: UUID) -> None:
    address = f"{JOBS}/{screen}/hits"

    for query, names in FILTERS:
        assert all_names(bench.client, address, limit=1, **query) == names, query
        assert bench.client.get(address, params=query | {"with_total": True}).json()["total"] == len(names), query


WRONG_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"interactions": "HBond@GLU80"}, "invalid_interaction_filter"),
    ({"interactions": "HBond@A:GLU80", "max_missing_interactions": 1}, "invalid_interaction_filter"),
    ({"interactions": ["HBond@A:GLU80"] * 21}, "validation_failed"),
    ({"without_alerts": "LOVE"}, "validation_failed"),
    ({"min_qed": "nan"}, "validation_failed"),
    ({"max_rings": -1}, "validation_failed"),
    ({"valid": "perhaps"}, "validation_failed"),
    ({"min_loqp": 1}, "unknown_parameter"),
]


def test_a_filter_that_cannot_be_meant_is_refused(bench: Bench, screen: UUID) -> None:
    for query, code in WRONG_FILTERS:
        answer = bench.client.get(f"{JOBS}/{screen}/hits", params=query)
        assert (answer.status_code, code_of(answer)) == (422, code), query


def test_a_hit_tells_its_analysis_in_short(bench: Bench, screen: UUID) -> None:
    aspirin, benzene, ethanol, acid = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]

    assert (aspirin["analysis"]["valid"], aspirin["analysis"]["strain_kcal_mol"]) == (True, 2.5)
    assert benzene["analysis"]["failed_checks"] == ["bond_lengths"]
    assert (ethanol["analysis"]["failure"], ethanol["analysis"]["valid"]) == ("timeout", None)
    assert acid["analysis"] is None
    assert aspirin["properties"]["alerts"] == ["BRENK:phenol_ester"]
    assert aspirin["size_corrected_score"] == pytest.approx(-6.25 / 13 ** (1 / 3))


def test_the_analysis_of_one_ligand_has_everything(bench: Bench, screen: UUID) -> None:
    address = f"{JOBS}/{screen}/ligands/{ligand_id(bench, screen, 'aspirin')}/analysis"
    found = bench.client.get(address).json()

    first = found["poses"][0]
    assert first["checks"] == {"bond_lengths": True, "no_radicals": True}
    assert {"type": "HBDonor", "residue": "A:GLU80", "distance_angstrom": 3.0} in first["interactions"]
    assert first["problems"] == {"interactions": "Not looked at: A:HEM1."}
    assert found["ranks"] == {"score": 1, "ligand_efficiency": 4, "size_corrected_score": 1}
    assert found["properties"]["rings"] == 1
    assert found["rmsd_angstrom"] == []


def test_the_analysis_of_a_ligand_that_nobody_looked_at_is_empty(bench: Bench, screen: UUID) -> None:
    own = f"{JOBS}/{screen}/ligands"

    assert bench.client.get(f"{own}/{ligand_id(bench, screen, 'acetic acid')}/analysis").json()["poses"] == []
    failed = bench.client.get(f"{own}/{ligand_id(bench, screen, 'ethanol')}/analysis").json()["poses"][0]
    assert (failed["failure"], failed["message"]) == ("timeout", "It did not answer within 300 s.")
    assert code_of(bench.client.get(f"{own}/{uuid4()}/analysis")) == "hit_not_found"


CLUSTERS: list[tuple[dict[str, Any], list[list[str]]]] = [
    ({}, [["aspirin"], ["benzene"]]),
    ({"by": "interactions"}, [["aspirin"], ["benzene"]]),
    ({"by": "interactions", "least_similarity": 0.2}, [["aspirin", "benzene"]]),
    ({"limit": 1}, [["aspirin"]]),
]


def test_analysed_hits_are_grouped_by_likeness(bench: Bench, screen: UUID) -> None:
    names = {hit["ligand_id"]: hit["name"] for hit in bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]}
    for query, clusters in CLUSTERS:
        found = bench.client.get(f"{JOBS}/{screen}/clusters", params=query).json()
        assert [[names[id_] for id_ in cluster["ligand_ids"]] for cluster in found["items"]] == clusters, query
        assert [cluster["name"] for cluster in found["items"]] == [members[0] for members in clusters]


def test_the_export_has_the_analyses(bench: Bench, screen: UUID) -> None:
    rows = list(csv.DictReader(io.StringIO(bench.client.get(f"{JOBS}/{screen}/export/hits.csv").text)))

    columns = ("valid", "failed_checks", "strain_kcal_mol", "not_analysed")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("true", "", "2.5", ""),
        ("false", "bond_lengths", "7.5", ""),
        ("", "", "", "timeout"),
        ("", "", "", ""),
    ]
    assert rows[0]["alerts"] == "BRENK:phenol_ester"
    assert rows[1]["qed"] == "0.443"


def test_ligands_are_chosen_by_id_or_filter_and_by_default_by_rank(bench: Bench, screen: UUID) -> None:
    address = f"{JOBS}/{screen}/analyses"
    acid = ligand_id(bench, screen, "acetic acid")

    def asked(**request: Any) -> int:
        answer = bench.client.post(address, **request)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["counts"]["input"])

    assert asked() == 4
    assert asked(json={"ligand_ids": [acid]}) == 1
    assert asked(json={"filter": {"min_rings": 1, "without_alerts": ["BRENK"]}, "ranks": {"last": 10}}) == 1
    listed = bench.client.get(JOBS, params={"kind": "analyse"}).json()["items"]
    assert len([job for job in listed if job["screen_id"] == str(screen)]) == 4


WRONG_REQUESTS: list[tuple[dict[str, Any], int, str]] = [
    ({"ranks": {"first": 3, "last": 2}}, 422, "validation_failed"),
    ({"ranks": {"first": 1, "last": 10_001}}, 422, "too_many_ligands"),
    ({"ranks": {"first": 5, "last": 6}}, 409, "nothing_to_analyse"),
    ({"ligand_ids": [str(uuid4())]}, 422, "hits_unknown"),
    ({"filter": {"min_qed": "0.5"}}, 422, "validation_failed"),
    ({"filter": {"interactions": ["HBond"]}}, 422, "invalid_interaction_filter"),
    ({"filter": {"order": "score"}}, 422, "validation_failed"),
    ({"max_poses": 0}, 422, "validation_failed"),
]


def test_a_request_that_cannot_be_meant_is_refused(bench: Bench, screen: UUID) -> None:
    for body, status, code in WRONG_REQUESTS:
        answer = bench.client.post(f"{JOBS}/{screen}/analyses", json=body)
        assert (answer.status_code, code_of(answer)) == (status, code), body


def test_only_screens_are_analysed_and_one_key_is_one_job(bench: Bench, screen: UUID) -> None:
    headers = {"Idempotency-Key": f"key-{screen}"}
    first = bench.client.post(f"{JOBS}/{screen}/analyses", headers=headers)
    again = bench.client.post(f"{JOBS}/{screen}/analyses", headers=headers)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert code_of(bench.client.post(f"{JOBS}/{first.json()['id']}/analyses")) == "not_a_screen"
    assert code_of(bench.client.get(f"{JOBS}/{uuid4()}/clusters")) == "job_not_found"


def test_a_protocol_says_how_many_are_analysed_by_themselves(bench: Bench) -> None:
    plain = bench.client.post("/api/v1/protocols", json={"name": "plain"}).json()["protocol"]
    none = {"name": "none", "protocol": {"analyses": {"top": 0}}}

    assert plain["analyses"] == {"top": 100, "max_poses": 3}
    assert bench.client.post("/api/v1/protocols", json=none).json()["protocol"]["analyses"]["top"] == 0
    refused = bench.client.post("/api/v1/protocols", json={"name": "x", "protocol": {"analyses": {"top": 10_001}}})
    assert code_of(refused) == "validation_failed"
