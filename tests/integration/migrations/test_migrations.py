import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from tests.integration.migrations.conftest import MakeSettings
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.persistence.migrations import MIGRATION_LOCK
from molecular_analysis_dashboard.adapters.persistence.tables import TENANT_TABLES, Xid8, metadata
from molecular_analysis_dashboard.domain.identity import new_id
from molecular_analysis_dashboard.infrastructure.migrations import current_revision, head_revision, is_at_head, migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", "molecular_analysis_dashboard.adapters.persistence:migrations")
    found.set_main_option("path_separator", "os")
    return found


@contextmanager
def alembic(connection: Connection) -> Iterator[Config]:
    found = config()
    found.attributes["connection"] = connection
    yield found
    connection.commit()


def partitions(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT relname FROM pg_class WHERE relispartition")).scalars())


def shape(connection: Connection) -> list[object]:
    """Everything about the schema that a second upgrade must make again."""
    columns = "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    indexes = "SELECT tablename, indexname, indexdef FROM pg_indexes"
    constraints = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace"
    )
    policies = "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies"
    rights = "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
    found: list[object] = []
    for query, schema in (
        (columns, "table_schema"),
        (indexes, "schemaname"),
        (policies, "schemaname"),
        (rights, "table_schema"),
    ):
        found += sorted(map(str, connection.execute(text(f"{query} WHERE {schema} = 'public'"))))
    return found + sorted(map(str, connection.execute(text(constraints))))


def fill(connection: Connection) -> None:
    """Write a row where every other table can point to it."""
    org_id, user_id, library_id, job_id = (new_id() for _ in range(4))
    for statement in (
        "INSERT INTO organizations (id, name) VALUES (:org, 'laboratory')",
        "INSERT INTO users (id, email, display_name) VALUES (:user, 'a@example.org', 'A')",
        "INSERT INTO memberships (org_id, user_id, role) VALUES (:org, :user, 'admin')",
        "INSERT INTO libraries (id, org_id, name, file_name, sha256, size_bytes, state, created_by) "
        "VALUES (:library, :org, 'l', 'l.smi', 'x', 1, 'ready', :user)",
        "INSERT INTO jobs (id, org_id, kind, state, name, spec, library_id, created_by) "
        "VALUES (:job, :org, 'screen', 'running', 'j', '{}', :library, :user)",
        "INSERT INTO tasks (id, org_id, job_id, kind, queue, state) "
        "VALUES (gen_random_uuid(), :org, :job, 'dock', 'q', 'pending')",
        "INSERT INTO events (org_id, job_id, type, payload) VALUES (:org, :job, 'test', '{}')",
        "INSERT INTO poses (job_id, ligand_id, state_no, rank, org_id, score_kcal_mol, coordinates_zlib) "
        "VALUES (:job, gen_random_uuid(), 1, 1, :org, -7, '')",
    ):
        connection.execute(text(statement), {"org": org_id, "user": user_id, "library": library_id, "job": job_id})
    connection.commit()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


def test_empty_database_comes_to_head_and_stays_there(settings: Settings, engine: Engine) -> None:
    assert not is_at_head(settings)
    migrate(settings)
    assert is_at_head(settings)
    with engine.connect() as connection:
        before = shape(connection)
        assert current_revision(connection) == head_revision()
    migrate(settings)
    with engine.connect() as connection:
        assert shape(connection) == before


def test_migrations_make_exactly_the_tables_that_the_code_knows(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ischema_names, "xid8", Xid8)
    migrate(settings)
    with engine.connect() as connection:
        ours = partitions(connection)

        def compared(_: object, name: str | None, kind: str, *__: object) -> bool:
            return not (kind == "table" and name in ours)

        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_object": compared}
        )
        assert compare_metadata(context, metadata) == []


def test_comparison_notices_what_is_missing(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ischema_names, "xid8", Xid8)
    migrate(settings)
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE jobs DROP COLUMN reason"))
        context = MigrationContext.configure(connection)
        assert any("reason" in str(difference) for difference in compare_metadata(context, metadata))


def test_downgrade_and_upgrade_work_on_a_database_in_use(settings: Settings, engine: Engine) -> None:
    migrate(settings)
    with engine.connect() as connection:
        before = shape(connection)
        fill(connection)
        with alembic(connection) as found:
            command.downgrade(found, "base")
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        assert current_revision(connection) is None
    migrate(settings)
    with engine.connect() as connection:
        assert shape(connection) == before
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0
        fill(connection)


def test_upgrade_keeps_the_rows_of_a_database_at_head(settings: Settings, engine: Engine) -> None:
    migrate(settings)
    with engine.connect() as connection:
        fill(connection)
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM poses")).scalar_one() == 1


def test_instances_that_start_at_once_migrate_once(settings: Settings, engine: Engine) -> None:
    program = (
        "from molecular_analysis_dashboard.infrastructure.migrations import migrate\n"
        "from molecular_analysis_dashboard.infrastructure.settings import load_settings\n"
        "migrate(load_settings())"
    )
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": settings.database.sqlalchemy_url}
    instances = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
    assert [instance.wait(60) for instance in instances] == [0, 0, 0]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
        secured = connection.execute(text("SELECT count(*) FROM pg_policies")).scalar_one()
    assert secured == len(TENANT_TABLES)


def test_instance_waits_for_a_migration_that_takes_longer_than_any_lock_may(make_settings: MakeSettings) -> None:
    settings = make_settings(options="-c lock_timeout=100ms")
    engine = create_engine(settings.database.sqlalchemy_url)
    with engine.connect() as busy:
        busy.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        second = threading.Thread(target=migrate, args=(settings,))
        second.start()
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory' "
            "AND clock_timestamp() - query_start > '0.3 s'"
        )

        def waits() -> bool:
            with engine.connect() as connection:
                return bool(connection.execute(waiting).scalar_one())

        wait_until(waits, 10, "the second instance did not wait for the first")
        busy.rollback()
    second.join(60)
    engine.dispose()
    assert is_at_head(settings)


def test_workers_that_tell_no_parameters_are_registered_before_and_after(settings: Settings, engine: Engine) -> None:
    register = text(
        "INSERT INTO workers (id, host, pid, version, queues, engine_builds, concurrency, beat_interval_s, state) "
        "VALUES (gen_random_uuid(), 'h', 1, '0', '{}', '{}', 1, 2, 'live')"
    )
    with engine.connect() as connection, alembic(connection) as found:
        command.upgrade(found, "20261124_traceparent")
    with engine.begin() as connection:
        connection.execute(register)
    migrate(settings)
    with engine.begin() as connection:
        # Code that does not know the column goes on writing.
        connection.execute(register)
        told = connection.execute(text("SELECT parameter_schemas FROM workers"))
        assert told.scalars().all() == [{}, {}]
    with engine.connect() as connection, alembic(connection) as found:
        command.downgrade(found, "20261124_traceparent")
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM workers")).scalar_one() == 2


def test_jobs_of_the_first_schema_keep_their_rows_and_have_no_place_in_a_trace(
    settings: Settings, engine: Engine
) -> None:
    traced = "SELECT traceparent FROM jobs"
    with engine.connect() as connection, alembic(connection) as found:
        command.upgrade(found, "20261123_initial")
    with engine.connect() as connection:
        fill(connection)
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text(traced)).scalars().all() == [None]
        # Code that does not know the column goes on writing.
        columns = "org_id, kind, state, name, spec, created_by"
        connection.execute(text(f"INSERT INTO jobs (id, {columns}) SELECT gen_random_uuid(), {columns} FROM jobs"))
        connection.execute(text("UPDATE jobs SET traceparent = 'x'"))
        connection.commit()
        with alembic(connection) as found:
            command.downgrade(found, "20261123_initial")
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 2
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text(traced)).scalars().all() == [None, None]


def test_results_of_earlier_schemas_keep_their_rows_and_tell_nothing_of_their_search(
    settings: Settings, engine: Engine
) -> None:
    told = "SELECT n_rounds, converged, score_spread_kcal_mol FROM results"
    columns = "ligand_id, job_id, org_id, task_id, attempt_no, outcome, line, name, smiles, inchikey, heavy_atoms, "
    columns += "molecular_weight, score_kcal_mol, seconds_cpu, provenance"
    old_row = (
        f"INSERT INTO results ({columns}) SELECT gen_random_uuid(), id, org_id, id, 1, 'scored', 1, 'n', 'C', 'k', 1, "
        "16, -7, 1, '{}' FROM jobs"
    )
    with engine.connect() as connection, alembic(connection) as found:
        command.upgrade(found, "20261124_traceparent")
    with engine.connect() as connection:
        fill(connection)
        connection.execute(text(old_row))
        connection.commit()
    migrate(settings)
    with engine.connect() as connection:
        # Code that does not know the columns goes on writing.
        connection.execute(text(old_row))
        assert connection.execute(text(told)).all() == [(None, None, None)] * 2
        connection.execute(text("UPDATE results SET n_rounds = 4, converged = true, score_spread_kcal_mol = 0.1"))
        connection.commit()
        with alembic(connection) as found:
            command.downgrade(found, "20261124_traceparent")
        assert connection.execute(text("SELECT count(*) FROM results")).scalar_one() == 2
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text(told)).all() == [(None, None, None)] * 2


def test_poses_of_earlier_schemas_keep_their_rows_and_have_no_side_chains(settings: Settings, engine: Engine) -> None:
    moved = "SELECT side_chains_zlib FROM poses"
    again = "INSERT INTO poses (job_id, ligand_id, state_no, rank, org_id, score_kcal_mol, coordinates_zlib) "
    again += "SELECT job_id, gen_random_uuid(), 1, 1, org_id, -7, '' FROM poses"
    stored = "SELECT DISTINCT attstorage FROM pg_attribute WHERE attname = 'side_chains_zlib'"
    with engine.connect() as connection, alembic(connection) as found:
        command.upgrade(found, "20261124_rescoring")
    with engine.connect() as connection:
        fill(connection)
    migrate(settings)
    with engine.connect() as connection:
        # Code that does not know the column goes on writing.
        connection.execute(text(again))
        assert connection.execute(text(moved)).scalars().all() == [None, None]
        # External, in every partition, too.
        assert connection.execute(text(stored)).scalars().all() == ["e"]
        connection.execute(text("UPDATE poses SET side_chains_zlib = 'x'"))
        connection.commit()
        with alembic(connection) as found:
            command.downgrade(found, "20261124_rescoring")
        assert connection.execute(text("SELECT count(*) FROM poses")).scalar_one() == 2
    migrate(settings)
    with engine.connect() as connection:
        assert connection.execute(text(moved)).scalars().all() == [None, None]
