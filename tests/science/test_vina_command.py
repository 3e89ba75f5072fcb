"""Docking through a command line of the family: the real engine, started anew for every ligand."""

import re
from dataclasses import replace

import pytest
from rdkit import Chem
from tests.support.family_programs import REAL

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, pose_mol
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine, VinaCommandSite
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.sites import SearchBox

QUICK = DockingProtocol(engine="mine", effort=SearchEffort(exhaustiveness=1), n_poses=2)
PHENOL, ETHANOL = "Oc1ccccc1", "CCO"


@pytest.fixture(scope="module")
def small_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (14.0, 14.0, 14.0))


@pytest.fixture(scope="module")
def engine() -> VinaCommandEngine:
    return VinaCommandEngine("mine", REAL)


@pytest.fixture(scope="module")
def site(engine: VinaCommandEngine, receptor: PreparedReceptor, small_box: SearchBox) -> VinaCommandSite:
    return engine.open_site(receptor.pdbqt, small_box, QUICK)


def dock(site: VinaCommandSite, smiles: str) -> DockedLigand:
    outcome = dock_ligand(site, LigandInput("id", "name", smiles), QUICK, ["receptor", "box"])
    assert isinstance(outcome, DockedLigand)
    return replace(outcome, seconds_cpu=0)


def test_same_ligand_gives_identical_poses_whatever_came_before(site: VinaCommandSite) -> None:
    first = dock(site, PHENOL)
    dock(site, ETHANOL)

    assert dock(site, PHENOL) == first
    assert first.score_kcal_mol < -3
    assert len(first.poses) == QUICK.n_poses
    for pose in first.poses:
        assert matches_state(first.state_mol_block, pose.coordinates, first.state_smiles)


def test_pose_scores_in_place_as_it_was_docked(
    engine: VinaCommandEngine, receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    protocol = replace(QUICK, scoring="vinardo")
    site = engine.open_site(receptor.pdbqt, small_box, protocol)
    # Docked poses may touch the walls; in place every atom must be inside.
    wider = engine.open_site(receptor.pdbqt, SearchBox(small_box.center, (18.0, 18.0, 18.0)), protocol)
    state = prepare_states(LigandInput("id", "name", PHENOL), LigandOptions(), 7)[0]
    best = site.dock(state, seed=3)[0]
    there = replace(state, mol_block=Chem.MolToMolBlock(pose_mol(state.mol_block, best.coordinates)))

    assert best.score_kcal_mol < -2
    assert wider.score(there) == pytest.approx(best.score_kcal_mol, abs=0.02)


def test_receptor_that_the_program_cannot_read_is_refused_with_its_words(
    engine: VinaCommandEngine, receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    broken = re.sub(r"[+-]\d\.\d{3} (?=[A-Z])", "+x.xxx ", receptor.pdbqt, count=1)
    with pytest.raises(EngineFailed, match="PDBQT parsing error") as refused:
        engine.open_site(broken, small_box, QUICK)
    assert refused.value.error_code == "receptor_refused"
