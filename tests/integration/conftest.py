"""Real servers, one for the whole run, and a migrated database of its own for each module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url
from tests.support.live_server import LiveServer
from tests.support.postgres_programs import chosen_binaries
from tests.support.s3_server import S3Server, s3_server

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import Principal, Role, SystemScope, new_id
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.migrations import migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.presentation.api.application import create_app
from molecular_analysis_dashboard.presentation.api.dependencies import current_principal
from molecular_analysis_dashboard.use_cases.sign_in import LOCAL, ensure_local_principal

_TEMPLATE = "mad_template"
MakeClient = Callable[[Principal | None], httpx.Client]


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[EmbeddedServers]:
    """Servers for tests that leave them running; with another PostgreSQL than the wheel's if one is named."""
    with temporary_servers(chosen_binaries()) as servers:
        yield servers


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server; each test makes its own bucket."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(shared_servers: EmbeddedServers) -> str:
    """Name of a database at head, to be copied."""
    _administer(shared_servers, f"CREATE DATABASE {_TEMPLATE}")
    migrate(_settings(shared_servers, _TEMPLATE, Path("/nonexistent")))
    return _TEMPLATE


@pytest.fixture(scope="module")
def settings(
    shared_servers: EmbeddedServers, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of an installation with an empty database at head."""
    name = f"mad_{new_id().hex}"
    _administer(shared_servers, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    yield _settings(shared_servers, name, tmp_path_factory.mktemp("files"))
    _administer(shared_servers, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[SqlDatabase]:
    database = SqlDatabase(settings.database.sqlalchemy_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def principal(database: SqlDatabase) -> Principal:
    """The local user, as requests without credentials are taken for."""
    return ensure_local_principal(database)


@pytest.fixture(scope="module")
def other_principal(database: SqlDatabase) -> Principal:
    """Somebody of another organization."""
    other = Principal(new_id(), new_id(), Role.ADMIN)
    with database.begin(SystemScope()) as uow:
        uow.identities.ensure_member(other, organization="other", email="b@example.org", display_name="B")
        uow.commit()
    return other


@pytest.fixture(scope="module")
def make_client(settings: Settings, principal: Principal) -> Iterator[MakeClient]:
    """Make clients, each of a server of its own, as any principal; None signs in as the server would."""
    assert principal == LOCAL
    with ExitStack() as exits:

        def make(caller: Principal | None) -> httpx.Client:
            app = create_app(settings)
            if caller is not None:
                app.dependency_overrides[current_principal] = lambda: caller
            return exits.enter_context(exits.enter_context(LiveServer(app)).client())

        yield make


@pytest.fixture(scope="module")
def client(make_client: MakeClient) -> httpx.Client:
    """The local user's client."""
    return make_client(None)


@pytest.fixture(scope="module")
def other_client(make_client: MakeClient, other_principal: Principal) -> httpx.Client:
    """The client of somebody of another organization."""
    return make_client(other_principal)


def _settings(servers: EmbeddedServers, database: str, files: Path) -> Settings:
    url = make_url(servers.addresses.database_url).set(database=database)
    return load_settings(
        {
            "ENV": "test",
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "REDIS_URL": servers.addresses.redis_url,
            "UPLOADS_DIR": str(files / "uploads"),
            "RESULTS_DIR": str(files / "results"),
        }
    )


def _administer(servers: EmbeddedServers, statement: str) -> None:
    url = make_url(servers.addresses.database_url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement.encode())
