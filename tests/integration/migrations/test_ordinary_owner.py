"""A managed PostgreSQL gives out no superuser: the owner of the database must do."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.migrations import migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.use_cases.sweep import SweepRows


@pytest.fixture
def own_servers() -> Iterator[EmbeddedServers]:
    """Servers whose roles nobody has touched yet."""
    with temporary_servers() as servers:
        yield servers


def owner(servers: EmbeddedServers, *statements: str) -> Settings:
    """Make a database whose owner is no superuser, and say what else the administrator does."""
    address = make_url(servers.addresses.database_url)
    administrator = address.set(drivername="postgresql", database="postgres").render_as_string(False)
    with psycopg.connect(administrator, autocommit=True) as connection:
        for statement in ("CREATE ROLE owner LOGIN", "CREATE DATABASE owned OWNER owner", *statements):
            connection.execute(statement.encode())
    url = address.set(username="owner", database="owned").render_as_string(False)
    return load_settings({"ENV": "test", "DATABASE_URL": url})


def read_as_tenant(settings: Settings) -> None:
    """Do what needs the tenant's role."""
    database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args)
    with database.begin(TenantScope(new_id())) as uow:
        assert uow.events.latest_cursor()
    database.close()


def sweep_as_system(settings: Settings) -> None:
    """Do what the leader's sweeps need."""
    database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args)
    SweepRows(database, older_than_s=0)()
    with database.begin(SystemScope()) as uow:
        assert uow.sweep.database_identity()
        assert uow.sweep.lock_file("0" * 64)
    database.close()


def test_an_owner_who_may_create_roles_makes_the_tenant_role(own_servers: EmbeddedServers) -> None:
    settings = owner(own_servers, "ALTER ROLE owner CREATEROLE")
    migrate(settings)
    read_as_tenant(settings)
    sweep_as_system(settings)


def test_an_owner_who_may_not_uses_the_role_that_was_made_for_him(own_servers: EmbeddedServers) -> None:
    settings = owner(own_servers, "CREATE ROLE mad_tenant NOLOGIN", "GRANT mad_tenant TO owner")
    migrate(settings)
    read_as_tenant(settings)


@pytest.mark.parametrize("statements", [(), ("CREATE ROLE mad_tenant NOLOGIN",)], ids=["no role", "role not granted"])
def test_without_the_role_nothing_is_migrated(own_servers: EmbeddedServers, statements: tuple[str, ...]) -> None:
    settings = owner(own_servers, *statements)
    with pytest.raises(ProgrammingError, match=r"permission denied|must have admin option"):
        migrate(settings)
