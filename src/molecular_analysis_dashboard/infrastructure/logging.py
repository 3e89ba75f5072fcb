"""One form for every log line: ours, uvicorn's, gunicorn's, Celery's, Alembic's and SQLAlchemy's."""

import json as json_module
import logging
import logging.config
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from .redaction import redact

Stream = Literal["stdout", "stderr"] | TextIO

# Libraries that bring handlers of their own, which would write each line twice and in another form.
_LIBRARIES = (
    "uvicorn",
    "celery",
    "celery.task",
    "celery.redirected",
    "alembic",
    "flower",
)
# At INFO they would write every statement with its parameters, and every request.
_QUIET = ("sqlalchemy", "httpx", "httpcore")
# Gunicorn's uvicorn workers make a pair of these share one list of handlers and stop propagation, so each has its own.
_WITH_HANDLER = ("gunicorn.error", "gunicorn.access", "uvicorn.error", "uvicorn.access")
_ACCESS_FIELDS = ("client", "method", "path", "http_version", "status")


def configure_logging(level: str, *, json: bool, stream: Stream = "stderr") -> None:
    """Set up logging for this process; calling it again replaces the set-up.

    Parameters
    ----------
    level : str
        `debug`, `info`, `warning`, `error` or `critical`.
    json : bool
        JSON lines for machines, else readable lines for a terminal.
    stream : {"stderr", "stdout"} or TextIO
        Where the lines go.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(logging_config(level, json=json, stream=stream))
    logging.captureWarnings(True)


def logging_config(level: str, *, json: bool, stream: Stream = "stderr") -> dict[str, Any]:
    """Return the set-up as a dictionary for `logging.config`, which gunicorn takes as `logconfig_dict`."""
    own = {"handlers": ["lines"], "propagate": False, "level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": _formatter, "json": json, "stream": stream}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "stream": f"ext://sys.{stream}" if isinstance(stream, str) else stream,
                "formatter": "lines",
            },
        },
        "root": {"handlers": ["lines"], "level": level.upper()},
        "loggers": {
            **{name: {"handlers": [], "propagate": True, "level": "NOTSET"} for name in _LIBRARIES},
            **{name: {"handlers": [], "propagate": True, "level": "WARNING"} for name in _QUIET},
            **dict.fromkeys(_WITH_HANDLER, own),
        },
    }


def log_uncaught_errors() -> None:
    """Log what ends this process or one of its threads, instead of Python's traceback of many lines."""

    def log_end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        log = structlog.get_logger(__name__)
        log.critical("process.crashed", exc_info=(kind, error or kind(), trace))

    sys.excepthook = log_end
    threading.excepthook = lambda ended: log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)


@contextmanager
def bind_ids(**ids: UUID | str | int | None) -> Iterator[None]:
    """Put ids (`job_id`, `task_id`, `attempt`, `request_id`, `org_id`, ...) into every line of this context.

    None is left out; on leaving, what was bound before is back.
    """
    known = {name: value if isinstance(value, int) else str(value) for name, value in ids.items() if value is not None}
    with structlog.contextvars.bound_contextvars(**known):
        yield


def bound_ids() -> dict[str, str | int]:
    """Return what `bind_ids` has put into this context, to be bound again in another process."""
    return dict(structlog.contextvars.get_contextvars())


def _shared_processors() -> list[Processor]:
    """What a line gets whether structlog or the standard library began it."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(*, json: bool, stream: Stream) -> structlog.stdlib.ProcessorFormatter:
    render: Processor = (
        structlog.processors.JSONRenderer(serializer=_one_line)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=(getattr(sys, stream) if isinstance(stream, str) else stream).isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared_processors(), _access_fields, _celery_fields],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            render,
        ],
    )


def _access_fields(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Turn uvicorn's access line into fields."""
    arguments = event_dict.pop("positional_args", None)
    if event_dict["logger"] == "uvicorn.access" and len(arguments or ()) == len(_ACCESS_FIELDS):
        event_dict.update(zip(_ACCESS_FIELDS, arguments, strict=True))
        event_dict["event"] = "request"
    return event_dict


def _celery_fields(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Name the task in lines that Celery writes about its message, whose id is the task's."""
    record = event_dict["_record"]
    data = getattr(record, "data", None)
    if record.name.startswith("celery.") and isinstance(data, Mapping) and "id" in data:
        event_dict.setdefault("task_id", str(data["id"]))
    return event_dict


def _one_line(event_dict: EventDict, **_: object) -> str:
    return json_module.dumps(event_dict, default=str, ensure_ascii=False)
