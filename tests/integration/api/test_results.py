import csv
import io
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from rdkit import Chem
from tests.integration.api.conftest import SMILES, Bench
from tests.integration.api.test_structures import code_of
from tests.support.structure_text import ligand_block

from molecular_analysis_dashboard.domain.rejections import RejectionReason

JOBS = "/api/v1/jobs"
SCORES = {"ethanol": -3.0, "benzene": -4.5, "aspirin": -6.25}


@pytest.fixture
def screen(bench: Bench) -> UUID:
    """Three scored ligands, one rejected while docking, one record rejected at reading."""
    job_id = bench.submit()
    bench.worker.plan(job_id)
    bench.worker.dock(job_id, SCORES | {"acetic acid": RejectionReason.NO_POSE})
    return job_id


def all_names(client: httpx.Client, address: str, **query: Any) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get(address, params=query | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["items"]) <= query["limit"]
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("score", ["aspirin", "benzene", "ethanol"]),
        ("ligand_efficiency", ["ethanol", "benzene", "aspirin"]),
        ("size_corrected_score", ["aspirin", "benzene", "ethanol"]),
        ("name", ["aspirin", "benzene", "ethanol"]),
        ("molecular_weight", ["ethanol", "benzene", "aspirin"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_each_order_pages_through_every_hit_once(
    bench: Bench, screen: UUID, order: str, names: list[str], limit: int
) -> None:
    assert all_names(bench.client, f"{JOBS}/{screen}/hits", order=order, limit=limit) == names


def test_equal_scores_page_without_loss(bench: Bench) -> None:
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))

    assert sorted(all_names(bench.client, f"{JOBS}/{job_id}/hits", limit=1)) == sorted(SMILES)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"max_score_kcal_mol": -4.5}, ["aspirin", "benzene"]),
        ({"min_ligand_efficiency": 0.7}, ["benzene", "ethanol"]),
        ({"min_molecular_weight": 101.5, "max_molecular_weight": 102.5}, ["benzene"]),
        ({"name_contains": "EN"}, ["benzene"]),
        ({"name_contains": "%"}, []),
        ({"max_score_kcal_mol": -99}, []),
    ],
)
def test_filters_narrow_the_list_and_its_total(
    bench: Bench, screen: UUID, query: dict[str, Any], names: list[str]
) -> None:
    page = bench.client.get(f"{JOBS}/{screen}/hits", params=query | {"with_total": True}).json()

    assert [item["name"] for item in page["items"]] == names
    assert page["total"] == len(names)
    assert bench.client.get(f"{JOBS}/{screen}/hits", params=query).json()["total"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"order": "luck"},
        {"limit": 0},
        {"limit": 201},
        {"max_score_kcal_mol": "nan"},
        {"max_score_kcal_mol": "inf"},
        {"name_contains": "\0"},
        {"cursor": "nonsense"},
    ],
)
def test_a_query_out_of_range_is_refused(bench: Bench, screen: UUID, query: dict[str, Any]) -> None:
    answer = bench.client.get(f"{JOBS}/{screen}/hits", params=query)

    assert answer.status_code == 422
    assert code_of(answer) in ("validation_failed", "invalid_cursor")


def test_a_cursor_of_another_order_is_refused(bench: Bench, screen: UUID) -> None:
    address = f"{JOBS}/{screen}/hits"
    cursor = bench.client.get(address, params={"limit": 1}).json()["next_cursor"]

    assert code_of(bench.client.get(address, params={"order": "name", "cursor": cursor})) == "invalid_cursor"


def test_a_hit_shows_its_poses_and_its_provenance(bench: Bench, screen: UUID) -> None:
    (best, *_) = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]
    detail = bench.client.get(f"{JOBS}/{screen}/hits/{best['ligand_id']}").json()

    assert detail["poses"] == [
        {"rank": 1, "score_kcal_mol": -6.25, "side_chains_pdb": None},
        {"rank": 2, "score_kcal_mol": -5.75, "side_chains_pdb": None},
    ]
    assert detail["provenance"] == {"worker": "test", "seed": 7, "notes": ["Removed: HCl."]}
    assert detail["notes"] == ["Removed: HCl."]
    assert {key: detail[key] for key in best} == best
    assert best["ligand_efficiency"] == pytest.approx(6.25 / 13)


def test_poses_carry_bond_orders_and_their_own_coordinates(bench: Bench, screen: UUID) -> None:
    (best, *_) = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]
    answer = bench.client.get(f"{JOBS}/{screen}/ligands/{best['ligand_id']}/poses.sdf")

    assert answer.headers["Content-Type"] == "chemical/x-mdl-sdfile"
    supplier = Chem.SDMolSupplier()
    supplier.SetData(answer.text, removeHs=False)
    first, second = supplier
    assert Chem.MolToSmiles(Chem.RemoveHs(first)) == Chem.MolToSmiles(Chem.MolFromSmiles(SMILES["aspirin"]))
    assert (first.GetProp("_Name"), first.GetProp("pose"), first.GetProp("score_kcal_mol")) == ("aspirin", "1", "-6.25")
    assert not first.HasProp("rank")
    shift = second.GetConformer().GetPositions() - first.GetConformer().GetPositions()
    assert shift == pytest.approx(1.0, abs=1e-3)


def test_a_hit_says_how_sure_its_search_was(bench: Bench, screen: UUID) -> None:
    (best, *_) = bench.client.get(f"{JOBS}/{screen}/hits").json()["items"]

    assert (best["n_rounds"], best["converged"], best["score_spread_kcal_mol"]) == (3, True, 0.25)


def test_a_ligand_without_a_score_has_no_poses(bench: Bench, screen: UUID) -> None:
    rejected = bench.client.get(f"{JOBS}/{screen}/rejected").json()["items"][0]["ligand_id"]

    for ligand_id in (rejected, uuid4()):
        for address in (f"hits/{ligand_id}", f"ligands/{ligand_id}/poses.sdf"):
            answer = bench.client.get(f"{JOBS}/{screen}/{address}")
            assert (answer.status_code, code_of(answer)) == (404, "hit_not_found")


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_rejected_records_and_ligands_come_by_line(bench: Bench, screen: UUID, limit: int) -> None:
    assert all_names(bench.client, f"{JOBS}/{screen}/rejected", limit=limit) == ["acetic acid", "bad-5"]
    items = bench.client.get(f"{JOBS}/{screen}/rejected").json()["items"]
    assert [(item["stage"], item["line"], item["reason"]) for item in items] == [
        ("docking", 4, "no_pose"),
        ("reading", 5, "unreadable_record"),
    ]


def test_hits_export_as_a_ranked_table(bench: Bench, screen: UUID) -> None:
    answer = bench.client.get(f"{JOBS}/{screen}/export/hits.csv")

    assert 'filename="four on 4iaq-hits.csv"' in answer.headers["Content-Disposition"]
    head = (
        "rank,name,smiles,inchikey,score_kcal_mol,ligand_efficiency,n_poses,state_smiles,seconds_cpu,"
        "converged,score_spread_kcal_mol,size_corrected_score,logp,tpsa,h_bond_donors,h_bond_acceptors,"
        "rotatable_bonds,rings,fraction_sp3,qed,alerts,valid,failed_checks,strain_kcal_mol,not_analysed"
    )
    assert answer.text.splitlines()[0] == head
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["rank"], row["name"], float(row["score_kcal_mol"])) for row in rows] == [
        ("1", "aspirin", -6.25),
        ("2", "benzene", -4.5),
        ("3", "ethanol", -3.0),
    ]
    assert rows[0]["smiles"] == "CC(=O)Oc1ccccc1C(=O)O"
    assert (rows[0]["converged"], float(rows[0]["score_spread_kcal_mol"])) == ("true", 0.25)


def test_poses_export_best_hit_first(bench: Bench, screen: UUID) -> None:
    text = bench.client.get(f"{JOBS}/{screen}/export/poses.sdf").text

    supplier = Chem.SDMolSupplier()
    supplier.SetData(text)
    records = [mol.GetPropsAsDict(autoConvertStrings=False) for mol in supplier]
    assert [(record["name"], record["rank"], record["pose"]) for record in records] == [
        (name, rank, pose)
        for rank, name in (("1", "aspirin"), ("2", "benzene"), ("3", "ethanol"))
        for pose in ("1", "2")
    ]
    hits = list(csv.DictReader(io.StringIO(bench.client.get(f"{JOBS}/{screen}/export/hits.csv").text)))
    for hit, best in zip(hits, records[::2], strict=True):
        shared = ("rank", "name", "score_kcal_mol", "smiles", "state_smiles", "inchikey")
        assert {key: hit[key] for key in shared} == {key: best[key] for key in shared}


def test_rejected_export_by_line(bench: Bench, screen: UUID) -> None:
    rows = list(csv.reader(io.StringIO(bench.client.get(f"{JOBS}/{screen}/export/rejected.csv").text)))

    assert [row[:4] for row in rows] == [
        ["line", "name", "input", "reason"],
        ["4", "acetic acid", "CC(=O)O", "no_pose"],
        ["5", "bad-5", "'=1+1", "unreadable_record"],
    ]


def test_exports_longer_than_a_page_are_complete(bench: Bench) -> None:
    smiles = {f"c{number}": "C" * number for number in range(1, 26)}
    body = bench.client.post("/api/v1/libraries", json={"name": "chains", "smiles": "C"}).json()
    bench.worker.ingest(UUID(body["job"]["id"]), UUID(body["library"]["id"]), smiles, rejected=range(100, 1200))
    job_id = bench.submit(library_id=body["library"]["id"])
    bench.worker.plan(job_id)
    bench.worker.dock(job_id, {name: -float(len(text)) for name, text in smiles.items()})

    lines = bench.client.get(f"{JOBS}/{job_id}/export/rejected.csv").text.splitlines()
    assert [int(line.partition(",")[0]) for line in lines[1:]] == list(range(100, 1200))
    assert len(bench.client.get(f"{JOBS}/{job_id}/export/hits.csv").text.splitlines()) == 26


def test_provenance_names_everything(bench: Bench, screen: UUID) -> None:
    for address in ("libraries", "structures"):
        id_ = bench.library_id if address == "libraries" else bench.structure_id
        assert bench.client.delete(f"/api/v1/{address}/{id_}").status_code == 204

    body = bench.client.get(f"{JOBS}/{screen}/export/provenance.json").json()
    assert body["job"]["counts"]["input"] == 5
    assert body["job"]["engine_build"].startswith("vina-")
    assert body["receptor"]["report"]["versions"] == {"meeko": "0"}
    assert body["receptor"]["content_hash"] == body["spec"]["receptor_hash"]
    assert body["library"]["sha256"] == body["spec"]["library_sha256"]
    assert body["protocol"]["content_hash"] == body["spec"]["protocol_hash"]
    assert body["binding_site"]["center_angstrom"] == body["spec"]["box"]["center"]
    assert body["protocol"]["body"]["seed"] == 42
    (worker,) = [worker for worker in body["workers"] if worker["id"] == str(bench.worker.worker.id)]
    assert worker["software"] == {"packages": {"rdkit": "0"}}
    assert [(hit["rank"], hit["name"], hit["seed"]) for hit in body["hits"]] == [
        (1, "aspirin", 7),
        (2, "benzene", 7),
        (3, "ethanol", 7),
    ]


def test_provenance_is_written_to_be_read(bench: Bench) -> None:
    text = bench.client.get(f"{JOBS}/{bench.screened(ethanol=-3.0)}/export/provenance.json").text

    assert text.startswith('{\n  "version": ')
    assert text.endswith("\n  ]\n}\n")
    assert sum('"seed": 7' in line and '"name": "ethanol"' in line for line in text.splitlines()) == 1


def test_provenance_shows_a_template_line_by_line(bench: Bench) -> None:
    origin = {"type": "native_ligand", "template": ligand_block()}
    site = bench.client.post(
        "/api/v1/binding-sites", json={"structure_id": bench.structure_id, "origin": origin}
    ).json()
    job_id = bench.submit(site_id=site["id"])

    body = bench.client.get(f"{JOBS}/{job_id}/export/provenance.json").json()
    assert body["binding_site"]["details"]["template"] == ligand_block().splitlines()


@pytest.mark.parametrize("name", ["hits.csv", "poses.sdf", "rejected.csv", "provenance.json"])
def test_a_job_that_is_no_screen_has_nothing_to_export(client: httpx.Client, name: str) -> None:
    job = client.post("/api/v1/libraries", json={"name": "x", "smiles": "C"}).json()["job"]
    answer = client.get(f"{JOBS}/{job['id']}/export/{name}")

    assert (answer.status_code, code_of(answer)) == (409, "not_a_screen")


def test_an_empty_screen_exports_its_heads(bench: Bench) -> None:
    job_id = bench.submit()

    assert len(bench.client.get(f"{JOBS}/{job_id}/export/hits.csv").text.splitlines()) == 1
    assert bench.client.get(f"{JOBS}/{job_id}/export/poses.sdf").text == ""
    assert bench.client.get(f"{JOBS}/{job_id}/export/provenance.json").json()["hits"] == []
