"""Holding on to finished work while the database is away."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from molecular_analysis_dashboard.domain.errors import ResourceLost

T = TypeVar("T")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


def persist(operation: Callable[[], T], *, patience_s: float) -> T:
    """Carry out an idempotent transaction, trying again with backoff and jitter while the database is out of reach.

    Raises
    ------
    ResourceLost
        When it is still out of reach after `patience_s` seconds.
    """
    deadline = time.monotonic() + patience_s
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return operation()
        except ResourceLost:
            if time.monotonic() >= deadline:
                raise
        threading.Event().wait(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
