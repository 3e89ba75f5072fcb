from collections.abc import Iterator

import pytest
from tests.integration.ledger.bench import BUILD, QUEUE, Bench

from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import Worker
from molecular_analysis_dashboard.infrastructure.settings import Settings


@pytest.fixture(scope="module")
def wide_database(settings: Settings) -> Iterator[SqlDatabase]:
    """A pool that gives sixteen threads a connection each."""
    database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=16)
    yield database
    database.close()


@pytest.fixture
def bench(wide_database: SqlDatabase) -> Bench:
    """An organization with a worker of two slots, in a ledger that is otherwise empty."""
    principal = Principal(new_id(), new_id())
    worker = Worker(new_id(), "host", 1, "0", (QUEUE, "maintenance", "prepare"), (BUILD,), 2, 2.0)
    with wide_database.begin(SystemScope()) as uow:
        for table in reversed(metadata.sorted_tables):
            uow.connection.execute(table.delete())
        uow.identities.ensure_member(principal, organization="laboratory", email="a@example.org", display_name="A")
        uow.workers.register(worker)
        uow.commit()
    return Bench(wide_database, principal, worker)
