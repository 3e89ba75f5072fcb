"""What AutoGrid is told: types, parameters and a grid that Vina can read, or a refusal."""

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tests.support.family_programs import RECEPTOR

from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import LIGAND_TYPES, atom_lines, atom_type
from molecular_analysis_dashboard.adapters.engines.ad4_parameters import (
    AD4_LIGAND_TYPES,
    MAPPED_TYPES,
    check_ad4_receptor,
    grid_points,
    grid_specification,
    parameter_file,
    with_known_types,
)
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.sites import SearchBox

CHARGED = RECEPTOR.replace("+0.000 C ", "+0.250 C ")


@pytest.mark.parametrize(
    "smiles",
    ["CC(=O)Nc1ccc(O)cc1", "CS(=O)(=O)CCS", "C[Si](C)(C)C", "OP(O)(=O)OC", "FC(Cl)(Br)I", "c1ccncc1", "C[N+](C)(C)C",
     "O=C1CCCCCCCCCCCN1", "C#CC#N"],
)  # fmt: skip
def test_every_type_that_a_prepared_ligand_has_is_known(smiles: str) -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)

    assert {atom_type(line) for line in atom_lines(to_pdbqt(mol).pdbqt)} <= AD4_LIGAND_TYPES


def test_types_without_a_map_are_those_that_preparation_never_gives() -> None:
    assert sorted(LIGAND_TYPES - AD4_LIGAND_TYPES) == ["H", "O"]


def test_parameters_name_every_mapped_type_and_the_donor() -> None:
    lines = parameter_file().splitlines()

    assert {line.split()[1] for line in lines if line.startswith("atom_par")} >= set(MAPPED_TYPES)
    assert "atom_par HD 2.0 0.02 0.0 0.00051 0.0 0.0 2 -1 -1 0" in lines
    assert "atom_par OA 3.2 0.2 17.1573 -0.00251 1.9 5.0 5 -1 -1 0" in lines
    assert "FE_coeff_estat 0.1406" in lines


@pytest.mark.parametrize(
    ("size", "intervals"),
    [
        ((18.75, 18.0, 18.1), (50, 48, 50)),
        # One interval more than an odd number, half of one on each side.
        ((19.0, 0.75 * 27, 22.5), (52, 54, 60)),
    ],
)
def test_grid_covers_the_box_with_an_even_number_of_intervals(
    size: tuple[float, float, float], intervals: tuple[int, int, int]
) -> None:
    box = SearchBox((1.0, -2.25, 30.12345), size)
    lines = grid_specification("receptor", ["A", "C"], box).splitlines()

    assert f"npts {' '.join(map(str, intervals))}" in lines
    assert "gridcenter 1.000 -2.250 30.123" in lines
    assert all(number * 0.375 >= edge - 1e-6 for number, edge in zip(intervals, size, strict=True))
    assert grid_points(box) == (intervals[0] + 1) * (intervals[1] + 1) * (intervals[2] + 1)
    assert sum(line.startswith("map ") for line in lines) == len(MAPPED_TYPES)


def test_selenium_is_taken_for_sulphur_as_vina_does() -> None:
    text, types = with_known_types(CHARGED.replace("+0.250 C ", "+0.250 Se", 1))

    assert types == ["C", "S"]
    assert len(list(atom_lines(text))) == len(list(atom_lines(CHARGED)))


def test_receptor_with_charges_and_known_types_passes() -> None:
    check_ad4_receptor(CHARGED)
    check_ad4_receptor(CHARGED.replace("+0.250 C ", "+2.000 Zn", 1))
    # A single charge is enough: nobody can tell how many there should be.
    check_ad4_receptor(RECEPTOR.replace("+0.000 C ", "-0.001 C ", 1))


@pytest.mark.parametrize(
    ("pdbqt", "code", "words"),
    [
        (CHARGED.replace("+0.250 C ", "+1.000 Na", 1), "receptor_refused", "no parameters for Na"),
        (CHARGED.replace("+0.250 C ", "+2.000 Cu", 2), "receptor_refused", "no parameters for Cu"),
        (RECEPTOR, "charges_missing", "no partial charges"),
        (CHARGED.replace("+0.250 C ", "+x.xxx C ", 1), "charges_missing", "no partial charges"),
        (CHARGED.replace("+0.250 C ", "   nan C ", 1), "charges_missing", "no partial charges"),
        (CHARGED.replace("+0.250 C ", "       C ", 1), "charges_missing", "no partial charges"),
    ],
)
def test_receptor_that_ad4_cannot_score_is_refused(pdbqt: str, code: str, words: str) -> None:
    with pytest.raises(EngineFailed, match=words) as refused:
        check_ad4_receptor(pdbqt)
    assert refused.value.error_code == code
