"""Cutting numbered lines into records: SMILES, and tables with a SMILES column."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_smiles
from molecular_analysis_dashboard.adapters.chemistry.rejected_records import Record, rejected, too_long
from molecular_analysis_dashboard.adapters.chemistry.table_rows import Row, Rows
from molecular_analysis_dashboard.adapters.chemistry.text_lines import Line
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.ligands import LigandRecord
from molecular_analysis_dashboard.domain.rejections import RejectionReason

_SMILES_HEADERS = frozenset({"smiles", "smi", "canonicalsmiles", "isomericsmiles", "cxsmiles", "structure"})
_NAME_HEADERS = (
    "name", "id", "title", "ligandname", "compoundname", "moleculename", "compoundid", "moleculeid", "ligandid",
    "catalogid", "zincid", "chemblid", "moleculechemblid", "compound", "molecule", "identifier",
)  # fmt: skip
_DELIMITERS = ("\t", ",", ";", "|")
_EXCEL_DELIMITER = re.compile(r'^\ufeff?"?sep=(.)"?\s*$', re.IGNORECASE)
_SNIFFED_SMILES, _SNIFFED_CHARACTERS = 50, 1000


def smiles_records(lines: Iterator[Line], *, name_first: bool = False) -> Iterator[Record]:
    """Yield one record per non-blank line: SMILES, then white space, then the name; a header is skipped.

    Parameters
    ----------
    name_first : bool
        The name stands before the SMILES, parted by a tab.
    """
    first = True
    for line in lines:
        text = line.text.strip("\ufeff \t\f\v")
        if not text or text.startswith("#"):
            continue
        if line.too_long:
            yield too_long(line.number)
            continue
        smiles, name = _split_named_first(text) if name_first else _split_smiles_line(text)
        is_header = first and _plain(smiles) in _SMILES_HEADERS
        first = False
        if is_header:
            continue
        if smiles:
            yield LigandRecord(line.number, smiles, "smiles", name)
        else:
            yield rejected(line.number, name, text, RejectionReason.EMPTY, "There is no SMILES behind the name.")


def table_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Yield one record per row of a table with a header that names a SMILES column; ``#`` rows are comments.

    Raises
    ------
    InvalidInput
        ``no_smiles_column``, naming the columns found.
    """
    rows = Rows(_without_delimiter_line(lines), delimiter, lambda _: False)
    every = iter(rows)
    header = next((row for row in every if "".join(row.fields).strip() and not row.fields[0].startswith("#")), None)
    if header is None:
        return
    smiles_column, name_column = _columns(header.fields)

    def has_smiles(fields: Sequence[str]) -> bool:
        return len(fields) > smiles_column and reads_as_smiles(fields[smiles_column].strip())

    rows.is_row = lambda fields: len(fields) >= len(header.fields) and has_smiles(fields)
    for row in every:
        if row.problem:
            text = "".join(row.fields)
            yield rejected(row.line, "", text, RejectionReason.UNREADABLE_RECORD, row.problem)
        elif not row.fields[0].startswith("#") or has_smiles(row.fields):
            yield from _row_record(row, delimiter, smiles_column, name_column)


def delimiter_of(lines: Iterable[Line]) -> str | None:
    """Return the delimiter under which the first line has a SMILES column among at least two columns."""
    return next((found for found, _ in _headers(lines) if found), None)


def has_smiles_header(lines: Iterable[Line]) -> bool:
    """Whether the first line is beyond doubt the header of a table, whatever the file is called."""
    for delimiter, plain in _headers(lines):
        if delimiter == "\t" and plain[0] in _SMILES_HEADERS:
            # SMILES, tab, name: such a table is a SMILES file with a header.
            return False
        if _SMILES_HEADERS & set(plain):
            return True
    return False


def has_names_first(lines: Iterable[Line]) -> bool:
    """Whether the lines are a name, a tab and a SMILES rather than the other way round."""
    texts = [line.text.strip() for line in lines if line.text.strip() and not line.text.startswith("#")]
    pairs = [(before, after) for before, tab, after in (text.partition("\t") for text in texts) if tab]
    sample = pairs[:_SNIFFED_SMILES]
    if len(pairs) < 0.5 * len(texts):
        return False
    n_before = sum(reads_as_smiles(before.strip()) for before, _ in sample)
    n_after = sum(reads_as_smiles(after.strip()) for _, after in sample)
    return n_before < 0.5 * len(sample) <= n_after


def reads_as_smiles(text: str) -> bool:
    """Whether a text is a SMILES by its grammar; its valences are not looked at."""
    if not 0 < len(text) < _SNIFFED_CHARACTERS:
        return False
    readable = read_smiles(text, sanitize=False) is not None
    forget_messages()
    return readable


def _headers(lines: Iterable[Line]) -> Iterator[tuple[str, list[str]]]:
    """Yield delimiters under which the first line has several fields, one of them like SMILES, and those fields."""
    first = ""
    for line in lines:
        if found := _EXCEL_DELIMITER.match(line.text):
            yield found[1], ["smiles"]
            return
        if line.text.strip() and not line.text.startswith("#"):
            first = line.text.lstrip("\ufeff")
            break
    for delimiter in _DELIMITERS:
        plain = [_plain(field) for field in next(csv.reader([first], delimiter=delimiter), [])]
        if len(plain) > 1 and any("smiles" in field for field in plain):
            yield delimiter, plain


def _without_delimiter_line(lines: Iterator[Line]) -> Iterator[Line]:
    """Leave out the line with which Excel names the delimiter."""
    first = next((line for line in lines if line.text.strip("\ufeff \t")), None)
    if first is not None and not _EXCEL_DELIMITER.match(first.text):
        yield first
    yield from lines


def _row_record(row: Row, delimiter: str, smiles_column: int, name_column: int | None) -> Iterator[Record]:
    fields = row.fields
    if not any(field.strip() for field in fields):
        return
    name = fields[name_column].strip() if name_column is not None and name_column < len(fields) else ""
    smiles = fields[smiles_column].strip() if smiles_column < len(fields) else ""
    if smiles:
        yield LigandRecord(row.line, smiles, "smiles", name)
    else:
        text = delimiter.join(fields)
        yield rejected(row.line, name, text, RejectionReason.EMPTY, "Its SMILES column is blank.")


def _columns(header: Sequence[str]) -> tuple[int, int | None]:
    plain = [_plain(field) for field in header]
    exact = [index for index, field in enumerate(plain) if field in _SMILES_HEADERS - {"structure"}]
    likely = exact or [index for index, field in enumerate(plain) if "smiles" in field]
    likely = likely or [index for index, field in enumerate(plain) if field == "structure"]
    if not likely:
        shown = ", ".join(field.strip()[:40] for field in header[:12])
        raise InvalidInput(
            f"The table has no SMILES column. Name one column “smiles”; its columns are: {shown}.",
            code="no_smiles_column",
            columns=[field.strip()[:40] for field in header[:50]],
        )
    named = [plain.index(field) for field in _NAME_HEADERS if field in plain]
    return likely[0], named[0] if named else None


def _plain(field: str) -> str:
    return re.sub(r"[^a-z0-9]", "", field.lower())


def _split_named_first(text: str) -> tuple[str, str]:
    name, _, smiles = text.partition("\t")
    return smiles.strip(), name.strip()


def _split_smiles_line(text: str) -> tuple[str, str]:
    smiles, _, rest = text.partition("\t") if "\t" in text else text.partition(" ")
    if "\t" in text and " " in smiles.strip():
        smiles, _, rest = text.partition(" ")
    rest = rest.strip()
    # A CXSMILES extension stands between bars and may hold spaces.
    if rest.startswith("|") and (end := rest.find("|", 1)) > 0:
        return f"{smiles} {rest[: end + 1]}", rest[end + 1 :].strip()
    return smiles.strip(), rest
