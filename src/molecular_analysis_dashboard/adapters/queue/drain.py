"""The drain flag: one number in memory that slots share with the worker that forked them."""

import mmap
import struct
import time

_DEADLINE = struct.Struct("d")


class SharedDrain:
    """Implements `ports.queue.Drain`.

    Made before the fork; `begin` in the main process (also from a signal handler) is seen by every slot at once.
    The monotonic clock is the same in all processes of a machine.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _DEADLINE.size)

    def begin(self, grace_s: float) -> None:
        """Start draining; slots have `grace_s` seconds for the ligand they are at."""
        if self.seconds_left() is None:
            _DEADLINE.pack_into(self._memory, 0, time.monotonic() + grace_s)

    def seconds_left(self) -> float | None:
        """Seconds of grace left once stopping has begun (may be negative), else None."""
        (deadline,) = _DEADLINE.unpack_from(self._memory, 0)
        return deadline - time.monotonic() if deadline else None
