"""Numbered lines of a byte stream in constant memory, whatever its line ends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from molecular_analysis_dashboard.adapters.chemistry.compressed_input import decode

# One record of a library; larger than any molecule that can be docked, smaller than a worker's memory.
MAX_RECORD_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `too_long` lines are cut after their first characters."""

    number: int
    text: str
    too_long: bool = False


def numbered_lines(pieces: Iterable[bytes]) -> Iterator[Line]:
    """Yield lines ended by LF, CRLF or CR, numbered from 1; overlong ones are cut, never held whole."""
    number = 0
    rest = b""
    cut = False
    held_cr = b""
    for piece in pieces:
        chunk = held_cr + piece
        # A CR at the very end may be the first half of a CRLF.
        held_cr = b"\r" if chunk.endswith(b"\r") else b""
        if held_cr:
            chunk = chunk[:-1]
        *complete, tail = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for raw in complete:
            number += 1
            yield _line(number, rest + raw, cut)
            rest, cut = b"", False
        rest += tail
        if len(rest) > MAX_RECORD_BYTES:
            rest, cut = rest[:1000], True
    if rest or cut or held_cr:
        yield _line(number + 1, rest, cut)


def _line(number: int, raw: bytes, cut: bool) -> Line:
    if cut or len(raw) > MAX_RECORD_BYTES:
        return Line(number, decode(raw[:1000]), too_long=True)
    return Line(number, decode(raw) if raw else "")
