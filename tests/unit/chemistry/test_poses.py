import io

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

from molecular_analysis_dashboard.adapters.chemistry import poses
from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose, superposition
from molecular_analysis_dashboard.domain.errors import InvalidInput


def canonical(smiles: str) -> str:
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))


def embedded(smiles: str, seed: int = 7) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=seed)
    return mol


def packed(mol: Chem.Mol) -> bytes:
    return poses.pack_coordinates(mol.GetConformer().GetPositions())


def shifted(mol: Chem.Mol, by: tuple[float, float, float]) -> Chem.Mol:
    copy = Chem.Mol(mol)
    copy.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array(by))
    return copy


def test_sdf_of_a_pose_keeps_bond_orders_stereo_and_fields() -> None:
    mol = embedded("C[C@H](N)C(=O)/C=C/Br")

    text = poses.pose_sdf(Chem.MolToMolBlock(mol), packed(mol), {"score_kcal_mol": -7.5, "note": "a\n\nb"}, "my name")

    (record,) = Chem.ForwardSDMolSupplier(io.BytesIO(text.encode()))
    assert Chem.MolToSmiles(record) == canonical("C[C@H](N)C(=O)/C=C/Br")
    assert record.GetProp("_Name") == "my name"
    assert float(record.GetProp("score_kcal_mol")) == -7.5
    assert record.GetProp("note") == "a\nb"


def test_sdf_reads_as_one_record_whatever_a_field_holds() -> None:
    mol = embedded("CCO")

    text = poses.pose_sdf(Chem.MolToMolBlock(mol), packed(mol), {"evil": "x\n$$$$\n> <y>"}, "two\nlines")

    assert text.count("\n$$$$\n") == 1
    assert text.startswith("two lines\n")


def test_title_that_looks_like_the_end_of_a_record_is_none() -> None:
    mol = embedded("CCO")

    text = poses.pose_sdf(Chem.MolToMolBlock(mol), packed(mol), {"name": "$$$$ x"}, "$$$$ x")

    assert [line for line in text.splitlines() if line.startswith("$$$$")] == ["$$$$"]


def test_pose_with_another_number_of_atoms_is_refused() -> None:
    mol = embedded("CCO")

    with pytest.raises(InvalidInput) as caught:
        poses.pose_mol(Chem.MolToMolBlock(mol), packed(mol)[:-12])

    assert caught.value.error_code == "pose_atom_count"


def test_unreadable_mol_block_is_refused() -> None:
    with pytest.raises(InvalidInput):
        poses.pose_mol("nonsense", b"")


@pytest.mark.parametrize("smiles", ["C[C@H](F)Cl", "F/C=C\\Cl", "CC(=O)Nc1ccc(O)cc1", "N=C(N)c1ccccc1", "CC=NO"])
def test_pose_shows_its_own_state(smiles: str) -> None:
    mol = embedded(smiles)
    state = poses.perceived_smiles(mol)

    assert poses.matches_state(Chem.MolToMolBlock(mol), packed(shifted(mol, (5, -3, 2))), state)


@pytest.mark.parametrize(("smiles", "other"), [("C[C@H](F)Cl", "C[C@@H](F)Cl"), ("F/C=C/Cl", "F/C=C\\Cl")])
def test_pose_of_the_other_isomer_is_recognized(smiles: str, other: str) -> None:
    mol, wrong = embedded(smiles), embedded(other)

    assert not poses.matches_state(Chem.MolToMolBlock(mol), packed(wrong), poses.perceived_smiles(mol))


def test_rmsd_of_a_translation_is_its_length() -> None:
    mol = embedded("CC(=O)Nc1ccc(O)cc1")

    assert poses.symmetry_rmsd(mol, shifted(mol, (3.0, 4.0, 0.0))) == pytest.approx(5.0, abs=1e-6)


def test_rmsd_sees_through_symmetry_and_ignores_hydrogens() -> None:
    mol = embedded("Cc1ccccc1")
    ring = list(mol.GetSubstructMatch(Chem.MolFromSmarts("Cc1ccccc1")))
    flipped = Chem.Mol(mol)
    for old, new in zip(ring, [ring[0], ring[1], *reversed(ring[2:])], strict=True):
        flipped.GetConformer().SetAtomPosition(old, mol.GetConformer().GetAtomPosition(new))

    assert poses.symmetry_rmsd(mol, flipped) == pytest.approx(0.0, abs=1e-6)


def test_rmsd_compares_protonation_states_of_one_molecule() -> None:
    acid = embedded("CC(=O)O")
    anion = Chem.RemoveHs(acid)
    anion.GetAtomWithIdx(3).SetFormalCharge(-1)
    anion.GetAtomWithIdx(3).SetNoImplicit(True)

    assert poses.symmetry_rmsd(acid, anion) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("other", ["CCN", "CCCO", "COC"])
def test_rmsd_of_different_molecules_is_refused(other: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        poses.symmetry_rmsd(embedded("CCO"), embedded(other))

    assert caught.value.error_code == "rmsd_different_molecules"


def test_superposition_is_a_proper_rotation() -> None:
    source = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    mirrored = source * np.array([1, 1, -1])

    rotation, _ = superposition(source, mirrored)

    assert np.linalg.det(rotation) == pytest.approx(1.0)


@pytest.mark.parametrize("smiles", ["CCC(C)CO", "C#CCc1ccccc1", "CC(C)(C)N", "C[C@H](F)CCl", "CC", "OCC=C"])
def test_hydrogens_follow_rotated_bonds_with_sane_geometry(smiles: str) -> None:
    mol = embedded(smiles)
    before_smiles = poses.perceived_smiles(mol)
    turned = Chem.Mol(mol)
    pattern = Chem.MolFromSmarts("[!#1]~[!#1;!$(*#*)]-!@[!#1;!$(*#*)]~[!#1]")
    for match in turned.GetSubstructMatches(pattern):
        a, b, c, d = match
        rdMolTransforms.SetDihedralDeg(turned.GetConformer(), a, b, c, d, 37.0)
    polar = Chem.MolFromSmarts("[!#1,$([#1][N,O,S])]")
    known = {i: tuple(turned.GetConformer().GetAtomPosition(i)) for (i,) in turned.GetSubstructMatches(polar)}

    complete = complete_pose(mol, known)

    for index, position in known.items():
        assert complete[index] == pytest.approx(position)
    start, end = mol.GetConformer().GetPositions(), complete
    for atom in mol.GetAtoms():
        hydrogens = [n.GetIdx() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1]
        for h in hydrogens:
            before = np.linalg.norm(start[h] - start[atom.GetIdx()])
            assert np.linalg.norm(end[h] - end[atom.GetIdx()]) == pytest.approx(before, abs=1e-6)
            for n in atom.GetNeighbors():
                if n.GetIdx() != h:
                    apart = np.linalg.norm(start[h] - start[n.GetIdx()])
                    assert np.linalg.norm(end[h] - end[n.GetIdx()]) == pytest.approx(apart, abs=0.02)
    mol.GetConformer().SetPositions(complete)
    assert poses.perceived_smiles(mol) == before_smiles
