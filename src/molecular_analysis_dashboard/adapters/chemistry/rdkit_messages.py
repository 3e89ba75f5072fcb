"""What RDKit has to say, kept for the record it was said about, and logged for debugging."""

import logging
import re
import threading

import structlog
from rdkit import rdBase

log = structlog.get_logger(__name__)

_LOGGER_NAME = "rdkit"
_MOST_KEPT = 20
_MOST_CHARACTERS = 300


class _Collector(logging.Handler):
    """Keeps the last messages of each thread."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._local = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        # Without a set-up structlog would print it.
        if structlog.is_configured():
            log.debug("rdkit.said", message=record.getMessage().strip())
        kept = self.kept()
        if len(kept) < _MOST_KEPT:
            kept.append(record.getMessage().strip())

    def kept(self) -> list[str]:
        kept: list[str] | None = getattr(self._local, "kept", None)
        if kept is None:
            kept = self._local.kept = []
        return kept


def _install() -> _Collector:
    """Lead RDKit's messages into Python's logging and keep them; once per process."""
    rdBase.LogToPythonLogger()
    logger = logging.getLogger(_LOGGER_NAME)
    logger.handlers[:] = [handler for handler in logger.handlers if isinstance(handler, _Collector)]
    if not logger.handlers:
        logger.addHandler(_Collector())
    logger.propagate = False
    return next(handler for handler in logger.handlers if isinstance(handler, _Collector))


_COLLECTOR = _install()


def forget_messages() -> None:
    """Drop what this thread's RDKit calls have said so far."""
    _COLLECTOR.kept().clear()


def take_messages() -> str:
    """Return and drop what was said since `forget_messages`, as one line without time stamps."""
    kept = _COLLECTOR.kept()
    said = one_line("\n".join(kept))
    kept.clear()
    return said


def one_line(message: str) -> str:
    """Return a message of RDKit as one line without time stamps, repetitions and frames of asterisks."""
    lines = [re.sub(r"^\[\d\d:\d\d:\d\d\]\s*", "", line).strip(" *") for line in message.splitlines()]
    return " ".join(dict.fromkeys(line for line in lines if line))[:_MOST_CHARACTERS]
