import numpy as np
import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.conformers import embed
from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, atom_type, index_map, position
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, perceived_smiles
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

NEUTRAL = LigandOptions(protonate=False)
CLOSURE = ("CG0", "G0")


def canonical(smiles: str) -> str:
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))


def states(smiles: str, options: LigandOptions = NEUTRAL, seed: int = 7) -> tuple[LigandState, ...]:
    return prepare_states(LigandInput("id", "name", smiles), options, seed)


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(=O)O", {"CC(=O)[O-]"}),
        ("NCCc1ccccc1", {"[NH3+]CCc1ccccc1"}),
        ("CC(=O)Nc1ccccc1", {"CC(=O)Nc1ccccc1"}),
        ("C[N+](C)(C)CCO", {"C[N+](C)(C)CCO"}),
    ],
)
def test_protonation_at_physiological_ph(smiles: str, expected: set[str]) -> None:
    assert {state.smiles for state in states(smiles, LigandOptions())} == {canonical(s) for s in expected}


def test_without_protonation_the_input_counts() -> None:
    (state,) = states("CC(=O)O")

    assert (state.smiles, state.formal_charge) == ("CC(=O)O", 0)


def test_without_protonation_the_drawn_charge_state_is_docked() -> None:
    drawn = LigandInput("id", "name", "CC(=O)O", "CC(=O)[O-]")

    assert [state.smiles for state in prepare_states(drawn, NEUTRAL, 7)] == ["CC(=O)[O-]"]
    assert prepare_states(drawn, LigandOptions(), 7) == states("CC(=O)O", LigandOptions())


@pytest.mark.parametrize(
    ("neutral", "drawn"), [("CN(C)C", "C[NH+](C)C"), ("NCCS", "[NH3+]CCS"), ("NCC(=O)O", "[NH3+]CC(=O)[O-]")]
)
def test_protonation_does_not_depend_on_how_a_ligand_was_drawn(neutral: str, drawn: str) -> None:
    from_neutral, from_drawn = states(neutral, LigandOptions()), states(drawn, LigandOptions())

    assert {state.smiles for state in from_neutral} == {state.smiles for state in from_drawn}


def test_undefined_centre_gives_both_isomers() -> None:
    found = {state.smiles for state in states("CC(F)Cl")}

    assert found == {canonical("C[C@H](F)Cl"), canonical("C[C@@H](F)Cl")}


def test_defined_centres_stay_as_they_are() -> None:
    smiles = "C[C@H](O)[C@@H](F)/C=C/Cl"

    assert [state.smiles for state in states(smiles)] == [canonical(smiles)]


def test_number_of_states_is_capped() -> None:
    found = states("CC(F)C(Cl)C(Br)C(O)C(N)CC", LigandOptions(protonate=False, max_states=3))

    assert len(found) == 3
    assert any("at most 3" in step for step in found[0].steps)


def test_states_do_not_depend_on_the_seed_but_conformers_do() -> None:
    first, second = states("CC(F)CCCO", seed=1), states("CC(F)CCCO", seed=2)

    assert [state.smiles for state in first] == [state.smiles for state in second]
    assert first[0].mol_block != second[0].mol_block


def test_equal_input_and_seed_give_equal_states() -> None:
    assert states("CC(=O)Nc1ccc(OCC2CC2)cc1") == states("CC(=O)Nc1ccc(OCC2CC2)cc1")


PACLITAXEL = (
    "CC1=C2[C@H](C(=O)[C@@]3([C@H](C[C@@H]4[C@]([C@H]3[C@@H]([C@@](C2(C)C)(C[C@@H]1OC(=O)[C@@H]([C@H](C5=CC=CC=C5)"
    "NC(=O)C6=CC=CC=C6)O)O)OC(=O)C7=CC=CC=C7)(CO4)OC(=O)C)O)C)OC(=O)C"
)


# Rifapentine at pH 7.4: between its phenolates, MMFF94s turns the hydrazone over for seed 7.
RIFAPENTINE = (
    "CO[C@H]1/C=C/O[C@@]2(C)Oc3c(C)c([O-])c4c([O-])c(c(/C=N/N5CC[NH+](C6CCCC6)CC5)c([O-])c4c3C2=O)NC(=O)/C(C)=C\\C=C\\"
    "[C@H](C)[C@H](O)[C@@H](C)[C@@H](O)[C@@H](C)[C@H](OC(C)=O)[C@@H]1C"
)


def test_force_field_that_changes_the_stereo_is_not_followed() -> None:
    (state,) = states(RIFAPENTINE, LigandOptions(protonate=False, ring_conformers=0, max_states=1))

    assert state.smiles == canonical(RIFAPENTINE)
    assert "not relaxed: the force field changes its stereo" in state.steps


@pytest.mark.parametrize("smiles", ["CC1CCCC1", "OC1CCCC1", "C1CCC2(C1)CCCC2"])
def test_ring_of_five_carbons_is_embedded(smiles: str) -> None:
    """RDKit 2026.9 fails at each of them with its small-ring torsions."""
    assert "without small-ring torsions" in embed(Chem.AddHs(Chem.MolFromSmiles(smiles)), 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_crowded_drug_is_embedded_whatever_the_seed(seed: int) -> None:
    """From the distance matrix fewer than one try in twenty succeeds for these seeds."""
    mol = Chem.AddHs(Chem.MolFromSmiles(PACLITAXEL))

    assert embed(mol, seed).startswith("conformer by ETKDGv3")


@pytest.mark.parametrize(
    "smiles",
    [
        "[2H]C([2H])([2H])NC([13CH3])=O",
        "NCc1ccccc1[123I]",
        "[2H][C@H](C)O",
        "[2H][C@@H](C)O",
        "C[C@@H]([13CH3])O",
        "C[C@H]([13CH3])O",
        "CC([2H])([2H])CC([2H])F",
        "O[C@@H]1CCCC[C@@H]1[2H]",
    ],
)
def test_isotope_labels_come_back(smiles: str) -> None:
    for state in states(smiles):
        shown = Chem.RemoveHs(mol_from_block(state.mol_block))
        bare = Chem.MolFromSmiles(state.smiles)
        assert shown.GetNumAtoms() == bare.GetNumAtoms()
        assert bare.HasSubstructMatch(Chem.MolFromSmiles(smiles), useChirality=True)
        assert perceived_smiles(mol_from_block(state.mol_block)) == state.smiles
        assert "docking ignores them" in state.steps[-1]


def test_label_that_leaves_with_a_proton_is_told() -> None:
    (state,) = states("CC(=O)O[2H]", LigandOptions())

    assert state.smiles == "CC(=O)[O-]"
    assert "1 left with hydrogens" in state.steps[-1]


@pytest.mark.parametrize("smiles", ["C[P@](CC)c1ccccc1", "C[P@@](CC)c1ccccc1", "CC[N@]1C[C@@H]1C", "CC[N@@]1C[C@@H]1C"])
def test_stable_pyramid_keeps_its_hand(smiles: str) -> None:
    assert [state.smiles for state in states(smiles)] == [canonical(smiles)]


@pytest.mark.parametrize(
    "smiles",
    ["CCCOCl(=O)(=O)=O", "[O-][I+]c1ccccc1", "CO[Cl+2]([O-])[O-]", "CC1(C)CCCC(C)(C)N1[O]", "[O-][n+]1ccccc1"],
)
def test_impossible_protonation_leaves_the_input(smiles: str) -> None:
    assert {state.smiles for state in states(smiles, LigandOptions())} == {canonical(smiles)}


@pytest.mark.parametrize("smiles", ["N=c1ccn(C)cc1", "N=C(C)c1ccccc1", "[H]/N=C(/C)c1ccccc1"])
def test_imine_without_a_substituent_is_prepared(smiles: str) -> None:
    (state,) = states(smiles)

    assert Chem.MolFromSmiles(state.smiles).HasSubstructMatch(Chem.MolFromSmiles("N=C"))


def test_refused_protonation_is_told() -> None:
    (state,) = states("[O-][I+]c1ccccc1", LigandOptions())

    assert "no possible protonation state" in state.steps[0]


@pytest.mark.parametrize(
    ("smiles", "options", "reason"),
    [
        ("CC(F)Cl", LigandOptions(enumerate_stereo=False), RejectionReason.UNDEFINED_STEREO),
        ("CC=CC", LigandOptions(enumerate_stereo=False), RejectionReason.UNDEFINED_STEREO),
        ("C" * 20, LigandOptions(max_heavy_atoms=19), RejectionReason.TOO_LARGE),
        ("C" * 20, LigandOptions(max_torsions=5), RejectionReason.TOO_MANY_TORSIONS),
        ("OB(O)c1ccccc1", NEUTRAL, RejectionReason.UNSUPPORTED_ELEMENT),
        ("C[Se]C", NEUTRAL, RejectionReason.UNSUPPORTED_ELEMENT),
        ("*CC", NEUTRAL, RejectionReason.UNSUPPORTED_ELEMENT),
        ("CC.CO", NEUTRAL, RejectionReason.PREPARATION_FAILED),
        ("C1CC", NEUTRAL, RejectionReason.UNREADABLE_RECORD),
        ("[C@H]12C=C[C@@H](C1)C2=CC#CC=C3[C@@]45C3C4C5", NEUTRAL, RejectionReason.EMBEDDING_FAILED),
    ],
)
def test_bad_ligand_is_rejected_with_its_reason(smiles: str, options: LigandOptions, reason: RejectionReason) -> None:
    with pytest.raises(LigandRejected) as caught:
        states(smiles, options)

    assert caught.value.reason is reason


def test_silicon_is_typed_as_silicon() -> None:
    (state,) = states("C[Si](C)(C)c1ccccc1")

    assert "Si" in {atom_type(line) for line in atom_lines(state.pdbqt)}


def test_pdbqt_and_mol_block_show_the_same_atoms_at_the_same_place() -> None:
    (state,) = states("CC(=O)Nc1ccc(O)cc1")
    mol = mol_from_block(state.mol_block)
    lines = list(atom_lines(state.pdbqt))

    mapped = index_map(state.pdbqt)
    heavy = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1}
    assert heavy <= set(mapped.values())
    for serial, index in mapped.items():
        assert position(lines[serial - 1]) == pytest.approx(tuple(mol.GetConformer().GetAtomPosition(index)), abs=2e-3)
    assert perceived_smiles(mol) == state.smiles


def test_saturated_ring_is_docked_in_its_conformations() -> None:
    (state,) = states("CC1CCCCC1")
    (seeded,) = states("CC1CCCCC1", seed=8)
    first, second = (np.array([position(line) for line in atom_lines(start)]) for start in state.starts)

    assert "2 conformation(s) of saturated rings" in state.steps[-1]
    assert len(state.starts) == len(seeded.starts) == 2
    assert state.starts[0] == state.pdbqt
    assert np.abs(first - second).max() > 0.5
    assert [line[:30] + line[54:] for line in state.starts[0].splitlines()] == [
        line[:30] + line[54:] for line in state.starts[1].splitlines()
    ]


@pytest.mark.parametrize(
    ("smiles", "options"),
    [
        ("CCc1ccccc1", NEUTRAL),
        ("CC(C)(C)C1CCCCC1", NEUTRAL),
        ("CC1CCCCC1", LigandOptions(protonate=False, ring_conformers=1)),
        ("CC1CCCCC1", LigandOptions(protonate=False, ring_conformers=0)),
        ("O=C1CCCCCCCCCCCN1", NEUTRAL),
    ],
)
def test_ligand_with_one_start_costs_no_other(smiles: str, options: LigandOptions) -> None:
    (state,) = states(smiles, options)

    assert state.starts == (state.pdbqt,)


def test_ring_conformations_of_the_start_stay_when_none_is_asked_for() -> None:
    (state,) = states("CC1CCCCC1", LigandOptions(protonate=False, ring_conformers=0))

    assert not any("conformation" in step for step in state.steps)


def test_saturated_ring_beside_an_opened_one_bends_and_the_opened_one_stays_closed() -> None:
    (state,) = states("O=C1CCCCCCCCCCCN1CC1CCCCC1")

    assert len(state.starts) == 2
    for start in state.starts:
        places = {kind: {position(line) for line in atom_lines(start) if atom_type(line) == kind} for kind in CLOSURE}
        assert places["G0"] == places["CG0"]


def test_large_ring_is_opened_and_keeps_its_bonds() -> None:
    (state,) = states("O=C1CCCCCCCCCCCN1")

    assert {"CG0", "G0"} <= {atom_type(line) for line in atom_lines(state.pdbqt)}
    assert mol_from_block(state.mol_block).GetRingInfo().NumRings() == 1


def test_cage_whose_enumerated_isomers_cannot_exist_is_embedded_freely() -> None:
    (state,) = states("C1CCC(C23C4C5C6C4C2C6C53)CC1", LigandOptions(protonate=False, max_states=2))

    assert any("as the conformer shows" in step for step in state.steps)


def test_preparation_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    states("O=C1CCCCCCCCCCCN1", LigandOptions())

    assert capfd.readouterr() == ("", "")
