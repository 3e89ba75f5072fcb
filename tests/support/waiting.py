"""Waiting for a condition instead of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], timeout_s: float, message: str | Callable[[], str], *, interval_s: float = 0.02
) -> T:
    """Ask until the answer is true, and return it; after `timeout_s` fail with the message.

    A message that is a function is asked only then, so that it can tell the state at the end. The condition is asked
    at least once, and once more when time is up.
    """
    never = threading.Event()
    deadline = time.monotonic() + timeout_s
    while True:
        late = time.monotonic() >= deadline
        answer = condition()
        if answer:
            return answer
        if late:
            raise AssertionError(f"after {timeout_s:g} s: {message if isinstance(message, str) else message()}")
        never.wait(max(0.0, min(interval_s, deadline - time.monotonic())))
