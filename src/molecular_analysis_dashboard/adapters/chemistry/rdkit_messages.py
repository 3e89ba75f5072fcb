"""What RDKit has to say, kept for the record it was said about, and logged for debugging."""

import logging
import re
import threading

import structlog
from rdkit import rdBase

log = structlog.get_logger(__name__)

_LOGGER_NAME = "rdkit"
_MOST_KEPT = 20
_MOST_CHARACTERS = 200
_STAMP = re.compile(r"^\[\d\d:\d\d:\d\d\]\s*")
_PARSER = re.compile(r"^SMILES Parse Error: ")
_INPUT = re.compile(r" (for input: '|while parsing: ).*$")
_POSITION = re.compile(r"check for mistakes around position (\d+)")
_HEADINGS = frozenset({"Invariant Violation", "Pre-condition Violation", "Post-condition Violation", "Range Error"})
# What follows the sentence of a violated invariant.
_SOURCES = re.compile(r"Violation occurred|Failed Expression|Stacktrace")


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
    """Return and drop what was said since `forget_messages`, as one sentence; empty if nothing was said."""
    kept = _COLLECTOR.kept()
    said = sentence("\n".join(kept))
    kept.clear()
    return said


def sentence(message: str) -> str:
    """Return the first thing that a message of RDKit says, as a short sentence.

    Time stamps, frames, repetitions of the input and what a violated invariant tells of RDKit's own sources are left
    out; of a SMILES the position of the mistake is kept.
    """
    lines = [_STAMP.sub("", line).strip(" *") for line in message.splitlines()]
    lines = [_PARSER.sub("", line) for line in lines if line and line not in _HEADINGS]
    if not lines or _SOURCES.match(lines[0]):
        return ""
    said = _INPUT.sub("", lines[0]).strip(" .")[:_MOST_CHARACTERS]
    at = _POSITION.search(message)
    return f"RDKit says: {said}" + (f" at character {at[1]}." if at else ".")
