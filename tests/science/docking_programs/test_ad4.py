"""AutoDock 4's scoring function with the real AutoGrid, at 5-HT1B with ergotamine (PDB 4IAQ)."""

import re
from dataclasses import replace

import pytest
from tests.science.docking_programs.conftest import COMMANDS

from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, mol_from_block, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine, VinaSite
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.sites import SearchBox

PROTOCOL = DockingProtocol(scoring="ad4", seed=1)
QUICK = replace(PROTOCOL, effort=SearchEffort(2, run_length=0.25))
ASPIRIN, MACROCYCLE, SILANE = "CC(=O)Oc1ccccc1C(=O)O", "O=C1CCCCCCCCCCCN1", "C[Si](C)(C)c1ccccc1"


@pytest.fixture(scope="module")
def site(autogrid: AutoGrid, receptor: PreparedReceptor, box: SearchBox) -> VinaSite:
    return VinaEngine(autogrid).open_site(receptor.pdbqt, box, PROTOCOL)


def test_native_pose_is_found_again(site: VinaSite, native_state: LigandState) -> None:
    poses, search = dock_in_rounds(site, native_state, PROTOCOL, seed=1)

    best = pose_mol(native_state.mol_block, poses[0].coordinates)
    assert symmetry_rmsd(mol_from_block(native_state.mol_block), best) <= 2.0
    assert search.converged is not None
    assert [pose.score_kcal_mol for pose in poses] == sorted(pose.score_kcal_mol for pose in poses)


@pytest.mark.parametrize("smiles", [ASPIRIN, MACROCYCLE, SILANE])
def test_poses_are_the_docked_molecule(
    autogrid: AutoGrid, receptor: PreparedReceptor, box: SearchBox, smiles: str
) -> None:
    small = VinaEngine(autogrid).open_site(receptor.pdbqt, SearchBox(box.center, (16.0, 16.0, 16.0)), QUICK)
    outcome = dock_ligand(small, LigandInput("id", "name", smiles), QUICK, ["receptor", "box"])

    assert isinstance(outcome, DockedLigand)
    for pose in outcome.poses:
        assert matches_state(outcome.state_mol_block, pose.coordinates, outcome.state_smiles)


def test_receptor_without_charges_is_refused(autogrid: AutoGrid, receptor: PreparedReceptor, box: SearchBox) -> None:
    bare = re.sub(r"[+-]\d\.\d{3} (?=[A-Z])", "+0.000 ", receptor.pdbqt)

    with pytest.raises(EngineFailed) as refused:
        VinaEngine(autogrid).open_site(bare, box, PROTOCOL)
    assert refused.value.error_code == "charges_missing"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_programs_score_as_the_bindings_do(
    name: str, autogrid: AutoGrid, receptor: PreparedReceptor, box: SearchBox, site: VinaSite, native_state: LigandState
) -> None:
    engine = VinaCommandEngine(name, COMMANDS[name], autogrid)
    if not engine.further_builds:
        with pytest.raises(EngineFailed, match="has no scoring function ad4"):
            engine.open_site(receptor.pdbqt, box, PROTOCOL)
        return
    score = engine.open_site(receptor.pdbqt, box, PROTOCOL).score(native_state)
    assert score == pytest.approx(site.score(native_state), abs=0.02)
