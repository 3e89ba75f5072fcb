import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

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
        torsions=2,
        molecular_weight=180.159,
    )


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("CC(=O)[O-].[Na+]", "CC(=O)[O-]"),
        ("Cl.CN(C)CCO", "CN(C)CCO"),
        ("O.OCCO.CCCCCCO", "CCCCCCO"),
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ("F/C=C/F", "F/C=C/F"),
        ("CC[C@H](F)Cl |o1:2|", "CC[C@H](F)Cl"),
        ("[13CH3]CO", "[13CH3]CO"),
        ("C[Si](C)(C)O", "C[Si](C)(C)O"),
    ],
)
def test_parent_keeps_stereo_and_loses_salts(text: str, smiles: str) -> None:
    assert validate_record(record(text)).smiles == canonical(smiles)


def test_removed_salt_is_noted() -> None:
    assert "1 smaller fragment" in validate_record(record("Cl.CCN")).notes[0]


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("", RejectionReason.EMPTY, ""),
        ("   ", RejectionReason.EMPTY, ""),
        ("C1CC", RejectionReason.UNREADABLE_RECORD, "unclosed ring"),
        ("not a smiles", RejectionReason.UNREADABLE_RECORD, "RDKit says"),
        ("c1ccc", RejectionReason.UNREADABLE_RECORD, "RDKit says"),
        ("c1cccc1", RejectionReason.UNREADABLE_RECORD, "kekulize"),
        ("CN(C)(C)C", RejectionReason.VALENCE, "N, 4"),
        ("CC(C)(C)(C)C", RejectionReason.VALENCE, "C, 5"),
        ("[Na+].[Cl-]", RejectionReason.NO_ORGANIC_FRAGMENT, ""),
        ("O", RejectionReason.NO_ORGANIC_FRAGMENT, ""),
        ("OB(O)c1ccccc1", RejectionReason.UNSUPPORTED_ELEMENT, "contains B"),
        ("C[Se]C", RejectionReason.UNSUPPORTED_ELEMENT, "contains Se"),
        ("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1CC[Pt]", RejectionReason.UNSUPPORTED_ELEMENT, "contains Pt"),
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


def test_three_dimensional_record_keeps_coordinates_and_shows_its_stereo() -> None:
    ligand = validate_record(record(block("C[C@H](N)C(=O)O", three_dimensional=True), "sdf"))

    assert ligand.smiles == canonical("C[C@H](N)C(=O)O")
    assert ligand.mol_block is not None
    assert Chem.MolFromMolBlock(ligand.mol_block).GetConformer().Is3D()


def test_flat_record_has_no_coordinates_to_keep() -> None:
    ligand = validate_record(record(block("CCO", three_dimensional=False), "sdf"))

    assert (ligand.smiles, ligand.mol_block) == ("CCO", None)


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
