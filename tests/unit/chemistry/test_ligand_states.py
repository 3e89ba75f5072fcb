import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_states import GraphState, graph_states
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.rejections import LigandRejected


def states(smiles: str, **options: object) -> tuple[GraphState, ...]:
    return graph_states(Chem.MolFromSmiles(smiles), LigandOptions(**options))  # type: ignore[arg-type]  # a test's own


def hands(found: tuple[GraphState, ...]) -> set[tuple[str, ...]]:
    """Return R or S of the carbons of each state."""
    return {
        tuple(
            atom.GetProp("_CIPCode")
            for atom in Chem.MolFromSmiles(state.smiles).GetAtoms()
            if atom.GetSymbol() == "C" and atom.HasProp("_CIPCode")
        )
        for state in found
    }


def test_both_enantiomers_are_docked_however_many_protomers_there_are() -> None:
    found = states("CC(F)CN1CCN(CCN2CCN(C)CC2)CC1", max_states=4)

    assert len(found) == 4
    assert hands(found) == {("R",), ("S",)}


def test_small_cap_covers_both_hands_and_both_protonation_states() -> None:
    found = states("CCN(C)CC(F)Cl", max_states=2)

    assert hands(found) == {("R",), ("S",)}
    assert {Chem.GetFormalCharge(Chem.MolFromSmiles(state.smiles)) for state in found} == {0, 1}


@pytest.mark.parametrize("smiles", ["CCN(C)CCO", "CC[NH+](C)CCO", "CCN(C)CCN(CC)CCC"])
def test_acyclic_nitrogen_that_inverts_is_not_enumerated(smiles: str) -> None:
    assert not any("@" in state.smiles for state in states(smiles))


def test_acyclic_nitrogen_is_no_undefined_stereo() -> None:
    assert states("CC[NH+](C)CCO", enumerate_stereo=False)


def test_quaternary_nitrogen_is_a_centre() -> None:
    assert len(states("C[N+](CC)(CCC)CCO")) == 2
    with pytest.raises(LigandRejected):
        states("C[N+](CC)(CCC)CCO", enumerate_stereo=False)


def test_axial_and_equatorial_protons_of_a_ring_come_last() -> None:
    found = states("CN1CCC(F)CC1", max_states=8)

    assert [state.smiles for state in found] == ["CN1CCC(F)CC1", "C[N@H+]1CC[C@H](F)CC1", "C[N@H+]1CC[C@@H](F)CC1"]
    assert [state.enumerated for state in found] == [False, True, True]


def test_states_are_distinct_and_capped() -> None:
    found = states("CC(F)C(Cl)CN1CCN(C(C)O)CC1", max_states=8)

    assert len({state.smiles for state in found}) == len(found) == 8


@pytest.mark.parametrize("smiles", ["[H]/N=C(/N)c1ccccc1", "[H]/N=C(\\N)c1ccccc1", "N=C(N)c1ccccc1"])
def test_amidine_is_protonated_however_its_proton_is_drawn(smiles: str) -> None:
    (state,) = states(smiles, enumerate_stereo=False)

    assert state.smiles == "NC(=[NH2+])c1ccccc1"


@pytest.mark.parametrize("smiles", ["CN=C(N)c1ccccc1", "ON=C(C)c1ccccc1"])
def test_imine_with_a_substituent_is_open_stereo(smiles: str) -> None:
    assert len(states(smiles, protonate=False)) == 2
    with pytest.raises(LigandRejected, match="double bond of atoms"):
        states(smiles, enumerate_stereo=False)


@pytest.mark.parametrize(
    "smiles",
    ["CCP(=O)([O-])O", "NCCCC(O)(P(=O)([O-])O)P(=O)(O)O", "CS(=O)(=O)O", "COP(=O)(O)C", "CCC1(C)C(=O)[N-]C(=O)NC1=O"],
)
def test_acid_group_is_no_centre_however_its_proton_is_drawn(smiles: str) -> None:
    found = states(smiles, enumerate_stereo=False)

    assert not any("@" in state.smiles for state in found)
    assert all("protonated" in state.steps[0] for state in found)


@pytest.mark.parametrize("smiles", ["CP(=O)(OC)CC", "CP(=S)(O)OC"])
def test_phosphorus_with_different_groups_is_a_centre(smiles: str) -> None:
    assert len({state.smiles for state in states(smiles, protonate=False)}) == 2
