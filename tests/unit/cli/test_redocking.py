from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molecular_analysis_dashboard.domain.errors import InvalidInput, NotFound
from molecular_analysis_dashboard.infrastructure.redocking import rmsd_to_native


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def write_poses(path: Path, *poses: Chem.Mol) -> Path:
    with Chem.SDWriter(str(path)) as writer:
        for pose in poses:
            writer.write(pose)
    return path


def shifted(mol: Chem.Mol, angstrom: float, name: str) -> Chem.Mol:
    moved = Chem.Mol(mol)
    conformer = moved.GetConformer()
    conformer.SetPositions(conformer.GetPositions() + np.array([angstrom, 0.0, 0.0]))
    moved.SetProp("_Name", name)
    return moved


def test_first_pose_of_that_name_is_measured_in_place(tmp_path: Path) -> None:
    native = embedded("CC(=O)Oc1ccccc1C(=O)O")
    poses = write_poses(
        tmp_path / "poses.sdf", shifted(native, 9, "other"), shifted(native, 1.5, "it"), shifted(native, 5, "it")
    )
    assert rmsd_to_native(Chem.MolToPDBBlock(native), poses, "it") == pytest.approx(1.5, abs=0.01)


def test_name_without_a_pose_is_told(tmp_path: Path) -> None:
    native = embedded("CCO")
    poses = write_poses(tmp_path / "poses.sdf", shifted(native, 1, "it"))
    with pytest.raises(NotFound, match="no pose of that"):
        rmsd_to_native(Chem.MolToPDBBlock(native), poses, "that")


def test_other_molecule_is_refused(tmp_path: Path) -> None:
    poses = write_poses(tmp_path / "poses.sdf", shifted(embedded("CCO"), 1, "it"))
    with pytest.raises(InvalidInput):
        rmsd_to_native(Chem.MolToPDBBlock(embedded("CCN")), poses, "it")
