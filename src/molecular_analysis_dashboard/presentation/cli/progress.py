"""How far a long thing is: a bar on a terminal, else a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import rich.progress
from rich.text import Text

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
        self._began_s = time.monotonic()
        self._next_s = self._began_s + _LINE_EVERY_S
        self._finished = False

    def show(self, done: int, total: int) -> None:
        finished = 0 < total == done
        now_s = time.monotonic()
        if now_s < self._next_s and (not finished or self._finished):
            return
        self._finished = finished
        self._next_s = now_s + _LINE_EVERY_S
        text = f"{self._label}: {done} of {total}" if total else f"{self._label} …"
        self._console.say(f"{text} ({now_s - self._began_s:.0f} s)")

    def phase(self, label: str) -> None:
        self._label = label
        self._finished = False

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


class _Count(rich.progress.MofNCompleteColumn):
    """How many of how many; nothing while the total is not known."""

    def render(self, task: rich.progress.Task) -> Text:
        return Text() if task.total is None else super().render(task)


@contextmanager
def progress_of(console: Console, label: str) -> Iterator[Progress]:
    """Show progress under a label for the length of the block, on standard error."""
    if not console.stderr.is_terminal:
        yield _Lines(console, label)
        return
    columns = (
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        _Count(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=console.stderr, transient=True) as progress:
        yield _Bar(progress, label)
