"""Log files of the children: kept in number and size."""

from collections import deque
from pathlib import Path

_ROTATE_AT_BYTES = 5 * 1024 * 1024
_KEPT = 3


def rotate(log_file: Path, *, limit_bytes: int = _ROTATE_AT_BYTES) -> None:
    """Move a log that has grown beyond the limit to ``.1``, and older ones up, keeping three."""
    if not log_file.exists() or log_file.stat().st_size < limit_bytes:
        return
    for number in range(_KEPT - 1, 0, -1):
        older = log_file.with_name(f"{log_file.name}.{number}")
        if older.exists():
            older.rename(log_file.with_name(f"{log_file.name}.{number + 1}"))
    log_file.rename(log_file.with_name(f"{log_file.name}.1"))


def size_bytes(log_file: Path) -> int:
    """The size of a log, zero when there is none."""
    return log_file.stat().st_size if log_file.exists() else 0


def tail(log_file: Path, *, lines: int = 8, since_bytes: int = 0) -> str:
    """The last lines written after a position."""
    if not log_file.exists():
        return ""
    with log_file.open("rb") as stream:
        stream.seek(since_bytes)
        return b"".join(deque(stream, maxlen=lines)).decode(errors="replace").strip()
