"""Side chains that Vina turns while it docks, at a real receptor."""

import math
from dataclasses import replace
from itertools import combinations

import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import label_of
from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, position
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, pose_mol
from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine, VinaSite
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.sites import SearchBox, Vector

ASPARTATE, PHENYLALANINE = "A:ASP129", "B:PHE330"
RIGID = DockingProtocol(effort=SearchEffort(1, run_length=0.1, max_rounds=2), n_poses=3)
FLEXIBLE = replace(RIGID, flexible_residues=(ASPARTATE, PHENYLALANINE))
STAYING = {"N", "H", "C", "O", "CA", "CB"}
# Between atoms of a bond, of an angle, or of a ring; poses have three decimals.
ANGLE_ANGSTROM, ROUNDED_ANGSTROM = 2.6, 0.004


@pytest.fixture(scope="module")
def small_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (16.0, 16.0, 16.0))


@pytest.fixture(scope="module")
def wide_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (20.0, 20.0, 20.0))


@pytest.fixture(scope="module")
def site(receptor: PreparedReceptor, small_box: SearchBox) -> VinaSite:
    return VinaEngine().open_site(receptor.pdbqt, small_box, FLEXIBLE)


@pytest.fixture(scope="module")
def aspirin() -> LigandState:
    return state_of("CC(=O)Oc1ccccc1C(=O)O")


@pytest.fixture(scope="module")
def poses(site: VinaSite, aspirin: LigandState) -> tuple[Pose, ...]:
    return dock_in_rounds(site, aspirin, FLEXIBLE, seed=1)[0]


def state_of(smiles: str) -> LigandState:
    return prepare_states(LigandInput("id", "name", smiles), LigandOptions(protonate=False), 7)[0]


def placed(state: LigandState, pose: Pose) -> LigandState:
    return replace(state, mol_block=Chem.MolToMolBlock(pose_mol(state.mol_block, pose.coordinates)))


def atoms(text: str) -> dict[tuple[str, str], Vector]:
    return {(label_of(line), line[12:16].strip()): position(line) for line in atom_lines(text)}


def with_side_chains(receptor: PreparedReceptor, pose: Pose) -> str:
    """Return the receptor with its side chains where a pose has them."""
    there = {line[:26]: line[30:54] for line in atom_lines(pose.side_chains_pdb)}
    lines = atom_lines(receptor.pdbqt)
    return "".join(f"{line[:30]}{there.get(line[:26], line[30:54])}{line[54:]}\n" for line in lines)


def test_side_chains_move_and_nothing_else_of_the_receptor_does(
    receptor: PreparedReceptor, poses: tuple[Pose, ...]
) -> None:
    before = {key: place for key, place in atoms(receptor.pdbqt).items() if key[0] in FLEXIBLE.flexible_residues}
    for pose in poses:
        after = atoms(pose.side_chains_pdb)
        assert after.keys() == before.keys()
        moved = {key for key in after if math.dist(after[key], before[key]) > ROUNDED_ANGSTROM}
        assert {label for label, _ in moved} == {ASPARTATE, PHENYLALANINE}
        assert {name for _, name in moved}.isdisjoint(STAYING)
        assert max(math.dist(after[key], before[key]) for key in moved) > 0.5


def test_bonds_angles_and_rings_of_moved_side_chains_are_kept(
    receptor: PreparedReceptor, poses: tuple[Pose, ...]
) -> None:
    before = atoms(receptor.pdbqt)
    for pose in poses:
        after = atoms(pose.side_chains_pdb)
        for one, other in combinations(after, 2):
            is_ring = {name[:2] for _, name in (one, other)} <= {"CG", "CD", "CE", "CZ"}
            apart = math.dist(before[one], before[other])
            if one[0] == other[0] and (apart <= ANGLE_ANGSTROM or is_ring):
                assert math.dist(after[one], after[other]) == pytest.approx(apart, abs=ROUNDED_ANGSTROM), (one, other)


def test_ligand_is_the_docked_molecule_beside_side_chains(poses: tuple[Pose, ...], aspirin: LigandState) -> None:
    assert [pose.score_kcal_mol for pose in poses] == sorted(pose.score_kcal_mol for pose in poses)
    assert all(matches_state(aspirin.mol_block, pose.coordinates, aspirin.smiles) for pose in poses)


def test_best_pose_scores_as_a_rigid_receptor_with_its_side_chains_does(
    receptor: PreparedReceptor, wide_box: SearchBox, poses: tuple[Pose, ...], aspirin: LigandState
) -> None:
    there = placed(aspirin, poses[0])
    moved = VinaEngine().open_site(with_side_chains(receptor, poses[0]), wide_box, RIGID)

    # Whichever rounds were merged, these side chains are those of this pose. Vina leaves out their CA and CB.
    assert moved.score(there) == pytest.approx(poses[0].score_kcal_mol, abs=0.1)


def test_same_seed_gives_the_same_side_chains_whatever_came_before(
    receptor: PreparedReceptor, small_box: SearchBox, site: VinaSite, aspirin: LigandState, poses: tuple[Pose, ...]
) -> None:
    site.dock(state_of("CCO"), seed=5)
    fresh = VinaEngine().open_site(receptor.pdbqt, small_box, FLEXIBLE)

    assert dock_in_rounds(site, aspirin, FLEXIBLE, seed=1)[0] == poses
    assert dock_in_rounds(fresh, aspirin, FLEXIBLE, seed=1)[0] == poses
    assert dock_in_rounds(site, aspirin, FLEXIBLE, seed=2)[0][0].side_chains_pdb != poses[0].side_chains_pdb


def test_in_place_a_ligand_scores_as_in_the_receptor_that_was_given(
    receptor: PreparedReceptor, wide_box: SearchBox, aspirin: LigandState
) -> None:
    rigid, flexible = (VinaEngine().open_site(receptor.pdbqt, wide_box, protocol) for protocol in (RIGID, FLEXIBLE))
    there = placed(aspirin, rigid.dock(aspirin, seed=1)[0])
    before = flexible.score(there)
    flexible.dock(aspirin, seed=1)

    assert before == pytest.approx(rigid.score(there), abs=0.1)
    # Side chains that a search has moved are back.
    assert flexible.score(there) == before
    assert flexible.relax(there).score_kcal_mol <= before + 0.1


def test_rigid_receptor_has_no_side_chains_to_tell(
    receptor: PreparedReceptor, small_box: SearchBox, aspirin: LigandState
) -> None:
    site = VinaEngine().open_site(receptor.pdbqt, small_box, RIGID)

    assert {pose.side_chains_pdb for pose in site.dock(aspirin, seed=1)} == {""}


@pytest.mark.parametrize(
    ("residue", "code"),
    [
        ("A:ASP9999", "flexible_residue_unknown"),
        ("A:CYS122", "flexible_residue_bonded"),
        ("A:TYR38", "flexible_residue_outside"),
        ("A:ALA135", "flexible_residue_rigid"),
    ],
)
def test_side_chain_that_cannot_move_is_refused_when_the_site_is_opened(
    receptor: PreparedReceptor, small_box: SearchBox, residue: str, code: str
) -> None:
    with pytest.raises(EngineFailed) as refused:
        VinaEngine().open_site(receptor.pdbqt, small_box, replace(RIGID, flexible_residues=(residue,)))

    assert (refused.value.error_code, refused.value.details) == (code, {"residues": [residue]})
