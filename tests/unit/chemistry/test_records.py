import gzip
import io
import tracemalloc

import pytest

from molecular_analysis_dashboard.adapters.chemistry import records
from molecular_analysis_dashboard.adapters.chemistry.records import read_records
from molecular_analysis_dashboard.adapters.chemistry.text_lines import MAX_RECORD_BYTES
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord
from molecular_analysis_dashboard.domain.rejections import RejectionReason

BLOCK = "{name}\n  tool\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"
MOL2 = "@<TRIPOS>MOLECULE\n{name}\n 1 0 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n 1 C1 0 0 0 C.3\n@<TRIPOS>BOND\n"


def read(data: bytes, name: str = "library.smi", limit: int = 10_000_000) -> list[LigandRecord | RejectedRecord]:
    return list(read_records(io.BytesIO(data), name, max_decompressed_bytes=limit))


def triples(data: bytes, name: str = "library.smi") -> list[tuple[int, str, str]]:
    found = read(data, name)
    assert all(isinstance(record, LigandRecord) for record in found)
    return [(record.line, record.text, record.name) for record in found if isinstance(record, LigandRecord)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CCO ethanol\nCC ethane\n", [(1, "CCO", "ethanol"), (2, "CC", "ethane")]),
        ("CCO\tethyl alcohol\n", [(1, "CCO", "ethyl alcohol")]),
        ("CCO", [(1, "CCO", "")]),
        ("SMILES name\nCCO a\n", [(2, "CCO", "a")]),
        ("smiles\nCCO\n", [(2, "CCO", "")]),
        ("\n\nCCO a\n\n  \nCC b\n", [(3, "CCO", "a"), (6, "CC", "b")]),
        ("# made by hand\nCCO a\n", [(2, "CCO", "a")]),
        ("CC[C@H](F)Cl |o1:2| enantiomer\n", [(1, "CC[C@H](F)Cl |o1:2|", "enantiomer")]),
        ("CCO a\r\nCC b\r\n", [(1, "CCO", "a"), (2, "CC", "b")]),
        ("CCO a\rCC b\r", [(1, "CCO", "a"), (2, "CC", "b")]),
    ],
)
def test_smiles_lines(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert triples(text.encode()) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_names_survive_encodings(encoding: str) -> None:
    assert triples("CCO Äthanol\nCC Ethan\n".encode(encoding))[0] == (1, "CCO", "Äthanol")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("id,smiles\n7,CCO\n", "a.csv"),
        ("Canonical_SMILES;ID\nCCO;7\n", "a.csv"),
        ("name\tSMILES\n7\tCCO\n", "a.tsv"),
        ('smiles,title\n"CCO","7"\n', "a.csv"),
        ("Name,SMILES,mw\n7,CCO,46\n", "renamed.data"),
        ("# exported\nName,SMILES\n7,CCO\n", "a.csv"),
    ],
)
def test_tables_with_a_smiles_column(text: str, name: str) -> None:
    (record,) = read(text.encode(), name)

    assert isinstance(record, LigandRecord)
    assert (record.text, record.name) == ("CCO", "7")


def test_table_line_numbers_count_lines_inside_quotes() -> None:
    found = read(b'smiles,note,id\nCCO,"two\nlines",a\nCC,,b\n,,\n,empty,c\n', "a.csv")

    assert [(record.line, record.name) for record in found] == [(2, "a"), (4, "b"), (6, "c")]
    assert isinstance(found[2], RejectedRecord)
    assert found[2].reason is RejectionReason.EMPTY


def outcomes(text: str, name: str) -> list[tuple[int, str]]:
    """Line and SMILES of each record, of a rejection its line and nothing."""
    return [(one.line, one.text if isinstance(one, LigandRecord) else "") for one in read(text.encode(), name)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ('CCO,"a\nCCC,b\nCCCC,c\n', [(2, ""), (3, "CCC"), (4, "CCCC")]),
        ('CCO,"a\nCCC,b\nCCCC,"c"\n', [(2, ""), (3, "CCC"), (4, "CCCC")]),
        ('CCO,"a\nCCC,b\nCCCC,c"\n', [(2, ""), (3, "CCC"), (4, "CCCC")]),
        ('CCO,"a\nCCC,"b\nCCCC,"c\n', [(2, ""), (3, ""), (4, "")]),
        ('CCO,"a" b\nCCC,b\n', [(2, ""), (3, "CCC")]),
        ('CCO,"a"\n' + "CC,b\n" * 300 + 'C,"x\n' + "CCC,c\n" * 300, [(2, "CCO"), *[(n, "CC") for n in range(3, 303)],
         (303, ""), *[(n, "CCC") for n in range(304, 604)]]),
        ('CCO,"two\nlines, and a comma"\nCCC,"say ""so"""\n', [(2, "CCO"), (4, "CCC")]),
        ('CCO,5"-deoxy\n', [(2, "CCO")]),
    ],
)  # fmt: skip
def test_forgotten_quote_costs_its_row_and_no_other(rows: str, expected: list[tuple[int, str]]) -> None:
    assert outcomes("smiles,name\n" + rows, "a.csv") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smiles,name\n# note, with comma\nCCO,a\n#,\n", [(3, "CCO")]),
        ("id,smiles\n#1,CCO\n# note\n", [(2, "CCO")]),
    ],
)
def test_comments_in_tables_are_no_records(text: str, expected: list[tuple[int, str]]) -> None:
    assert outcomes(text, "a.csv") == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sep=;\nsmiles;name\nCCO;x\n", "a.csv"),
        ('\ufeff"sep=,"\r\nname,smiles\r\nx,CCO\r\n', "a.csv"),
        ("smiles,name\nCCO,x\n", "a.smi"),
        ("name\tsmiles\nx\tCCO\n", "a.smi"),
        ("smiles\tname\nCCO\tx\n", "a.smi"),
        ("x\tCCO\nethane\tCC\n", "a.smi"),
        ("x\tCCO\nethane\tCC\n", "a.txt"),
    ],
)
def test_tables_and_swapped_columns_are_seen_whatever_the_name(text: str, name: str) -> None:
    first = read(text.encode(), name)[0]

    assert isinstance(first, LigandRecord)
    assert (first.text, first.name) == ("CCO", "x")


def test_swapped_columns_without_a_smiles_are_a_rejection() -> None:
    assert outcomes("ethanol\tCCO\nethane\tCC\nnothing\n", "a.smi")[2] == (3, "")


DATA = "> <x>\n1\n\n"


def sdf(*parts: str) -> list[tuple[int, str]]:
    found = read("".join(parts).encode(), "a.sdf")
    assert all(
        one.text.count("V2000") == 1 for one in found if isinstance(one, LigandRecord) and "<mol>" not in one.text
    )
    return [(one.line, one.name) for one in found]


def mol(name: str) -> str:
    return BLOCK.format(name=name)


def test_molecules_that_no_delimiter_parts_are_parted() -> None:
    assert sdf(mol("A"), mol("B")) == [(1, "A"), (7, "B")]
    assert sdf(mol("A"), DATA, mol("B"), DATA, "$$$$\n", mol("C")) == [(1, "A"), (10, "B"), (20, "C")]
    assert sdf(mol("A"), DATA, mol(""), "$$$$\n") == [(1, "A"), (10, "")]
    assert sdf(mol("A").replace("M  END\n", ""), mol("B")) == [(1, "A"), (6, "B")]


@pytest.mark.parametrize("inner", ["inner", ""])
def test_mol_block_as_the_value_of_a_data_item_is_no_record(inner: str) -> None:
    assert sdf(mol("A"), "> <mol>\n", mol(inner), "\n$$$$\n", mol("C")) == [(1, "A"), (16, "C")]


def test_overlong_record_does_not_take_the_next_one_with_it() -> None:
    long = mol("A") + ("x" * 1000 + "\n") * (MAX_RECORD_BYTES // 1000)

    assert sdf(long, mol("B"), "$$$$\n", mol("C"))[1:] == [
        (MAX_RECORD_BYTES // 1000 + 7, "B"),
        (MAX_RECORD_BYTES // 1000 + 14, "C"),
    ]


def test_sdf_records_know_their_first_line_and_name() -> None:
    text = (
        BLOCK.format(name="one") + "> <x>\n1\n\n$$$$\n" + BLOCK.format(name="two") + "$$$$\n" + BLOCK.format(name="3")
    )

    found = [(record.line, record.name) for record in read(text.encode(), "a.sdf")]

    assert found == [(1, "one"), (11, "two"), (18, "3")]


def test_empty_sdf_records_are_rejections() -> None:
    found = read(("\n$$$$\n" + BLOCK.format(name="one") + "$$$$\n\n\n").encode(), "a.sdf")

    assert [type(record) for record in found] == [RejectedRecord, LigandRecord]


def test_mol2_records_start_at_their_tag() -> None:
    text = "# comment\n\n" + MOL2.format(name="one") + MOL2.format(name="*****")

    found = [(record.line, record.name) for record in read(text.encode(), "a.mol2")]

    assert found == [(3, "one"), (12, "")]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.smi", "empty_file"),
        (b"\n \n", "a.sdf", "empty_file"),
        (b"smiles name\n", "a.smi", "empty_file"),
        (b"id,weight\n1,2\n", "a.csv", "no_smiles_column"),
        (b"Dear all, please find attached\nthe minutes of our meeting\n", "a.txt", "unknown_format"),
        (b"x" * 2_000, "a.smi", "too_large_decompressed"),
        (gzip.compress(b"CCO\n" * 1000, mtime=0)[:-12], "a.smi.gz", "truncated_gzip"),
    ],
)
def test_unusable_file_is_refused_with_its_reason(data: bytes, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data, name, limit=1_000 if code == "too_large_decompressed" else 10_000_000)

    assert caught.value.error_code == code


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(gzip.compress(b"CCO a\n", mtime=0), mtime=0),
        b"PK\x03\x04rest of a workbook",
        b"BZh91AY&SY",
        gzip.compress(b"\xfd7zXZ\x00rest", mtime=0),
    ],
)
def test_file_that_is_packed_another_way_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data, "a.smi.gz")

    assert caught.value.error_code == "packed_file"


@pytest.mark.parametrize("name", ["a.smi.gz", "a.sdf.gz", "a.csv.gz"])
def test_file_of_nothing_is_refused_after_a_while(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_BYTES_WITHOUT_RECORD", 300_000)

    with pytest.raises(InvalidInput) as caught:
        read(gzip.compress(b"smiles,name\n" + b"\n" * 3_000_000), name)

    assert caught.value.error_code == "too_long_without_record"


def test_reading_is_interruptible_where_no_record_comes() -> None:
    n_pieces = 0

    def between_pieces() -> None:
        nonlocal n_pieces
        n_pieces += 1
        if n_pieces == 4:
            raise KeyboardInterrupt

    packed = gzip.compress(b"CCO a\n" + b"\n" * 3_000_000)
    with pytest.raises(KeyboardInterrupt):
        list(read_records(io.BytesIO(packed), "a.smi.gz", between_pieces=between_pieces))


def test_truncated_gzip_is_reported_after_whole_records_only() -> None:
    cut = gzip.compress(b"".join(b"CCO name%d\n" % number for number in range(50_000)))[:-2000]
    taken: list[LigandRecord | RejectedRecord] = []

    with pytest.raises(InvalidInput):
        taken.extend(read_records(io.BytesIO(cut), "a.smi.gz", max_decompressed_bytes=10_000_000))

    assert taken
    assert all(record.name == f"name{number}" for number, record in enumerate(taken))


@pytest.mark.parametrize(
    ("name", "around"), [("a.smi", b"%sCC b\n"), ("a.sdf", b"%s$$$$\n"), ("a.csv", b"smiles,id\n%sCC,b\n")]
)
def test_overlong_line_is_one_rejection(name: str, around: bytes) -> None:
    found = read(around % (b"C" * (MAX_RECORD_BYTES + 1_000) + b"\n"), name)

    rejected = [record for record in found if isinstance(record, RejectedRecord)]
    assert [record.reason for record in rejected] == [RejectionReason.UNREADABLE_RECORD]


def test_reading_takes_constant_memory() -> None:
    packed = gzip.compress(b"CCO a name\n" * 400_000)
    tracemalloc.start()
    n_records = sum(1 for _ in read_records(io.BytesIO(packed), "a.smi.gz", max_decompressed_bytes=1 << 40))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n_records == 400_000
    assert peak < 2_000_000
