"""Redocking in the engine process, with the real engine on a lattice of carbon atoms."""

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tests.integration.engines.conftest import BOX, MakeProcess, site
from tests.support.structure_text import complex_pdb
from tests.unit.chemistry.test_native_ligand import BEN, complex_with

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockingProtocol, RejectedLigand, SearchEffort
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.redocking import BondOrderSource, Redocked
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec

LATTICE = "".join(
    f"ATOM  {n:5d}  C   GLY A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 C \n"
    for n, (x, y, z) in enumerate(
        ((x, y, z) for x in (-6, 0, 6) for y in (-6, 0, 6) for z in (-6, 0, 6) if (x, y, z) != (0, 0, 0)), 1
    )
)
NATIVE = "O=C([O-])c1ccccc1"


def native_block(smiles: str = NATIVE) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=11) == 0
    mol.SetProp("_Name", "benzoate")
    return str(Chem.MolToMolBlock(mol))


def vina_site(seed: int = 42) -> SiteSpec:
    return SiteSpec("lattice", LATTICE, BOX, DockingProtocol(effort=SearchEffort(exhaustiveness=1), seed=seed))


@pytest.fixture
def opened(make_process: MakeProcess) -> EngineProcess:
    process = make_process()
    process.open_site(vina_site())
    return process


def test_poses_are_measured_and_the_native_pose_is_scored(opened: EngineProcess) -> None:
    found = opened.redock(vina_site(), native_block())

    assert isinstance(found, Redocked)
    assert len(found.rmsds_angstrom) == len(found.docked.poses)
    assert all(rmsd > 0.05 for rmsd in found.rmsds_angstrom)
    native = found.native
    assert native.message == ""
    assert native.in_place_kcal_mol is not None
    assert native.relaxed_kcal_mol is not None
    assert native.relaxed_kcal_mol <= native.in_place_kcal_mol + 0.01
    assert found.docked.score_kcal_mol <= native.relaxed_kcal_mol + 0.1


def test_the_crystal_s_conformation_does_not_reach_the_search(opened: EngineProcess) -> None:
    mol = Chem.MolFromMolBlock(native_block(), removeHs=False)
    stretched = mol.GetConformer().GetPositions() * 1.05
    mol.GetConformer().SetPositions(stretched)

    first, other = opened.redock(vina_site(), native_block()), opened.redock(vina_site(), Chem.MolToMolBlock(mol))

    assert isinstance(first, Redocked)
    assert isinstance(other, Redocked)
    assert other.docked.state_mol_block == first.docked.state_mol_block
    assert [pose.coordinates for pose in other.docked.poses] == [pose.coordinates for pose in first.docked.poses]
    assert other.rmsds_angstrom != first.rmsds_angstrom


def test_seeds_give_other_poses_and_repeat(opened: EngineProcess) -> None:
    other = vina_site(seed=43)
    opened.open_site(other)
    first, second, again = (opened.redock(spec, native_block()) for spec in (vina_site(), other, vina_site()))

    assert isinstance(first, Redocked)
    assert isinstance(second, Redocked)
    assert isinstance(again, Redocked)
    assert again.docked.poses == first.docked.poses
    assert second.docked.poses != first.docked.poses


def test_a_native_outside_the_box_has_no_score_but_is_docked(opened: EngineProcess) -> None:
    mol = Chem.MolFromMolBlock(native_block(), removeHs=False)
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + 9.0)

    found = opened.redock(vina_site(), Chem.MolToMolBlock(mol))

    assert isinstance(found, Redocked)
    assert found.native.in_place_kcal_mol is None
    assert "inside the box" in found.native.message


def test_a_native_that_cannot_be_docked_is_rejected_with_its_reason(opened: EngineProcess) -> None:
    found = opened.redock(vina_site(), native_block("OB(O)c1ccccc1"))

    assert isinstance(found, RejectedLigand)
    assert found.reason is RejectionReason.UNSUPPORTED_ELEMENT


def test_an_engine_that_cannot_relax_still_redocks(process: EngineProcess) -> None:
    spec = site("REMARK any receptor will do", engine="test")
    process.open_site(spec)

    found = process.redock(spec, native_block())

    assert isinstance(found, Redocked)
    assert found.native.relaxed_kcal_mol is None
    assert found.native.in_place_kcal_mol is not None


def test_a_ligand_of_the_structure_is_read_with_what_is_known_of_it(process: EngineProcess) -> None:
    unknown = process.read_native(complex_pdb(), "4iaq.pdb", "LIG")

    assert (unknown.name, unknown.bond_order_source) == ("LIG", "none")
    assert unknown.mol_block is None
    known = process.read_native(complex_with(BEN, protein=complex_pdb()), "ben.pdb", "BEN:A:900")
    assert known.bond_order_source is BondOrderSource.DICTIONARY
    assert known.mol_block is not None
    with pytest.raises(InvalidInput) as refused:
        process.read_native(complex_pdb(), "4iaq.pdb", "XYZ:A:1")
    assert refused.value.error_code == "native_not_found"
