import pytest

from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pack_coordinates
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.domain.docking import (
    DockedLigand,
    DockingProtocol,
    Pose,
    RejectedLigand,
    SearchEffort,
)
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import RejectionReason

PROTOCOL = DockingProtocol(effort=SearchEffort(1), ligands=LigandOptions(protonate=False))


class Site:
    """Leaves every state where it is and scores it as told."""

    def __init__(self, *scores: float) -> None:
        self._scores = list(scores)

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        assert seed > 0
        coordinates = pack_coordinates(mol_from_block(state.mol_block).GetConformer().GetPositions())
        return (Pose(1, self._scores.pop(0), coordinates),)

    def score(self, state: LigandState) -> float:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("score", "words"),
    [(90.3, "clashes with the receptor (+90.3 kcal/mol)"), (0.4, "clashes"), (0.0, "does not touch the receptor")],
)
def test_ligand_whose_best_score_is_not_negative_is_no_hit(score: float, words: str) -> None:
    outcome = dock_ligand(Site(score), LigandInput("id", "name", "CCO"), PROTOCOL, [])

    assert isinstance(outcome, RejectedLigand)
    assert outcome.reason is RejectionReason.NO_POSE
    assert words in outcome.message


def test_weak_hit_is_a_hit() -> None:
    assert isinstance(dock_ligand(Site(-0.1), LigandInput("id", "name", "CCO"), PROTOCOL, []), DockedLigand)


def test_clash_of_one_state_stays_visible_beside_the_other() -> None:
    outcome = dock_ligand(Site(12.5, -4.0), LigandInput("id", "name", "CC(F)Cl"), PROTOCOL, [])

    assert isinstance(outcome, DockedLigand)
    assert outcome.score_kcal_mol == -4.0
    assert {state.score_kcal_mol for state in outcome.states} == {12.5, -4.0}
