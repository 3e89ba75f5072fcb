"""Talk on standard error, results on standard output."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import rich.console
import rich.table
from rich.text import Text

from molecular_analysis_dashboard.domain.readable_text import readable_text

# Nothing is cut off when a program reads the table.
_WIDTH_FOR_PROGRAMS = 1000


@dataclass
class Column:
    """One column of a table."""

    title: str
    right: bool = False


class Console:
    """Where a command speaks; one per run.

    Attributes
    ----------
    json : bool
        Results are one JSON document instead of text for people.
    """

    def __init__(self) -> None:
        self.json = False
        self.stderr = rich.console.Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        width = None if sys.stdout.isatty() else _WIDTH_FOR_PROGRAMS
        self._stdout = rich.console.Console(highlight=False, markup=False, soft_wrap=True, width=width)

    def say(self, text: str) -> None:
        """Tell a person what is going on."""
        self.stderr.print(readable_text(text))

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Tell what the block does, which takes a while: a spinner on a terminal, else a line."""
        if self.stderr.is_terminal:
            with self.stderr.status(text):
                yield
        else:
            self.say(text)
            yield

    def warn(self, text: str) -> None:
        """Tell a person what they should look at."""
        self.stderr.print(f"Warning: {readable_text(text)}", style="yellow")

    def fail(self, code: str, message: str, details: Mapping[str, object]) -> None:
        """Report an error: to people, and with ``--json`` as the result too."""
        self.stderr.print(Text.assemble((f"Error [{code}]: ", "bold red"), readable_text(message)))
        self.fail_as_json(code, message, details)

    def fail_as_json(self, code: str, message: str, details: Mapping[str, object]) -> None:
        """With ``--json``, write an error that people were told already."""
        if self.json:
            self._write({"error": {"code": code, "message": message, "details": dict(details)}})

    def result(self, text: str, data: object) -> None:
        """Write the result of the command: text for people, or the data as JSON."""
        if self.json:
            self._write(data)
        elif text:
            self._stdout.print(readable_text(text))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[object]], data: object) -> None:
        """Write the result as a table, or the data as JSON."""
        if self.json:
            self._write(data)
            return
        table = rich.table.Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(readable_text(str(cell))) for cell in row))
        self._stdout.print(table)

    def _write(self, data: object) -> None:
        sys.stdout.write(_visible(json.dumps(data, indent=2, default=str, ensure_ascii=False)) + "\n")
        sys.stdout.flush()


def _visible(document: str) -> str:
    """Escape what a terminal would obey or hide: in JSON it stands in strings only, where an escape means the same."""
    if all(line.isprintable() for line in document.splitlines()):
        return document
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in document)
