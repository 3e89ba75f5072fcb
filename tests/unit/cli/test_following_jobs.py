"""What the command tells while a job runs, and how it ends when the job did not complete."""

from typing import Any

import pytest
from tests.unit.cli.conftest import Mad, Script

from molecular_analysis_dashboard.presentation.cli import progress, waiting
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

ID = "0190163d-8694-739b-aea5-966c26f8ad91"
JOB, WHY = f"GET /jobs/{ID}", f"GET /jobs/{ID}/waiting"
FILES = ("hits.csv", "poses.sdf", "rejected.csv", "provenance.json")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines and questions come at once, and polls follow each other closely."""
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    monkeypatch.setattr(waiting, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(waiting, "_LONGEST_POLL_S", 0.01)


def job(state: str, **more: Any) -> dict[str, Any]:
    counts = {"input": 20, "scored": 0, "rejected": 0, "rejected_at_reading": 2, "cancelled": 0}
    counts |= more.pop("counts", {})
    counts["waiting"] = counts["input"] - sum(value for name, value in counts.items() if name != "input")
    return {
        "id": ID,
        "kind": "screen",
        "state": state,
        "name": "screen",
        "created_at": "2026-11-24T06:00:00.123456Z",
        "counts": counts,
        **more,
    }


def play(script: Script, *jobs: dict[str, Any] | int, why: tuple[str, ...] = ("running",)) -> None:
    """Let the server tell of the job as it goes on; a number is a status without an answer's body."""
    script.answers[JOB] = [(item, b"") if isinstance(item, int) else (200, item) for item in jobs]
    script.answers[WHY] = [(200, {"code": code, "message": f"Because {code}.", "facts": {}}) for code in why]
    for name in FILES:
        script.answers[f"{JOB}/export/{name}"] = [(200, b"contents")]


CANCELLED = job("cancelled", counts={"scored": 4, "rejected": 1, "cancelled": 13})


@pytest.mark.parametrize("way", [(), ("--wait",)])
def test_partial_results_are_written_and_called_partial(mad: Mad, script: Script, way: tuple[str, ...]) -> None:
    play(script, *([job("running")] if way else []), CANCELLED)
    outcome = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--json", *way)
    assert outcome.code == ExitCode.JOB_NOT_COMPLETED
    assert outcome.json["partial"] is True
    assert sorted(outcome.json["files"]) == sorted(FILES)
    assert "cancelled, so these results are partial: 4 scored, 3 rejected, 13 cancelled of 20 records." in (
        outcome.stderr
    )


def test_whole_results_are_a_success(mad: Mad, script: Script) -> None:
    play(script, job("completed", counts={"scored": 18}))
    outcome = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--json")
    assert (outcome.code, outcome.json["partial"], outcome.stderr) == (0, False, "")


def test_results_of_a_running_job_are_not_written(mad: Mad, script: Script) -> None:
    play(script, job("running"))
    outcome = mad("jobs", "export", ID, "--out", "out", "--server", script.url)
    assert (outcome.code, outcome.stdout) == (ExitCode.CONFLICT, "")
    assert "--wait" in outcome.stderr


def test_paused_job_says_what_is_kept(mad: Mad, script: Script) -> None:
    play(script, job("running"), job("paused", reason="Paused by a user.", counts={"scored": 3}))
    outcome = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--wait")
    assert outcome.code == ExitCode.JOB_NOT_COMPLETED
    assert f"The job {ID} is paused: Paused by a user. The scores of 3 of 18 ligands are kept." in outcome.stderr


def test_each_reason_for_waiting_is_told_once(mad: Mad, script: Script) -> None:
    reasons = ("queued_behind_other_jobs", "queued_behind_other_jobs", "no_workers", "running")
    play(script, *[job("running")] * 6, CANCELLED, why=reasons)
    told = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--wait").stderr
    assert told.count("Waiting: Because queued_behind_other_jobs.") == 1
    assert told.count("Waiting: Because no_workers.") == 1
    assert "Because running." not in told


def test_progress_is_told_though_nothing_changes(mad: Mad, script: Script) -> None:
    play(script, *[job("running", counts={"scored": 5})] * 4, CANCELLED)
    told = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--wait").stderr
    assert told.count("Docking: 5 of 18 (") >= 3


def test_server_that_comes_back_is_told_of(mad: Mad, script: Script) -> None:
    play(script, job("running"), job("running"), 0, 0, job("running"), CANCELLED)
    told = mad("jobs", "export", ID, "--out", "out", "--server", script.url, "--wait").stderr
    assert told.count("The server does not answer; waiting for it") == 1
    assert told.count("The server answers again.") == 1


def test_list_says_that_times_are_utc(mad: Mad, script: Script) -> None:
    script.answers["GET /jobs"] = [(200, {"items": [CANCELLED], "next_cursor": None})]
    assert "2026-11-24T06:00:00Z" in mad("jobs", "list", "--server", script.url).stdout


def test_engine_and_scoring_are_checked_before_anything_is_uploaded(
    mad: Mad, script: Script, inputs: tuple[str, ...]
) -> None:
    script.answers["GET /ready"] = [(200, {"status": "ready"})]
    body = {"code": "scoring_unsupported", "message": "Choose vina.", "details": {}, "request_id": "r"}
    script.answers["POST /protocols"] = [(422, {"error": body})]
    box = ("--center", "0", "0", "0", "--size", "10", "10", "10")
    outcome = mad("dock", *inputs, *box, "--scoring", "ad4", "--server", script.url)
    assert outcome.code == ExitCode.INPUT_REFUSED
    assert "Error [scoring_unsupported]" in outcome.stderr
    assert script.asked == ["GET /ready", "POST /protocols"]
