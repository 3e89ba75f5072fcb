import pytest

from molecular_analysis_dashboard.adapters.chemistry.sites import (
    box_around,
    box_from_residues,
    check_box,
    check_box_on,
)
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.domain.sites import SearchBox


def receptor(n: int = 100, spacing: float = 0.5) -> str:
    line = "ATOM  {0:5d}  C   ALA A   1    {1:8.3f}{2:8.3f}{2:8.3f}  1.00  0.00    +0.000 C "
    return "\n".join(line.format(i + 1, i * spacing, 0.0) for i in range(n))


def test_box_encloses_coordinates_with_padding() -> None:
    box = box_around([(0, 0, 0), (10, 2, 4)], padding=5.0)

    assert box == SearchBox((5.0, 1.0, 2.0), (20.0, 12.0, 14.0))


def test_single_atom_without_padding_gets_the_smallest_box() -> None:
    assert box_around([(1, 2, 3)], padding=0.0).size == (4.0, 4.0, 4.0)


@pytest.mark.parametrize("coordinates", [[], [(1.0, 2.0)], [(float("nan"), 0, 0)]])
def test_box_needs_finite_coordinates(coordinates: list[tuple[float, ...]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        box_around(coordinates)

    assert caught.value.error_code == "box_no_coordinates"


def test_too_wide_extent_is_refused() -> None:
    with pytest.raises(InvalidInput):
        box_around([(0, 0, 0), (200, 0, 0)])


def test_box_from_residues(protein_pdb: bytes) -> None:
    box = box_from_residues(protein_pdb, "a.pdb", ["A:50", " A:51 "], padding=3.0)

    assert all(6.0 < edge < 25.0 for edge in box.size)


def test_missing_residue_is_named(protein_pdb: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        box_from_residues(protein_pdb, "a.pdb", ["A:50", "Z:1"])

    assert caught.value.error_code == "residue_not_found"
    assert caught.value.details["missing"] == ["Z:1"]
    assert "chains A" in caught.value.message


def test_no_residue_at_all_is_refused(protein_pdb: bytes) -> None:
    with pytest.raises(InvalidInput):
        box_from_residues(protein_pdb, "a.pdb", [])


@pytest.mark.parametrize(
    ("box", "codes"),
    [
        (SearchBox((25, 0, 0), (22, 22, 22)), set()),
        (SearchBox((25, 0, 0), (40, 40, 40)), {"box_large"}),
        (SearchBox((25, 0, 0), (40, 40, 6)), {"box_small"}),
        (SearchBox((0, 16, 0), (20, 20, 20)), {"box_mostly_solvent"}),
    ],
)
def test_box_findings(box: SearchBox, codes: set[str]) -> None:
    assert {code for code, _, _ in check_box(receptor(), box)} == codes


def protein_core() -> list[tuple[float, float, float]]:
    """Atoms as dense as in a protein's core, filling a cube of 20 Å."""
    return [(2.2 * i, 2.2 * j, 2.2 * k) for i in range(10) for j in range(10) for k in range(10)]


def test_box_in_a_protein_core_is_called_buried_with_numbers() -> None:
    notes = {note.code: note for note in check_box_on(protein_core(), SearchBox((10, 10, 10), (9, 9, 9)))}

    assert notes["box_buried"].severity is Severity.WARNING
    assert "Only 0 Å³ (0.0 %)" in notes["box_buried"].message


@pytest.mark.parametrize("center", [(10, 10, 24), (10, 10, 30)])
def test_box_at_the_surface_has_room(center: tuple[float, float, float]) -> None:
    codes = {note.code for note in check_box_on(protein_core(), SearchBox(center, (15, 15, 15)))}

    assert "box_buried" not in codes


def test_box_away_from_the_receptor_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_box(receptor(), SearchBox((25, 60, 0), (20, 20, 20)))

    assert caught.value.error_code == "box_off_receptor"


def test_receptor_without_atoms_is_refused() -> None:
    with pytest.raises(InvalidInput):
        check_box("", SearchBox((0, 0, 0), (20, 20, 20)))


@pytest.mark.parametrize(
    ("native", "code", "severity"),
    [
        ([(25, 0, 0), (26, 0, 0)], "native_inside", Severity.INFO),
        ([(25, 0, 0), (25, 30, 0)], "native_outside", Severity.WARNING),
        ([(25, 30, 0), (25, 31, 0)], "native_outside", Severity.BLOCKING),
    ],
)
def test_native_ligand_is_located(native: list[tuple[float, float, float]], code: str, severity: Severity) -> None:
    notes = check_box(receptor(), SearchBox((25, 0, 0), (22, 22, 22)), native)

    assert (code, severity) in {(note.code, note.severity) for note in notes}
