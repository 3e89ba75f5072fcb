"""Waiting for a condition of the outside world, with a limit."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout_s: float, *, poll_s: float = 0.02) -> bool:
    """Poll until the condition holds; false when it still does not after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True
