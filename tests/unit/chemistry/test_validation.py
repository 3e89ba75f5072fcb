import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import sentence
from molecular_analysis_dashboard.adapters.chemistry.validation import validate_batch, validate_record
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason


def canonical(smiles: str) -> str:
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))


def record(text: str, kind: str = "smiles", name: str = "x") -> LigandRecord:
    return LigandRecord(3, text, kind, name)


def block(smiles: str, *, three_dimensional: bool) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    if three_dimensional:
        rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    else:
        rdDepictor.Compute2DCoords(mol)
    return str(Chem.MolToMolBlock(mol))


def test_description_of_aspirin() -> None:
    ligand = validate_record(record("O=C(C)Oc1ccccc1C(=O)O", name="aspirin"))

    assert ligand == ValidatedLigand(
        line=3,
        name="aspirin",
        smiles="CC(=O)Oc1ccccc1C(=O)O",
        inchikey="BSYNRYMUTXBXSQ-UHFFFAOYSA-N",
        heavy_atoms=13,
        torsions=3,
        molecular_weight=180.159,
    )


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("C[NH+](C)C.[Cl-]", "CN(C)C"),
        ("CN(C)C.Cl", "CN(C)C"),
        ("CN(C)C", "CN(C)C"),
        ("CCN.OC(=O)C(F)(F)F", "CCN"),
        ("C[C@H]([NH3+])C(=O)[O-]", "C[C@H](N)C(=O)O"),
        ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
        ("C[N+](C)(C)CCc1ccccc1.[I-]", "C[N+](C)(C)CCc1ccccc1"),
        ("O=[N+]([O-])c1ccccc1", "O=[N+]([O-])c1ccccc1"),
        ("[O-][n+]1ccccc1", "[O-][n+]1ccccc1"),
        ("CCN=[N+]=[N-]", "CCN=[N+]=[N-]"),
        ("[CH2-]C(C)=O.[Na+]", "CC(C)=O"),
        ("Cl.CN(C)CCO", "CN(C)CCO"),
        ("O.OCCO.CCCCCCCO", "CCCCCCCO"),
        ("OC(=O)c1cccnc1.Cl", "OC(=O)c1cccnc1"),
        ("CC(=O)[O-].OC(=O)C.[Na+]", "CC(=O)O"),
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ("F/C=C/F", "F/C=C/F"),
        ("CC[C@H](F)Cl |o1:2|", "CC[C@H](F)Cl"),
        ("[13CH3]CO", "[13CH3]CO"),
        ("C[Si](C)(C)O", "C[Si](C)(C)O"),
    ],
)
def test_parent_keeps_stereo_and_loses_salts(text: str, smiles: str) -> None:
    assert validate_record(record(text)).smiles == canonical(smiles)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Cl.CCN", "Removed: HCl."),
        ("O.O.[Na+].CCCC(N)C([O-])=O", "Removed: 2 water, sodium."),
        ("CCN1CCCC1.OC(=O)CC(O)(C(O)=O)CC(O)=O", "Removed: citric acid."),
        ("CCN1CCCC1.OC(=O)/C=C\\C(O)=O.CO", "Removed: maleic or fumaric acid, methanol."),
        ("CCCC(N)C.CCCC([NH3+])C.[O-]S(=O)(=O)O", "Removed: HO4S-, further copy of the compound."),
    ],
)
def test_what_was_removed_is_named(text: str, note: str) -> None:
    assert validate_record(record(text)).notes == (note,)


def test_one_molecule_has_no_note() -> None:
    assert validate_record(record("CCN")).notes == ()


@pytest.mark.parametrize(
    ("forms", "inchikey"),
    [
        (["CN(C)C", "C[NH+](C)C.[Cl-]", "CN(C)C.Cl"], "GETQZCLCWQTVFV-UHFFFAOYSA-N"),
        (["CC(=O)O", "CC(=O)[O-].[Na+]", "CC(=O)[O-]"], "QTBSBXVTEAMEQO-UHFFFAOYSA-N"),
        (["C[C@H](N)C(=O)O", "C[C@H]([NH3+])C(=O)[O-]"], "QNAYBMKLOCPYGJ-REOHCLBHSA-N"),
        (["Oc1ccccc1", "[K+].[O-]c1ccccc1"], "ISWSIDIOOBJBQZ-UHFFFAOYSA-N"),
    ],
)
def test_salt_and_charge_state_do_not_change_what_a_ligand_is(forms: list[str], inchikey: str) -> None:
    found = [validate_record(record(form)) for form in forms]

    assert {ligand.inchikey for ligand in found} == {inchikey}
    assert len({ligand.smiles for ligand in found}) == 1
    assert found[0].drawn_smiles is None


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("C[NH+](C)C.[Cl-]", "C[NH+](C)C"),
        ("CC(=O)[O-].[Na+]", "CC(=O)[O-]"),
        ("C[C@H]([NH3+])C(=O)[O-]", "C[C@H]([NH3+])C(=O)[O-]"),
    ],
)
def test_drawn_charge_state_is_kept_beside_the_neutral_form(text: str, drawn: str) -> None:
    assert validate_record(record(text)).drawn_smiles == canonical(drawn)


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("", RejectionReason.EMPTY, ""),
        ("   ", RejectionReason.EMPTY, ""),
        ("C1CC", RejectionReason.UNREADABLE_RECORD, "unclosed ring"),
        ("not a smiles", RejectionReason.UNREADABLE_RECORD, "RDKit says: syntax error at character 3."),
        ("c1ccc", RejectionReason.UNREADABLE_RECORD, "RDKit says"),
        ("c1cccc1", RejectionReason.UNREADABLE_RECORD, "kekulize"),
        ("CN(C)(C)C", RejectionReason.VALENCE, "N, 4"),
        ("CC(C)(C)(C)C", RejectionReason.VALENCE, "C, 5"),
        ("[Na+].[Cl-]", RejectionReason.NO_ORGANIC_FRAGMENT, ""),
        ("O", RejectionReason.NO_ORGANIC_FRAGMENT, ""),
        ("Oc1ccccc1.Nc1ccccc1", RejectionReason.MIXTURE, "It holds Oc1ccccc1 and Nc1ccccc1"),
        ("CCO.CC(=O)O", RejectionReason.MIXTURE, ""),
        ("CCCCCCCCO.CCN1CCCC1.Cl", RejectionReason.MIXTURE, ""),
        ("[C]", RejectionReason.RADICAL, "a C atom"),
        ("[CH2]", RejectionReason.RADICAL, ""),
        ("[CH3+]", RejectionReason.RADICAL, ""),
        ("C[CH]C", RejectionReason.RADICAL, "a C atom"),
        ("CC1(C)CCCC(C)(C)N1[O]", RejectionReason.RADICAL, "O"),
        ("OB(O)c1ccccc1", RejectionReason.UNSUPPORTED_ELEMENT, "contains B"),
        ("C[Se]C", RejectionReason.UNSUPPORTED_ELEMENT, "contains Se"),
        ("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", RejectionReason.UNSUPPORTED_ELEMENT, "contains Fe"),
        ("[Na+].[O-]C(=O)CC[Pt]", RejectionReason.UNSUPPORTED_ELEMENT, "contains Pt"),
        ("*c1ccccc1", RejectionReason.UNSUPPORTED_ELEMENT, "attachment point"),
        ("C" * 600, RejectionReason.TOO_LARGE, "600"),
        ("C" * 20_000, RejectionReason.TOO_LARGE, "characters"),
        ("C(" * 4_000 + "C" + ")" * 4_000, RejectionReason.TOO_LARGE, ""),
    ],
)
def test_bad_smiles_is_rejected_with_its_reason(text: str, reason: RejectionReason, said: str) -> None:
    with pytest.raises(LigandRejected) as caught:
        validate_record(record(text))

    assert caught.value.reason is reason
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ""),
        ("[11:22:33] SMILES Parse Error: unclosed ring for input: 'C1CC'", "RDKit says: unclosed ring."),
        (
            "SMILES Parse Error: syntax error while parsing: C[Q]\nSMILES Parse Error: check for mistakes around "
            "position 3:\nC[Q]\n~~^\nSMILES Parse Error: Failed parsing SMILES 'C[Q]' for input: 'C[Q]'",
            "RDKit says: syntax error at character 3.",
        ),
        ("Can't kekulize mol.  Unkekulized atoms: 0 1", "RDKit says: Can't kekulize mol.  Unkekulized atoms: 0 1."),
        (
            "\n\n****\nPost-condition Violation\nElement 'Antibody' not found\nViolation occurred on line 93 in file "
            "/project/Code/PeriodicTable.h\nFailed Expression: anum > -1\nStacktrace:\n 0# Invar()\n****\n",
            "RDKit says: Element 'Antibody' not found.",
        ),
        ("Invariant Violation\n\nViolation occurred on line 1 in file /project/x.cpp\n", ""),
    ],
)
def test_rdkit_is_quoted_in_one_sentence(said: str, expected: str) -> None:
    assert sentence(said) == expected


def test_rdkit_writes_nothing_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    validate_batch([record("C1CC"), record("CN(C)(C)C"), record("garbage", "sdf"), record("garbage", "mol2")])

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text", ["CCÄ", "Ä" * 100, "C1CC\u2028", "C[日本]C", "\udcff".encode("utf-8", "replace").decode() + "C"]
)
def test_text_beyond_ascii_is_an_ordinary_rejection(text: str) -> None:
    with pytest.raises(LigandRejected) as caught:
        validate_record(record(text))

    assert caught.value.reason is RejectionReason.UNREADABLE_RECORD


def test_mol_block_with_a_title_beyond_ascii_is_read() -> None:
    titled = "Äthanol 日本" + block("CCO", three_dimensional=False)

    assert validate_record(record(titled, "sdf")).smiles == "CCO"


def test_message_belongs_to_its_own_record() -> None:
    first, second = validate_batch([record("CN(C)(C)C"), record("c1cccc1")])

    assert isinstance(first, RejectedRecord)
    assert isinstance(second, RejectedRecord)
    assert "N, 4" in first.message
    assert "N, 4" not in second.message


def test_three_dimensional_record_shows_its_stereo() -> None:
    ligand = validate_record(record(block("C[C@H](N)C(=O)O", three_dimensional=True), "sdf"))

    assert ligand.smiles == canonical("C[C@H](N)C(=O)O")


def test_query_atoms_in_a_mol_block_are_refused() -> None:
    with_list = block("CCO", three_dimensional=False).replace(" O  ", " L  ", 1)

    with pytest.raises(LigandRejected) as caught:
        validate_record(record(with_list, "sdf"))

    assert caught.value.reason is RejectionReason.UNSUPPORTED_ELEMENT


def test_batch_keeps_order_and_earlier_rejections() -> None:
    earlier = RejectedRecord(1, "", "", RejectionReason.EMPTY, "")

    results = validate_batch([earlier, record("CCO"), record("C1C")])

    assert results[0] is earlier
    assert isinstance(results[1], ValidatedLigand)
    assert isinstance(results[2], RejectedRecord)
    assert results[2].line == 3
