"""Somebody of another organization: 404 on every address with an id, empty lists, and no row in the database."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from tests.integration.api.conftest import SMILES, Bench, upload_structure
from tests.integration.api.test_structures import code_of

from molecular_analysis_dashboard.adapters.persistence.tables import TENANT_TABLES
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope
from molecular_analysis_dashboard.presentation.api.main import app

DOCUMENT = app.openapi()


def addresses(*, with_id: bool) -> Iterator[tuple[str, str]]:
    for path, methods in DOCUMENT["paths"].items():
        if path.startswith("/api/v1/") and ("{" in path) is with_id:
            yield from ((method.upper(), path) for method in methods)


@pytest.fixture
def ids(bench: Bench) -> dict[str, str]:
    """One thing of each kind, of the local organization, by the name of its parameter."""
    job_id = bench.screened(**dict.fromkeys(SMILES, -5.0))
    ligand_id = bench.client.get(f"/api/v1/jobs/{job_id}/hits").json()["items"][0]["ligand_id"]
    return {
        "structure_id": bench.structure_id,
        "receptor_id": bench.receptor_id,
        "site_id": bench.site_id,
        "library_id": bench.library_id,
        "protocol_id": bench.protocol_id,
        "job_id": str(job_id),
        "ligand_id": ligand_id,
    }


def everything(database: SqlDatabase) -> list[Any]:
    """All rows of all tenants' tables."""
    with database.begin(SystemScope()) as uow:
        return [
            (table, uow.connection.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1")).scalars().all())
            for table in TENANT_TABLES
        ]


def test_every_kind_of_id_is_tried(ids: dict[str, str]) -> None:
    used = {part for _, path in addresses(with_id=True) for part in path.split("/") if part.startswith("{")}

    assert used == {f"{{{name}}}" for name in ids}


def test_the_other_organization_finds_and_changes_nothing(
    other_client: httpx.Client, client: httpx.Client, ids: dict[str, str], database: SqlDatabase
) -> None:
    before = everything(database)
    for method, path in addresses(with_id=True):
        address = path.format(**ids) + ("?format=pdb" if path == "/api/v1/receptors/{receptor_id}/file" else "")
        answer = other_client.request(method, address)
        assert answer.status_code == 404, f"{method} {path} gave {answer.status_code}: {answer.text}"
        assert code_of(answer).endswith("_not_found")
    assert everything(database) == before
    for _, path in addresses(with_id=True):
        if "events/stream" not in path and path.count("{") == 1 and path.endswith("}"):
            assert client.get(path.format(**ids)).status_code == 200


def test_the_other_organization_cannot_refer_to_anything(
    other_client: httpx.Client, ids: dict[str, str], database: SqlDatabase
) -> None:
    before = everything(database)
    structure = {"structure_id": ids["structure_id"]}
    where = {name: ids[name] for name in ("receptor_id", "site_id", "protocol_id")}
    screen = where | {"library_id": ids["library_id"]}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/receptors", structure),
        ("/api/v1/binding-sites", structure | {"origin": {"type": "native_ligand"}}),
        ("/api/v1/jobs", screen),
        ("/api/v1/jobs", where | {"kind": "redock"}),
        (
            "/api/v1/jobs",
            where
            | {"kind": "validate", "actives_library_id": ids["library_id"], "decoys_library_id": ids["library_id"]},
        ),
    ]
    for address, body in bodies:
        assert other_client.post(address, json=body).status_code == 404
    assert everything(database) == before


def test_the_other_organization_lists_nothing(other_client: httpx.Client, ids: dict[str, str]) -> None:
    listings = {
        path
        for method, path in addresses(with_id=False)
        if method == "GET" and path not in ("/api/v1/session", "/api/v1/engines", "/api/v1/events/stream")
    }
    assert len(listings) == 6
    for path in listings:
        assert other_client.get(path).json() == {"items": [], "next_cursor": None}
    for path, name in (("/api/v1/receptors", "structure_id"), ("/api/v1/binding-sites", "structure_id")):
        assert other_client.get(path, params={name: ids[name]}).json()["items"] == []


def test_a_cursor_of_the_other_organization_shows_nothing(client: httpx.Client, other_client: httpx.Client) -> None:
    for _ in range(2):
        upload_structure(client)
    cursor = client.get("/api/v1/structures", params={"limit": 1}).json()["next_cursor"]

    assert other_client.get("/api/v1/structures", params={"cursor": cursor}).json()["items"] == []


def test_one_key_of_two_organizations_is_two_keys(bench: Bench, other_client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "the-same"}
    assert bench.client.post("/api/v1/jobs", json=bench.request, headers=headers).status_code == 202

    answer = other_client.post("/api/v1/jobs", json=bench.request, headers=headers)
    assert answer.status_code == 404


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_the_database_itself_shows_no_row_of_another_organization(
    database: SqlDatabase, other_principal: Principal, ids: dict[str, str], table: str
) -> None:
    del ids
    with database.begin(other_principal.scope) as uow:
        assert uow.connection.execute(text("SELECT current_user")).scalar_one() == "mad_tenant"
        seen = uow.connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE org_id <> :mine"), {"mine": other_principal.org_id}
        ).scalar_one()
        changed = uow.connection.execute(
            text(f"DELETE FROM {table} WHERE org_id <> :mine"), {"mine": other_principal.org_id}
        )

        assert (seen, changed.rowcount) == (0, 0)


def test_the_database_itself_refuses_a_row_for_another_organization(
    database: SqlDatabase, principal: Principal, other_principal: Principal
) -> None:
    row = {"id": uuid4(), "org": principal.org_id, "user": other_principal.user_id}
    with (
        database.begin(other_principal.scope) as uow,
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        uow.connection.execute(
            text(
                "INSERT INTO structures (id, org_id, name, file_name, sha256, size_bytes, summary, created_by) "
                "VALUES (:id, :org, 'x', 'x', 'x', 1, '{}', :user)"
            ),
            row,
        )


def test_the_database_itself_refuses_a_reference_to_another_organization(
    database: SqlDatabase, other_principal: Principal, ids: dict[str, str]
) -> None:
    row = {"id": uuid4(), "org": other_principal.org_id, "user": other_principal.user_id, "to": ids["structure_id"]}
    with database.begin(other_principal.scope) as uow, pytest.raises(IntegrityError, match="foreign key"):
        uow.connection.execute(
            text(
                "INSERT INTO receptors (id, org_id, structure_id, name, options, state, created_by) "
                "VALUES (:id, :org, :to, 'x', '{}', 'preparing', :user)"
            ),
            row,
        )
