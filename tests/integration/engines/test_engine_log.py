"""What an engine process tells: log lines with the ids of whoever asked, and numbers for its slot's counters."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from mad_test_engine import CRASHER
from tests.integration.engines.conftest import MakeProcess, site
from tests.support.counted import Counted

from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord
from molecular_analysis_dashboard.infrastructure.logging import bind_ids
from molecular_analysis_dashboard.ports.chemistry_process import ProcessEnded

TEST_SITE = site("REMARK any receptor will do", engine="test")
IDS: dict[str, str | int] = {"request_id": "r-1", "org_id": "o-1", "job_id": "j-1", "task_id": "t-1", "attempt_no": 2}
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """What has gone to this process's standard output since the last look."""
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_lines_carry_the_ids_of_each_request(make_process: MakeProcess, lines: Lines) -> None:
    process = make_process(log_level="info")
    with bind_ids(**IDS):
        process.open_site(TEST_SITE)
    with bind_ids(request_id="r-2"):
        process.open_site(TEST_SITE)
    process.validate([LigandRecord(1, "CCO", "smiles", "ethanol")])
    first, second, third = lines()
    assert (first["event"], first["warm"], first["engine"]) == ("site.opened", False, "test")
    assert IDS.items() <= first.items()
    assert (second["event"], second["warm"], second["request_id"]) == ("site.opened", True, "r-2")
    assert "job_id" not in second
    assert (third["event"], third["records"]) == ("records.validated", 1)
    assert not {"request_id", "ligand_id"} & third.keys()
    assert {line["logger"] for line in (first, second, third)} == {"molecular_analysis_dashboard.adapters.engines.host"}


def test_debugging_shows_each_ligand_and_what_rdkit_says(make_process: MakeProcess, lines: Lines) -> None:
    process = make_process(log_level="debug")
    with bind_ids(**IDS):
        process.dock(TEST_SITE, LigandInput("l-1", "ethanol", "CCO"))
        process.dock(TEST_SITE, LigandInput("l-2", "broken", "C1CC"))
    told = {(line["event"], line.get("ligand_id")): line for line in lines()}
    assert told["ligand.docked", "l-1"]["score_kcal_mol"] < 0
    assert "unclosed ring" in told["rdkit.said", "l-2"]["message"]
    assert told["ligand.rejected", "l-2"]["reason"] == "unreadable_record"
    assert all(IDS.items() <= line.items() for line in told.values())


def test_failed_request_is_a_warning(make_process: MakeProcess, lines: Lines) -> None:
    with bind_ids(**IDS), pytest.raises(EngineFailed):
        make_process().open_site(site("say('no')"))
    (line,) = lines()
    assert (line["level"], line["op"], line["code"], line["job_id"]) == ("warning", "open_site", "said", "j-1")


def test_process_is_silent_below_its_level(make_process: MakeProcess, lines: Lines) -> None:
    process = make_process(log_level="warning")
    process.dock(TEST_SITE, LigandInput("l-2", "broken", "C1CC"))
    assert lines() == []


def test_what_libraries_log_in_passing_stays_out(make_process: MakeProcess, lines: Lines) -> None:
    script = (
        "import logging\nlogging.getLogger('library').info('chat')\nlogging.getLogger('library').warning('trouble')"
    )
    make_process(log_level="debug").open_site(site(script))
    assert [line["event"] for line in lines() if line["logger"] == "library"] == ["trouble"]


def test_output_of_libraries_is_no_log_line(make_process: MakeProcess, lines: Lines) -> None:
    make_process(log_level="info").open_site(site("os.write(1, b'printed from C')"))
    assert [line["event"] for line in lines()] == ["site.opened"]


def test_slot_counts_starts_memory_and_ends(make_process: MakeProcess) -> None:
    counted = Counted()
    process = make_process(telemetry=counted.telemetry)
    process.dock(TEST_SITE, LigandInput("1", "ethanol", "CCO"))
    with pytest.raises(ProcessEnded):
        process.dock(TEST_SITE, LigandInput("2", "crasher", f"{CRASHER}CCO"))
    process.open_site(TEST_SITE)
    process.restart()
    assert counted.told == ["engine crash", "engine let go"]
    memory, started = zip(*counted.answers, strict=True)
    assert min(memory) > 10_000_000
    # Opening and docking in the first process, opening in the second.
    assert [start is not None and start > 0 for start in started] == [True, False, True]


def test_process_that_is_stopped_between_two_requests_did_not_end_at_work(make_process: MakeProcess) -> None:
    counted = Counted()
    process = make_process(telemetry=counted.telemetry)
    process.open_site(TEST_SITE)
    process.stop()
    with pytest.raises(ProcessEnded):
        process.open_site(TEST_SITE)
    process.restart()
    assert counted.told == ["engine let go"]
