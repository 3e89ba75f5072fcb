from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.integration.ledger.bench import Bench

from molecular_analysis_dashboard.adapters.persistence.tables import PARTITIONED, TENANT_TABLES
from molecular_analysis_dashboard.domain.errors import NotFound
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, TenantScope, new_id

# A tenant's tables that hold a row in these tests.
FILLED = ("attempts", "events", "jobs", "libraries", "ligands", "memberships", "poses", "results", "tasks")

NOTE = text("INSERT INTO audit_log (id, org_id, action, subject_type) VALUES (gen_random_uuid(), :org, 'a', 'b')")


@pytest.fixture
def theirs(bench: Bench) -> TenantScope:
    """Another organization, while the first one has rows."""
    task = bench.take(bench.tasks(bench.job(1))[0])
    bench.record(task, task.ligand_ids[0])
    other = Principal(new_id(), new_id())
    with bench.database.begin(SystemScope()) as uow:
        uow.identities.ensure_member(other, organization="other", email="b@example.org", display_name="B")
        uow.commit()
    return other.scope


def count(bench: Bench, scope: TenantScope, table: str) -> int:
    with bench.database.begin(scope) as uow:
        return int(uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("table", FILLED)
def test_organization_sees_its_own_rows_only(bench: Bench, theirs: TenantScope, table: str) -> None:
    own = 1 if table == "memberships" else 0
    assert count(bench, bench.scope, table) >= 1
    assert count(bench, theirs, table) == own


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_nothing_is_seen_without_an_organization(bench: Bench, theirs: TenantScope, table: str) -> None:
    del theirs
    with bench.database.begin(SystemScope()) as uow:
        uow.connection.execute(text("SET LOCAL ROLE mad_tenant"))
        assert uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


@pytest.mark.parametrize("table", ["jobs", "libraries", "tasks", "results"])
def test_rows_of_others_are_neither_changed_nor_deleted(bench: Bench, theirs: TenantScope, table: str) -> None:
    column = "outcome" if table == "results" else "state"
    with bench.database.begin(theirs) as uow:
        assert uow.connection.execute(text(f"UPDATE {table} SET {column} = 'stolen'")).rowcount == 0
        assert uow.connection.execute(text(f"DELETE FROM {table}")).rowcount == 0


def test_row_cannot_be_written_for_others(bench: Bench, theirs: TenantScope) -> None:
    with bench.database.begin(theirs) as uow:
        uow.connection.execute(NOTE, {"org": theirs.org_id})
        with pytest.raises(ProgrammingError, match="row-level security"):
            uow.connection.execute(NOTE, {"org": bench.principal.org_id})


def test_row_cannot_be_given_away(bench: Bench, theirs: TenantScope) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.connection.execute(NOTE, {"org": bench.principal.org_id})
        with pytest.raises(ProgrammingError, match="row-level security"):
            uow.connection.execute(text("UPDATE audit_log SET org_id = :org"), {"org": theirs.org_id})


def test_row_cannot_point_into_another_organization(bench: Bench, theirs: TenantScope) -> None:
    job_id = bench.scalar("SELECT id FROM jobs")
    statement = (
        "INSERT INTO tasks (id, org_id, job_id, kind, queue, state) "
        "VALUES (gen_random_uuid(), :org, :job, 'dock', 'q', 'pending')"
    )
    with bench.database.begin(theirs) as uow, pytest.raises(Exception, match="fk_tasks_jobs"):
        uow.connection.execute(text(statement), {"org": theirs.org_id, "job": job_id})


def test_what_belongs_to_others_is_not_found(bench: Bench, theirs: TenantScope) -> None:
    job_id: UUID = bench.scalar("SELECT id FROM jobs")
    with bench.database.begin(theirs) as uow, pytest.raises(NotFound) as missing:
        uow.jobs.get(job_id)
    assert missing.value.error_code == "job_not_found"


@pytest.mark.parametrize("table", ["organizations", "users", "workers", "leases"])
def test_system_tables_are_not_written_by_an_organization(bench: Bench, table: str) -> None:
    with bench.database.begin(bench.scope) as uow, pytest.raises(ProgrammingError, match="permission denied"):
        uow.connection.execute(text(f"DELETE FROM {table}"))


def test_organization_ends_with_its_transaction(bench: Bench, theirs: TenantScope) -> None:
    with bench.database.begin(theirs) as uow:
        jobs = uow.jobs
        uow.commit()
        with pytest.raises(RuntimeError, match="not open"):
            _ = uow.libraries
        with pytest.raises(Exception, match="closed"):
            jobs.page(after=None, limit=10)


def test_connection_goes_back_without_its_organization(bench: Bench, theirs: TenantScope) -> None:
    for scope in (theirs, bench.scope):
        with bench.database.begin(scope) as uow:
            uow.connection.execute(text("SELECT 1"))
            uow.commit()
    with bench.database.begin(SystemScope()) as uow:
        role, org_id = uow.connection.execute(text("SELECT current_user, current_setting('mad.org_id', true)")).one()
    assert role != "mad_tenant"
    assert not org_id


def test_every_table_with_an_organization_is_secured(bench: Bench) -> None:
    with_organization = {
        row.relname
        for row in bench.rows(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE a.attname = 'org_id' AND n.nspname = 'public' "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
    }
    assert with_organization == set(TENANT_TABLES)
    secured = {
        row.relname: (row.relrowsecurity, row.using_, row.check_, row.cmd, row.roles)
        for row in bench.rows(
            "SELECT c.relname, c.relrowsecurity, p.cmd, p.roles::text AS roles, "
            "p.qual AS using_, p.with_check AS check_ "
            "FROM pg_class c JOIN pg_policies p ON p.tablename = c.relname WHERE p.schemaname = 'public'"
        )
    }
    assert secured.keys() == set(TENANT_TABLES)
    for enabled, using, check, command, roles in secured.values():
        assert (enabled, command, roles) == (True, "ALL", "{mad_tenant}")
        assert "mad.org_id" in using
        assert using == check


def test_organization_cannot_reach_around_the_policy_through_a_partition(bench: Bench) -> None:
    partitions = [
        row.relname for row in bench.rows("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    ]
    assert len(partitions) == 16 * len(PARTITIONED)
    granted = bench.rows(
        "SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'mad_tenant' "
        "AND table_name = ANY (:names)",
        names=partitions,
    )
    assert granted == []
