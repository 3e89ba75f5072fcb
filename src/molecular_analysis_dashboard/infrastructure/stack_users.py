"""Who uses a stack that was started for the length of a command, so that it ends with the last of them.

Every command that uses an embedded stack holds a shared lock, which the kernel releases however the command ends.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from molecular_analysis_dashboard.infrastructure.embedded.errors import unusable
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout

_CHECK_EVERY_S = 0.5


class StackUse:
    """Marks a data folder's stack as used, for the length of a ``with`` block."""

    def __init__(self, data_dir: Path) -> None:
        self._layout = DataLayout(data_dir)
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Mark it; waits while the stack is about to end for want of users.

        Raises
        ------
        DataFolderUnusable
            When the folder cannot be written to.
        """
        try:
            self._layout.create()
            self._descriptor = _open(self._layout)
        except OSError as error:
            raise unusable(self._layout.root, error) from error
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def call_when_unused(data_dir: Path, unused: Callable[[], None]) -> None:
    """Watch from a thread, and call once nobody uses the stack; from then on until this process ends nobody can."""
    layout = DataLayout(data_dir)

    def watch() -> None:
        descriptor = _open(layout)
        while not _locked_alone(descriptor):
            threading.Event().wait(_CHECK_EVERY_S)
        unused()

    threading.Thread(target=watch, name="stack-users", daemon=True).start()


def _open(layout: DataLayout) -> int:
    return os.open(layout.run / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _locked_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
