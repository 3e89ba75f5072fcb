"""Builds for one processor: which of those in a folder may run here, and what it takes to make one."""

import json
import sysconfig
from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.engines import native_builds
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, beside_native
from molecular_analysis_dashboard.adapters.engines.native_builds import (
    RECORD,
    Processor,
    build_of_module,
    module_hash,
    usable_builds,
    write_record,
)
from molecular_analysis_dashboard.adapters.engines.vina_compiler import compile_vina
from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.errors import EngineFailed

NAME = "vina-1.2.7-native"
MODULE = Path("vina", f"_vina_wrapper{sysconfig.get_config_var('EXT_SUFFIX')}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one whole build."""
    make(tmp_path / NAME)
    return tmp_path


def make(place: Path, processor: Processor = Processor.NATIVE) -> EngineBuild:
    (place / "vina").mkdir(parents=True)
    (place / MODULE).write_bytes(b"machine code")
    build = EngineBuild("vina", "1.2.7", place.name, ("vina",), module_hash(place))
    write_record(place, build, processor)
    return build


def test_each_build_has_one_beside_it_that_scores_with_autogrid(folder: Path) -> None:
    builds = usable_builds(folder)
    autogrid = AutoGrid("/usr/bin/autogrid4", "4.2.6", "0123456789abcdef" * 4)

    plain, scored = beside_native(builds, autogrid)

    assert plain == builds[0]
    assert (scored.folder, scored.build.sha256) == (plain.folder, plain.build.sha256)
    assert scored.build.build_id == "vina-1.2.7-autogrid4.2.6-01234567-native"
    assert scored.build.scoring_functions == ("ad4",)
    assert beside_native(builds, None) == builds


def refusals(folder: Path) -> list[str]:
    return [found.refusal for found in native_builds.native_builds(folder)]


def test_build_that_was_made_here_is_usable_and_knows_its_module(folder: Path) -> None:
    (found,) = usable_builds(folder)

    assert found.build.build_id == NAME
    assert found.build.scoring_functions == ("vina",)
    assert build_of_module(folder / NAME / MODULE) == found.build


def test_module_outside_of_a_build_is_that_of_the_wheel(folder: Path) -> None:
    assert build_of_module(folder / "site-packages" / MODULE) is None


@pytest.mark.parametrize("missing", [None, "absent"])
def test_no_folder_holds_no_builds(missing: str | None, tmp_path: Path) -> None:
    assert usable_builds(tmp_path / missing if missing else None) == ()


def test_build_of_another_processor_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "cpuinfo"
    other.write_text("flags\t\t: fpu sse2\n")
    monkeypatch.setattr(native_builds, "_CPU_INFO", other)

    assert usable_builds(folder) == ()
    assert refusals(folder) == ["It was made on another processor."]


def test_level_runs_wherever_the_processor_has_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpu, builds = tmp_path / "cpuinfo", tmp_path / "builds"
    monkeypatch.setattr(native_builds, "_CPU_INFO", cpu)
    cpu.write_text("flags : avx avx2 bmi1 bmi2 f16c fma abm movbe xsave\n")
    make(builds / "vina-1.2.7-x86-64-v3", Processor.V3)
    make(builds / "vina-1.2.7-x86-64-v4", Processor.V4)
    cpu.write_text("flags : avx avx2 bmi1 bmi2 f16c fma abm movbe xsave and_more\n")

    assert [found.build.build_id for found in usable_builds(builds)] == ["vina-1.2.7-x86-64-v3"]
    assert refusals(builds)[1].startswith("This processor lacks avx512bw")


def test_changed_module_is_left_out(folder: Path) -> None:
    (folder / NAME / MODULE).write_bytes(b"other machine code")

    assert refusals(folder) == ["Its compiled module is missing or was changed."]


def test_build_for_another_python_is_left_out(folder: Path) -> None:
    (folder / NAME / MODULE).rename(folder / NAME / "vina" / "_vina_wrapper.cpython-27.so")

    assert usable_builds(folder) == ()


def test_build_under_another_name_is_left_out(folder: Path) -> None:
    (folder / NAME).rename(folder / "vina-1.2.7-mine")

    assert refusals(folder) == ["Its folder is called vina-1.2.7-mine."]


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"processor": "quantum"}', json.dumps({"processor": "native"})])
def test_unreadable_record_is_left_out(folder: Path, record: str) -> None:
    (folder / NAME / RECORD).write_text(record)

    assert refusals(folder) == [f"{RECORD} cannot be read."]


def test_what_is_missing_to_compile_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EngineFailed) as caught:
        compile_vina(tmp_path / "engines", Processor.NATIVE, ("vina",))

    assert caught.value.error_code == "build_impossible"
    assert "g++, swig" in caught.value.message
    assert "apt-get install" in caught.value.message
    assert not (tmp_path / "engines").exists()
