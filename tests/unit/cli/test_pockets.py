import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Mad, Script
from tests.unit.cli.test_preparing import JOB, SITE, options_sent, play

from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

FIRST = {
    "rank": 1,
    "center": [1.0, 2.0, 3.04],
    "volume_angstrom3": 912.0,
    "score": 41.27,
    "residues": [f"A:SER{number}" for number in range(1, 10)],
    "box": {"center": [1.0, 2.0, 3.0], "size": [20.0, 21.5, 19.0]},
}
SECOND = {**FIRST, "rank": 2, "score": 12.0, "residues": ["B:ASP4"]}
REFUSED = {"code": "pocket_not_found", "message": "The receptor has no pocket of rank 9.", "details": {}}


@pytest.fixture
def receptor(tmp_path: Path) -> str:
    path = tmp_path / "1abc.pdb"
    path.write_text("ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C\n")
    return str(path)


def play_pockets(script: Script, *pockets: dict[str, Any]) -> None:
    play(script)
    script.answers["GET /receptors/r1/pockets"] = [(200, {"items": pockets})]


def origin_sent(script: Script) -> Any:
    return json.loads(script.sent["POST /binding-sites"])["origin"]


def test_pockets_are_listed_with_what_a_choice_needs(mad: Mad, script: Script, receptor: str) -> None:
    play_pockets(script, FIRST, SECOND)

    outcome = mad("pockets", "--receptor", receptor, "--server", script.url)

    assert outcome.code == ExitCode.OK
    _, first, second = outcome.stdout.splitlines()
    assert first.split()[:9] == ["1", "41.3", "912", "1.0", "2.0", "3.0", "20.0", "21.5", "19.0"]
    assert first.endswith("A:SER6 and 3 more")
    assert second.rstrip().endswith("B:ASP4")
    assert options_sent(script) == {}


def test_pockets_as_json_are_whole(mad: Mad, script: Script, receptor: str) -> None:
    play_pockets(script, FIRST)
    outcome = mad("pockets", "--receptor", receptor, "--json", "--server", script.url)
    assert outcome.json == {"receptor_id": "r1", "pockets": [FIRST]}


def test_receptor_without_pockets_is_a_result_with_a_warning(mad: Mad, script: Script, receptor: str) -> None:
    play_pockets(script)
    outcome = mad("pockets", "--receptor", receptor, "--json", "--server", script.url)
    assert (outcome.code, outcome.json["pockets"]) == (ExitCode.OK, [])
    assert "no pocket that could hold a ligand" in outcome.stderr


def test_choices_about_the_receptor_reach_the_server(mad: Mad, script: Script, receptor: str) -> None:
    play_pockets(script, FIRST)
    mad("pockets", "--receptor", receptor, "--chains", "A", "--remove", "NAP", "--keep", "LIG", "--server", script.url)
    assert options_sent(script) == {"chains": ["A"], "remove": ["NAP"], "keep": ["LIG"]}


def test_receptor_that_is_refused_has_no_pockets(mad: Mad, script: Script, receptor: str) -> None:
    play(script, "failed", {"code": "nothing_left", "message": "No protein.", "details": {}})
    outcome = mad("pockets", "--receptor", receptor, "--server", script.url)
    assert outcome.code == ExitCode.INPUT_REFUSED
    assert "Error [nothing_left]: No protein." in outcome.stderr


def test_pocket_is_found_without_a_site_and_prepared_for_with_it(mad: Mad, script: Script, receptor: str) -> None:
    play(script)
    asked_before = len(script.asked)

    outcome = mad(
        "prepare", "--receptor", receptor, "--out", "out", "--server", script.url, "--pocket", "2", "--padding", "6",
        "--waters", "near", "--chains", "A",
    )  # fmt: skip

    assert outcome.code == ExitCode.OK
    assert origin_sent(script) == {"type": "pocket", "receptor_id": "r1", "rank": 2, "padding_angstrom": 6.0}
    posts = [line for line in script.asked[asked_before:] if line.startswith("POST")]
    assert posts == ["POST /structures", "POST /receptors", "POST /binding-sites", "POST /receptors"]
    assert options_sent(script) == {
        "chains": ["A"],
        "waters": "near",
        "site_center": SITE["center"],
        "site_radius_angstrom": 7.0,
    }


def test_waters_have_no_part_in_finding_the_pocket(mad: Mad, script: Script, receptor: str) -> None:
    play(script)
    script.answers["POST /binding-sites"] = [(422, {"error": REFUSED})]

    outcome = mad(
        "prepare", "--receptor", receptor, "--out", "out", "--server", script.url, "--pocket", "9", "--waters", "near"
    )

    assert outcome.code == ExitCode.INPUT_REFUSED
    assert "Error [pocket_not_found]" in outcome.stderr
    assert options_sent(script) == {}
    assert not Path("out").exists()
    assert f"POST /jobs/{JOB}/cancel" not in script.asked


@pytest.mark.parametrize("command", ["dock", "validate", "redock", "prepare"])
@pytest.mark.parametrize(
    "arguments", [("--pocket", "0"), ("--pocket", "best"), ("--pocket", "1", "--residues", "A:1")], ids=" ".join
)
def test_wrong_pocket_is_a_usage_error(
    mad: Mad, script: Script, receptor: str, command: str, arguments: tuple[str, ...]
) -> None:
    files = {
        "dock": ("--ligands", receptor),
        "validate": ("--actives", receptor, "--decoys", receptor),
        "redock": ("--ligand", receptor),
        "prepare": (),
    }[command]
    common = ("--receptor", receptor, "--out", "out", "--server", script.url)
    assert mad(command, *common, *files, *arguments).code == ExitCode.USAGE
    assert script.asked == []
