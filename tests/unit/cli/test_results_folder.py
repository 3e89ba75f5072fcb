from collections.abc import Iterator
from pathlib import Path

import pytest

from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput, ResourceLost
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, next_free


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def broken() -> Iterator[bytes]:
    yield b"first"
    raise ResourceLost("gone")


@pytest.mark.parametrize("exists", [False, True])
def test_files_appear_together(tmp_path: Path, exists: bool) -> None:
    out = tmp_path / "deep" / "out"
    if exists:
        out.mkdir(parents=True)
    folder = ResultsFolder(out)
    folder.check()
    written = folder.write({"a": [b"1", b"2"], "b": []})
    assert written == {"a": out / "a", "b": out / "b"}
    assert (out / "a").read_bytes() == b"12"
    assert listing(tmp_path) == ["deep", "deep/out", "deep/out/a", "deep/out/b"]


@pytest.mark.parametrize("exists", [False, True])
def test_failing_source_leaves_nothing(tmp_path: Path, exists: bool) -> None:
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    with pytest.raises(ResourceLost):
        ResultsFolder(out).write({"a": [b"1"], "b": broken()})
    assert listing(tmp_path) == (["out"] if exists else [])


@pytest.mark.parametrize("below", ["out", "deep/er/out put"])
def test_check_leaves_nothing(tmp_path: Path, below: str) -> None:
    ResultsFolder(tmp_path / below).check()
    assert listing(tmp_path) == []


def test_failing_source_leaves_no_parent_that_was_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(ResourceLost):
        ResultsFolder(tmp_path / "deep" / "er" / "out").write({"a": broken()})
    assert listing(tmp_path) == []


def test_forced_run_replaces_results_and_keeps_other_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "mine").write_text("mine")
    folder = ResultsFolder(tmp_path, force=True)
    folder.check()
    folder.write({"a": [b"new"]})
    assert (tmp_path / "a").read_text() == "new"
    assert listing(tmp_path) == ["a", "mine"]


def test_forced_run_that_fails_keeps_the_old_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("old")
    with pytest.raises(ResourceLost):
        ResultsFolder(out, force=True).write({"a": [b"new"], "b": broken()})
    assert (out / "a").read_text() == "old"
    assert listing(tmp_path) == ["out", "out/a"]


def test_folder_with_contents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(Conflict, match="not empty"):
        ResultsFolder(tmp_path).check()


@pytest.mark.parametrize("below", ["file", "file/out", "x" * 300, f"{'x' * 300}/out"])
def test_place_that_is_no_folder_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written") as refused:
        ResultsFolder(tmp_path / below).check()
    assert refused.value.error_code == "folder_unusable"


def test_next_free_name_counts_up(tmp_path: Path) -> None:
    first = tmp_path / "demo-results"
    assert next_free(first) == first
    first.mkdir()
    assert next_free(first) == tmp_path / "demo-results-2"
    (tmp_path / "demo-results-2").mkdir()
    assert next_free(first) == tmp_path / "demo-results-3"
