"""Old code works on the schema of the next release, and every process tells a schema on which it cannot work."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from structlog.testing import capture_logs
from tests.integration.migrations.conftest import MakeSettings
from tests.integration.migrations.test_migrations import alembic, config
from tests.support.next_release import REVISION, next_release
from tests.support.schema_changes import broken_promises, read_schema

from molecular_analysis_dashboard.adapters.persistence.migrations.releases import RELEASES, served_revisions
from molecular_analysis_dashboard.domain.errors import Misconfigured, ResourceLost
from molecular_analysis_dashboard.infrastructure.database_watch import CLOCK_TOLERANCE_S, DatabaseWatch, clock_ahead_s
from molecular_analysis_dashboard.infrastructure.migrations import (
    SchemaState,
    _scripts,
    head_revision,
    migrate,
    status_of,
)
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.presentation.cli.main import run

HEAD = head_revision()


@pytest.fixture
def settings(make_settings: MakeSettings, migrated_template: str) -> Settings:
    """Settings that name a database at head."""
    return make_settings(migrated_template)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def unmigrated(make_settings: MakeSettings) -> Settings:
    """Settings that name an empty database."""
    return make_settings()


def say_too_new(engine: Engine) -> None:
    """Let the database be that of a release which does not serve this one."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '39990101_far'"))
        connection.execute(text("COMMENT ON TABLE alembic_version IS 'serves code at 39990101_far, 29990101_next'"))


def test_no_migration_since_the_last_release_takes_anything_from_old_code(unmigrated: Settings) -> None:
    engine = create_engine(unmigrated.database.sqlalchemy_url)
    scripts = ScriptDirectory.from_config(config())
    newest_release = RELEASES[-1][1]
    since = [script.revision for script in scripts.iterate_revisions("head", newest_release)]
    with engine.connect() as connection:
        with alembic(connection) as found:
            command.upgrade(found, newest_release)
        before = read_schema(connection)
        for revision in reversed(since):
            with alembic(connection) as found:
                command.upgrade(found, revision)
            assert broken_promises(before, read_schema(connection)) == [], revision
    engine.dispose()


def test_releases_name_revisions_in_their_order() -> None:
    order = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()][::-1]
    named = [revision for _, revision in RELEASES]
    assert named == sorted(named, key=order.index)


def test_additions_break_no_promise(connection: Connection, settings: Settings, tmp_path: Path) -> None:
    before = read_schema(connection)
    connection.rollback()
    with next_release(tmp_path):
        migrate(settings)
    assert broken_promises(before, read_schema(connection)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE jobs DROP COLUMN reason", "jobs.reason is gone"),
        ("ALTER TABLE jobs RENAME COLUMN reason TO why", "jobs.reason is gone"),
        ("DROP TABLE audit_log", "audit_log.action is gone"),
        ("ALTER TABLE jobs ADD COLUMN x int NOT NULL", "jobs.x is required"),
        ("ALTER TABLE jobs ALTER COLUMN reason SET NOT NULL", "jobs.reason may no longer be empty"),
        ("ALTER TABLE jobs ALTER COLUMN created_at DROP DEFAULT", "jobs.created_at has lost its default"),
        ("ALTER TABLE users ALTER COLUMN display_name TYPE varchar(5)", "users.display_name has another type"),
        ("ALTER TABLE jobs ADD CONSTRAINT c CHECK (name <> '')", "jobs c restricts"),
        ("CREATE UNIQUE INDEX u ON jobs (name)", "jobs u restricts"),
        ("REVOKE INSERT ON jobs FROM mad_tenant", "mad_tenant may no longer INSERT jobs"),
    ],
)
def test_whatever_old_code_would_miss_is_noticed(connection: Connection, change: str, told: str) -> None:
    before = read_schema(connection)
    connection.execute(text(change))
    assert any(problem.startswith(told) for problem in broken_promises(before, read_schema(connection)))


def test_old_code_serves_on_the_next_schema_but_not_on_the_one_after(settings: Settings, tmp_path: Path) -> None:
    with next_release(tmp_path):
        behind = status_of(settings)
        assert (behind.state, behind.pending, behind.usable) == (SchemaState.BEHIND, (REVISION,), False)
        migrate(settings)
        assert status_of(settings).state is SchemaState.CURRENT
    newer = status_of(settings)
    assert (newer.state, newer.usable) == (SchemaState.NEWER, True)
    migrate(settings)
    assert status_of(settings) == newer


def test_schema_that_does_not_serve_this_release_is_told(settings: Settings, engine: Engine) -> None:
    say_too_new(engine)
    status = status_of(settings)
    assert (status.state, status.usable) == (SchemaState.TOO_NEW, False)
    with pytest.raises(Misconfigured, match="39990101_far, which this release"):
        migrate(settings)
    assert "39990101_far, which this release" in status.sentence
    with engine.begin() as connection:
        connection.execute(text("COMMENT ON TABLE alembic_version IS NULL"))
    assert status_of(settings).state is SchemaState.TOO_NEW


def test_each_release_serves_the_one_before_it(tmp_path: Path) -> None:
    with next_release(tmp_path):
        served = served_revisions(_scripts(), REVISION)
    assert served[:2] == (REVISION, HEAD)
    assert served[-1] == RELEASES[-1][1]


@pytest.mark.parametrize(
    ("state", "code"), [("behind", 1), ("current", 0), ("newer", 0), ("too_new", 1), ("unreachable", 1)]
)
def test_check_tells_the_state_in_one_line_and_by_its_exit_status(
    settings: Settings,
    unmigrated: Settings,
    tmp_path: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    code: int,
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database.sqlalchemy_url)
    if state == "behind":
        monkeypatch.setenv("DATABASE_URL", unmigrated.database.sqlalchemy_url)
    if state == "newer":
        with next_release(tmp_path):
            migrate(settings)
    if state == "too_new":
        say_too_new(engine)
    if state == "unreachable":
        monkeypatch.setenv("DATABASE_URL", "postgresql://mad:secret@127.0.0.1:1/mad")
    assert run(["migrate", "--check"]) == code
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "secret" not in said.out
    assert run(["migrate", "--check", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["usable"]) == (state, code == 0)
    assert told.get("pending", ["unknown"])[-1:] == {"behind": [HEAD], "unreachable": ["unknown"]}.get(state, [])


def test_migrate_applies_what_is_missing_and_says_so(
    unmigrated: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", unmigrated.database.sqlalchemy_url)
    assert run(["migrate"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Applied 20261123_initial, ")
    assert f", {HEAD}. The database is at {HEAD}" in said
    assert run(["migrate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] == []


@pytest.mark.parametrize(
    ("address", "code", "told"),
    [
        ("postgresql://mad:secret@127.0.0.1:1/mad", 255, "The database postgresql+psycopg://***@"),
        ("mysql://mad:secret@127.0.0.1:1/mad", 9, "The settings cannot be used: - DATABASE_URL"),
        ("too_new", 255, "The database is at 39990101_far, which this release does not know."),
        ("newer", 0, "The database serves this release still."),
    ],
)
def test_alembic_itself_says_in_one_line_of_log_what_is_wrong(
    settings: Settings, engine: Engine, tmp_path: Path, address: str, code: int, told: str
) -> None:
    if address == "too_new":
        say_too_new(engine)
    if address == "newer":
        with next_release(tmp_path):
            migrate(settings)
    environment = {"DATABASE_URL": address if "://" in address else settings.database.sqlalchemy_url}
    ini = Path(__file__).parents[3] / "alembic.ini"
    ran = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", ini, "upgrade", "head"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, "secret" in ran.stderr) == (code, "", False), ran.stderr
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert lines[-1]["message"].startswith(told)
    assert "exception" not in lines[-1]


def test_watch_accepts_what_is_in_order(engine: Engine) -> None:
    DatabaseWatch(engine).look()


def test_watch_refuses_a_database_without_a_schema(unmigrated: Settings) -> None:
    engine = create_engine(unmigrated.database.sqlalchemy_url)
    with pytest.raises(ResourceLost, match="no migration"):
        DatabaseWatch(engine).look()
    engine.dispose()


def test_watch_refuses_a_database_that_takes_no_writes(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        name = settings.database.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    engine.dispose()
    with pytest.raises(ResourceLost) as caught:
        DatabaseWatch(engine).look()
    assert caught.value.error_code == "database_read_only"


def test_clock_that_differs_is_told_once_and_when_it_agrees_again(
    connection: Connection, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert abs(clock_ahead_s(connection)) < CLOCK_TOLERANCE_S
    watch = DatabaseWatch(engine)
    real = time.time
    with capture_logs() as lines:
        monkeypatch.setattr(time, "time", lambda: real() + 3600)
        watch.look()
        watch.look()
        monkeypatch.setattr(time, "time", real)
        watch.look()
    assert [line["event"] for line in lines] == ["clock.differs", "clock.agrees"]
    assert lines[0]["ahead_of_database_s"] == pytest.approx(3600, abs=CLOCK_TOLERANCE_S)
