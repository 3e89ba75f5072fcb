"""The slot's ends of an engine process's pipes: whatever the process does, no read or write outlasts its time."""

import os
import select
import subprocess
import time
from typing import BinaryIO, cast

_LARGEST_PIECE_BYTES = 1 << 20


class BoundedPipes:
    """What `messages` reads from and writes to; raises TimeoutError once `deadline` (monotonic seconds) has passed."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        self._requests = cast(BinaryIO, process.stdin).fileno()
        self._responses = cast(BinaryIO, process.stdout).fileno()
        self._deadline = deadline
        # A pipe that select() calls writable still blocks a write larger than its room.
        os.set_blocking(self._requests, False)

    def read(self, size: int) -> bytes:
        """Read at least one and at most `size` bytes; none at the end."""
        self._in_time(select.select([self._responses], [], [], self._left())[0])
        return os.read(self._responses, min(size, _LARGEST_PIECE_BYTES))

    def write(self, data: memoryview) -> int:
        """Write as much as there is room for; return how many bytes that were."""
        self._in_time(select.select([], [self._requests], [], self._left())[1])
        try:
            return os.write(self._requests, data)
        except BlockingIOError:
            return 0

    def flush(self) -> None:
        """Nothing is held back."""

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)

    @staticmethod
    def _in_time(ready: list[int]) -> None:
        if not ready:
            raise TimeoutError
