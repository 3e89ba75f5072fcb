import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Mad, Script

from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

JOB = "0190163d-8694-739b-aea5-966c26f8ad91"
COUNTS = {"input": 1, "scored": 0, "rejected": 0, "rejected_at_reading": 0, "cancelled": 0, "read": 0, "waiting": 0}
SITE = {"id": "s1", "center": [1.0, 2.0, 3.0], "size": [20.0, 24.0, 20.0], "details": {}, "checks": []}
FAR = {"residue": "A:ASN 9", "action": "side_chain_moved", "message": "Turned.", "severity": "warning"}
NEAR = {"residue": "A:HIS 57", "action": "pka", "message": "Open.", "severity": "warning", "distance_angstrom": 4.2}
MERELY_DONE = {"residue": "A:HOH 3", "action": "removed", "message": "Water.", "severity": "info"}
REPORT = {
    "notes": [{"distance_angstrom": 30.0, **FAR}, NEAR, {"distance_angstrom": None, **MERELY_DONE}],
    "steps": ["typed with Meeko"],
    "n_residues": 12,
    "n_atoms": 150,
    "versions": {},
}


@pytest.fixture
def receptor(tmp_path: Path) -> str:
    path = tmp_path / "1abc.pdb"
    path.write_text("ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C\n")
    return str(path)


def play(script: Script, state: str = "ready", error: dict[str, Any] | None = None) -> None:
    """A server on which the preparation ends at once."""
    job = {"id": JOB, "kind": "prepare", "name": "Prepare", "created_at": "2026-01-01T00:00:00", "counts": COUNTS}
    ended = {**job, "state": "completed" if state == "ready" else "failed"}
    made = {"id": "r1", "name": "1abc.pdb", "state": state, "error": error}
    script.answers = {
        "GET /ready": [(200, {"status": "ready", "checks": {}})],
        "POST /structures": [(201, {"id": "p1", "name": "1abc.pdb"})],
        "POST /binding-sites": [(201, SITE)],
        "POST /receptors": [(202, {"receptor": made, "job": ended})],
        f"GET /jobs/{JOB}": [(200, ended)],
        "GET /receptors/r1": [(200, made)],
        "GET /receptors/r1/report": [(200, REPORT)],
        "GET /receptors/r1/file": [(200, b"ATOM")],
    }


def prepare(mad: Mad, script: Script, receptor: str, *arguments: str) -> Any:
    return mad("prepare", "--receptor", receptor, "--out", "out", "--server", script.url, *arguments)


def options_sent(script: Script) -> dict[str, Any]:
    options: dict[str, Any] = json.loads(script.sent["POST /receptors"])["options"]
    return options


def test_receptor_and_report_are_written_and_the_nearest_note_comes_first(
    mad: Mad, script: Script, receptor: str, tmp_path: Path
) -> None:
    play(script)

    outcome = prepare(mad, script, receptor)

    assert outcome.code == ExitCode.OK
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"receptor.pdb", "receptor.pdbqt", "report.json"}
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == REPORT
    assert [line.split()[0] for line in outcome.stdout.splitlines()[1:]] == ["A:HIS", "A:ASN"]
    assert "provenance.json" not in outcome.stderr
    assert options_sent(script) == {}


def test_everything_is_shown_on_demand(mad: Mad, script: Script, receptor: str) -> None:
    play(script)
    assert len(prepare(mad, script, receptor, "--all").stdout.splitlines()) == 4


def test_report_as_json_is_the_only_result(mad: Mad, script: Script, receptor: str) -> None:
    play(script)
    outcome = prepare(mad, script, receptor, "--json")
    assert outcome.json["report"] == REPORT
    assert set(outcome.json["files"]) == {"receptor.pdb", "receptor.pdbqt", "report.json"}


def test_options_reach_the_server_with_the_site(mad: Mad, script: Script, receptor: str) -> None:
    play(script)

    prepare(
        mad, script, receptor, "--residues", "A:57", "--chains", "A,B", "--waters", "bridging", "--water-reach", "3.5",
        "--keep", "NAG:A", "--remove", "ZN,HEM:B", "--keep-within", "8", "--ph", "6.5", "--caps",
        "--override-problems", "--model", "2",
    )  # fmt: skip

    assert options_sent(script) == {
        "chains": ["A", "B"],
        "model": 2,
        "waters": "bridging",
        "water_reach_angstrom": 3.5,
        "keep": ["NAG:A"],
        "remove": ["ZN", "HEM:B"],
        "keep_within_angstrom": 8.0,
        "ph": 6.5,
        "caps": True,
        "override_problems": True,
        "site_center": [1.0, 2.0, 3.0],
        "site_radius_angstrom": 7.0,
    }


def test_refusal_is_told_and_leaves_no_folder(mad: Mad, script: Script, receptor: str, tmp_path: Path) -> None:
    play(script, "failed", {"code": "problems_near_site", "message": "A:HIS 57: it lacks CB.", "details": {}})

    outcome = prepare(mad, script, receptor)

    assert outcome.code == ExitCode.INPUT_REFUSED
    assert "Error [problems_near_site]: A:HIS 57: it lacks CB." in outcome.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--waters", "some"),
        ("--ph", "15"),
        ("--model", "0"),
        ("--keep-within", "-1"),
        ("--residues", "A:1", "--center", "0", "0", "0", "--size", "9", "9", "9"),
    ],
    ids=" ".join,
)
def test_wrong_line_is_a_usage_error(mad: Mad, script: Script, receptor: str, arguments: tuple[str, ...]) -> None:
    assert prepare(mad, script, receptor, *arguments).code == ExitCode.USAGE
    assert script.asked == []


def test_results_folder_with_contents_is_a_conflict(mad: Mad, script: Script, receptor: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")

    assert prepare(mad, script, receptor).code == ExitCode.CONFLICT
    assert script.asked == []
