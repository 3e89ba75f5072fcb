from importlib.util import find_spec
from pathlib import Path

import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.native_ligand import NativeLigand, extract_native_ligand
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.chemistry.sites import box_around
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.sites import SearchBox


@pytest.fixture(scope="session")
def complex_folder() -> Path:
    """ProLIF's copy of 5-HT1B with ergotamine (PDB 4IAQ), found without importing ProLIF."""
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "vina"


@pytest.fixture(scope="session")
def native(complex_folder: Path) -> NativeLigand:
    template = Chem.MolToSmiles(Chem.MolFromMolBlock((complex_folder / "vina_output.sdf").read_text()))
    data = (complex_folder / "lig.pdb").read_bytes()
    return extract_native_ligand(data, "lig.pdb", "LIG", template=template.encode(), template_name="ergotamine.smi")


@pytest.fixture(scope="session")
def box(native: NativeLigand) -> SearchBox:
    return box_around(native.coordinates)


@pytest.fixture(scope="session")
def receptor(complex_folder: Path, box: SearchBox) -> PreparedReceptor:
    options = ReceptorOptions(site_center=box.center, site_radius_angstrom=max(box.size) / 2)
    return prepare_receptor((complex_folder / "rec.pdb").read_bytes(), "rec.pdb", options)


@pytest.fixture(scope="session")
def native_state(native: NativeLigand) -> LigandState:
    """The native ligand as it lies in the complex: a search turns its bonds but keeps its rings."""
    return state_in_place(native)


def state_in_place(native: NativeLigand) -> LigandState:
    assert native.mol_block is not None
    mol = Chem.MolFromMolBlock(native.mol_block, removeHs=False)
    typed = to_pdbqt(mol)
    return LigandState(
        smiles=native.smiles,
        mol_block=native.mol_block,
        pdbqt=typed.pdbqt,
        heavy_atoms=mol.GetNumHeavyAtoms(),
        torsions=typed.torsions,
        formal_charge=Chem.GetFormalCharge(mol),
    )
