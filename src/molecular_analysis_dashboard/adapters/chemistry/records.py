"""Streaming ligand records out of an uploaded library file."""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from molecular_analysis_dashboard.adapters.chemistry.compressed_input import chunks, plain_name, to_utf8
from molecular_analysis_dashboard.adapters.chemistry.record_formats import (
    delimiter_of,
    has_names_first,
    has_smiles_header,
    reads_as_smiles,
    smiles_records,
    table_records,
)
from molecular_analysis_dashboard.adapters.chemistry.rejected_records import Record
from molecular_analysis_dashboard.adapters.chemistry.sdf_records import mol2_records, sdf_records
from molecular_analysis_dashboard.adapters.chemistry.text_lines import Line, numbered_lines
from molecular_analysis_dashboard.domain.errors import InvalidInput

# 10 million lines of SMILES with names are below 1 GB; this leaves room for SDF.
MAX_LIBRARY_BYTES = 50_000_000_000
# Eight of the largest records; going through so much for nothing takes a worker seconds.
MAX_BYTES_WITHOUT_RECORD = 32_000_000
_SNIFFED_LINES = 200
_FORMATS_BY_SUFFIX = {
    ".smi": "smiles", ".smiles": "smiles", ".ism": "smiles", ".cxsmiles": "smiles",
    ".sdf": "sdf", ".sd": "sdf", ".mol": "sdf", ".mdl": "sdf", ".mol2": "mol2", ".ml2": "mol2",
    ".csv": "table", ".tsv": "table", ".tab": "table",
}  # fmt: skip


def read_records(
    stream: BinaryIO,
    file_name: str,
    *,
    between_pieces: Callable[[], None] = lambda: None,
    max_decompressed_bytes: int = MAX_LIBRARY_BYTES,
) -> Iterator[Record]:
    """Yield every record of a library file in constant memory, with the line on which it starts.

    SMILES, SDF (V2000 and V3000), MOL2 and tables with a SMILES column are told apart by content and name; gzip,
    UTF-8 (with or without mark), UTF-16 and Latin-1, and LF, CRLF and CR line ends are read. Blank lines, ``#``
    lines and a header are no records. What cannot be cut out becomes a `RejectedRecord`.

    Parameters
    ----------
    between_pieces : callable
        Called between pieces of the file, at least every 64 kB of what it holds, also where no record comes of it;
        it may raise to end the reading.

    Raises
    ------
    InvalidInput
        While iterating, if the file as a whole is unusable: ``empty_file``, ``unknown_format``,
        ``no_smiles_column``, ``packed_file``, ``too_large_decompressed``, ``too_long_without_record``,
        ``corrupt_gzip``, and ``truncated_gzip`` after the last whole record: the caller must then discard what it
        has taken.
    """
    patience = _Patience(between_pieces)
    lines = numbered_lines(to_utf8(patience.pieces(chunks(stream, max_bytes=max_decompressed_bytes))))
    head = list(islice(lines, _SNIFFED_LINES))
    found = _detect(head, file_name)
    n_records = 0
    for record in _records(head, lines, found, file_name):
        n_records += 1
        patience.renew()
        yield record
    if n_records == 0:
        raise _empty()


class _Patience:
    """Counts the bytes since the last record, so that a file of nothing much occupies nobody for hours."""

    def __init__(self, between_pieces: Callable[[], None]) -> None:
        self._between_pieces = between_pieces
        self._n_bytes = 0

    def renew(self) -> None:
        self._n_bytes = 0

    def pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._between_pieces()
            self._n_bytes += len(piece)
            if self._n_bytes > MAX_BYTES_WITHOUT_RECORD:
                raise InvalidInput(
                    f"The file goes on for {MAX_BYTES_WITHOUT_RECORD / 1e6:g} MB without a record: blank lines, "
                    "comments, or one record without an end. Remove that part.",
                    code="too_long_without_record",
                )
            yield piece


def _records(head: list[Line], rest: Iterator[Line], found: str, file_name: str) -> Iterator[Record]:
    lines = chain(head, rest)
    match found:
        case "sdf":
            return sdf_records(lines)
        case "mol2":
            return mol2_records(lines)
        case "table":
            return table_records(lines, _delimiter(head, file_name))
        case _:
            return smiles_records(lines, name_first=has_names_first(head))


def _detect(head: list[Line], file_name: str) -> str:
    """Tell the format: unmistakable content wins over the name, the name over likely content."""
    texts = [line.text for line in head]
    if not any(text.strip() for text in texts):
        if len(head) < _SNIFFED_LINES:
            raise _empty()
        return _by_name(file_name) or "smiles"
    if any(text.startswith("@<TRIPOS>MOLECULE") for text in texts):
        return "mol2"
    if any(text.rstrip().endswith(("V2000", "V3000")) or text.startswith(("$$$$", "M  END")) for text in texts):
        return "sdf"
    by_name = _by_name(file_name)
    if has_smiles_header(head) or (by_name is None and delimiter_of(head) is not None):
        return "table"
    if by_name is not None:
        return by_name
    if _looks_like_smiles(texts) or has_names_first(head):
        return "smiles"
    raise InvalidInput(
        "The file is neither SMILES, SDF, MOL2 nor a table with a SMILES column. Convert it to one of these.",
        code="unknown_format",
    )


def _by_name(file_name: str) -> str | None:
    name = plain_name(file_name)
    return next((found for suffix, found in _FORMATS_BY_SUFFIX.items() if name.endswith(suffix)), None)


def _delimiter(head: list[Line], file_name: str) -> str:
    by_suffix = "\t" if plain_name(file_name).endswith((".tsv", ".tab")) else ","
    return delimiter_of(head) or by_suffix


def _looks_like_smiles(texts: list[str]) -> bool:
    """Whether at least half of the lines start with a SMILES, so that prose is not taken for a library."""
    words = [text.split()[0] for text in texts if text.strip() and not text.startswith("#")][:50]
    return bool(words) and sum(map(reads_as_smiles, words)) >= 0.5 * len(words)


def _empty() -> InvalidInput:
    return InvalidInput("The file holds no records. Give a file with at least one molecule.", code="empty_file")
