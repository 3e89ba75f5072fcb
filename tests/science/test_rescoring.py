"""Docked poses scored again by the real engine at a real receptor: what Vina's own reporting implies must come back."""

from collections.abc import Mapping

import pytest
from rdkit import Chem
from tests.support.family_programs import REAL

from molecular_analysis_dashboard.adapters.chemistry.poses import pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.rescoring import rescore_pose
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine
from molecular_analysis_dashboard.adapters.statistics.agreement import rank_agreement
from molecular_analysis_dashboard.domain.analyses import PosedLigand
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.rescoring import MARGIN_ANGSTROM, RescoredPose, RescoringMethod
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.engine import DockingSite

LIGANDS = {"aspirin": "CC(=O)Oc1ccccc1C(=O)O", "toluene": "Cc1ccccc1", "serotonin": "NCCc1c[nH]c2ccc(O)cc12"}
DOCKING = DockingProtocol(
    effort=SearchEffort(exhaustiveness=2, run_length=0.25, max_rounds=2), ligands=LigandOptions(max_states=1)
)
# Three decimals of the printed score, three of PDBQT coordinates, float32 of ours.
ROUNDING_KCAL_MOL = 0.01


@pytest.fixture(scope="module")
def small_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (16.0, 16.0, 16.0))


@pytest.fixture(scope="module")
def docked(receptor: PreparedReceptor, small_box: SearchBox) -> Mapping[str, DockedLigand]:
    site = VinaEngine().open_site(receptor.pdbqt, small_box, DOCKING)
    found = {}
    for name, smiles in LIGANDS.items():
        outcome = dock_ligand(site, LigandInput(name, name, smiles), DOCKING, ["receptor", "box"])
        assert isinstance(outcome, DockedLigand)
        found[name] = outcome
    return found


@pytest.fixture(scope="module")
def sites(receptor: PreparedReceptor, small_box: SearchBox) -> Mapping[str, DockingSite]:
    wide = small_box.widened(MARGIN_ANGSTROM)
    program = VinaCommandEngine("mine", REAL)
    return {
        "vina": VinaEngine().open_site(receptor.pdbqt, wide, RescoringMethod("vina", "vina").protocol),
        "vinardo": VinaEngine().open_site(receptor.pdbqt, wide, RescoringMethod("vina", "vinardo").protocol),
        "program": program.open_site(receptor.pdbqt, wide, RescoringMethod("mine", "vinardo").protocol),
    }


def rescored(site: DockingSite, ligand: DockedLigand, *, relax: bool = False) -> list[RescoredPose]:
    found = []
    for pose in ligand.poses:
        outcome = rescore_pose(site, PosedLigand("1", ligand.state_mol_block, pose.coordinates), relax=relax)
        assert isinstance(outcome, RescoredPose)
        found.append(outcome)
    return found


@pytest.mark.parametrize("name", LIGANDS)
def test_best_pose_scores_in_place_as_it_was_docked(
    docked: Mapping[str, DockedLigand], sites: Mapping[str, DockingSite], name: str
) -> None:
    ligand = docked[name]
    best, *others = rescored(sites["vina"], ligand)

    assert best.score_kcal_mol == pytest.approx(ligand.score_kcal_mol, abs=ROUNDING_KCAL_MOL)
    # A search subtracts the best pose's internal energy from all; in place each pose's own is subtracted.
    assert len(others) == len(ligand.poses) - 1
    for pose, again in zip(ligand.poses[1:], others, strict=True):
        assert again.score_kcal_mol == pytest.approx(pose.score_kcal_mol, abs=1.5)


def test_a_rigid_ligand_has_every_docked_score_back(
    docked: Mapping[str, DockedLigand], sites: Mapping[str, DockingSite]
) -> None:
    toluene = docked["toluene"]
    scores = [pose.score_kcal_mol for pose in rescored(sites["vina"], toluene)]

    assert len(scores) > 1
    assert scores == pytest.approx([pose.score_kcal_mol for pose in toluene.poses], abs=ROUNDING_KCAL_MOL)


def test_vinardo_scores_otherwise_and_a_program_of_the_family_agrees_with_the_bindings(
    docked: Mapping[str, DockedLigand], sites: Mapping[str, DockingSite]
) -> None:
    toluene = docked["toluene"]
    by_vinardo = [pose.score_kcal_mol for pose in rescored(sites["vinardo"], toluene)]

    assert by_vinardo == pytest.approx(
        [pose.score_kcal_mol for pose in rescored(sites["program"], toluene)], abs=ROUNDING_KCAL_MOL
    )
    assert by_vinardo[0] != pytest.approx(toluene.score_kcal_mol, abs=0.2)
    assert by_vinardo[0] < -1


def test_relaxing_by_vinardo_improves_on_scoring_in_place_and_moves_little(
    docked: Mapping[str, DockedLigand], sites: Mapping[str, DockingSite]
) -> None:
    ligand = docked["aspirin"]
    in_place, relaxed = (rescored(sites["vinardo"], ligand, relax=how) for how in (False, True))

    for pose, before, after in zip(ligand.poses, in_place, relaxed, strict=True):
        # Grid and exact energies differ a little.
        assert after.score_kcal_mol < before.score_kcal_mol + 0.1
        assert after.moved_angstrom is not None
        assert after.coordinates is not None
        assert after.moved_angstrom < 2.0
        start, there = (pose_mol(ligand.state_mol_block, at) for at in (pose.coordinates, after.coordinates))
        assert after.moved_angstrom == pytest.approx(symmetry_rmsd(start, there))
        assert Chem.MolToSmiles(there) == Chem.MolToSmiles(start)
    assert min(pose.score_kcal_mol for pose in relaxed) < min(pose.score_kcal_mol for pose in in_place)


def test_ranks_by_the_same_function_agree_wholly(
    docked: Mapping[str, DockedLigand], sites: Mapping[str, DockingSite]
) -> None:
    scores = [
        (one.score_kcal_mol, min(pose.score_kcal_mol for pose in rescored(sites["vina"], one)))
        for one in docked.values()
    ]
    found = rank_agreement(scores)

    assert found.n_ligands == 3
    assert found.spearman == pytest.approx(1.0)
    assert found.kendall == pytest.approx(1.0)
