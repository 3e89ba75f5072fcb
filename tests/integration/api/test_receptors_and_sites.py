from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from rdkit import Chem
from tests.integration.api.conftest import Bench, upload_structure
from tests.integration.api.test_structures import code_of
from tests.support.simulated_worker import RECEPTOR_PDB, RECEPTOR_PDBQT, SimulatedWorker
from tests.support.structure_text import ligand_block

from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.sites import SearchBox

RECEPTORS, SITES = "/api/v1/receptors", "/api/v1/binding-sites"


@pytest.fixture(scope="module")
def structure_id(client: httpx.Client) -> str:
    return str(upload_structure(client)["id"])


def test_preparing_is_accepted_with_its_job(client: httpx.Client, structure_id: str) -> None:
    body = {"structure_id": structure_id, "options": {"waters": "all", "keep": ["LIG"]}, "name": "with water"}
    answer = client.post(RECEPTORS, json=body, headers={"X-Request-ID": "prepare-1"})

    assert answer.status_code == 202
    receptor, job = answer.json()["receptor"], answer.json()["job"]
    assert (receptor["state"], receptor["name"], receptor["options"]["waters"]) == ("preparing", "with water", "all")
    assert (job["kind"], job["state"], job["receptor_id"], job["request_id"]) == (
        "prepare",
        "planning",
        receptor["id"],
        "prepare-1",
    )
    assert client.get(f"{RECEPTORS}/{receptor['id']}").json() == receptor


def test_a_receptor_that_is_not_ready_has_no_report_and_no_file(client: httpx.Client, structure_id: str) -> None:
    id_ = client.post(RECEPTORS, json={"structure_id": structure_id}).json()["receptor"]["id"]

    for address in (f"{RECEPTORS}/{id_}/report", f"{RECEPTORS}/{id_}/file?format=pdb"):
        answer = client.get(address)
        assert (answer.status_code, code_of(answer)) == (409, "receptor_not_ready")


def test_a_ready_receptor_has_report_and_files(bench: Bench) -> None:
    client, address = bench.client, f"{RECEPTORS}/{bench.receptor_id}"

    assert client.get(address).json()["state"] == "ready"
    assert client.get(f"{address}/report").json()["notes"][0]["residue"] == "A:HIS 57"
    assert client.get(f"{address}/file?format=pdb").content == RECEPTOR_PDB
    assert client.get(f"{address}/file?format=pdbqt").content == RECEPTOR_PDBQT
    assert client.get(f"{address}/file?format=exe").status_code == 422
    assert bench.receptor_id in [item["id"] for item in client.get(RECEPTORS).json()["items"]]
    of_structure = client.get(RECEPTORS, params={"structure_id": bench.structure_id}).json()["items"]
    assert [item["id"] for item in of_structure] == [bench.receptor_id]


def test_nothing_is_prepared_of_an_unknown_structure(client: httpx.Client) -> None:
    answer = client.post(RECEPTORS, json={"structure_id": str(uuid4())})

    assert (answer.status_code, code_of(answer)) == (404, "structure_not_found")


def test_a_cancelled_preparation_fails_its_receptor(client: httpx.Client, structure_id: str) -> None:
    body = client.post(RECEPTORS, json={"structure_id": structure_id}).json()
    job = client.post(f"/api/v1/jobs/{body['job']['id']}/cancel").json()

    assert job["state"] == "cancelled"
    receptor = client.get(f"{RECEPTORS}/{body['receptor']['id']}").json()
    assert (receptor["state"], receptor["error"]["code"]) == ("failed", "cancelled")


def create_site(client: httpx.Client, structure_id: str, origin: dict[str, Any]) -> httpx.Response:
    return client.post(SITES, json={"structure_id": structure_id, "origin": origin})


def test_a_box_from_the_native_ligand_holds_it(client: httpx.Client, structure_id: str) -> None:
    site = create_site(client, structure_id, {"type": "native_ligand", "padding_angstrom": 4}).json()

    assert (site["origin"], site["name"]) == ("native_ligand", "Around LIG")
    assert site["details"]["selector"] == "LIG:L:1"
    assert [check["code"] for check in site["checks"]] == ["native_inside"]
    x, y, z = site["size"]
    assert site["volume_angstrom3"] == pytest.approx(x * y * z)
    assert client.get(f"{SITES}/{site['id']}").json() == site


def test_a_box_from_a_ligand_s_own_file_is_the_same(client: httpx.Client, structure_id: str) -> None:
    by_name = create_site(client, structure_id, {"type": "native_ligand", "selector": "LIG"}).json()
    file = {"file_name": "native.sdf", "content": ligand_block()}
    template = Chem.MolToSmiles(Chem.MolFromMolBlock(ligand_block()))
    by_file = create_site(client, structure_id, {"type": "native_ligand", "file": file, "template": template}).json()

    assert by_file["center"] == pytest.approx(by_name["center"], abs=0.01)
    assert by_file["size"] == pytest.approx(by_name["size"], abs=0.01)
    assert by_file["details"]["template"] == template


def test_a_box_from_residues_is_around_them(client: httpx.Client, structure_id: str) -> None:
    site = create_site(client, structure_id, {"type": "residues", "residues": ["A:100", "A:101"]}).json()

    assert site["origin"] == "residues"
    assert all(edge < 30 for edge in site["size"])
    assert site["details"]["residues"] == ["A:100", "A:101"]


def test_a_large_box_by_hand_is_taken_with_a_warning(client: httpx.Client, structure_id: str) -> None:
    native = create_site(client, structure_id, {"type": "native_ligand"}).json()
    site = create_site(
        client, structure_id, {"type": "manual", "center": native["center"], "size": [40, 40, 40]}
    ).json()

    assert [(check["code"], check["severity"]) for check in site["checks"]] == [("box_large", "warning")]


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ({"type": "manual", "center": [500, 500, 500], "size": [20, 20, 20]}, "box_off_receptor"),
        ({"type": "manual", "center": [0, 0, 0], "size": [20, 20, 127]}, "box_size_invalid"),
        ({"type": "manual", "center": [1e9, 0, 0], "size": [20, 20, 20]}, "box_center_invalid"),
        ({"type": "native_ligand", "selector": "ATP"}, "native_not_found"),
        ({"type": "native_ligand", "template": "CCO"}, "template_mismatch"),
        ({"type": "native_ligand", "template": "not a molecule"}, "template_unreadable"),
        (
            {
                "type": "native_ligand",
                "file": {"file_name": "a.sdf", "content": ligand_block()},
                "template": "CCO",
            },
            "template_mismatch",
        ),
        ({"type": "residues", "residues": ["Z:1"]}, "residue_not_found"),
        ({"type": "native_ligand", "file": {"file_name": "a.sdf", "content": "nonsense"}}, "ligand_unreadable"),
        ({"type": "native_ligand", "file": {"file_name": "a.pdb", "content": "nonsense"}}, "unknown_format"),
        (
            {"type": "native_ligand", "selector": "LIG", "file": {"file_name": "a.sdf", "content": ligand_block()}},
            "native_twice",
        ),
    ],
)
def test_a_site_that_cannot_be_is_refused(
    client: httpx.Client, structure_id: str, origin: dict[str, Any], code: str
) -> None:
    before = client.get(SITES).json()
    answer = create_site(client, structure_id, origin)

    assert (answer.status_code, code_of(answer)) == (422, code)
    assert client.get(SITES).json() == before


def test_a_site_needs_a_structure(client: httpx.Client) -> None:
    answer = create_site(client, str(uuid4()), {"type": "native_ligand"})

    assert (answer.status_code, code_of(answer)) == (404, "structure_not_found")


class PocketBench:
    """A receptor whose preparation found two pockets, around the native ligand and beside it."""

    def __init__(self, client: httpx.Client, worker: SimulatedWorker) -> None:
        self.client = client
        self.structure_id = str(upload_structure(client)["id"])
        native = create_site(client, self.structure_id, {"type": "native_ligand"}).json()
        box = SearchBox(tuple(native["center"]), (18.0, 20.0, 22.0))
        self.pockets = [
            Pocket(1, box.center, 950.0, 42.5, ("A:ASP129", "A:SER212"), box),
            Pocket(2, box.center, 400.0, 31.0, ("A:ILE130",), box),
        ]
        self.receptor_id = self.prepared(worker, self.pockets)

    def prepared(self, worker: SimulatedWorker, pockets: Sequence[Pocket] | None) -> str:
        accepted = self.client.post(RECEPTORS, json={"structure_id": self.structure_id}).json()
        worker.prepare(UUID(accepted["job"]["id"]), UUID(accepted["receptor"]["id"]), pockets)
        return str(accepted["receptor"]["id"])

    def site(self, *, receptor_id: str | None = None, rank: int = 1, **more: object) -> httpx.Response:
        origin = {"type": "pocket", "receptor_id": receptor_id or self.receptor_id, "rank": rank, **more}
        return create_site(self.client, self.structure_id, origin)


@pytest.fixture
def with_pockets(client: httpx.Client, worker: SimulatedWorker) -> PocketBench:
    return PocketBench(client, worker)


def test_pockets_of_a_receptor_are_listed_the_best_first(with_pockets: PocketBench) -> None:
    found = with_pockets.client.get(f"{RECEPTORS}/{with_pockets.receptor_id}/pockets").json()["items"]

    assert [pocket["rank"] for pocket in found] == [1, 2]
    assert Pocket.from_json(found[0]) == with_pockets.pockets[0]


def test_a_box_from_a_pocket_says_which(with_pockets: PocketBench) -> None:
    site = with_pockets.site().json()

    assert (site["origin"], site["name"], site["size"]) == ("pocket", "Pocket 1", [18.0, 20.0, 22.0])
    assert site["center"] == list(with_pockets.pockets[0].center)
    assert site["details"]["receptor_id"] == with_pockets.receptor_id
    assert (site["details"]["rank"], site["details"]["residues"]) == (1, ["A:ASP129", "A:SER212"])
    assert all(check["severity"] != "blocking" for check in site["checks"])
    assert with_pockets.client.get(f"{SITES}/{site['id']}").json() == site


def test_a_box_from_a_pocket_is_widened_as_asked(with_pockets: PocketBench) -> None:
    assert with_pockets.site(rank=2, padding_angstrom=7).json()["size"] == [22.0, 24.0, 26.0]


def test_a_rank_beyond_those_found_is_refused(with_pockets: PocketBench) -> None:
    answer = with_pockets.site(rank=3)

    assert (answer.status_code, code_of(answer)) == (422, "pocket_not_found")
    assert answer.json()["error"]["details"] == {"rank": 3, "n_pockets": 2}


def test_no_site_is_made_of_a_receptor_without_pockets(with_pockets: PocketBench, worker: SimulatedWorker) -> None:
    flat = with_pockets.prepared(worker, [])

    assert with_pockets.client.get(f"{RECEPTORS}/{flat}/pockets").json() == {"items": []}
    answer = with_pockets.site(receptor_id=flat)
    assert (answer.status_code, code_of(answer)) == (422, "no_pocket_found")


def test_pockets_that_nobody_looked_for_are_not_known(with_pockets: PocketBench, worker: SimulatedWorker) -> None:
    older = with_pockets.prepared(worker, None)

    listing = with_pockets.client.get(f"{RECEPTORS}/{older}/pockets")
    for answer in (listing, with_pockets.site(receptor_id=older)):
        assert (answer.status_code, code_of(answer)) == (409, "pockets_unknown")


def test_pockets_of_a_receptor_to_be_have_to_wait(with_pockets: PocketBench) -> None:
    body = {"structure_id": with_pockets.structure_id}
    preparing = with_pockets.client.post(RECEPTORS, json=body).json()["receptor"]["id"]

    listing = with_pockets.client.get(f"{RECEPTORS}/{preparing}/pockets")
    for answer in (listing, with_pockets.site(receptor_id=preparing)):
        assert (answer.status_code, code_of(answer)) == (409, "receptor_not_ready")


def test_a_pocket_of_another_structure_is_refused(with_pockets: PocketBench, structure_id: str) -> None:
    origin = {"type": "pocket", "receptor_id": with_pockets.receptor_id, "rank": 1}
    answer = create_site(with_pockets.client, structure_id, origin)

    assert (answer.status_code, code_of(answer)) == (422, "receptor_of_other_structure")


def test_a_pocket_of_no_receptor_is_not_found(with_pockets: PocketBench) -> None:
    answer = with_pockets.site(receptor_id=str(uuid4()))

    assert (answer.status_code, code_of(answer)) == (404, "receptor_not_found")
