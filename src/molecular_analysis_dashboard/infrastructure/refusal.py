"""Refusing to start in one line, with an exit status of its own, instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.logging import configure_logging

log = structlog.get_logger(__name__)

# As the command line has it: the installation needs attention; no restart will help.
NOT_IN_ORDER = 9


@contextmanager
def refusal_in_one_line() -> Iterator[None]:
    """End the process when the block finds the installation not in order."""
    try:
        yield
    except Misconfigured as error:
        configure_logging("info", json=True, stream="stdout")
        log.critical("start.refused", code=error.error_code, message=" ".join(error.message.split()))
        raise SystemExit(NOT_IN_ORDER) from error
