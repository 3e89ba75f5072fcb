"""Keeping libraries that log and warn in passing from writing to standard error."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced(*prefixes: str) -> Iterator[None]:
    """Disable loggers whose names start with a prefix, and warnings, while entered; restored in every outcome."""
    loggers = [
        logging.getLogger(name) for name in sorted(logging.Logger.manager.loggerDict) if name.startswith(prefixes)
    ]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, was_disabled in zip(loggers, before, strict=True):
            logger.disabled = was_disabled
