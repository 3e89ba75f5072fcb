"""Cutting numbered lines into records: SMILES, SDF, MOL2 and tables with a SMILES column."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence

from molecular_analysis_dashboard.adapters.chemistry.text_lines import MAX_RECORD_BYTES, Line
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason

Record = LigandRecord | RejectedRecord
DISPLAY_CHARACTERS = 200
_SMILES_HEADERS = frozenset({"smiles", "smi", "canonicalsmiles", "isomericsmiles", "cxsmiles", "structure"})
_NAME_HEADERS = (
    "name", "id", "title", "ligandname", "compoundname", "moleculename", "compoundid", "moleculeid", "ligandid",
    "catalogid", "zincid", "chemblid", "moleculechemblid", "compound", "molecule", "identifier",
)  # fmt: skip
_TRIPOS_START = "@<TRIPOS>MOLECULE"


def smiles_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield one record per non-blank line: SMILES, then white space, then the name; a header is skipped."""
    first = True
    for line in lines:
        text = line.text.strip("\ufeff \t\f\v")
        if not text or text.startswith("#"):
            continue
        if line.too_long:
            yield too_long(line.number)
            continue
        smiles, name = _split_smiles_line(text)
        is_header = first and _plain(smiles) in _SMILES_HEADERS
        first = False
        if not is_header:
            yield LigandRecord(line.number, smiles, "smiles", name)


def sdf_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield one record per ``$$$$``; a last record may lack it. Empty records are rejections."""
    for start, block, cut, ended in _blocks(lines, _ends_sdf_record, keep_delimiter=False):
        if cut:
            yield too_long(start)
        elif any(text.strip() for text in block):
            yield LigandRecord(start, "\n".join(block) + "\n", "sdf", block[0].strip())
        elif ended:
            yield rejected(start, "", "", RejectionReason.EMPTY)


def mol2_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield one record per ``@<TRIPOS>MOLECULE``; what precedes the first is ignored."""
    for start, block, cut, _ in _blocks(lines, _starts_mol2_record, keep_delimiter=True):
        if cut:
            yield too_long(start)
        elif block and _starts_mol2_record(block[0]):
            name = block[1].strip() if len(block) > 1 else ""
            yield LigandRecord(start, "\n".join(block) + "\n", "mol2", "" if name == "*****" else name)


def table_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Yield one record per row of a table with a header that names a SMILES column.

    Raises
    ------
    InvalidInput
        ``no_smiles_column``, naming the columns found.
    """
    cursor = _Cursor(lines)
    rows = csv.reader(cursor, delimiter=delimiter)
    header = next((row for row in rows if "".join(row).strip() and not row[0].startswith("#")), None)
    if header is None:
        return
    smiles_column, name_column = _columns(header)
    while True:
        start = cursor.number + 1
        cursor.too_long = False
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as cause:
            yield rejected(start, "", "", RejectionReason.UNREADABLE_RECORD, f"The row is not valid CSV: {cause}.")
            continue
        if cursor.too_long:
            yield too_long(start)
        elif any(field.strip() for field in row):
            yield _row_record(start, row, smiles_column, name_column)


def too_long(line: int) -> RejectedRecord:
    """Return the rejection of a record beyond `MAX_RECORD_BYTES`."""
    detail = f"The record is longer than {MAX_RECORD_BYTES / 1e6:g} MB."
    return rejected(line, "", "", RejectionReason.UNREADABLE_RECORD, detail)


def rejected(line: int, name: str, text: str, reason: RejectionReason, detail: str = "") -> RejectedRecord:
    """Return a rejection with the reason's sentence and the input shortened for display."""
    message = f"{SENTENCES[reason]} {detail}".strip()
    shown = text if len(text) <= DISPLAY_CHARACTERS else text[: DISPLAY_CHARACTERS - 1] + "…"
    return RejectedRecord(line, name, shown, reason, message)


def delimiter_of(header: str) -> str | None:
    """Return the delimiter under which a line has a SMILES column among at least two columns."""
    for delimiter in ("\t", ",", ";", "|"):
        fields = next(csv.reader([header], delimiter=delimiter), [])
        if len(fields) > 1 and any("smiles" in _plain(field) for field in fields):
            return delimiter
    return None


class _Cursor:
    """Feeds a csv reader and remembers where it is."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.number = 0
        self.too_long = False

    def __iter__(self) -> "_Cursor":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        self.too_long = self.too_long or line.too_long
        return line.text.lstrip("\ufeff") + "\n"


def _row_record(line: int, row: Sequence[str], smiles_column: int, name_column: int | None) -> Record:
    name = row[name_column].strip() if name_column is not None and name_column < len(row) else ""
    smiles = row[smiles_column].strip() if smiles_column < len(row) else ""
    if not smiles:
        return rejected(line, name, ",".join(row), RejectionReason.EMPTY, "Its SMILES column is blank.")
    return LigandRecord(line, smiles, "smiles", name)


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


def _split_smiles_line(text: str) -> tuple[str, str]:
    smiles, _, rest = text.partition("\t") if "\t" in text else text.partition(" ")
    if "\t" in text and " " in smiles.strip():
        smiles, _, rest = text.partition(" ")
    rest = rest.strip()
    # A CXSMILES extension stands between bars and may hold spaces.
    if rest.startswith("|") and (end := rest.find("|", 1)) > 0:
        return f"{smiles} {rest[: end + 1]}", rest[end + 1 :].strip()
    return smiles.strip(), rest


def _ends_sdf_record(text: str) -> bool:
    return text.startswith("$$$$")


def _starts_mol2_record(text: str) -> bool:
    return text.startswith(_TRIPOS_START)


def _blocks(
    lines: Iterator[Line], delimits: Callable[[str], bool], *, keep_delimiter: bool
) -> Iterator[tuple[int, list[str], bool, bool]]:
    """Yield (first line, texts, whether cut for size, whether a delimiter ended it)."""
    start, block, size, cut = 0, list[str](), 0, False
    for line in lines:
        text = line.text.lstrip("\ufeff") if line.number == 1 else line.text
        if delimits(text):
            if start or not keep_delimiter:
                yield start or line.number, block, cut, True
            start, block, size, cut = 0, [], 0, False
            if not keep_delimiter:
                continue
        start = start or line.number
        size += len(text) + 1
        cut = cut or line.too_long or size > MAX_RECORD_BYTES
        if cut:
            block = []
        else:
            block.append(text)
    if start:
        yield start, block, cut, False
