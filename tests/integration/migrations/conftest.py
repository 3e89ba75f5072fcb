from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url

from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings

MakeSettings = Callable[..., Settings]


@pytest.fixture
def make_settings(shared_servers: EmbeddedServers) -> Iterator[MakeSettings]:
    """Make settings that name a new database, empty unless a template is named; libpq options may come with it."""
    with ExitStack() as exits:

        def make(template: str = "template1", **options: str) -> Settings:
            address = make_url(shared_servers.addresses.database_url)
            name = f"migrated_{new_id().hex}"
            administrator = address.set(drivername="postgresql", database="postgres").render_as_string(False)

            def administer(statement: str) -> None:
                with psycopg.connect(administrator, autocommit=True) as connection:
                    connection.execute(statement.encode())

            administer(f"CREATE DATABASE {name} TEMPLATE {template}")
            exits.callback(administer, f"DROP DATABASE {name} WITH (FORCE)")
            url = address.set(database=name).update_query_dict(options)
            return load_settings({"ENV": "test", "DATABASE_URL": url.render_as_string(False)})

        yield make


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings that name an empty database."""
    return make_settings()


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(settings.database.sqlalchemy_url)
    yield engine
    engine.dispose()
