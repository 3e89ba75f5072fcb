"""AutoDock 4's scoring function on a complex of the redocking set: imatinib in c-Abl (PDB 1IEP)."""

import os
from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.chemistry.native_ligand import read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.chemistry.sites import box_around
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions

pytestmark = [pytest.mark.benchmark_data, pytest.mark.timeout(1800)]

# A run of imatinib takes some 8 s of CPU.
PROTOCOL = DockingProtocol(
    scoring="ad4", effort=SearchEffort(8, run_length=0.25), ligands=LigandOptions(protonate=False)
)


def test_smiles_alone_leads_to_the_native_pose(autogrid: AutoGrid) -> None:
    folder = Path(os.environ["MAD_BENCHMARK_DATA"]) / "redocking" / "1iep"
    native = read_ligand_file((folder / "1iep_ligand.sdf").read_bytes(), "1iep_ligand.sdf")
    box = box_around(native.coordinates)
    options = ReceptorOptions(site_center=box.center, site_radius_angstrom=max(box.size) / 2)
    receptor = prepare_receptor((folder / "1iep_protein.pdb.gz").read_bytes(), "1iep_protein.pdb.gz", options)
    site = VinaEngine(autogrid).open_site(receptor.pdbqt, box, PROTOCOL)

    outcome = dock_ligand(site, LigandInput("1", "imatinib", native.smiles), PROTOCOL, ["receptor", "box"])

    assert isinstance(outcome, DockedLigand)
    assert native.mol_block is not None
    best = pose_mol(outcome.state_mol_block, outcome.poses[0].coordinates)
    print(f"\n{outcome.score_kcal_mol:.2f} kcal/mol after {outcome.seconds_cpu:.0f} s of CPU, {outcome.search}")  # noqa: T201
    assert symmetry_rmsd(mol_from_block(native.mol_block), best) <= 2.0
