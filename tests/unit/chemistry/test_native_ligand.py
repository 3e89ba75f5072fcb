import math

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molecular_analysis_dashboard.adapters.chemistry import native_ligand
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.redocking import BondOrderSource

BENZAMIDINE = "NC(=[NH2+])c1ccccc1"
# Atom names of the Chemical Component Dictionary's BEN, in the order of the SMILES above.
BEN_NAMES = ("N1", "C", "N2", "C1", "C2", "C3", "C4", "C5", "C6")


def canonical(smiles: str) -> str:
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))


def residue_lines(
    name: str, chain: str, number: int, smiles: str, names: tuple[str, ...], dx: float = 0.0
) -> list[str]:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    lines = []
    for index, atom_name in enumerate(names):
        x, y, z = mol.GetConformer().GetAtomPosition(index)
        element = mol.GetAtomWithIdx(index).GetSymbol()
        lines.append(
            f"HETATM{index + 1:5d}  {atom_name:<3} {name:>3} {chain}{number:4d}    {x + dx:8.3f}{y:8.3f}{z:8.3f}"
            f"  1.00  0.00          {element:>2}"
        )
    return lines


def complex_with(*ligands: list[str], protein: bytes) -> bytes:
    body = [line for line in protein.decode().splitlines() if line.startswith("ATOM")]
    return "\n".join([*body, "TER", *(line for ligand in ligands for line in ligand), "END", ""]).encode()


BEN = residue_lines("BEN", "A", 900, BENZAMIDINE, BEN_NAMES)
UNKNOWN = residue_lines("QQZ", "A", 901, "CC(=O)Nc1ccc(O)cc1", tuple(f"X{i}" for i in range(11)), dx=20.0)


def test_bond_orders_come_from_the_dictionary(protein_pdb: bytes) -> None:
    ligand = native_ligand.extract_native_ligand(complex_with(BEN, protein=protein_pdb), "a.pdb", "BEN:A:900")

    assert ligand.bond_order_source is BondOrderSource.DICTIONARY
    assert Chem.MolFromSmiles(ligand.smiles).GetAromaticAtoms()
    assert len(ligand.coordinates) == 9
    assert ligand.mol_block is not None
    assert Chem.MolFromMolBlock(ligand.mol_block).GetConformer().Is3D()


@pytest.mark.parametrize("selector", ["BEN", "BEN:A", "BEN:A:900", None])
def test_selector_forms(selector: str | None, protein_pdb: bytes) -> None:
    found = native_ligand.extract_native_ligand(complex_with(BEN, protein=protein_pdb), "a.pdb", selector)

    assert found.selector == "BEN:A:900"


def test_unknown_ligand_only_places_the_box(protein_pdb: bytes) -> None:
    ligand = native_ligand.extract_native_ligand(complex_with(UNKNOWN, protein=protein_pdb), "a.pdb", None)

    assert (ligand.mol_block, ligand.smiles, ligand.bond_order_source) == (None, "", BondOrderSource.NONE)
    assert len(ligand.coordinates) == 11
    assert "SMILES or SDF" in ligand.warnings[-1]


@pytest.mark.parametrize("given", ["CC(=O)Nc1ccc(O)cc1 paracetamol\n", "block"])
def test_template_gives_bond_orders(given: str, protein_pdb: bytes) -> None:
    smiles = "CC(=O)Nc1ccc(O)cc1"
    template = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)) if given == "block" else given

    ligand = native_ligand.extract_native_ligand(
        complex_with(UNKNOWN, protein=protein_pdb), "a.pdb", "QQZ", template=template.encode(), template_name="t"
    )

    assert (ligand.smiles, ligand.bond_order_source) == (smiles, BondOrderSource.TEMPLATE)


def test_template_wins_over_the_dictionary(protein_pdb: bytes) -> None:
    ligand = native_ligand.extract_native_ligand(
        complex_with(BEN, protein=protein_pdb), "a.pdb", None, template=b"NC(=N)c1ccccc1", template_name="t.smi"
    )

    assert ligand.smiles == canonical("N=C(N)c1ccccc1")


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (b"CCO", "template_mismatch"),
        (b"CC(=O)Nc1ccc(O)cc1C", "template_mismatch"),
        (b"COC(=O)c1ccc(N)cc1", "template_mismatch"),
        (b"C1CC", "template_unreadable"),
    ],
)
def test_wrong_template_is_refused(template: bytes, code: str, protein_pdb: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        native_ligand.extract_native_ligand(
            complex_with(UNKNOWN, protein=protein_pdb), "a.pdb", "QQZ", template=template, template_name="t.smi"
        )

    assert caught.value.error_code == code


def test_copies_are_taken_with_a_warning(protein_pdb: bytes) -> None:
    copy = residue_lines("BEN", "B", 900, BENZAMIDINE, BEN_NAMES, dx=30.0)

    ligand = native_ligand.extract_native_ligand(complex_with(BEN, copy, protein=protein_pdb), "a.pdb", "BEN")

    assert ligand.selector == "BEN:A:900"
    assert "BEN:B:900" in ligand.warnings[0]


def position(line: str) -> list[float]:
    return [float(line[start : start + 8]) for start in (30, 38, 46)]


def test_ligand_bonded_to_the_receptor_is_taken_with_a_warning(protein_pdb: bytes) -> None:
    carbonyl = [line for line in protein_pdb.decode().splitlines() if line[12:16].strip() in ("C", "O")][:2]
    carbon, oxygen = (position(line) for line in carbonyl)
    beyond = [(o - c) / math.dist(oxygen, carbon) for c, o in zip(carbon, oxygen, strict=True)]
    stretched = []
    for number, line in enumerate(BEN):
        x, y, z = (o + (1.5 + 3 * number) * b for o, b in zip(oxygen, beyond, strict=True))
        stretched.append(f"{line[:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}")

    ligand = native_ligand.extract_native_ligand(complex_with(stretched, protein=protein_pdb), "a.pdb", "BEN")

    (warning,) = [warning for warning in ligand.warnings if "covalently bound" in warning]
    assert f"N1 to O of A:{carbonyl[0][17:20]} {int(carbonyl[0][22:26])}, 1.50 Å" in warning


def test_ligand_in_contact_is_not_called_bonded(protein_pdb: bytes) -> None:
    far = residue_lines("BEN", "A", 900, BENZAMIDINE, BEN_NAMES, dx=200.0)

    assert native_ligand.extract_native_ligand(complex_with(far, protein=protein_pdb), "a.pdb", "BEN").warnings == ()


def test_cofactor_is_never_taken_unasked(protein_pdb: bytes) -> None:
    cofactor = residue_lines("PLP", "A", 902, "Cc1ncc(C)c(C)c1O", tuple(f"X{i}" for i in range(10)), dx=200.0)
    data = complex_with(cofactor, protein=protein_pdb)

    with pytest.raises(InvalidInput) as caught:
        native_ligand.extract_native_ligand(data, "a.pdb", None)

    assert caught.value.details["choices"] == ["PLP:A:902"]
    assert "only cofactors: PLP:A:902" in caught.value.message
    assert native_ligand.extract_native_ligand(data, "a.pdb", "PLP").selector == "PLP:A:902"


@pytest.mark.parametrize(
    ("ligands", "selector", "code", "choices"),
    [
        ([BEN, UNKNOWN], None, "native_ambiguous", ["BEN:A:900", "QQZ:A:901"]),
        ([BEN], "ABC:A:1", "native_not_found", ["BEN:A:900"]),
        ([], None, "native_not_found", []),
    ],
)
def test_unclear_choice_lists_what_there_is(
    ligands: list[list[str]], selector: str | None, code: str, choices: list[str], protein_pdb: bytes
) -> None:
    with pytest.raises(InvalidInput) as caught:
        native_ligand.extract_native_ligand(complex_with(*ligands, protein=protein_pdb), "a.pdb", selector)

    assert caught.value.error_code == code
    assert caught.value.details["choices"] == choices


def test_incomplete_ligand_is_named(protein_pdb: bytes) -> None:
    ligand = native_ligand.extract_native_ligand(complex_with(BEN[:-1], protein=protein_pdb), "a.pdb", None)

    assert "C6" in ligand.warnings[0]


MMCIF = """data_x
loop_
_chem_comp_atom.comp_id
_chem_comp_atom.atom_id
_chem_comp_atom.type_symbol
_chem_comp_atom.charge
QQY C1 C 0
QQY C2 C 0
QQY O1 O -1
QQY O2 O 0
loop_
_chem_comp_bond.comp_id
_chem_comp_bond.atom_id_1
_chem_comp_bond.atom_id_2
_chem_comp_bond.value_order
QQY C1 C2 sing
QQY C2 O1 {order}
QQY C2 O2 doub
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.auth_seq_id
_atom_site.auth_asym_id
HETATM 1 C C1 . QQY A 1 . 0.0 0.0 0.0 1.0 1 A
HETATM 2 C C2 . QQY A 1 . 1.5 0.0 0.0 1.0 1 A
HETATM 3 O O1 . QQY A 1 . 2.1 1.1 0.0 1.0 1 A
HETATM 4 O O2 . QQY A 1 . 2.1 -1.1 0.0 1.0 1 A
"""


def test_bond_orders_come_from_the_file_itself() -> None:
    ligand = native_ligand.extract_native_ligand(MMCIF.format(order="sing").encode(), "a.cif", "QQY")

    assert (ligand.smiles, ligand.bond_order_source) == ("CC(=O)[O-]", BondOrderSource.STRUCTURE_FILE)


def test_orders_that_would_have_to_be_guessed_are_not_taken() -> None:
    ligand = native_ligand.extract_native_ligand(MMCIF.format(order="delo").encode(), "a.cif", "QQY")

    assert ligand.mol_block is None


def test_ligand_file_keeps_its_place() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)

    ligand = native_ligand.read_ligand_file(Chem.MolToMolBlock(mol).encode(), "native.sdf")

    expected = mol.GetConformer().GetAtomPosition(2)
    assert ligand.smiles == "CCO"
    assert math.dist(ligand.coordinates[2], tuple(expected)) < 1e-3


def test_further_records_of_a_ligand_file_are_told() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    record = Chem.MolToMolBlock(mol) + "$$$$\n"

    assert native_ligand.read_ligand_file(record.encode(), "native.sdf").warnings == ()
    (warning,) = native_ligand.read_ligand_file((2 * record).encode(), "native.sdf").warnings
    assert "2 records; the first was taken" in warning


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"garbage", "a.sdf", "ligand_unreadable"),
        (b"", "a.sdf", "empty_file"),
        (Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")).encode(), "a.sdf", "ligand_not_3d"),
    ],
)
def test_unusable_ligand_file_is_refused(data: bytes, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        native_ligand.read_ligand_file(data, name)

    assert caught.value.error_code == code
