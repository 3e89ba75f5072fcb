import os
import subprocess
import sys
from dataclasses import replace

import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import (
    matches_state,
    mol_from_block,
    pose_mol,
)
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import (
    DockedLigand,
    DockingProtocol,
    LigandOutcome,
    RejectedLigand,
    SearchEffort,
)
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.hashing import derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.engine import DockingSite

QUICK = DockingProtocol(effort=SearchEffort(exhaustiveness=1), n_poses=3, ligands=LigandOptions(max_states=2))
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
PREDECESSORS = ["OB(O)c1ccccc1", "c1ccc2c(c1)OCO2", "C" * 40, "CCO"]


@pytest.fixture(scope="module")
def small_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (16.0, 16.0, 16.0))


@pytest.fixture(scope="module")
def site(receptor: PreparedReceptor, small_box: SearchBox) -> DockingSite:
    return VinaEngine().open_site(receptor.pdbqt, small_box, QUICK)


def dock(site: DockingSite, smiles: str, protocol: DockingProtocol = QUICK) -> LigandOutcome:
    return dock_ligand(site, LigandInput("id", "name", smiles), protocol, ["receptor", "box"])


def state_of(smiles: str, seed: int = 7) -> LigandState:
    return prepare_states(LigandInput("id", "name", smiles), LigandOptions(protonate=False), seed)[0]


def test_same_ligand_gives_identical_poses_in_fresh_and_used_sites(
    receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    first = VinaEngine().open_site(receptor.pdbqt, small_box, QUICK)
    fresh = dock(first, ASPIRIN)
    for smiles in PREDECESSORS:
        dock(first, smiles)
    used = dock(first, ASPIRIN)
    second = VinaEngine().open_site(receptor.pdbqt, small_box, QUICK)
    for smiles in reversed(PREDECESSORS):
        dock(second, smiles)
    other = dock(second, ASPIRIN)

    assert isinstance(fresh, DockedLigand)
    assert isinstance(used, DockedLigand)
    assert isinstance(other, DockedLigand)
    assert [pose.coordinates for pose in fresh.poses] == [pose.coordinates for pose in used.poses]
    assert [pose.coordinates for pose in fresh.poses] == [pose.coordinates for pose in other.poses]
    assert replace(fresh, seconds_cpu=0) == replace(used, seconds_cpu=0) == replace(other, seconds_cpu=0)


def test_same_ligand_gives_identical_poses_in_rounds_of_short_runs(
    receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    protocol = replace(QUICK, effort=SearchEffort(2, run_length=0.1, max_rounds=3, agreeing_rounds=2))
    site = VinaEngine().open_site(receptor.pdbqt, small_box, protocol)

    fresh = dock(site, ASPIRIN, protocol)
    dock(site, "CCO", protocol)
    used = dock(site, ASPIRIN, protocol)

    assert isinstance(fresh, DockedLigand)
    assert isinstance(used, DockedLigand)
    assert replace(fresh, seconds_cpu=0) == replace(used, seconds_cpu=0)
    assert fresh.search.rounds >= 2
    assert fresh.search.score_spread_kcal_mol is not None
    scores = [pose.score_kcal_mol for pose in fresh.poses]
    assert scores == sorted(scores)


def test_merged_best_pose_has_the_score_that_vina_gives_it(receptor: PreparedReceptor, small_box: SearchBox) -> None:
    protocol = replace(QUICK, effort=SearchEffort(1, run_length=0.1, max_rounds=3))
    site = VinaEngine().open_site(receptor.pdbqt, small_box, protocol)
    state = state_of(ASPIRIN)

    poses, _ = dock_in_rounds(site, state, protocol, seed=1)

    placed = replace(state, mol_block=Chem.MolToMolBlock(pose_mol(state.mol_block, poses[0].coordinates)))
    assert site.score(placed) == pytest.approx(poses[0].score_kcal_mol, abs=0.05)
    rounds = [site.dock(state, seed=seed) for seed in (1, derive_seed(1, "round", 1), derive_seed(1, "round", 2))]
    assert poses[0].objective == min(pose.objective for found in rounds for pose in found)


def test_run_length_bounds_the_search(receptor: PreparedReceptor, small_box: SearchBox) -> None:
    state = state_of(ASPIRIN)
    short, whole = (
        VinaEngine().open_site(receptor.pdbqt, small_box, replace(QUICK, effort=SearchEffort(1, run_length=length)))
        for length in (0.01, 1.0)
    )

    assert short.dock(state, seed=1)[0].objective >= whole.dock(state, seed=1)[0].objective


def test_seed_changes_the_search(site: DockingSite) -> None:
    state = state_of(ASPIRIN)

    assert site.dock(state, seed=1) == site.dock(state, seed=1)
    assert site.dock(state, seed=1)[0].coordinates != site.dock(state, seed=2)[0].coordinates


@pytest.mark.parametrize(
    "smiles",
    [ASPIRIN, "C[C@H](N)C(=O)N1CCC[C@H]1CO", "C/C(=C\\c1ccccc1)C#N", "O=C1CCCCCCCCCCCN1", "N=C(N)c1ccccc1"],
)
def test_every_pose_is_the_docked_molecule_within_range(smiles: str, site: DockingSite) -> None:
    outcome = dock(site, smiles)

    assert isinstance(outcome, DockedLigand)
    scores = [pose.score_kcal_mol for pose in outcome.poses]
    assert scores == sorted(scores)
    assert [pose.rank for pose in outcome.poses] == list(range(1, len(scores) + 1))
    assert len(scores) <= QUICK.n_poses
    assert scores[-1] - scores[0] <= QUICK.energy_range_kcal_mol
    for pose in outcome.poses:
        assert matches_state(outcome.state_mol_block, pose.coordinates, outcome.state_smiles)


def test_pose_has_sane_bond_lengths_for_every_hydrogen(site: DockingSite) -> None:
    outcome = dock(site, "CC(C)(C)OC(=O)NCC#C")

    assert isinstance(outcome, DockedLigand)
    for pose in outcome.poses:
        assert_sane_hydrogens(pose_mol(outcome.state_mol_block, pose.coordinates))


def test_pose_from_another_ring_conformation_is_the_docked_molecule(site: DockingSite) -> None:
    state = state_of("C[C@@H]1CCCC[C@@H]1O")
    axial_for_equatorial = replace(state, pdbqt=state.starts[1], ring_conformers=())

    for pose in site.dock(axial_for_equatorial, seed=1):
        assert matches_state(state.mol_block, pose.coordinates, state.smiles)
        assert_sane_hydrogens(pose_mol(state.mol_block, pose.coordinates))


def assert_sane_hydrogens(mol: Chem.Mol) -> None:
    distances = Chem.Get3DDistanceMatrix(mol)
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 1:
            (parent,) = atom.GetNeighbors()
            nearest = sorted(distances[atom.GetIdx()].tolist())[1:3]
            assert nearest[0] == distances[atom.GetIdx(), parent.GetIdx()]
            assert 0.93 < nearest[0] < 1.15
            assert nearest[1] > 1.4


def test_best_state_represents_the_ligand_and_all_stay_visible(site: DockingSite) -> None:
    outcome = dock(site, "CC(O)c1ccccc1")

    assert isinstance(outcome, DockedLigand)
    assert len(outcome.states) == 2
    scored = {state.smiles: state.score_kcal_mol for state in outcome.states}
    assert scored[outcome.state_smiles] == min(score for score in scored.values() if score is not None)
    assert outcome.seconds_cpu > 0


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("OB(O)c1ccccc1", RejectionReason.UNSUPPORTED_ELEMENT),
        ("C" * 120, RejectionReason.TOO_LARGE),
        ("C" * 60, RejectionReason.TOO_MANY_TORSIONS),
        ("C1CC", RejectionReason.UNREADABLE_RECORD),
        ("", RejectionReason.EMPTY),
        ("CC.CC", RejectionReason.PREPARATION_FAILED),
    ],
)
def test_bad_ligand_is_an_outcome(smiles: str, reason: RejectionReason, site: DockingSite) -> None:
    outcome = dock(site, smiles)

    assert isinstance(outcome, RejectedLigand)
    assert outcome.reason is reason


def test_rigid_ligand_longer_than_the_box_is_refused(receptor: PreparedReceptor, box: SearchBox) -> None:
    tiny = VinaEngine().open_site(receptor.pdbqt, SearchBox(box.center, (5.0, 5.0, 5.0)), QUICK)

    outcome = dock(tiny, "c1ccc2cc3cc4cc5ccccc5cc4cc3cc2c1")

    assert isinstance(outcome, RejectedLigand)
    assert outcome.reason is RejectionReason.OUTSIDE_BOX


def test_atom_type_without_a_map_does_not_end_the_process(site: DockingSite) -> None:
    state = state_of("CCO")
    odd = replace(state, pdbqt=state.pdbqt.replace(" OA", " QQ"))

    with pytest.raises(LigandRejected) as caught:
        site.dock(odd, seed=1)

    assert caught.value.reason is RejectionReason.UNSUPPORTED_ELEMENT
    assert "QQ" in caught.value.message


def test_score_in_place_follows_the_mol_block(site: DockingSite) -> None:
    state = state_of(ASPIRIN)
    pose = site.dock(state, seed=1)[0]
    placed = replace(state, mol_block=Chem.MolToMolBlock(pose_mol(state.mol_block, pose.coordinates)))

    assert site.score(placed) == pytest.approx(pose.score_kcal_mol, abs=0.05)


def test_score_outside_the_box_is_refused(site: DockingSite) -> None:
    state = state_of(ASPIRIN)
    mol = mol_from_block(state.mol_block)
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + 500.0)

    with pytest.raises(LigandRejected) as caught:
        site.score(replace(state, mol_block=Chem.MolToMolBlock(mol)))

    assert caught.value.reason is RejectionReason.OUTSIDE_BOX


def test_vinardo_scores_differently(receptor: PreparedReceptor, small_box: SearchBox, site: DockingSite) -> None:
    state = state_of(ASPIRIN)
    vinardo = VinaEngine().open_site(receptor.pdbqt, small_box, replace(QUICK, scoring="vinardo"))

    assert vinardo.dock(state, seed=1)[0].score_kcal_mol != site.dock(state, seed=1)[0].score_kcal_mol


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        (replace(QUICK, scoring="ad4"), "scoring_unsupported"),
        (replace(QUICK, scoring="nonesuch"), "scoring_unsupported"),
        (replace(QUICK, seed=0), "seed_invalid"),
    ],
)
def test_protocol_that_vina_cannot_do_is_refused(
    protocol: DockingProtocol, code: str, receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    with pytest.raises(EngineFailed) as caught:
        VinaEngine().open_site(receptor.pdbqt, small_box, protocol)

    assert caught.value.error_code == code


@pytest.mark.parametrize(
    ("pdbqt", "code"),
    [
        ("", "receptor_refused"),
        ("garbage", "receptor_refused"),
        ("ATOM      1  C   ALA A   1       0.000   0.000   0.000  1.00  0.00    +0.000 QQ\n", "receptor_refused"),
        ("ATOM      1  C   ALA A   1     900.000   0.000   0.000  1.00  0.00    +0.000 C \n", "box_off_receptor"),
    ],
)
def test_unusable_receptor_is_refused(pdbqt: str, code: str, small_box: SearchBox) -> None:
    with pytest.raises(EngineFailed) as caught:
        VinaEngine().open_site(pdbqt, small_box, QUICK)

    assert caught.value.error_code == code


def test_engine_writes_nothing_to_standard_streams(receptor: PreparedReceptor, box: SearchBox) -> None:
    script = (
        "import sys\n"
        "from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand\n"
        "from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine\n"
        "from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort\n"
        "from molecular_analysis_dashboard.domain.ligands import LigandInput\n"
        "from molecular_analysis_dashboard.domain.sites import SearchBox\n"
        f"box = SearchBox({box.center}, (31.0, 31.0, 31.0))\n"
        "protocol = DockingProtocol(effort=SearchEffort(1))\n"
        "site = VinaEngine().open_site(sys.stdin.read(), box, protocol)\n"
        "dock_ligand(site, LigandInput('1', 'x', 'CCO'), protocol, [])\n"
        "dock_ligand(site, LigandInput('1', 'x', 'CN(C)(C)C'), protocol, [])\n"
    )

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        input=receptor.pdbqt,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=dict(os.environ),
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
