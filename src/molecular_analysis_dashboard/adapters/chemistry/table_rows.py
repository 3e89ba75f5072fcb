"""Rows of a delimited table, each with its line, where a forgotten quote costs one row and no more."""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from molecular_analysis_dashboard.adapters.chemistry.text_lines import MAX_RECORD_BYTES, Line

# A row goes on over a line's end only within quotes; no note in a library is longer than this.
MAX_ROW_LINES = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or why it is none: `problem` is a sentence, `fields` then holds the line as it came."""

    line: int
    fields: Sequence[str]
    problem: str = ""


class Rows:
    """Iterates over the rows of numbered lines.

    Parameters
    ----------
    is_row : callable
        Whether the fields of a line are a row by themselves. A quoted field that runs over such a line was not
        closed where it should be: its row is a problem, and reading goes on with the next line.
    """

    def __init__(self, lines: Iterator[Line], delimiter: str, is_row: Callable[[Sequence[str]], bool]) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._again: deque[Line] = deque()
        self.is_row = is_row

    def __iter__(self) -> Iterator[Row]:
        """Yield rows; blank lines are none."""
        while (line := self._next()) is not None:
            text = line.text.lstrip("\ufeff") if line.number == 1 else line.text
            if line.too_long:
                yield Row(line.number, [], f"The record is longer than {MAX_RECORD_BYTES / 1e6:g} MB.")
            elif '"' not in text:
                if text.strip():
                    yield Row(line.number, text.split(self._delimiter))
            else:
                yield self._quoted(Line(line.number, text))

    def _next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def _quoted(self, first: Line) -> Row:
        """Read a row with quotes, over as many lines as they hold together."""
        taken = [first]
        try:
            fields = next(csv.reader(self._feed(taken), delimiter=self._delimiter, strict=True))
        except csv.Error as cause:
            problem = _sentence(cause)
        else:
            if not any(self.is_row(line.text.split(self._delimiter)) for line in taken[1:]):
                return Row(first.number, fields)
            problem = "A quote that opens on this line is not closed on it."
        self._again.extendleft(reversed(taken[1:]))
        return Row(first.number, [first.text], problem)

    def _feed(self, taken: list[Line]) -> Iterator[str]:
        """Give the csv reader line after line, and remember what it took."""
        size = len(taken[0].text)
        yield taken[0].text + "\n"
        while len(taken) < MAX_ROW_LINES and size <= MAX_RECORD_BYTES and (line := self._next()) is not None:
            taken.append(line)
            size += len(line.text)
            if line.too_long:
                return
            yield line.text + "\n"


def _sentence(cause: csv.Error) -> str:
    if "unexpected end of data" in str(cause):
        return "A quote that opens on this line is never closed."
    return f"The row is not valid CSV: {cause}."
