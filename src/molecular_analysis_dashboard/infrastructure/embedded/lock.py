"""One holder per data folder: an flock, which the kernel releases however its holder ends."""

import contextlib
import fcntl
import os
from pathlib import Path

from .waiting import wait_until

# A reader that asks whether the lock is held takes it for an instant; a starter outlasts that.
_READER_GRACE_S = 0.3


class FolderLock:
    """An exclusive lock on a file, with the holder's process number written into it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; false when another process, or another object of this one, holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not wait_until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), _READER_GRACE_S):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holder_pid(path: Path) -> int | None:
    """The process number that the last holder wrote, if any."""
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
