import pytest
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, atom_type, index_map, position
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, perceived_smiles
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

NEUTRAL = LigandOptions(protonate=False)


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
