"""How far a long thing is: a bar on a terminal, else a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import rich.progress

from molecular_analysis_dashboard.presentation.cli.console import Console

_LINE_EVERY_S = 10.0


class Progress(Protocol):
    """What a waiting loop reports to."""

    def show(self, done: int, total: int) -> None:
        """Tell how much is done; a total of 0 means that it is not known."""
        ...

    def phase(self, label: str) -> None:
        """Go on under another label."""
        ...

    def note(self, text: str) -> None:
        """Tell something besides, without spoiling the bar."""
        ...


class _Lines:
    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._label = label
        self._shown = (-1, -1)
        self._next_s = time.monotonic() + _LINE_EVERY_S

    def show(self, done: int, total: int) -> None:
        finished = 0 < total == done
        news = (done, total) != self._shown or total == 0
        if not news or not (finished or time.monotonic() >= self._next_s):
            return
        self._shown = (done, total)
        self._next_s = time.monotonic() + _LINE_EVERY_S
        self._console.say(f"{self._label}: {done} of {total}" if total else f"{self._label} …")

    def phase(self, label: str) -> None:
        self._label = label

    def note(self, text: str) -> None:
        self._console.say(text)


class _Bar:
    def __init__(self, progress: rich.progress.Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=None)

    def show(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total or None)

    def phase(self, label: str) -> None:
        self._progress.update(self._task, description=label)

    def note(self, text: str) -> None:
        self._progress.console.print(text)


@contextmanager
def progress_of(console: Console, label: str) -> Iterator[Progress]:
    """Show progress under a label for the length of the block, on standard error."""
    if not console.stderr.is_terminal:
        yield _Lines(console, label)
        return
    columns = (
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=console.stderr, transient=True) as progress:
        yield _Bar(progress, label)
