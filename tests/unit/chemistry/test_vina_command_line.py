import os
from pathlib import Path

import pytest
from tests.support.family_programs import Script, without

from molecular_analysis_dashboard.adapters.engines import registry, vina_command_line
from molecular_analysis_dashboard.adapters.engines.vina_command_line import (
    read_command_line,
    scoring_functions_in,
    version_in,
)
from molecular_analysis_dashboard.domain.engine_commands import DockingPrograms
from molecular_analysis_dashboard.domain.errors import EngineFailed

VINA = """
  --batch arg                           batch ligand (PDBQT)
  --scoring arg (=vina)                 scoring function (ad4, vina or
                                        vinardo)

Search space (required):
"""
SMINA = """
Scoring and minimization options:
  --scoring arg                         specify alternative built-in scoring
                                        function
  --custom_scoring arg                  custom scoring function file
  --score_only                          score provided ligand pose (vina or not)
"""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("AutoDock Vina v1.2.3\n", "1.2.3"),
        ("AutoDock Vina 1.1.2 (May 11, 2011)\n", "1.1.2"),
        ("QuickVina-W 1.1 (24 Dec, 2017)\n", "1.1"),
        ("gnina v1.1 master:e4cb380+   Built Dec 18 2023.\n", "1.1"),
        ("Smina Oct 15 2019. Based on AutoDock Vina 1.1.2.\n", "2019.10.15"),
        ("Uni-Dock v1.1.2\n", "1.1.2"),
        ("AutoDock Vina 29f8e8e-mod\n", "0"),
        ("Xyz 45 2019\n", "0"),
    ],
)
def test_version_is_the_program_s_own(text: str, version: str) -> None:
    assert version_in(text) == version


@pytest.mark.parametrize(
    ("help_text", "functions"),
    [
        (VINA, ("vina", "vinardo")),
        (SMINA, ("vina", "vinardo")),
        ("  --exhaustiveness arg (=8) ...\n", ("vina",)),
        ("  --scoring arg  scoring function (vinardo, xyz_2 or vina)\n", ("vina", "vinardo", "xyz_2")),
    ],
)
def test_scoring_functions_are_read_from_the_help(help_text: str, functions: tuple[str, ...]) -> None:
    assert scoring_functions_in(help_text) == functions


def test_ad4_needs_a_program_that_reads_maps(tmp_path: Path) -> None:
    def reads(help_text: str) -> bool:
        return read_command_line("mine", (Script(help=help_text).write(tmp_path / "vina"),)).reads_ad4_maps

    assert reads(without())
    assert not reads(without("maps"))
    # smina's ad4_scoring is another thing, and only Vina lists ad4.
    assert not reads(without("scoring"))


def test_build_is_named_by_program_version_and_contents(tmp_path: Path) -> None:
    program = Script().write(tmp_path / "vina")
    line = read_command_line("mine", (program,))
    assert line.build.build_id.startswith("mine-1.2.3-")
    assert len(line.build.sha256) == 64
    assert line.build == read_command_line("mine", (program,)).build

    with_argument = read_command_line("mine", (program, "--spacing=0.5")).build
    Script(dock="exit 1").write(tmp_path / "vina")
    other = read_command_line("mine", (program,)).build
    assert len({line.build.build_id, with_argument.build_id, other.build_id}) == 3


def test_schema_offers_what_the_help_does(tmp_path: Path) -> None:
    def fields(*missing: str) -> dict[str, dict[str, object]]:
        line = read_command_line("mine", (Script(help=without(*missing)).write(tmp_path / "vina"),))
        properties = line.parameter_schema["properties"]
        assert isinstance(properties, dict)
        return properties

    whole, bare = fields(), fields("min_rmsd", "scoring", "max_evals")
    assert whole.keys() - bare.keys() == {"min_rmsd_angstrom"}
    assert (whole["scoring"]["enum"], bare["scoring"]["enum"]) == (["vina", "vinardo"], ["vina"])
    # Runs that cannot be shortened: presets that do are refused.
    assert ("const" in whole["run_length"], bare["run_length"]["const"]) == (False, 1)


def test_program_without_advanced_help_is_read_all_the_same(tmp_path: Path) -> None:
    refuse = (
        'case "$*" in *advanced*) echo "Command line parse error: unrecognised option --help_advanced"; exit 1;; esac'
    )
    script = Script()
    script.help = f"{refuse}; {script.help}"

    assert "score_only" in read_command_line("mine", (script.write(tmp_path / "vina"),)).options


def test_name_without_a_folder_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Script().write(tmp_path / "some-vina")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert read_command_line("mine", ("some-vina",)).command == (str(tmp_path / "some-vina"),)


@pytest.mark.parametrize(
    ("contents", "mode", "complaint"),
    [
        (None, 0o755, "There is no program"),
        (b"#!/no/such/interpreter\n", 0o755, "loader or interpreter"),
        (b"\x7fELF\x02\x01\x01 of another world", 0o755, "another kind of machine"),
        (b"#!/bin/sh\nexit 0\n", 0o755, "prints nothing"),
        (b"#!/bin/sh\necho 'hello'\n", 0o755, "does not speak Vina's command line"),
        (b"#!/bin/sh\nkill -ILL $$\n", 0o755, "SIGILL"),
        (b"#!/bin/sh\nexec sleep 100\n", 0o755, "did not answer within"),
    ],
)
def test_program_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: bytes | None, mode: int, complaint: str
) -> None:
    monkeypatch.setattr(vina_command_line, "_PROBE_S", 1.0 if b"sleep" in (contents or b"") else 30.0)
    path = tmp_path / "vina"
    if contents is not None:
        path.write_bytes(contents)
        path.chmod(mode)

    with pytest.raises(EngineFailed) as refused:
        read_command_line("mine", (str(path),))
    assert refused.value.error_code == "engine_unusable"
    assert complaint in refused.value.message


def test_options_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="--cpu, --seed"):
        read_command_line("mine", (Script(help=without("cpu", "seed")).write(tmp_path / "vina"),))


def test_programs_are_engines_beside_the_installed_ones(tmp_path: Path) -> None:
    good = (Script().write(tmp_path / "good"),)
    programs = DockingPrograms({"good": good, "gone": (str(tmp_path / "gone"),), "test": good})

    names = [engine.build.engine for engine in registry.usable_engines(programs)]
    assert {"good", "vina"} <= set(names)
    assert "gone" not in names
    with pytest.raises(EngineFailed, match="taken"):
        registry.load_engine("test", programs)
