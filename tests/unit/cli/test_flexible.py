"""`--flexible` as it reaches the server."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Mad, Script

from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

BOX = ("--center", "0", "0", "0", "--size", "10", "10", "10")
REFUSAL = {"code": "parameter_unsupported", "message": "It cannot move side chains.", "details": {}, "request_id": "r"}


def command(name: str, tmp_path: Path) -> tuple[str, ...]:
    """A command line that nothing is wrong with."""
    for file_name in ("receptor.pdb", "ligands.smi", "decoys.smi", "native.sdf"):
        (tmp_path / file_name).write_text("ATOM\n")
    given = {
        "dock": ("--ligands", "ligands.smi"),
        "redock": ("--ligand", "native.sdf"),
        "validate": ("--actives", "ligands.smi", "--decoys", "decoys.smi"),
    }
    return (name, "--receptor", "receptor.pdb", *given[name], *BOX, "--out", "out")


def asked(mad: Mad, script: Script, *arguments: str) -> Any:
    """Return the protocol that a server which refuses it was sent."""
    script.answers["GET /ready"] = [(200, {"status": "ready"})]
    script.answers["GET /engines"] = [(200, {"items": []})]
    script.answers["POST /protocols"] = [(422, {"error": REFUSAL})]
    outcome = mad(*arguments, "--server", script.url)
    assert outcome.code == ExitCode.INPUT_REFUSED
    assert "It cannot move side chains." in outcome.stderr
    assert script.asked[-1] == "POST /protocols"
    return json.loads(script.sent["POST /protocols"])["protocol"]


@pytest.mark.parametrize("name", ["dock", "redock", "validate"])
def test_flexible_residues_are_part_of_the_protocol(mad: Mad, script: Script, tmp_path: Path, name: str) -> None:
    given = command(name, tmp_path)

    flexible = asked(mad, script, *given, "--flexible", "A:GLU80, A:THR315,")
    assert flexible["flexible_residues"] == ["A:GLU80", "A:THR315"]
    assert "flexible_residues" not in asked(mad, script, *given)


def test_flexible_without_a_residue_is_a_usage_error(mad: Mad, tmp_path: Path) -> None:
    for names in ("", " , "):
        outcome = mad(*command("dock", tmp_path), "--flexible", names)
        assert outcome.code == ExitCode.USAGE
        assert "--flexible" in outcome.stderr
