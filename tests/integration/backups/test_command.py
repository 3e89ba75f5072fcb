"""`mad backup` and `mad restore` as an operator calls them."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.backups.conftest import MakeSettings, add_structure, silent
from tests.support.contents import files_of, rows_of

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.infrastructure.backups import back_up
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.installations import chosen_installation
from molecular_analysis_dashboard.infrastructure.migrations import migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.main import run

Mad = Callable[..., tuple[int, Any]]


@pytest.fixture
def mad(source: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mad:
    """Run one command line with --json on the source, or on another installation."""

    def call(*arguments: object, on: Settings = source) -> tuple[int, Any]:
        monkeypatch.setenv("DATABASE_URL", on.database.sqlalchemy_url)
        monkeypatch.setenv("UPLOADS_DIR", str(on.storage.uploads_dir))
        monkeypatch.setenv("RESULTS_DIR", str(on.storage.results_dir))
        code = run([*map(str, arguments), "--json"])
        written = capsys.readouterr().out
        return code, json.loads(written) if written else None

    return call


def test_backup_gets_a_dated_name_in_a_folder_and_is_restored_from_there(
    mad: Mad, source: Settings, target: Settings, tmp_path: Path
) -> None:
    code, made = mad("backup", tmp_path)
    assert code == 0
    (path,) = tmp_path.iterdir()
    assert (made["path"], made["size_bytes"]) == (str(path), path.stat().st_size)
    assert path.name.startswith("mad-20")
    assert made["tables"]["ligands"] == 5
    code, checked = mad("restore", path, "--check", on=target)
    assert code == 0
    assert checked["tables"] == made["tables"]
    code, restored = mad("restore", path, on=target)
    assert code == 0
    assert restored["files"] == 3
    assert rows_of(target) == rows_of(source)


def test_only_the_newest_backups_are_kept_and_other_files_are_left_alone(mad: Mad, tmp_path: Path) -> None:
    old = [f"mad-2025010{day}T000000Z.tar" for day in (1, 2, 3)]
    for name in (*old, "mad-notes.tar", "mine.tar"):
        (tmp_path / name).touch()
    code, made = mad("backup", tmp_path, "--keep", 2)
    assert code == 0
    assert made["removed"] == old[:2]
    assert {path.name for path in tmp_path.iterdir()} == {
        old[2],
        "mad-notes.tar",
        "mine.tar",
        Path(made["path"]).name,
    }


def test_nothing_old_is_removed_when_the_backup_fails_or_files_are_lost(
    mad: Mad, make_settings: MakeSettings, migrated_template: str, target: Settings, tmp_path: Path
) -> None:
    old = tmp_path / "mad-20250101T000000Z.tar"
    old.touch()
    code, told = mad("backup", tmp_path, "--keep", 1, on=target)
    assert (code, told["error"]["code"]) == (ExitCode.NOT_IN_ORDER, "no_schema")
    assert list(tmp_path.iterdir()) == [old]
    damaged = make_settings(migrated_template)
    database = SqlDatabase(damaged.database.sqlalchemy_url)
    lost = add_structure(damaged, database, b"1")
    database.close()
    build_blobs(damaged).uploads.delete(lost)
    code, told = mad("backup", tmp_path, "--keep", 1, on=damaged)
    assert (code, told["error"]["code"]) == (ExitCode.NOT_IN_ORDER, "files_lost")
    assert told["error"]["details"]["lost"] == [{"store": "uploads", "sha256": lost, "reason": "missing"}]
    assert old.exists()
    assert Path(told["error"]["details"]["path"]).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("backup", "{folder}/there.tar"), ExitCode.CONFLICT, "backup_exists"),
        (("backup", "{folder}/absent/b.tar"), ExitCode.INPUT_REFUSED, "backup_unwritable"),
        (("restore", "{folder}/absent.tar"), ExitCode.INPUT_REFUSED, "backup_unreadable"),
        (("restore", "{folder}/there.tar", "--check"), ExitCode.INPUT_REFUSED, "backup_damaged"),
    ],
)
def test_failures_have_their_exit_status_and_code(
    mad: Mad, tmp_path: Path, arguments: tuple[str, ...], code: ExitCode, error: str
) -> None:
    (tmp_path / "there.tar").write_text("no backup")
    status, told = mad(*(argument.format(folder=tmp_path) for argument in arguments))
    assert (status, told["error"]["code"]) == (code, error)
    assert (tmp_path / "there.tar").read_text() == "no backup"


@pytest.mark.parametrize(
    "arguments", [("backup",), ("restore",), ("backup", "new.tar", "--keep", "2"), ("backup", ".", "--keep", "0")]
)
def test_wrong_lines_are_usage_errors(mad: Mad, arguments: tuple[str, ...]) -> None:
    assert mad(*arguments)[0] == ExitCode.USAGE


@pytest.fixture
def data_dirs() -> Iterator[list[Path]]:
    """Two data folders that the servers' account can reach."""
    folders = [Path(tempfile.mkdtemp(prefix="mad-")) for _ in range(2)]
    for folder in folders:
        folder.chmod(0o755)
    yield [folder / "data" for folder in folders]
    for folder in folders:
        shutil.rmtree(folder)


def test_embedded_installation_moves_to_another_folder(
    source: Settings, backup: Path, data_dirs: list[Path], tmp_path: Path
) -> None:
    old, new = data_dirs
    status = run(["backup", str(tmp_path), "--data-dir", str(old)])
    assert status == ExitCode.NOT_FOUND
    assert not old.exists()
    assert run(["restore", str(backup), "--data-dir", str(old)]) == 0
    with chosen_installation(old, {}) as installation:
        assert installation.embedded
        migrate(installation.settings)
        back_up(installation.settings, tmp_path / "second.tar", silent)
        assert rows_of(installation.settings) == rows_of(source)
    assert run(["restore", str(tmp_path / "second.tar"), "--data-dir", str(new)]) == 0
    with chosen_installation(new, {}) as installation:
        assert rows_of(installation.settings) == rows_of(source)
        assert files_of(installation.settings) == files_of(source)
