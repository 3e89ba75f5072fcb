import numpy as np
import pytest
from tests.support.prepared_residues import PDBQT

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import FlexibleReceptor, split_off
from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.engines.vina_search import max_evaluations, objectives, score_in_place
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.sites import SearchBox


@pytest.fixture(scope="module")
def naproxen() -> LigandState:
    return prepare_states(LigandInput("id", "naproxen", "COc1ccc2cc(ccc2c1)[C@H](C)C(=O)O"), LigandOptions(), 7)[0]


@pytest.fixture(scope="module")
def aspartate() -> FlexibleReceptor:
    """Two torsions that move four atoms."""
    return split_off(PDBQT, ["A:ASP129"], SearchBox((-4.0, 0.0, 6.0), (20.0, 20.0, 20.0)))


def test_full_run_is_left_to_vina(naproxen: LigandState) -> None:
    assert max_evaluations(naproxen, 1.0) == 0


def test_shorter_run_is_a_fraction_of_what_vina_gives_the_ligand(naproxen: LigandState) -> None:
    atoms = naproxen.pdbqt.count("ATOM")
    steps = int(70 * 3 * (50 + atoms + 10 * (6 + naproxen.torsions)) / 2) * int((25 + atoms) / 3)

    assert max_evaluations(naproxen, 0.5) == pytest.approx(2.25 * steps / 2, rel=1e-3)
    # Never 0, which would mean a full run.
    assert max_evaluations(naproxen, 1e-12) == 1


def test_side_chains_count_with_the_ligand(naproxen: LigandState, aspartate: FlexibleReceptor) -> None:
    atoms = naproxen.pdbqt.count("ATOM") + 4
    steps = int(70 * 3 * (50 + atoms + 10 * (6 + naproxen.torsions + 2)) / 2) * int((25 + atoms) / 3)

    assert max_evaluations(naproxen, 0.5, aspartate) == pytest.approx(2.25 * steps / 2, rel=1e-3)
    assert max_evaluations(naproxen, 1.0, aspartate) == 0


def test_score_in_place_is_between_ligand_and_receptor(aspartate: FlexibleReceptor) -> None:
    # As Vina 1.2.7 gives them for aspirin between two side chains that stand where they were prepared (5-HT1B): what
    # these cost themselves is -2.751 by one way and -2.520 by another, and only the first two numbers matter.
    energies = np.array([-5.519, -6.113, -0.303, -2.704, -0.047, -0.404, 1.129, -2.924])

    assert score_in_place(energies, aspartate) == pytest.approx(-6.416 * 5.519 / 6.647)
    assert score_in_place(energies, None) == -5.519
    assert score_in_place(np.zeros(8), aspartate) == 0.0


def test_objective_differs_from_the_score_by_a_constant() -> None:
    # Weight times torsions is 0.25: the score of a pose is (between + within - within the best) / 1.25.
    best, other = (-10.0, -1.0), (-9.0, -1.5)
    energies = np.array([[(b + w - best[1]) / 1.25, b, w, 0.0, best[1]] for b, w in (best, other)])

    found = objectives(energies, "vina")

    assert found == pytest.approx([-11 / 1.25, -10.5 / 1.25])
    assert energies[:, 0] - np.array(found) == pytest.approx([0.8, 0.8])


def test_pose_that_touches_nothing_has_no_objective() -> None:
    assert objectives(np.array([[0.0, 0.0, -1.0, 0.0, -1.0]]), "vina") == [None]


def test_scores_of_ad4_compare_as_they_are() -> None:
    # As Vina 1.2.7 gives them for imatinib (PDB 1IEP): each pose's own internal energy is left out of its score.
    energies = np.array([[-14.739, -16.827, -1.137, 2.088, -1.137], [-11.782, -13.870, -1.112, 2.088, -1.112]])
    assert energies[:, 0] == pytest.approx(energies[:, 1] + energies[:, 3])

    assert objectives(energies, "ad4") == [None, None]
