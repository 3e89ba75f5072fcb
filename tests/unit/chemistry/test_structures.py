import gzip
from collections.abc import Callable

import gemmi
import pytest

from molecular_analysis_dashboard.adapters.chemistry import compressed_input, structures
from molecular_analysis_dashboard.domain.errors import InvalidInput, TooLarge
from molecular_analysis_dashboard.domain.receptors import StructureFormat

ATOM = (
    "ATOM  {serial:5d} {name:<4} {residue:>3} {chain}{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
    "  1.00  0.00          {e:>2}"
)
HETERO = ATOM.replace("ATOM  ", "HETATM", 1)

PDB = "\n".join(
    [
        ATOM.format(serial=1, name=" N", residue="GLY", chain="A", number=1, x=0, y=0, z=0, e="N"),
        ATOM.format(serial=2, name=" CA", residue="GLY", chain="A", number=1, x=1.45, y=0, z=0, e="C"),
        ATOM.format(serial=3, name=" C", residue="GLY", chain="A", number=1, x=2.0, y=1.4, z=0, e="C"),
        ATOM.format(serial=4, name=" O", residue="GLY", chain="A", number=1, x=1.3, y=2.4, z=0, e="O"),
        "TER",
        HETERO.format(serial=5, name="ZN", residue="ZN", chain="A", number=101, x=9, y=0, z=0, e="ZN"),
        HETERO.format(serial=6, name=" O", residue="HOH", chain="A", number=201, x=9, y=9, z=0, e="O"),
        HETERO.format(serial=7, name=" O", residue="HOH", chain="A", number=202, x=9, y=9, z=9, e="O"),
        HETERO.format(serial=8, name=" C1", residue="GOL", chain="A", number=301, x=20, y=0, z=0, e="C"),
        HETERO.format(serial=9, name="FE", residue="HEM", chain="A", number=302, x=20, y=20, z=0, e="FE"),
        HETERO.format(serial=10, name=" NA", residue="HEM", chain="A", number=302, x=22, y=20, z=0, e="N"),
        HETERO.format(serial=11, name=" C1", residue="XYZ", chain="A", number=303, x=30, y=0, z=0, e="C"),
        HETERO.format(serial=12, name=" C2", residue="XYZ", chain="A", number=303, x=31.5, y=0, z=0, e="C"),
        "END",
    ]
)
PDBQT = "\n".join(
    [
        "REMARK  made elsewhere",
        "ATOM      1  N   GLY A   1       0.000   0.000   0.000  1.00  0.00    -0.063 N ",
        "ATOM      2  H   GLY A   1      -0.500  -0.870   0.000  1.00  0.00     0.164 HD",
        "ATOM      3  CA  GLY A   1       1.450   0.000   0.000  1.00  0.00     0.226 C ",
        "ATOM      4  O   GLY A   1       1.300   2.400   0.000  1.00  0.00    -0.271 OA",
        "",
    ]
)
MMCIF = """data_test
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.auth_seq_id
_atom_site.auth_asym_id
ATOM 1 N N . GLY A 1 1 0.0 0.0 0.0 1.0 1 A
ATOM 2 C CA . GLY A 1 1 1.4 0.0 0.0 1.0 1 A
"""


def test_groups_are_told_apart() -> None:
    summary = structures.summarize_structure(PDB.encode(), "complex.pdb")

    kinds = {group.selector: group.kind for group in summary.hetero_groups}
    assert kinds == {
        "ZN:A:101": "ion",
        "HOH:A:201": "water",
        "HOH:A:202": "water",
        "GOL:A:301": "additive",
        "HEM:A:302": "cofactor",
        "XYZ:A:303": "ligand",
    }
    assert (summary.format, summary.n_residues, summary.n_models) == (StructureFormat.PDB, 1, 1)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (PDB, "a.pdb", StructureFormat.PDB),
        (PDB, "no-suffix", StructureFormat.PDB),
        (MMCIF, "a.cif", StructureFormat.MMCIF),
        (MMCIF, "wrong-suffix.pdb", StructureFormat.MMCIF),
        (PDBQT, "a.pdbqt", StructureFormat.PDBQT),
        (PDBQT, "wrong-suffix.pdb", StructureFormat.PDBQT),
    ],
)
def test_content_decides_about_the_format(text: str, name: str, expected: StructureFormat) -> None:
    assert structures.read_structure_and_format(text.encode(), name)[1] is expected


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: ("REMARK é\n" + text).encode("latin-1"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text[:300].encode()) + gzip.compress(text[300:].encode()),
    ],
    ids=["utf-16", "bom", "latin-1", "crlf", "cr", "gzip", "two gzip members"],
)
def test_real_world_encodings_read_alike(encode: Callable[[str], bytes]) -> None:
    assert structures.read_structure(encode(PDB), "a.pdb")[0].count_atom_sites() == 12


def test_characters_beyond_ascii_keep_columns_in_place() -> None:
    odd = PDB.replace("XYZ A 303", "ÄÖÜ A 303")

    (group,) = [g for g in structures.summarize_structure(odd.encode(), "a.pdb").hetero_groups if g.number == "303"]

    assert (group.name, group.chain) == ("???", "A")


def test_pdbqt_elements_come_from_atom_types() -> None:
    structure = structures.read_structure(PDBQT.encode(), "a.pdbqt")

    assert [atom.element.name for atom in structure[0][0][0]] == ["N", "H", "C", "O"]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.pdb", "empty_file"),
        (b" \n\n", "a.pdb", "empty_file"),
        (b"hello world", "a.pdb", "unknown_format"),
        (b"\x00\x01\x02\x03" * 50, "a.pdb", "unknown_format"),
        (b"HEADER    HYDROLASE\nREMARK   2\nEND\n", "a.pdb", "no_atoms"),
        (b"data_x\n_cell.length_a 1\n", "a.cif", "no_atoms"),
        (b"data_x\nloop_\n_atom_site.id\n_atom_site.type_symbol\n1 C 2\n", "a.cif", "unknown_format"),
        (gzip.compress(PDB.encode(), mtime=0)[:-20], "a.pdb.gz", "truncated_gzip"),
        (gzip.compress(PDB.encode(), mtime=0)[:40] + b"garbage" * 30, "a.pdb.gz", "corrupt_gzip"),
    ],
)
def test_unusable_file_is_refused_with_its_reason(data: bytes, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        structures.read_structure(data, name)

    assert caught.value.error_code == code


def test_gzip_bomb_is_refused_before_it_fills_memory() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)

    with pytest.raises(TooLarge) as caught:
        compressed_input.decompress(bomb, max_bytes=1_000_000)

    assert caught.value.error_code == "too_large_decompressed"


@pytest.mark.parametrize("file_name", ["a.pdb", "a.pdbqt"])
@pytest.mark.parametrize("text", ["     nan", "    -inf", "********", "        ", "   1e400"])
def test_coordinate_that_is_no_number_is_refused_with_its_line(text: str, file_name: str) -> None:
    lines = PDB.splitlines()
    lines[2] = f"{lines[2][:38]}{text}{lines[2][46:]}"

    with pytest.raises(InvalidInput) as caught:
        structures.summarize_structure("\n".join(lines).encode(), file_name)

    assert (caught.value.error_code, caught.value.details["line"]) == ("coordinates_invalid", 3)


@pytest.mark.parametrize("text", ["nan", "?", "."])
def test_mmcif_atom_without_a_place_is_refused_by_name(text: str) -> None:
    cif = gemmi.read_pdb_string(PDB).make_mmcif_document().as_string().replace(" 1.45 ", f" {text} ", 1)

    with pytest.raises(InvalidInput) as caught:
        structures.summarize_structure(cif.encode(), "a.cif")

    assert caught.value.error_code == "coordinates_invalid"
    assert "CA of A:GLY 1" in caught.value.message


@pytest.mark.parametrize(
    ("columns", "chain", "name"),
    [("NALAA", "A", "ALA"), ("HISEB", "B", "HIS"), (" ALAA", "A", "ALA"), ("ALA B", "B", "ALA"), ("HOH A", "A", "HOH")],
)
def test_residue_name_of_four_letters_does_not_spill_into_the_chain(columns: str, chain: str, name: str) -> None:
    # The name stands in columns 18 to 20, with some programs to 21; the chain in 22.
    resname, letter = columns[:4].strip(), columns[4]
    field = f"{resname:<4}" if len(resname) == 4 else f"{resname:>3} "
    line = f"ATOM      1  N   {field}{letter}   1       0.000   0.000   0.000  1.00  0.00           N"

    (found,) = structures.read_structure(line.encode(), "a.pdb")[0]

    assert (found.name, [residue.name for residue in found]) == (chain, [name])
