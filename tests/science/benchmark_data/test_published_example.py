"""The Vina authors' own example: imatinib in c-Abl (PDB 1IEP), published top score -13.234 kcal/mol."""

from pathlib import Path

import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.native_ligand import NativeLigand, read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, position
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions
from molecular_analysis_dashboard.domain.sites import SearchBox

pytestmark = pytest.mark.benchmark_data

PUBLISHED_TOP_SCORE_KCAL_MOL = -13.23
BOX = SearchBox((15.190, 53.903, 16.917), (20.0, 20.0, 20.0))
PROTOCOL = DockingProtocol(effort=SearchEffort(exhaustiveness=8), ligands=LigandOptions(protonate=False))


@pytest.fixture(scope="module")
def folder(benchmark_data: Path) -> Path:
    return benchmark_data / "score_reproduction" / "vina_examples" / "basic_1iep"


@pytest.fixture(scope="module")
def native(folder: Path) -> NativeLigand:
    return read_ligand_file((folder / "1iep_ligand.sdf").read_bytes(), "1iep_ligand.sdf")


@pytest.fixture(scope="module")
def state(native: NativeLigand) -> LigandState:
    assert native.mol_block is not None
    mol = mol_from_block(native.mol_block)
    typed = to_pdbqt(mol)
    return LigandState(
        native.smiles, native.mol_block, typed.pdbqt, mol.GetNumHeavyAtoms(), typed.torsions, Chem.GetFormalCharge(mol)
    )


@pytest.fixture(scope="module")
def published_top(folder: Path, native: NativeLigand) -> Chem.Mol:
    """The published top pose on the ligand's own topology, by nearest equal elements of the symmetric mapping."""
    text = (folder / "1iep_ligand_vina_out.pdbqt").read_text().split("ENDMDL")[0]
    assert native.mol_block is not None
    mol = mol_from_block(native.mol_block)
    return _with_published_positions(mol, text)


def _with_published_positions(mol: Chem.Mol, text: str) -> Chem.Mol:
    smiles = next(line.split()[2] for line in text.splitlines() if line.startswith("REMARK SMILES "))
    numbers = [
        int(field) for line in text.splitlines() if line.startswith("REMARK SMILES IDX") for field in line.split()[3:]
    ]
    lines = list(atom_lines(text))
    template = Chem.MolFromSmiles(smiles)
    match = mol.GetSubstructMatch(template)
    heavy = Chem.RWMol(mol)
    for smiles_index, serial in zip(numbers[::2], numbers[1::2], strict=True):
        heavy.GetConformer().SetAtomPosition(match[smiles_index - 1], position(lines[serial - 1]))
    return Chem.RemoveHs(heavy.GetMol())


@pytest.mark.parametrize("prepared_here", [False, True])
def test_published_pose_and_score_come_back(
    folder: Path, state: LigandState, published_top: Chem.Mol, prepared_here: bool
) -> None:
    receptor = (
        prepare_receptor(
            (folder / "1iep_receptorH.pdb").read_bytes(), "1iep.pdb", ReceptorOptions(site_center=BOX.center)
        ).pdbqt
        if prepared_here
        else (folder / "1iep_receptor.pdbqt").read_text()
    )
    site = VinaEngine().open_site(receptor, BOX, PROTOCOL)

    poses = site.dock(state, seed=1)

    assert poses[0].score_kcal_mol == pytest.approx(PUBLISHED_TOP_SCORE_KCAL_MOL, abs=0.3)
    assert symmetry_rmsd(published_top, pose_mol(state.mol_block, poses[0].coordinates)) <= 2.0


def test_published_pose_scores_as_published(folder: Path, state: LigandState, published_top: Chem.Mol) -> None:
    site = VinaEngine().open_site((folder / "1iep_receptor.pdbqt").read_text(), BOX, PROTOCOL)
    block = Chem.MolToMolBlock(Chem.AddHs(published_top, addCoords=True))
    typed = to_pdbqt(mol_from_block(block))

    score = site.score(
        LigandState(state.smiles, block, typed.pdbqt, state.heavy_atoms, typed.torsions, state.formal_charge)
    )

    assert score == pytest.approx(PUBLISHED_TOP_SCORE_KCAL_MOL, abs=0.05)


def test_smiles_alone_leads_to_the_native_pose(folder: Path, native: NativeLigand) -> None:
    site = VinaEngine().open_site((folder / "1iep_receptor.pdbqt").read_text(), BOX, PROTOCOL)

    outcome = dock_ligand(site, LigandInput("1", "imatinib", native.smiles), PROTOCOL, ["receptor", "box"])

    assert isinstance(outcome, DockedLigand)
    assert native.mol_block is not None
    best = pose_mol(outcome.state_mol_block, outcome.poses[0].coordinates)
    assert symmetry_rmsd(mol_from_block(native.mol_block), best) <= 2.0
