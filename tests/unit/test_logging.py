import io
import json
import logging
import math
import subprocess
import sys
import warnings
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from molecular_analysis_dashboard.infrastructure.logging import (
    bind_ids,
    bound_ids,
    configure_logging,
    logging_config,
)
from molecular_analysis_dashboard.infrastructure.redaction import redact_text

JOB = UUID("01890000-0000-7000-8000-000000000001")


class Kind(StrEnum):
    SCREEN = "screen"


class Lines:
    """What went to standard error since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self) -> str:
        return self._capsys.readouterr().err

    def parsed(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Put the logging of the test run back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Lines(capsys)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logging_config("info", json=True)["loggers"]:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


def test_a_line_has_time_level_event_logger_and_fields(lines: Lines) -> None:
    configure_logging("info", json=True)
    structlog.get_logger("mad.jobs").info("job_submitted", ligands=60, path=Path("/x"), kind=Kind.SCREEN, job_id=JOB)
    (line,) = lines.parsed()
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "level": "info",
        "event": "job_submitted",
        "logger": "mad.jobs",
        "ligands": 60,
        "path": "/x",
        "kind": "screen",
        "job_id": str(JOB),
    }


@pytest.mark.parametrize("name", ["uvicorn.error", "gunicorn.error", "celery.worker", "celery.task", "alembic.runtime"])
def test_lines_of_libraries_have_the_same_form_and_come_once(lines: Lines, name: str) -> None:
    logging.getLogger(name.partition(".")[0]).addHandler(logging.StreamHandler())
    configure_logging("info", json=True)
    with bind_ids(job_id=JOB):
        logging.getLogger(name).warning("lost %s of %d", "two", 3)
    (line,) = lines.parsed()
    assert (line["event"], line["level"], line["logger"], line["job_id"]) == (
        "lost two of 3",
        "warning",
        name,
        str(JOB),
    )


@pytest.mark.parametrize("kind", ["error", "access"])
def test_lines_come_once_when_gunicorn_lends_its_handlers_to_uvicorn(lines: Lines, kind: str) -> None:
    configure_logging("info", json=True)
    uvicorn, gunicorn = logging.getLogger(f"uvicorn.{kind}"), logging.getLogger(f"gunicorn.{kind}")
    uvicorn.handlers, uvicorn.propagate = gunicorn.handlers, False
    configure_logging("info", json=True)
    uvicorn.info("started")
    gunicorn.info("listening")
    assert [line["event"] for line in lines.parsed()] == ["started", "listening"]


def test_access_lines_become_fields_without_the_token_of_the_query(lines: Lines) -> None:
    configure_logging("info", json=True)
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:9", "GET", "/api/v1/events?token=hunter2&after=5", "1.1", 200
    )
    (line,) = lines.parsed()
    assert (line["event"], line["method"], line["status"]) == ("request", "GET", 200)
    assert line["path"] == "/api/v1/events?token=***&after=5"


def test_bound_ids_end_with_their_block_and_nest(lines: Lines) -> None:
    configure_logging("info", json=True)
    log = structlog.get_logger("mad")
    with bind_ids(job_id=JOB, org_id=None):
        with bind_ids(task_id="t", attempt=2):
            log.info("inner")
        log.info("outer")
    log.info("outside")
    inner, outer, outside = lines.parsed()
    assert (inner["job_id"], inner["task_id"], inner["attempt"]) == (str(JOB), "t", 2)
    assert outer["job_id"] == str(JOB)
    assert not {"task_id", "attempt", "org_id"} & outer.keys()
    assert "job_id" not in outside


def test_an_exception_keeps_to_one_line_and_hides_the_password_in_it(lines: Lines) -> None:
    configure_logging("info", json=True)
    try:
        raise ConnectionError("no route to postgresql://mad:hunter2@db/mad")
    except ConnectionError:
        structlog.get_logger("mad").exception("database_unreachable")
    (line,) = lines.parsed()
    assert "ConnectionError" in str(line["exception"])
    assert "hunter2" not in str(line)


def test_an_error_that_nobody_catches_is_one_line_of_log() -> None:
    script = """
from threading import Thread
from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors
def fail():
    raise ConnectionError("no route to postgresql://mad:hunter2@db/mad")
configure_logging("info", json=True)
log_uncaught_errors()
thread = Thread(target=fail)
thread.start()
thread.join()
fail()
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["process.crashed"] * 2
    assert all("ConnectionError: no route" in line["exception"] for line in lines)
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "hunter2"},
        {"static_token": "hunter2"},
        {"SECRET_KEY": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2hunter2"}},
        {"headers": [("x", "Bearer hunter2hunter2")]},
        {"arguments": ["redis://:hunter2@redis:6379/0"]},
        {"url": "postgresql+psycopg://mad:hun@ter2hunter2@db/mad"},
        {"command": "pg_dump 'host=db password=hunter2 user=mad'"},
        {"settings": {"auth": {"cookie": ["hunter2"]}}},
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_never_reach_the_log(lines: Lines, fields: dict[str, object], as_json: bool) -> None:
    configure_logging("info", json=as_json)
    structlog.get_logger("mad").info("start", **fields)
    text = lines.text()
    assert "start" in text
    assert "ter2" not in text


@pytest.mark.parametrize(
    "text",
    [
        "the token was refused",
        "see https://example.org/users?page=2",
        "a bearer of news",
        "12 tokens",
        "mail someone@example.org",
    ],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_numbers_stay_numbers_even_in_fields_named_like_secrets(lines: Lines) -> None:
    configure_logging("info", json=True)
    structlog.get_logger("mad").info("claimed", fencing_token=7, tokens=None, score_kcal_mol=math.nan)
    (line,) = lines.parsed()
    assert (line["fencing_token"], line["tokens"], line["score_kcal_mol"]) == (7, None, "nan")


def test_lines_below_the_level_are_left_out(lines: Lines) -> None:
    configure_logging("warning", json=True)
    structlog.get_logger("mad").info("quiet")
    logging.getLogger("celery").info("quiet")
    assert lines.text() == ""


def test_statements_of_the_database_are_not_logged_at_info(lines: Lines) -> None:
    configure_logging("info", json=True)
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT 1")
    assert lines.text() == ""


def test_warnings_become_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("info", json=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = lines.parsed()
    assert line["logger"] == "py.warnings"
    assert "old" in str(line["event"])


def test_configuring_twice_does_not_double_the_lines(lines: Lines) -> None:
    configure_logging("info", json=True)
    configure_logging("info", json=True)
    structlog.get_logger("mad").info("once")
    assert len(lines.parsed()) == 1


@pytest.mark.usefixtures("lines")
def test_standard_output_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True, stream="stdout")
    structlog.get_logger("mad").info("here")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["event"] == "here"
    assert captured.err == ""


@pytest.mark.usefixtures("lines")
def test_any_stream_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logging("info", json=True, stream=stream)
    structlog.get_logger("mad").info("here")
    assert json.loads(stream.getvalue())["event"] == "here"
    assert capsys.readouterr() == ("", "")


def test_ids_can_be_taken_to_another_process(lines: Lines) -> None:
    configure_logging("info", json=True)
    with bind_ids(job_id=JOB, attempt_no=2, request_id=None):
        taken = bound_ids()
    assert taken == {"job_id": str(JOB), "attempt_no": 2}
    with bind_ids(**taken):
        structlog.get_logger("mad").info("elsewhere")
    (line,) = lines.parsed()
    assert taken.items() <= line.items()
    assert bound_ids() == {}


def test_lines_of_celery_about_a_message_name_its_task(lines: Lines) -> None:
    configure_logging("info", json=True)
    about = {"id": "t-1", "name": "mad.dock", "args": "()", "kwargs": "{}"}
    logging.getLogger("celery.worker.strategy").info("Task received", extra={"data": about})
    logging.getLogger("celery.worker").info("ready")
    logging.getLogger("other").info("something", extra={"data": about})
    received, ready, other = lines.parsed()
    assert received["task_id"] == "t-1"
    assert not {"task_id", "data"} & (ready.keys() | other.keys())
