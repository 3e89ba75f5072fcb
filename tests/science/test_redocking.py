from molecular_analysis_dashboard.adapters.chemistry.native_ligand import NativeLigand
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, mol_from_block, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.chemistry.sites import check_box
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, Severity
from molecular_analysis_dashboard.domain.sites import SearchBox


def test_complex_is_prepared_without_problems_at_the_site(
    receptor: PreparedReceptor, box: SearchBox, native: NativeLigand
) -> None:
    assert not any(note.action == "left_out" for note in receptor.report.notes)
    assert {note.severity for note in check_box(receptor.pdbqt, box, native.coordinates)} == {Severity.INFO}


def test_native_pose_is_found_again(
    receptor: PreparedReceptor, box: SearchBox, native: NativeLigand, native_state: LigandState
) -> None:
    protocol = DockingProtocol(seed=1)
    site = VinaEngine().open_site(receptor.pdbqt, box, protocol)

    poses, search = dock_in_rounds(site, native_state, protocol, seed=1)

    reference = mol_from_block(native_state.mol_block)
    best = pose_mol(native_state.mol_block, poses[0].coordinates)
    assert symmetry_rmsd(reference, best) <= 2.0
    assert poses[0].score_kcal_mol <= site.score(native_state) + 0.2
    assert all(matches_state(native_state.mol_block, pose.coordinates, native.smiles) for pose in poses)
    assert search.converged is not None
