from collections.abc import Iterator

import anyio
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from tests.support.live_server import LiveServer

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope
from molecular_analysis_dashboard.infrastructure.settings import Auth, Settings
from molecular_analysis_dashboard.presentation.api.application import create_app
from molecular_analysis_dashboard.presentation.api.main import app
from molecular_analysis_dashboard.use_cases.sign_in import LOCAL, ensure_local_principal

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def guarded(settings: Settings) -> Iterator[httpx.Client]:
    """A server that requires a token."""
    auth = Auth.model_validate({"MAD_STATIC_TOKEN": SecretStr(TOKEN)})
    with LiveServer(create_app(settings.model_copy(update={"auth": auth}))) as server, server.client() as client:
        yield client


def test_the_right_token_signs_in(guarded: httpx.Client) -> None:
    answer = guarded.get("/api/v1/session", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200
    assert answer.json()["user_id"] == str(LOCAL.user_id)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unauthenticated"),
        ({"Authorization": "Bearer wrong"}, "invalid_token"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "invalid_token"),
        ({"Authorization": "Bearer ü".encode()}, "invalid_token"),
        ({"Authorization": "Bearer"}, None),
        ({"Authorization": f"Basic {TOKEN}"}, "unauthenticated"),
        ({"Authorization": TOKEN}, "unauthenticated"),
        ({"X-Token": TOKEN}, "unauthenticated"),
    ],
)
def test_anything_else_does_not(guarded: httpx.Client, headers: dict[str, str], code: str | None) -> None:
    answer = guarded.get("/api/v1/session", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert code is None or answer.json()["error"]["code"] == code
    assert TOKEN not in answer.text


def test_without_a_token_no_address_of_the_product_does_anything(guarded: httpx.Client) -> None:
    one = "00000000-0000-0000-0000-000000000001"
    for path, methods in app.openapi()["paths"].items():
        if not path.startswith("/api/v1/"):
            continue
        for method in methods:
            address = "/".join(one if part.startswith("{") else part for part in path.split("/"))
            assert guarded.request(method, address).status_code == 401, f"{method} {path}"


@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics", "/docs", "/openapi.json", "/"])
def test_machines_and_the_page_itself_need_no_token(guarded: httpx.Client, address: str) -> None:
    assert guarded.get(address).status_code == 200


def test_an_upload_without_a_token_is_refused_before_it_is_read(guarded: httpx.Client) -> None:
    answer = guarded.post("/api/v1/structures?file_name=x.pdb", content=b"ATOM" * 1000)

    assert answer.status_code == 401


def test_without_a_token_in_the_settings_the_local_user_is_signed_in(client: httpx.Client) -> None:
    assert client.get("/api/v1/session").json()["org_id"] == str(LOCAL.org_id)


def test_the_local_user_is_made_once(database: SqlDatabase, principal: Principal) -> None:
    assert ensure_local_principal(database) == ensure_local_principal(database) == principal
    with database.begin(SystemScope()) as uow:
        counts = [
            uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("organizations", "users", "memberships")
        ]
    assert counts == [1, 1, 1]


def test_an_open_bind_without_a_token_does_not_start(settings: Settings) -> None:
    runtime = settings.runtime.model_copy(update={"host": "0.0.0.0"})
    open_app = create_app(settings.model_copy(update={"runtime": runtime}))

    async def start() -> None:
        async with open_app.router.lifespan_context(open_app):
            raise AssertionError("it started")

    with pytest.raises(Misconfigured) as caught:
        anyio.run(start)
    assert caught.value.error_code == "token_required"
