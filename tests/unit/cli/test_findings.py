"""What the command warns of before it docks."""

from typing import Any

import pytest
from tests.unit.cli.conftest import Script

from molecular_analysis_dashboard.client import Client, Receptor
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.findings import tell_notes

RECEPTOR = Receptor("r1", "receptor", "ready")


def note(residue: str, severity: str, distance: float | None) -> dict[str, Any]:
    return {
        "residue": residue,
        "action": "side_chain_rebuilt",
        "message": f"About {residue}.",
        "severity": severity,
        "distance_angstrom": distance,
    }


def told(script: Script, capsys: pytest.CaptureFixture[str], *notes: dict[str, Any]) -> list[str]:
    script.answers["GET /receptors/r1/report"] = [(200, {"notes": list(notes), "steps": []})]
    with Client(script.url) as client:
        tell_notes(client, Console(), RECEPTOR)
    return capsys.readouterr().err.splitlines()


def test_nearest_warnings_come_first(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    far = [note(f"A:GLY {n}", "warning", 30.0 + n) for n in range(6)]
    near, somewhere = note("A:HIS 57", "warning", 3.14), note("B:LYS 1", "blocking", None)
    lines = told(script, capsys, somewhere, *far, note("A:TRP 2", "info", 1.0), near)
    assert "8 residues of the receptor need a look" in lines[0]
    assert lines[1] == "  A:HIS 57 (3.1 Å from the site's centre): About A:HIS 57."
    assert [line.split()[1] for line in lines[2:6]] == ["0", "1", "2", "3"]
    assert "tab “Receptor”" in lines[6]
    assert len(lines) == 7


def test_what_was_merely_done_is_no_warning(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(script, capsys, note("A:TRP 2", "info", 1.0)) == []
