"""What the command refuses before it talks to anybody, and how it says so."""

import json
import socket
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Mad, Serve

from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

BOX = ("--center", "0", "0", "0", "--size", "10", "10", "10")
JOB = "0190163d-8694-739b-aea5-966c26f8ad91"


def error_code(stderr: str) -> str:
    line = next(line for line in stderr.splitlines() if line.startswith("Error ["))
    return line.partition("[")[2].partition("]")[0]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        BOX[:4],
        BOX[4:],
        (*BOX, "--residues", "A:1"),
        (*BOX, "--padding", "3"),
        ("--residues", " , "),
        ("--center", "0", "0", "--size", "10", "10", "10"),
        ("--center", "0", "0", "x", "--size", "10", "10", "10"),
        (*BOX, "--exhaustiveness", "0"),
        (*BOX, "--effort", "custom"),
        (*BOX, "--effort", "quick", "--exhaustiveness", "8"),
        (*BOX, "--seed", "0"),
        (*BOX, "--poses", "0"),
        (*BOX, "--unknown"),
        ("--residues", "A:1", "--padding", "-1"),
        ("--residues", "A:1", "--padding", "nan"),
        ("--center", "nan", "69", "-10", "--size", "10", "10", "10"),
        ("--center", "0", "0", "0", "--size", "inf", "10", "10"),
    ],
    ids=" ".join,
)
def test_wrong_dock_line_is_a_usage_error(mad: Mad, inputs: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    outcome = mad("dock", *inputs, *arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.stdout == ""
    assert "Usage: mad dock" in outcome.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("jobs", "fly"),
        ("jobs", "show"),
        ("jobs", "show", "not-an-id"),
        ("jobs", "list", "--limit", "0"),
        ("jobs", "list", "--kind", "poetry"),
        ("up", "--port", "0"),
        ("up", "--port", "70000"),
        ("up", "--workers", "0"),
        ("dock", "--receptor", "r.pdb"),
    ],
    ids=" ".join,
)
def test_wrong_line_is_a_usage_error(mad: Mad, arguments: tuple[str, ...]) -> None:
    outcome = mad(*arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.stdout == ""
    assert outcome.stderr


@pytest.mark.parametrize(
    "arguments", [("dock", "--fly"), ("jobs", "show", "not-an-id"), ("fly",), ("up", "--port", "0")], ids=" ".join
)
def test_usage_error_as_json_is_the_only_result(mad: Mad, arguments: tuple[str, ...]) -> None:
    outcome = mad(*arguments, "--json")
    assert outcome.code == ExitCode.USAGE
    assert outcome.json["error"]["code"] == "usage"
    assert outcome.json["error"]["message"] in " ".join(outcome.stderr.split())


def test_version_is_a_result(mad: Mad) -> None:
    outcome = mad("--version")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"{package_version()}\n", "")


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("up", "MAD_DATA_DIR"),
        ("up", "PORT"),
        ("up", "CELERY_WORKER_CONCURRENCY"),
        ("dock", "MAD_SERVER"),
        ("dock", "MAD_TOKEN"),
        ("demo", "MAD_DATA_DIR"),
        ("status", "MAD_DATA_DIR"),
        ("doctor", "MAD_SERVER"),
    ],
)
def test_help_names_the_twin_in_the_environment(mad: Mad, command: str, variable: str) -> None:
    assert f"[env var: {variable}" in " ".join(mad(command, "--help").stdout.split())


def test_missing_receptor_is_refused(mad: Mad, inputs: tuple[str, ...]) -> None:
    outcome = mad("dock", "--receptor", "nowhere.pdb", *inputs[2:], *BOX)
    assert outcome.code == ExitCode.INPUT_REFUSED
    assert error_code(outcome.stderr) == "file_not_found"
    assert "nowhere.pdb" in outcome.stderr
    assert outcome.stdout == ""


@pytest.mark.parametrize("option", ["--receptor", "--ligands", "--out", "--site-from"])
def test_path_that_the_system_refuses_is_no_bug(mad: Mad, inputs: tuple[str, ...], option: str) -> None:
    outcome = mad("dock", *inputs, *(BOX if option != "--site-from" else ()), option, "x" * 300)
    assert outcome.code == ExitCode.INPUT_REFUSED
    assert error_code(outcome.stderr) in ("file_unreadable", "folder_unusable")
    assert "File name too long" in outcome.stderr


def test_home_of_an_unknown_user_is_refused(mad: Mad, inputs: tuple[str, ...]) -> None:
    outcome = mad("dock", *inputs, *BOX, "--receptor", "~nobody-of-this-name/r.pdb")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "path_invalid")


def test_empty_ligand_file_is_refused(mad: Mad, inputs: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "ligands.smi").write_text("")
    outcome = mad("dock", *inputs, *BOX)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "empty_file")


def test_folder_in_place_of_a_file_is_refused(mad: Mad, inputs: tuple[str, ...], tmp_path: Path) -> None:
    outcome = mad("dock", *inputs, "--site-from", tmp_path)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "file_unreadable")


def test_broken_compressed_site_file_is_refused(mad: Mad, inputs: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "native.sdf.gz").write_bytes(b"\x1f\x8bnot really")
    outcome = mad("dock", *inputs, "--site-from", tmp_path / "native.sdf.gz")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "file_unreadable")


def test_huge_site_file_is_refused(mad: Mad, inputs: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "native.sdf").write_bytes(b"x" * 2_000_001)
    outcome = mad("dock", *inputs, "--site-from", tmp_path / "native.sdf")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "too_large")


def test_results_folder_with_contents_is_a_conflict(mad: Mad, inputs: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    outcome = mad("dock", *inputs, *BOX)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.CONFLICT, "folder_not_empty")
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep me"


def test_refusal_as_json_is_the_only_result(mad: Mad, inputs: tuple[str, ...]) -> None:
    outcome = mad("dock", "--receptor", "nowhere.pdb", *inputs[2:], *BOX, "--json")
    assert outcome.json["error"]["code"] == "file_not_found"
    assert outcome.json["error"]["details"] == {"path": "nowhere.pdb"}
    assert "nowhere.pdb" in outcome.stderr


def test_nothing_running_is_told_with_what_to_do(mad: Mad, tmp_path: Path) -> None:
    outcome = mad("jobs", "list")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.NOT_REACHABLE, "not_running")
    assert "mad up" in outcome.stderr
    assert not (tmp_path / "data").exists()


def test_status_of_nothing_is_a_result_but_no_success(mad: Mad, tmp_path: Path) -> None:
    outcome = mad("status", "--json")
    assert outcome.code == ExitCode.NOT_REACHABLE
    assert outcome.json == {"running": False, "data_dir": str(tmp_path / "data")}


def test_down_without_a_stack_is_no_error(mad: Mad, tmp_path: Path) -> None:
    outcome = mad("down", "--json")
    assert outcome.code == 0
    assert outcome.json == {"stopped": False, "data_dir": str(tmp_path / "data")}


@pytest.mark.parametrize("way", [(), ("--detach",)])
def test_start_that_is_refused_leaves_no_folder(
    mad: Mad, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = mad("up", "--port", taken.getsockname()[1], *way)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.CONFLICT, "port_taken")
    monkeypatch.setenv("MAD_LIGAND_TIMEOUT_S", "soon")
    outcome = mad("up", *way)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.NOT_IN_ORDER, "settings_refused")
    assert not (tmp_path / "data").exists()


def test_misspelt_setting_is_warned_of(mad: Mad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAD_SERVRE", "http://elsewhere:8000")
    outcome = mad("status", "--json")
    assert "MAD_SERVRE is not a setting; did you mean MAD_SERVER?" in outcome.stderr
    assert outcome.json["running"] is False


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://localhost", "http://", "8000"])
def test_address_that_is_none_is_refused(mad: Mad, address: str) -> None:
    outcome = mad("jobs", "list", "--server", address)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.INPUT_REFUSED, "server_address_invalid")


def test_silent_server_is_not_reachable(mad: Mad) -> None:
    outcome = mad("jobs", "list", "--server", "http://127.0.0.1:1")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.NOT_REACHABLE, "server_unreachable")


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        (401, ExitCode.NOT_ALLOWED),
        (403, ExitCode.NOT_ALLOWED),
        (404, ExitCode.NOT_FOUND),
        (409, ExitCode.CONFLICT),
        (413, ExitCode.INPUT_REFUSED),
        (422, ExitCode.INPUT_REFUSED),
        (500, ExitCode.FAILED),
        (503, ExitCode.NOT_REACHABLE),
    ],
)
def test_error_of_the_server_decides_the_exit_status(mad: Mad, serve: Serve, status: int, exit_code: int) -> None:
    body = {"error": {"code": "its_code", "message": "Its sentence.", "details": {"a": 1}, "request_id": "r-1"}}
    outcome = mad("jobs", "show", JOB, "--server", serve(status, json.dumps(body)), "--json")
    assert outcome.code == exit_code
    assert outcome.stderr == "Error [its_code]: Its sentence.\n"
    assert outcome.json["error"]["details"] == {"a": 1, "request_id": "r-1"}


def job(**more: object) -> dict[str, object]:
    counts = {"input": 16, "scored": 0, "rejected": 0, "rejected_at_reading": 2, "cancelled": 0, "read": 14}
    body = {"id": JOB, "kind": "ingest", "state": "completed", "name": "Read it", "created_at": "2026-01-01T00:00:00"}
    return body | {"counts": counts | {"waiting": 0}} | more


def test_job_that_read_a_library_shows_what_came_of_its_records(mad: Mad, serve: Serve) -> None:
    shown = mad("jobs", "show", JOB, "--server", serve(200, json.dumps(job())))
    assert "input 16: read 14, rejected 2, cancelled 0, waiting 0\n" in shown.stdout
    listed = mad("jobs", "list", "--server", serve(200, json.dumps({"items": [job()], "next_cursor": None})))
    assert listed.stdout.splitlines()[1].split()[2:7] == ["completed", "14", "0", "2", "16"]


def test_analyses_are_asked_for_by_rank_or_by_ligand(mad: Mad, serve: Serve) -> None:
    body = job(kind="analyse", state="running", name="Analyse it")
    server = serve(202, json.dumps(body))
    for chosen in (("--top", "5", "--first", "6"), ("--ligand", JOB)):
        outcome = mad("analyse", JOB, *chosen, "--no-wait", "--json", "--server", server)
        assert (outcome.code, outcome.json) == (ExitCode.OK, {"job": body})
    assert mad("analyse", JOB, "--top", "0", "--server", server).code == ExitCode.USAGE


def test_ended_analyses_list_what_was_found(mad: Mad, serve: Serve) -> None:
    hit = {
        "ligand_id": JOB,
        "name": "aspirin",
        "score_kcal_mol": -6.25,
        "smiles": "CC(=O)Oc1ccccc1C(=O)O",
        "heavy_atoms": 13,
        "ligand_efficiency": 0.5,
        "molecular_weight": 180.2,
        "analysis": {"valid": False, "failed_checks": ["bond_lengths"], "strain_kcal_mol": None},
        "properties": {"qed": 0.55, "alerts": ["BRENK:phenol_ester"]},
    }
    server = serve(200, json.dumps(job(kind="analyse") | {"items": [hit], "next_cursor": None}))
    outcome = mad("analyse", JOB, "--server", server)

    assert outcome.code == ExitCode.OK
    row = outcome.stdout.splitlines()[-1]
    assert "aspirin" in row
    assert "bond_lengths, BRENK:phenol_ester" in row


@pytest.mark.parametrize("arguments", [("show", JOB), ("show", JOB, "--json"), ("list",)])
def test_names_cannot_steer_the_terminal(mad: Mad, serve: Serve, arguments: tuple[str, ...]) -> None:
    hostile = job(name="red\x1b[31m \u202e evil")
    body = {"items": [hostile], "next_cursor": None} if arguments == ("list",) else hostile
    outcome = mad("jobs", *arguments, "--server", serve(200, json.dumps(body)))
    assert outcome.code == ExitCode.OK
    assert not {"\x1b", "\u202e"} & set(outcome.stdout)
    if "--json" in arguments:
        assert outcome.json == hostile


@pytest.mark.parametrize("body", ["<html>", "", "[]", '{"error": "odd"}', '{"detail": "Not Found"}'])
def test_other_kind_of_server_is_told_apart(mad: Mad, serve: Serve, body: str) -> None:
    outcome = mad("jobs", "show", JOB, "--server", serve(404, body))
    assert outcome.code == ExitCode.NOT_FOUND
    assert "Check that the address" in outcome.stderr


def test_answer_that_is_no_json_is_an_error(mad: Mad, serve: Serve) -> None:
    outcome = mad("jobs", "show", JOB, "--server", serve(200, "<html>"))
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.FAILED, "answer_unreadable")


def test_server_that_is_not_ready_names_the_failing_check(mad: Mad, serve: Serve, inputs: tuple[str, ...]) -> None:
    checks = [
        {"name": "database", "ok": True, "message": "ok"},
        {"name": "broker", "ok": False, "message": "Out of reach."},
    ]
    server = serve(503, json.dumps({"status": "not_ready", "checks": checks}))
    outcome = mad("dock", *inputs, *BOX, "--server", server)
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.NOT_REACHABLE, "not_ready")
    assert "broker: Out of reach." in outcome.stderr
    assert "database" not in outcome.stderr


def test_bug_is_one_line_and_a_log_file(mad: Mad, serve: Serve) -> None:
    outcome = mad("jobs", "show", JOB, "--server", serve(200, "{}"), "--token", "secret-token")
    assert (outcome.code, error_code(outcome.stderr)) == (ExitCode.FAILED, "internal_error")
    assert "Traceback" not in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    log = Path(outcome.stderr.split("with the file ")[1].strip().removesuffix("."))
    text = log.read_text()
    log.unlink()
    assert "Traceback" in text
    assert "secret-token" not in text
