"""Conformations of saturated rings: which are found, and that they change nothing else."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from molecular_analysis_dashboard.adapters.chemistry.conformers import embed, relax
from molecular_analysis_dashboard.adapters.chemistry.poses import (
    perceived_smiles,
    with_perceived_stereo,
    with_positions,
)
from molecular_analysis_dashboard.adapters.chemistry.ring_conformers import ring_conformers
from molecular_analysis_dashboard.adapters.chemistry.ring_fragments import cut_out, floppy_ring_systems
from molecular_analysis_dashboard.adapters.chemistry.ring_puckers import WINDOW_KCAL_MOL, puckers


def conformer(smiles: str, seed: int = 1) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    embed(mol, seed)
    relax(mol)
    return with_perceived_stereo(mol)


def bent(mol: Chem.Mol, most: int = 4) -> list[Chem.Mol]:
    return [with_positions(mol, found) for found in ring_conformers(mol, (), most)]


@pytest.mark.parametrize(
    ("smiles", "n_systems"),
    [
        ("C1CCCCC1", 1),
        ("C1CCCC1", 1),
        ("C1CCc2ccccc2C1", 1),
        ("C1CC2(CCO1)OCCO2", 1),
        ("C1CCNCC1CC1CCNCC1", 2),
        ("c1ccc2ccccc2c1", 0),
        ("CCCCCC", 0),
        ("C1CC1C1CCC1", 0),
        ("O=C1C=CC(=O)N1c1ccccc1", 0),
        ("O=c1cc[nH]c(=O)[nH]1", 0),
    ],
)
def test_only_saturated_rings_bend(smiles: str, n_systems: int) -> None:
    assert len(floppy_ring_systems(Chem.AddHs(Chem.MolFromSmiles(smiles)))) == n_systems


def test_ring_that_docking_opens_is_left_to_the_search() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("C1CCCCCCCCCCC1"))

    assert len(floppy_ring_systems(mol)) == 1
    assert floppy_ring_systems(mol, [(3, 4)]) == ()


@pytest.mark.parametrize(
    ("smiles", "n_puckers"),
    [
        ("CC1CCCCC1", 2),  # equatorial and axial
        ("CC(C)(C)C1CCCCC1", 1),  # axial costs about 5 kcal/mol
        ("C[C@H]1CC[C@@H](C)CC1", 1),  # diequatorial; diaxial costs more than the window
        ("C[C@H]1CC[C@H](C)CC1", 1),  # two chairs, one and the same by symmetry
        ("CC(=O)N1CCOCC1", 1),
        ("O[C@@H]1CCCC[C@@H]1F", 2),
        ("c1ccc2c(c1)CCCC2", 2),  # the half chair and its mirror image
    ],
)
def test_puckers_are_those_of_the_textbook(smiles: str, n_puckers: int) -> None:
    mol = conformer(smiles)
    (system,) = floppy_ring_systems(mol)

    found = puckers(mol, system)

    assert len(found) == n_puckers
    assert found[0].strain_kcal_mol == 0
    assert [one.strain_kcal_mol for one in found] == sorted(one.strain_kcal_mol for one in found)
    assert found[-1].strain_kcal_mol <= WINDOW_KCAL_MOL


def test_axial_methyl_costs_what_was_measured() -> None:
    """1.74 kcal/mol (Eliel & Wilen 1994, table 11.7); MMFF94s gives 1.4."""
    mol = conformer("CC1CCCCC1")
    (system,) = floppy_ring_systems(mol)

    assert puckers(mol, system)[1].strain_kcal_mol == pytest.approx(1.6, abs=0.4)


@pytest.mark.parametrize("seed", [1, 2])
def test_least_strained_ring_does_not_depend_on_the_start_conformer(seed: int) -> None:
    mol = conformer("C[C@H]1CC[C@@H](O)CC1", seed)

    first = bent(mol)[0]

    torsion = rdMolTransforms.GetDihedralDeg(first.GetConformer(), 0, 1, 2, 3)
    assert abs(torsion) == pytest.approx(180, abs=15)  # the methyl is equatorial


@pytest.mark.parametrize(
    "smiles",
    [
        "C[N@H+]1C[C@H](C(N)=O)C=C2c3cccc4[nH]cc(c34)C[C@H]21",
        "C[C@@H]1CC[NH+](C[C@H]1N(C)c1ncnc2[nH]ccc12)C(=O)CC#N",
        "CN1CC[NH+](Cc2ccc(C(=O)N[C@H]3CC[C@@H](O)CC3)cc2)CC1",
        "O=C(N1CCC[C@@H]1C(F)(F)F)C1(c2ccccc2)CCOCC1",
        "CC(C)=C1CCN(S(=O)(=O)C)C[C@@H]1O",
        "Cn1ncnc1[C@H]1c2n[nH]c(=O)c3cc(F)cc(c23)N[C@@H]1c1ccc(F)cc1",
        "OC[C@H]1O[C@@H](Oc2ccccc2)[C@H](O)[C@@H](O)[C@@H]1O",
    ],
)
def test_bent_molecule_keeps_hands_bonds_and_angles(smiles: str) -> None:
    mol = conformer(smiles)
    wanted, pairs, before = perceived_smiles(mol), _near(mol), mol.GetConformer().GetPositions()

    found = bent(mol)

    assert found
    for one in found:
        after = one.GetConformer().GetPositions()
        assert perceived_smiles(one) == wanted
        lengths = [np.linalg.norm(x[pairs[:, 0]] - x[pairs[:, 1]], axis=1) for x in (before, after)]
        # Within a ring angles change by a few degrees from pucker to pucker.
        assert np.abs(lengths[0] - lengths[1]).max() < 0.25


def test_what_one_molecule_taught_is_right_for_the_next() -> None:
    """Both have the same ring system, of which the second tells the two sides apart."""
    symmetric, lopsided = conformer("CC[C@H]1CC[C@H](CC)CC1"), conformer("CO[C@H]1CC[C@@H](CCF)CC1")

    assert len(bent(symmetric)) == len(bent(conformer("CC[C@H]1CC[C@H](CC)CC1", 2)))
    assert {perceived_smiles(one) for one in bent(lopsided)} == {perceived_smiles(lopsided)}


def test_conformations_of_several_ring_systems_are_combined_and_capped() -> None:
    mol = conformer("CC1CCCCC1CC1CCCCC1C")

    assert len(bent(mol, most=99)) > len(bent(mol, most=3)) == 3


def test_molecule_without_a_ring_that_bends_has_none() -> None:
    assert bent(conformer("CCc1ccccc1")) == []


def test_what_is_cut_out_keeps_amides_flat_and_charges_whole() -> None:
    mol = conformer("O=C(Nc1ccccc1)N1CC[NH2+]CC1")
    (system,) = floppy_ring_systems(mol)

    piece = cut_out(mol, system)

    assert piece is not None
    assert Chem.MolToSmiles(Chem.RemoveHs(piece)) == "O=CN1CC[NH2+]CC1"


@pytest.mark.parametrize("smiles", ["NC(=O)/C(=N\\O)N1CCOCC1", "C/C=C/C1CCCCC1", "O/N=C1/CCCCC1C"])
def test_double_bond_at_the_cut_does_not_end_the_process(smiles: str) -> None:
    assert bent(conformer(smiles))


def _near(mol: Chem.Mol) -> np.ndarray:
    """Pairs of heavy atoms one or two bonds apart: bond lengths and angles."""
    heavy = Chem.RemoveHs(mol)
    distances = Chem.GetDistanceMatrix(heavy)
    return np.argwhere(np.triu((distances > 0) & (distances <= 2)))
