"""``mad engines``, each time through the program that loads the engines."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.support.autogrid_scripts import write_autogrid
from tests.unit.cli.conftest import Mad


def test_installed_engines_are_listed(mad: Mad, tmp_path: Path) -> None:
    outcome = mad("engines", "list", "--builds-dir", str(tmp_path), "--json")

    assert outcome.code == 0
    builds = json.loads(outcome.stdout)["builds"]
    assert [build["build_id"] for build in builds if build["engine"] == "vina"] == ["vina-1.2.7-portable"]
    assert all(build["refusal"] == "" for build in builds)


def test_build_that_scores_with_autogrid_is_listed(mad: Mad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAD_AUTOGRID_COMMAND", write_autogrid(tmp_path / "autogrid4"))

    outcome = mad("engines", "list", "--builds-dir", str(tmp_path), "--json")

    builds = json.loads(outcome.stdout)["builds"]
    scored = [build for build in builds if build["scoring_functions"] == ["ad4"]]
    assert [build["engine"] for build in scored] == ["vina"]
    assert scored[0]["build_id"].startswith("vina-1.2.7-autogrid4.2.6-")


def test_broken_build_is_listed_with_the_reason(mad: Mad, tmp_path: Path) -> None:
    (tmp_path / "vina-1.2.7-native").mkdir()
    (tmp_path / "vina-1.2.7-native" / "build.json").write_text("{}")

    outcome = mad("engines", "list", "--builds-dir", str(tmp_path))

    assert outcome.code == 0
    assert "build.json cannot be read." in outcome.stdout


@pytest.mark.parametrize(("processor", "code"), [("quantum", "processor_unknown"), ("native", "build_impossible")])
def test_build_that_cannot_be_made_is_refused(
    mad: Mad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processor: str, code: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("g++") is None
    assert Path(sys.executable).is_file()

    outcome = mad("engines", "build", "--for", processor, "--builds-dir", str(tmp_path / "builds"))

    assert outcome.code != 0
    assert f"Error [{code}]" in outcome.stderr
    assert not (tmp_path / "builds").exists()
