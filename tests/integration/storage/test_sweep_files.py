"""Files that no row refers to go; a file that somebody is about to refer to never does."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.s3_server import S3Server
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.persistence.sweep import HOLD_ALL_FILES
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.catalog import Library, ReadyState, Receptor, Structure
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, new_id
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.infrastructure.sweeper import Sweeper
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.sweep import FileKind
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork
from molecular_analysis_dashboard.use_cases.stored_files import keep_file
from molecular_analysis_dashboard.use_cases.sweep import SweepFiles

NOW = datetime.now(UTC)
# Storage counts age in whole seconds: with this, what was just put is old.
AT_ONCE = -5.0
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def put(store: BlobStore, content: str) -> str:
    return store.put([content.encode()], max_bytes=1000).sha256


def names(store: BlobStore) -> set[str]:
    return {info.sha256 for info in store.list()}


def sweep(database: SqlDatabase, store: BlobStore, kind: FileKind, *, older_than_s: float = AT_ONCE) -> SweepFiles:
    return SweepFiles(database, {kind: store}, older_than_s=older_than_s)


def add_structure(uow: UnitOfWork, principal: Principal, sha256: str) -> Structure:
    structure = Structure(new_id(), "s", "s.pdb", sha256, 1, {}, principal.user_id, NOW)
    uow.structures.add(structure)
    return structure


def identity(database: SqlDatabase) -> str:
    with database.begin(SystemScope()) as uow:
        return uow.sweep.database_identity()


def is_held(database: SqlDatabase) -> bool:
    with database.begin(SystemScope()) as uow:
        return bool(uow.connection.execute(text(HELD)).scalar_one())


def is_waiting(database: SqlDatabase) -> bool:
    with database.begin(SystemScope()) as uow:
        return bool(uow.connection.execute(text(WAITING)).scalar_one())


class TestUploads:
    def test_only_what_no_row_refers_to_goes(
        self, database: SqlDatabase, principal: Principal, other_principal: Principal, store: BlobStore
    ) -> None:
        of_structure, of_deleted, of_library, of_other, unused = (put(store, f"file {n}") for n in range(5))
        with database.begin(principal.scope) as uow:
            add_structure(uow, principal, of_structure)
            uow.structures.delete(add_structure(uow, principal, of_deleted).id)
            owner = principal.user_id
            uow.libraries.add(Library(new_id(), "l", "l.smi", of_library, 1, ReadyState.PREPARING, owner, NOW))
            uow.commit()
        with database.begin(other_principal.scope) as uow:
            add_structure(uow, other_principal, of_other)
            uow.commit()
        sweep(database, store, FileKind.UPLOAD)()
        assert names(store) == {of_structure, of_deleted, of_library, of_other}
        assert not store.exists(unused)

    def test_a_young_file_stays(self, database: SqlDatabase, store: BlobStore) -> None:
        young = put(store, "on its way")
        sweep(database, store, FileKind.UPLOAD, older_than_s=60)()
        assert names(store) == {young}

    def test_a_sweep_told_to_stop_removes_nothing_more(self, database: SqlDatabase, store: BlobStore) -> None:
        unused = {put(store, f"unused {n}") for n in range(5)}
        answers = iter([True, True, True])
        sweep(database, store, FileKind.UPLOAD)(lambda: next(answers, False))
        assert len(names(store) & unused) == 3
        sweep(database, store, FileKind.UPLOAD)()
        assert names(store) == set()

    def test_more_files_than_one_question_are_all_looked_at(
        self, database: SqlDatabase, store: BlobStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("molecular_analysis_dashboard.use_cases.sweep._BATCH_FILES", 3)
        for number in range(8):
            put(store, f"many {number}")
        sweep(database, store, FileKind.UPLOAD)()
        assert names(store) == set()


def test_results_are_kept_by_receptors(database: SqlDatabase, principal: Principal, store: BlobStore) -> None:
    pdbqt, pdb, upload, unused = (put(store, f"result {n}") for n in range(4))
    receptor_id, owner = new_id(), principal.user_id
    with database.begin(principal.scope) as uow:
        # What an upload is called keeps no result.
        structure = add_structure(uow, principal, upload)
        uow.structures.add_receptor(Receptor(receptor_id, structure.id, "r", {}, ReadyState.PREPARING, owner, NOW))
        uow.structures.receptor_ready(receptor_id, pdbqt_sha256=pdbqt, pdb_sha256=pdb, content_hash="h", report={})
        uow.commit()
    sweep(database, store, FileKind.RESULT)()
    assert names(store) == {pdbqt, pdb}
    assert not store.exists(unused)


class TestOwner:
    def test_the_files_of_another_database_are_left_alone(self, database: SqlDatabase, store: BlobStore) -> None:
        foreign = put(store, "foreign")
        assert store.claim("another database") == "another database"
        sweep(database, store, FileKind.UPLOAD)()
        assert names(store) == {foreign}

    def test_databases_of_one_server_are_told_apart(self, database: SqlDatabase) -> None:
        url = database.engine.url
        neighbour = SqlDatabase(url.set(database="postgres").render_as_string(hide_password=False))
        identities = [identity(database), identity(neighbour), identity(database)]
        neighbour.close()
        assert identities[0] == identities[2] != identities[1]


class TestMeeting:
    """A sweep and an upload of the same content at the same time."""

    def test_a_sweep_waits_for_a_row_on_its_way_and_then_keeps_its_file(
        self, database: SqlDatabase, principal: Principal, store: BlobStore
    ) -> None:
        sha256 = put(store, f"wanted again {new_id()}")
        with in_background(sweep(database, store, FileKind.UPLOAD)) as start:
            with database.begin(principal.scope) as uow:
                keep_file(uow, store, sha256)
                add_structure(uow, principal, sha256)
                swept = start()
                wait_until(lambda: is_waiting(database), 20, "the sweep does not wait")
                uow.commit()
            swept.result(20)
        assert store.exists(sha256)

    def test_a_sweep_goes_on_when_the_row_never_came(
        self, database: SqlDatabase, principal: Principal, store: BlobStore
    ) -> None:
        sha256 = put(store, f"given up {new_id()}")
        with in_background(sweep(database, store, FileKind.UPLOAD)) as start:
            with database.begin(principal.scope) as uow:
                keep_file(uow, store, sha256)
                add_structure(uow, principal, sha256)
                swept = start()
                wait_until(lambda: is_waiting(database), 20, "the sweep does not wait")
            swept.result(20)
        assert not store.exists(sha256)

    def test_a_row_that_comes_too_late_is_refused(
        self, database: SqlDatabase, principal: Principal, store: BlobStore
    ) -> None:
        content = f"too late {new_id()}"
        sha256 = put(store, content)
        slow = SlowToDelete(store)
        with in_background(sweep(database, slow, FileKind.UPLOAD)) as start:
            swept = start()
            assert slow.deleting.wait(20)
            with ThreadPoolExecutor(1) as pool:
                refused = pool.submit(self.refer, database, principal, store, sha256)
                wait_until(lambda: is_waiting(database), 20, "the upload does not wait")
                slow.may_delete.set()
                assert refused.result(20).error_code == "file_swept"
            swept.result(20)
        assert put(store, content) == sha256
        with database.begin(principal.scope) as uow:
            keep_file(uow, store, sha256)

    def test_no_file_goes_while_a_backup_copies_them(self, database: SqlDatabase, store: BlobStore) -> None:
        unused = {put(store, "held 1"), put(store, "held 2")}
        with database.engine.connect() as first, database.engine.connect() as second:
            first.execute(text(HOLD_ALL_FILES))
            second.execute(text(HOLD_ALL_FILES))
            sweep(database, store, FileKind.UPLOAD)()
            assert names(store) == unused
            first.invalidate()
            sweep(database, store, FileKind.UPLOAD)()
            assert names(store) == unused
            second.invalidate()
        wait_until(lambda: not is_held(database), 20, "the backups' locks stay")
        sweep(database, store, FileKind.UPLOAD)()
        assert names(store) == set()

    @staticmethod
    def refer(database: SqlDatabase, principal: Principal, store: BlobStore, sha256: str) -> ResourceLost:
        with database.begin(principal.scope) as uow, pytest.raises(ResourceLost) as caught:
            keep_file(uow, store, sha256)
        return caught.value


class SlowToDelete:
    """A store that waits for a word before it deletes."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self.deleting, self.may_delete = threading.Event(), threading.Event()

    def delete(self, sha256: str) -> None:
        self.deleting.set()
        assert self.may_delete.wait(20)
        self._store.delete(sha256)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[Callable[[], "Future[None]"]]:
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(work)


class TestSweeper:
    def test_the_leader_sweeps_what_is_old_in_its_bucket(self, settings: Settings, s3: S3Server) -> None:
        chosen, store = self.with_bucket(settings, s3)
        unused = put(store, "unused")
        with self.sweeping(chosen):
            wait_until(lambda: not store.exists(unused), 30, "the leader does not sweep")

    def test_who_does_not_lead_does_not_sweep(self, settings: Settings, s3: S3Server) -> None:
        chosen, store = self.with_bucket(settings, s3)
        unused = put(store, "unused")
        asked = threading.Semaphore(0)

        def leads() -> bool:
            asked.release()
            return False

        sweeper = Sweeper(chosen, leads)
        sweeper.start()
        for _ in range(2):
            assert asked.acquire(timeout=20)
        sweeper.stop(timeout_s=20)
        assert store.exists(unused)

    def test_a_bucket_out_of_reach_does_not_end_the_sweeping(self, settings: Settings, s3: S3Server) -> None:
        bucket = "made-later-for-the-sweep"
        environ = s3.settings(bucket)
        chosen = self.choose(settings, environ)
        with self.sweeping(chosen):
            s3.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            key = f"mad/uploads/{'0' * 64}"
            s3.s3.put_object(Bucket=bucket, Key=key, Body=b"x")
            wait_until(lambda: key not in s3.keys(bucket), 30, "the sweep did not go on")

    @staticmethod
    @contextmanager
    def sweeping(settings: Settings) -> Iterator[None]:
        sweeper = Sweeper(settings, lambda: True)
        sweeper.start()
        yield
        sweeper.stop(timeout_s=20)

    def with_bucket(self, settings: Settings, s3: S3Server) -> tuple[Settings, BlobStore]:
        chosen = self.choose(settings, s3.settings(s3.make_bucket()))
        return chosen, build_blobs(chosen).uploads

    @staticmethod
    def choose(settings: Settings, environ: dict[str, str]) -> Settings:
        # Storage counts in whole seconds: one is the least that makes a difference.
        other = load_settings({**environ, "MAD_SWEEP_AFTER_S": "1"})
        return settings.model_copy(update={"storage": other.storage, "ledger": other.ledger})
