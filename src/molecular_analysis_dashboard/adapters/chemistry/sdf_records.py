"""Cutting numbered lines into SDF and MOL2 records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from molecular_analysis_dashboard.adapters.chemistry.rejected_records import Record, rejected, too_long
from molecular_analysis_dashboard.adapters.chemistry.text_lines import MAX_RECORD_BYTES, Line
from molecular_analysis_dashboard.domain.ligands import LigandRecord
from molecular_analysis_dashboard.domain.rejections import RejectionReason

_TRIPOS_START = "@<TRIPOS>MOLECULE"
# The fourth line of a mol block: counts of atoms and bonds in columns, the version at its end (CTfile formats, 2020).
_COUNTS_LINE = re.compile(r"[ \d]{6}.*V[23]000\s*$")
_HEADER_LINES = 3


@dataclass
class _Block:
    """The lines of one record; of one that grows too large only the last few are kept."""

    start: int
    texts: list[str] = field(default_factory=list)
    size: int = 0
    cut: bool = False

    def add(self, text: str, *, too_long: bool = False) -> None:
        self.size += _n_bytes(text) + 1
        self.cut = self.cut or too_long or self.size > MAX_RECORD_BYTES
        self.texts.append(text)
        if self.cut:
            del self.texts[:-_HEADER_LINES]

    def split(self, n_last: int, start: int) -> "_Block":
        """Take the last lines away and return them as a record of their own."""
        keep = len(self.texts) - n_last
        rest = _Block(start)
        for text in self.texts[keep:]:
            rest.add(text)
        del self.texts[keep:]
        return rest


class _SdfPlace:
    """Where in a record the reader is: whether a counts line here begins another molecule.

    Data items may hold whole mol blocks as their values; a header of three lines behind ``M  END`` or behind the
    blank line that ends an item is none of theirs.
    """

    def __init__(self) -> None:
        self._n_counts = 0
        self._ended = False
        self._in_item = False
        self._n_items = 0
        self._n_between = 0

    def second_molecule(self, text: str) -> int | None:
        """Look at the next line; return how many lines before it another molecule began, if it is its counts line."""
        if _COUNTS_LINE.match(text) and not self._in_item:
            if self._n_counts and (not self._n_items or self._n_between >= _HEADER_LINES):
                return min(_HEADER_LINES, self._n_between) if self._ended else _HEADER_LINES
            self._n_counts += 1
        elif text.startswith("M  END"):
            self._ended, self._in_item, self._n_between = True, False, 0
        elif self._ended:
            self._pass_data(text)
        return None

    def _pass_data(self, text: str) -> None:
        if text.startswith(">"):
            self._in_item = True
            self._n_items += 1
        elif not self._in_item:
            self._n_between += 1
        elif not text.strip():
            self._in_item, self._n_between = False, 0


def sdf_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield one record per ``$$$$``, and per molecule where that is missing. Empty records are rejections."""
    block, place = _Block(0), _SdfPlace()
    for line in lines:
        text = _text(line)
        if text.startswith("$$$$"):
            block.start = block.start or line.number
            yield from _sdf_record(block, ended=True)
            block, place = _Block(0), _SdfPlace()
            continue
        block.start = block.start or line.number
        before = place.second_molecule(text)
        if before is not None:
            following = block.split(before, line.number - before)
            yield from _sdf_record(block, ended=False)
            block, place = following, _SdfPlace()
            place.second_molecule(text)
        block.add(text, too_long=line.too_long)
    if block.start:
        yield from _sdf_record(block, ended=False)


def mol2_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield one record per ``@<TRIPOS>MOLECULE``; what precedes the first is ignored."""
    block: _Block | None = None
    for line in lines:
        text = _text(line)
        if text.startswith(_TRIPOS_START):
            if block is not None:
                yield _mol2_record(block)
            block = _Block(line.number)
        if block is not None:
            block.add(text, too_long=line.too_long)
    if block is not None:
        yield _mol2_record(block)


def _sdf_record(block: _Block, *, ended: bool) -> Iterator[Record]:
    if block.cut:
        yield too_long(block.start)
    elif any(text.strip() for text in block.texts):
        yield LigandRecord(block.start, "\n".join(block.texts) + "\n", "sdf", block.texts[0].strip())
    elif ended:
        yield rejected(block.start, "", "", RejectionReason.EMPTY)


def _mol2_record(block: _Block) -> Record:
    if block.cut:
        return too_long(block.start)
    name = block.texts[1].strip() if len(block.texts) > 1 else ""
    return LigandRecord(block.start, "\n".join(block.texts) + "\n", "mol2", "" if name == "*****" else name)


def _text(line: Line) -> str:
    return line.text.lstrip("\ufeff") if line.number == 1 else line.text


def _n_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
