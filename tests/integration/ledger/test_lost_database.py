import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import Scope, SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers

SYSTEM = SystemScope()


@pytest.fixture(scope="module")
def own_servers() -> Iterator[EmbeddedServers]:
    """Servers that a test may stop."""
    with temporary_servers() as servers:
        yield servers


@pytest.fixture
def fragile(own_servers: EmbeddedServers) -> Iterator[SqlDatabase]:
    database = SqlDatabase(own_servers.addresses.database_url, pool_size=2)
    with database.begin(SYSTEM) as uow:
        uow.connection.execute(text("CREATE TABLE IF NOT EXISTS kept (n int PRIMARY KEY)"))
        uow.commit()
    yield database
    database.close()


def test_connection_in_use_when_the_database_is_closed_is_closed_when_it_comes_back(fragile: SqlDatabase) -> None:
    with fragile.begin(SYSTEM) as uow:
        connection = uow.connection.connection.dbapi_connection
        assert isinstance(connection, psycopg.Connection)
        fragile.close()
        assert not connection.closed
        uow.connection.execute(text("SELECT 1"))
    assert connection.closed


def stop_postgres(servers: EmbeddedServers) -> None:
    """End the server at once, as an operator's fast shutdown does."""
    pid = servers.postgres_pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    wait_until(lambda: servers.postgres_pid is None, 20, "Postgres did not stop")


def use(database: SqlDatabase, scope: Scope = SYSTEM) -> None:
    with database.begin(scope) as uow:
        uow.connection.execute(text("SELECT 1"))


def cut_off(database: SqlDatabase, servers: EmbeddedServers, *, then: str) -> None:
    """Write a row while Postgres stops before the statement, or the commit, that follows."""
    with database.begin(SYSTEM) as uow:
        uow.connection.execute(text("INSERT INTO kept VALUES (1)"))
        stop_postgres(servers)
        if then == "statement":
            uow.connection.execute(text("SELECT 1"))
        uow.commit()


@pytest.mark.parametrize("then", ["statement", "commit"])
def test_stopped_database_is_told_as_lost_and_the_pool_recovers(
    own_servers: EmbeddedServers, fragile: SqlDatabase, then: str
) -> None:
    with pytest.raises(ResourceLost) as lost:
        cut_off(fragile, own_servers, then=then)
    assert lost.value.error_code == "database_unreachable"
    assert lost.value.details["reason"]
    for scope in (SYSTEM, TenantScope(new_id())):
        with pytest.raises(ResourceLost):
            use(fragile, scope)
    own_servers.restart_postgres()
    for _ in range(5):
        use(fragile)
    with fragile.begin(SYSTEM) as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0


def test_session_that_an_operator_ends_is_lost_and_the_next_works(fragile: SqlDatabase) -> None:
    def be_ended() -> None:
        with fragile.begin(SYSTEM) as operator, fragile.begin(SYSTEM) as victim:
            pid = victim.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            operator.connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            victim.connection.execute(text("SELECT 1"))

    with pytest.raises(ResourceLost):
        be_ended()
    use(fragile)


def test_lock_that_is_not_to_be_had_is_lost_and_not_waited_for(own_servers: EmbeddedServers) -> None:
    hasty = SqlDatabase(own_servers.addresses.database_url, {"options": "-c lock_timeout=100ms"})
    with hasty.begin(SYSTEM) as holder:
        holder.connection.execute(text("LOCK TABLE kept"))
        with pytest.raises(ResourceLost), hasty.begin(SYSTEM) as waiting:
            waiting.connection.execute(text("SELECT * FROM kept"))
    hasty.close()


def test_defect_of_a_statement_is_not_taken_for_a_lost_database(fragile: SqlDatabase) -> None:
    with pytest.raises(IntegrityError), fragile.begin(SYSTEM) as uow:
        uow.connection.execute(text("INSERT INTO kept VALUES (7), (7)"))
    use(fragile)
