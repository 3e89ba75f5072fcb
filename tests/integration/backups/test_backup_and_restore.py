"""A restored installation holds what the backed-up one held; whatever goes wrong, nothing is half done."""

import resource
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import psycopg
import pytest
from sqlalchemy import make_url, text
from tests.integration.backups.conftest import MakeSettings, add_structure, silent
from tests.integration.migrations.test_migrations import shape
from tests.support.contents import files_of, rows_of, tables_in
from tests.support.next_release import REVISION, next_release

from molecular_analysis_dashboard.adapters.persistence.database_copies import PostgresCopies
from molecular_analysis_dashboard.adapters.persistence.database_snapshot import FILE_COLUMNS
from molecular_analysis_dashboard.adapters.persistence.postgres_programs import programs_for
from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.storage.backup_file import BackupFile, new_backup_file
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, Misconfigured, NotFound, ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.results import ERA_BITS
from molecular_analysis_dashboard.infrastructure.backups import _program_folders, back_up, check, restore
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.migrations import (
    SchemaState,
    head_revision,
    is_at_head,
    migrate,
    status_of,
)
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.use_cases.sign_in import LOCAL


def execute(settings: Settings, *statements: str) -> None:
    database = SqlDatabase(settings.database.sqlalchemy_url)
    with database.begin(SystemScope()) as uow:
        for statement in statements:
            uow.connection.execute(text(statement))
        uow.commit()
    database.close()


def assert_nothing_in(settings: Settings) -> None:
    assert tables_in(settings) == set()
    assert files_of(settings) == {}


def test_restored_installation_holds_every_row_and_file(source: Settings, backup: Path, target: Settings) -> None:
    manifest = restore(target, backup, silent)
    assert rows_of(target) == rows_of(source)
    assert files_of(target) == files_of(source)
    assert len(manifest.files) == 3
    assert manifest.tables["results"] == 1
    assert manifest.tables.keys() == metadata.tables.keys() | {"alembic_version"}
    assert manifest.lost == ()


def test_restored_schema_is_the_very_schema(source: Settings, backup: Path, target: Settings) -> None:
    restore(target, backup, silent)
    shapes = []
    for settings in (source, target):
        database = SqlDatabase(settings.database.sqlalchemy_url)
        with database.engine.connect() as connection:
            shapes.append(shape(connection))
        database.close()
    assert shapes[0] == shapes[1]
    assert is_at_head(target)


def test_restored_rows_are_still_hidden_from_other_organizations(backup: Path, target: Settings) -> None:
    restore(target, backup, silent)
    database = SqlDatabase(target.database.sqlalchemy_url)
    counted = {}
    for org_id in (LOCAL.org_id, new_id()):
        with database.begin(TenantScope(org_id)) as uow:
            counted[org_id] = uow.connection.execute(text("SELECT count(*) FROM ligands")).scalar_one()
    database.close()
    assert list(counted.values()) == [5, 0]


def test_restore_takes_the_place_of_a_migrated_schema_without_contents(
    source: Settings, backup: Path, make_settings: MakeSettings, migrated_template: str
) -> None:
    target = make_settings(migrated_template)
    restore(target, backup, silent)
    assert rows_of(target) == rows_of(source)


def test_nobody_of_the_old_installation_counts_as_alive(backup: Path, target: Settings) -> None:
    restore(target, backup, silent)
    database = SqlDatabase(target.database.sqlalchemy_url)
    with database.begin(SystemScope()) as uow:
        assert uow.connection.execute(text("SELECT state FROM workers")).scalars().all() == ["gone"]
        assert uow.connection.execute(text("SELECT count(*) FROM leases")).scalar_one() == 0
    database.close()


def test_events_resume_in_a_cluster_whose_transaction_ids_are_behind(
    source: Settings, target: Settings, tmp_path: Path
) -> None:
    execute(source, "UPDATE events SET xid = (1000000000000 + id)::text::xid8")
    old = SqlDatabase(source.database.sqlalchemy_url)
    with old.begin(SystemScope()) as uow:
        job_id = uow.connection.execute(text("SELECT job_id FROM events LIMIT 1")).scalar_one()
        seen = uow.connection.execute(text("SELECT xid::text || '-' || id FROM events ORDER BY id")).scalars().all()
    old.close()
    back_up(source, tmp_path / "b.tar", silent)
    restore(target, tmp_path / "b.tar", silent)
    database = SqlDatabase(target.database.sqlalchemy_url)

    def after(cursor: str, limit: int = 100) -> list[str]:
        with database.begin(LOCAL.scope) as uow:
            return [event.cursor for event in uow.events.after(cursor, job_id=None, limit=limit)]

    # All can be read at once, in the old order, from wherever a client stands.
    assert [after(cursor) for cursor in ("", seen[0], seen[-1])] == [seen, seen[1:], []]
    with database.begin(LOCAL.scope) as uow:
        assert uow.events.last_cursor(job_id) == seen[-1]
        now = uow.events.latest_cursor()
        uow.jobs.add_event(job_id, "test", {})
        uow.commit()
    with database.begin(LOCAL.scope) as uow:
        newest = uow.events.last_cursor(job_id)
    assert int(newest.partition("-")[2]) >> ERA_BITS == 1
    # A client that saw what happened after the backup, and was lost, misses nothing that happens now.
    lost = f"{10**13}-{len(seen) + 1000}"
    assert [after(cursor) for cursor in (now, seen[-1], lost, newest)] == [[newest], [newest], [newest], []]
    assert after("", limit=len(seen) + 1) == [*seen, newest]
    database.close()


def test_what_is_written_meanwhile_is_in_whole_or_not_at_all(
    make_settings: MakeSettings, migrated_template: str, target: Settings, tmp_path: Path
) -> None:
    busy = make_settings(migrated_template)
    database = SqlDatabase(busy.database.sqlalchemy_url)
    before, during = add_structure(busy, database, b"before"), ""

    def write(phase: str, _done: int, _total: int) -> None:
        nonlocal during
        if phase == "database" and not during:
            during = add_structure(busy, database, b"during")

    manifest = back_up(busy, tmp_path / "b.tar", write)
    database.close()
    assert during
    assert manifest.tables["structures"] == 1
    restore(target, tmp_path / "b.tar", silent)
    assert {name.partition("/")[2] for name in files_of(target) if name.startswith("uploads")} == {before}


def test_every_column_that_names_a_file_is_known() -> None:
    found = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("sha256") and column.type.python_type is str
    }
    assert found == {(table, column) for table, column, _ in FILE_COLUMNS}


def test_lost_files_are_named_and_the_rest_is_saved(
    make_settings: MakeSettings, migrated_template: str, target: Settings, tmp_path: Path
) -> None:
    settings = make_settings(migrated_template)
    database = SqlDatabase(settings.database.sqlalchemy_url)
    missing, damaged, good = (add_structure(settings, database, content) for content in (b"1", b"2", b"3"))
    database.close()
    build_blobs(settings).uploads.delete(missing)
    (settings.storage.uploads_dir / damaged[:2] / damaged[2:4] / damaged).write_bytes(b"other")
    manifest = back_up(settings, tmp_path / "b.tar", silent)
    assert {(lost.sha256, lost.reason) for lost in manifest.lost} == {(missing, "missing"), (damaged, "damaged")}
    restore(target, tmp_path / "b.tar", silent)
    uploads = {name.partition("/")[2] for name in files_of(target) if name.startswith("uploads")}
    assert uploads == {good}


def test_file_that_is_swept_meanwhile_is_no_loss(
    make_settings: MakeSettings, migrated_template: str, tmp_path: Path
) -> None:
    settings = make_settings(migrated_template)
    database = SqlDatabase(settings.database.sqlalchemy_url)
    swept = add_structure(settings, database, b"deleted long ago")
    database.close()

    def sweep(phase: str, done: int, _total: int) -> None:
        if phase == "files" and done == 0:
            execute(settings, "DELETE FROM receptors", "DELETE FROM structures")
            build_blobs(settings).uploads.delete(swept)

    manifest = back_up(settings, tmp_path / "b.tar", sweep)
    assert manifest.lost == ()
    assert manifest.tables["structures"] == 1
    assert swept not in {file.sha256 for file, _ in manifest.files}


def test_backup_can_be_unpacked_without_this_program(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as archive:
        archive.extractall(tmp_path, filter="data")
    assert (tmp_path / "database.dump").read_bytes()[:5] == b"PGDMP"
    assert (tmp_path / "manifest.json").is_file()
    assert backup.stat().st_mode & 0o077 == 0


def test_part_whose_source_breaks_off_is_not_in_the_backup(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise NotFound("It was deleted meanwhile.")

    with new_backup_file(tmp_path / "b.tar") as archive:
        first = archive.add("first", iter([b"whole"]))
        with pytest.raises(NotFound):
            archive.add("second", broken())
        third = archive.add("third", iter([b"whole", b" too"]))
    assert first is not None
    assert third is not None
    with tarfile.open(tmp_path / "b.tar") as written:
        assert [(member.name, member.size) for member in written] == [("first", 5), ("third", 9)]


def test_nothing_is_overwritten(source: Settings, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("mine")
    with pytest.raises(Conflict, match="exists already"):
        back_up(source, tmp_path / "b.tar", silent)
    assert (tmp_path / "b.tar").read_text() == "mine"


def test_file_that_appears_meanwhile_is_not_overwritten(source: Settings, tmp_path: Path) -> None:
    def appear(_phase: str, _done: int, _total: int) -> None:
        (tmp_path / "b.tar").write_text("mine")

    with pytest.raises(Conflict, match="exists already"):
        back_up(source, tmp_path / "b.tar", appear)
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]
    assert (tmp_path / "b.tar").read_text() == "mine"


def test_interrupted_backup_leaves_nothing(source: Settings, tmp_path: Path) -> None:
    def interrupt(phase: str, _done: int, _total: int) -> None:
        if phase == "files":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(source, tmp_path / "b.tar", interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file can grow beyond 64 KiB, as if the disk were full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_full_disk_is_told_and_leaves_nothing(source: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written: File too large") as caught:
        back_up(source, tmp_path / "b.tar", silent)
    assert caught.value.error_code == "backup_unwritable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["absent", "file"])
def test_folder_that_cannot_be_used_is_told(source: Settings, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        back_up(source, tmp_path / folder / "b.tar", silent)


@pytest.mark.parametrize("left", [0, 100, 0.5, 0.99])
def test_cut_off_backup_is_refused(backup: Path, untouched: Settings, tmp_path: Path, left: float) -> None:
    copy = tmp_path / "b.tar"
    shutil.copy(backup, copy)
    with copy.open("r+b") as file:
        # The last bytes are only padding, ten kilobytes of it.
        file.truncate(int(left if left >= 1 else left * (backup.stat().st_size - 10_240)))
    with pytest.raises(InvalidInput, match="is damaged") as caught:
        restore(untouched, copy, silent)
    assert caught.value.error_code == "backup_damaged"
    assert_nothing_in(untouched)


@pytest.mark.parametrize("name", ["database.dump", "uploads", "results", "manifest.json", "manifest.sha256"])
@pytest.mark.parametrize("place", ["header", "start", "end"])
def test_flipped_byte_is_noticed(backup: Path, untouched: Settings, tmp_path: Path, name: str, place: str) -> None:
    copy = tmp_path / "b.tar"
    shutil.copy(backup, copy)
    with tarfile.open(copy) as archive:
        member = next(member for member in archive if member.name.startswith(name))
    offsets = {"header": member.offset + 2, "start": member.offset_data, "end": member.offset_data + member.size - 1}
    with copy.open("r+b") as file:
        file.seek(offsets[place])
        byte = file.read(1)[0]
        file.seek(offsets[place])
        file.write(bytes([byte ^ 1]))
    with pytest.raises(InvalidInput, match="is damaged"):
        check(copy, silent)
    with pytest.raises(InvalidInput, match="is damaged"):
        restore(untouched, copy, silent)
    assert_nothing_in(untouched)


def test_checking_reads_all_of_it_and_needs_no_installation(backup: Path) -> None:
    seen = []
    manifest = check(backup, lambda phase, done, total: seen.append((phase, done, total)))
    size = sum(part.size_bytes for part in manifest.parts)
    assert seen[-1] == ("check", size, size)


@pytest.mark.parametrize("name", ["absent.tar", ""])
def test_backup_that_cannot_be_read_is_told(untouched: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        restore(untouched, tmp_path / name, silent)


def test_backup_of_a_newer_release_is_refused(source: Settings, untouched: Settings, tmp_path: Path) -> None:
    execute(source, "UPDATE alembic_version SET version_num = '29990101_future'")
    try:
        back_up(source, tmp_path / "b.tar", silent)
    finally:
        execute(source, f"UPDATE alembic_version SET version_num = '{head_revision()}'")
    with pytest.raises(Misconfigured, match="29990101_future, which this release does not know"):
        restore(untouched, tmp_path / "b.tar", silent)
    assert_nothing_in(untouched)


def test_backup_of_an_older_release_is_brought_to_the_present_schema(
    backup: Path, target: Settings, source: Settings, tmp_path: Path
) -> None:
    with next_release(tmp_path):
        restore(target, backup, silent)
        assert status_of(target).state is SchemaState.CURRENT
    assert status_of(target).revision == REVISION
    assert rows_of(target).keys() == rows_of(source).keys()
    assert len(rows_of(target)["results"]) == 1


def test_database_without_a_schema_cannot_be_backed_up(untouched: Settings, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nothing to back up"):
        back_up(untouched, tmp_path / "b.tar", silent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'other')", "1 organizations"),
        ("CREATE TABLE shopping_list ()", "the table shopping_list"),
        (
            "INSERT INTO workers (id, host, pid, version, queues, engine_builds, concurrency, beat_interval_s, state) "
            "VALUES (gen_random_uuid(), 'busy-host', 1, '', '{}', '{}', 1, 2, 'live')",
            "A worker on busy-host uses this database",
        ),
    ],
)
def test_installation_that_is_not_empty_is_refused_with_what_it_holds(
    backup: Path, make_settings: MakeSettings, migrated_template: str, statement: str, told: str
) -> None:
    target = make_settings(migrated_template)
    execute(target, statement)
    before = rows_of(target)
    with pytest.raises(Conflict, match=told):
        restore(target, backup, silent)
    assert rows_of(target) == before
    assert files_of(target) == {}


def test_restoring_twice_is_refused(backup: Path, target: Settings) -> None:
    restore(target, backup, silent)
    before = files_of(target)
    with pytest.raises(Conflict, match="1 jobs"):
        restore(target, backup, silent)
    assert files_of(target) == before


@pytest.mark.parametrize("phase", ["files", "database"])
def test_interrupted_restore_leaves_the_target_empty(backup: Path, target: Settings, phase: str) -> None:
    def interrupt(present: str, done: int, _total: int) -> None:
        if present == phase and (phase == "database" or done == 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(target, backup, interrupt)
    assert_nothing_in(target)
    restore(target, backup, silent)


def test_restore_that_ends_in_the_middle_of_the_rows_changes_nothing(backup: Path, untouched: Settings) -> None:
    archive = BackupFile(backup)
    database = PostgresCopies(untouched.database.conninfo, {}, program_folders=_program_folders())
    dump = b"".join(archive.read(archive.manifest.database))

    def broken() -> Iterator[bytes]:
        yield dump[: len(dump) - 50]
        raise InvalidInput("The rest cannot be read.")

    with pytest.raises(InvalidInput, match="The rest"):
        database.restore(broken(), archive.manifest)
    with pytest.raises(ResourceLost, match="left as it was: pg_restore: "):
        database.restore(iter([dump[: len(dump) // 2]]), archive.manifest)
    assert tables_in(untouched) == set()


def test_files_that_a_killed_restore_left_are_taken_over(backup: Path, target: Settings, source: Settings) -> None:
    archive = BackupFile(backup)
    file, part = archive.manifest.files[0]
    stores = build_blobs(target)
    store = {"uploads": stores.uploads, "results": stores.results}[file.store]
    store.put(archive.read(part), max_bytes=part.size_bytes)
    restore(target, backup, silent)
    assert files_of(target) == files_of(source)


def test_storage_that_cannot_be_written_leaves_the_database_empty(
    backup: Path, make_settings: MakeSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    target = make_settings(RESULTS_DIR=str(tmp_path / "file"))
    with pytest.raises(ResourceLost, match="cannot be used"):
        restore(target, backup, silent)
    assert tables_in(target) == set()


def test_role_that_the_cluster_lacks_is_named(source: Settings, untouched: Settings, tmp_path: Path) -> None:
    execute(source, "CREATE ROLE reporting NOLOGIN", "GRANT SELECT ON jobs TO reporting")
    try:
        back_up(source, tmp_path / "b.tar", silent)
    finally:
        execute(source, "DROP OWNED BY reporting", "DROP ROLE reporting")
    with pytest.raises(Misconfigured, match="does not have: reporting"):
        restore(untouched, tmp_path / "b.tar", silent)
    assert_nothing_in(untouched)


@pytest.fixture
def locked(source: Settings) -> Iterator[str]:
    """A user who needs a password full of special characters; its address lacks it."""
    with psycopg.connect(source.database.conninfo, autocommit=True) as connection:
        (hba,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(hba).read_text()
        connection.execute("CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'p@ss/w%rd'")
        Path(hba).write_text(f"local all locked scram-sha-256\n{rules}")
        connection.execute("SELECT pg_reload_conf()")
        yield source.database.url.set(username="locked").render_as_string()
        Path(hba).write_text(rules)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE locked")


def with_password(source: Settings, url: str, password: str) -> Settings:
    address = make_url(url).set(password=password).render_as_string(hide_password=False)
    storage = {"UPLOADS_DIR": str(source.storage.uploads_dir), "RESULTS_DIR": str(source.storage.results_dir)}
    return load_settings({"DATABASE_URL": address, **storage})


def test_wrong_password_is_told_and_the_right_one_is_on_no_command_line(
    source: Settings, locked: str, tmp_path: Path
) -> None:
    with pytest.raises(ResourceLost, match="password authentication failed"):
        back_up(with_password(source, locked, "wrong"), tmp_path / "b.tar", silent)
    told = tmp_path / "told"
    programs = programs_that_tell(tmp_path / "programs", told)
    address = with_password(source, locked, "p@ss/w%rd").database.conninfo
    with PostgresCopies(address, {}, program_folders=[programs]).snapshot() as snapshot:
        assert b"".join(snapshot.dump()).startswith(b"PGDMP")
    assert "user=locked" in told.read_text()
    assert "p@ss" not in told.read_text()


def programs_that_tell(folder: Path, told: Path) -> Path:
    """PostgreSQL's programs behind scripts that note how they are called."""
    real = programs_for(18, _program_folders())
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        script = folder / name
        program, note = quote(str(real.path(name))), quote(str(told))
        script.write_text(f'#!/bin/sh\necho "$0 $*" >> {note}\nexec {program} "$@"\n')
        script.chmod(0o755)
    return folder


def test_unreachable_database_is_told(backup: Path, make_settings: MakeSettings, tmp_path: Path) -> None:
    target = make_settings(DATABASE_URL="postgresql://mad:secret@127.0.0.1:1/mad")
    with pytest.raises(ResourceLost, match="cannot be used") as restoring:
        restore(target, backup, silent)
    with pytest.raises(ResourceLost, match="cannot be used") as backing_up:
        back_up(target, tmp_path / "b.tar", silent)
    for caught in (restoring, backing_up):
        assert caught.value.error_code == "database_unreachable"
        assert "secret" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_migrating_a_restored_database_again_changes_nothing(backup: Path, target: Settings) -> None:
    restore(target, backup, silent)
    before = rows_of(target)
    migrate(target)
    assert rows_of(target) == before
