import pytest
from tests.support.components import component_residue, in_chain

from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind
from molecular_analysis_dashboard.adapters.chemistry.hetero_typing import (
    Untypable,
    missing_atoms,
    typed_component,
    typed_group,
)
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import Link, links_between
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import RECEPTOR_TYPES
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue


def charge_of(residue: ReceptorResidue) -> float:
    return sum(atom.charge for atom in residue.atoms)


def n_hydrogens_on(residue: ReceptorResidue, name: str) -> int:
    own = residue.atom(name)
    assert own is not None
    squared = (sum((a - b) ** 2 for a, b in zip(own.position, h.position, strict=True)) for h in hydrogens(residue))
    return sum(1 for distance in squared if distance < 1.25**2)


def hydrogens(residue: ReceptorResidue) -> list[ReceptorAtom]:
    return [atom for atom in residue.atoms if atom.is_hydrogen]


@pytest.mark.parametrize(
    ("name", "charge"),
    [
        ("SEP", -2),  # phosphoserine
        ("TPO", -2),
        ("PTR", -2),
        ("CSO", 0),  # S-hydroxycysteine
        ("OCS", -1),  # cysteic acid
        ("KCX", -1),  # carbamylated lysine
        ("CGU", -2),  # carboxyglutamate
        ("TYS", -1),  # sulphotyrosine
        ("MLY", 1),  # dimethyllysine
        ("M3L", 1),
        ("ALY", 0),  # acetyllysine
        ("CIR", 0),  # citrulline
        ("HYP", 0),
        ("LLP", -2),  # lysine-pyridoxal phosphate, as the dictionary draws it
        ("CME", 0),
        ("DAL", 0),
        ("DLY", 1),
        ("NLE", 0),
        ("AIB", 0),
    ],
)
def test_modified_residue_in_a_chain_has_its_charge_and_a_peptide_s_hydrogens(name: str, charge: int) -> None:
    residue, links = in_chain(name)

    typed = typed_component(residue, links)

    assert charge_of(typed) == pytest.approx(charge, abs=0.02)
    assert {atom.atom_type for atom in typed.atoms if atom.atom_type} <= RECEPTOR_TYPES
    assert n_hydrogens_on(typed, "N") == (0 if name == "HYP" else 1)
    assert n_hydrogens_on(typed, "C") == 0
    assert next(atom.atom_type for atom in typed.atoms if atom.name == "N") == "N", "an amide is no acceptor"
    assert missing_atoms(residue, links) == ()


@pytest.mark.parametrize(
    ("name", "charge"),
    [
        ("HEM", -2),  # iron(II), porphyrin(2-) and two propionates
        ("ATP", -4),
        ("NAD", -1),
        ("FAD", -2),
        ("PLP", -2),
        ("SAM", 1),  # sulphonium, ammonium, carboxylate
        ("GSH", -1),
        ("NAG", 0),
        ("SO4", -2),
    ],
)
def test_cofactor_has_its_charge_at_neutral_ph(name: str, charge: int) -> None:
    typed = typed_group(component_residue(name), GroupKind.COFACTOR)

    assert charge_of(typed) == pytest.approx(charge, abs=0.02)
    assert {atom.atom_type for atom in typed.atoms if atom.atom_type} <= RECEPTOR_TYPES


@pytest.mark.parametrize(("name", "element"), [("SF4", "Fe"), ("FES", "Fe"), ("HEM", "Fe"), ("B12", "Co")])
def test_metal_of_a_cofactor_is_typed_as_such(name: str, element: str) -> None:
    typed = typed_group(component_residue(name), GroupKind.COFACTOR)

    assert element in {atom.atom_type for atom in typed.atoms}
    assert len([atom for atom in typed.atoms if not atom.is_hydrogen]) == len(component_residue(name).atoms)


def sugar_on_asparagine() -> tuple[ReceptorResidue, list[Link]]:
    sugar = component_residue("NAG", without=("O1",))
    anomer = component_residue("NAG").atom("O1")
    assert anomer is not None
    asparagine = ReceptorResidue(
        "A",
        7,
        "",
        "ASN",
        (ReceptorAtom("ND2", "N", anomer.position), ReceptorAtom("CG", "C", (anomer.position[0], 90.0, 0.0))),
    )
    return sugar, links_between([sugar, asparagine])[sugar.label]


def test_linked_sugar_has_no_hydrogen_where_the_protein_is() -> None:
    sugar, links = sugar_on_asparagine()

    linked, free = typed_component(sugar, links), typed_component(sugar, ())

    assert [link.atom for link in links] == ["C1"]
    assert (n_hydrogens_on(linked, "C1"), n_hydrogens_on(free, "C1")) == (1, 2)
    assert charge_of(linked) == pytest.approx(0, abs=0.02)
    assert (missing_atoms(sugar, links), missing_atoms(sugar, ())) == ((), ("O1",))


@pytest.mark.parametrize(
    ("name", "without", "begins_strand", "absent"),
    [
        ("NAP", ("N9A", "C8A"), True, ("C8A", "N9A")),
        ("SEP", ("OXT", "O3P"), True, ("O3P",)),
        ("A", ("OP3", "P", "OP1", "OP2"), True, ()),
        ("A", ("OP3", "P", "OP1", "OP2"), False, ("OP1", "OP2", "P")),
        ("A", ("OP3", "OP1"), True, ("OP1",)),
        ("HEM", (), True, ()),
    ],
)
def test_atoms_that_are_missing_are_named(
    name: str, without: tuple[str, ...], begins_strand: bool, absent: tuple[str, ...]
) -> None:
    residue = component_residue(name, without=without)

    assert missing_atoms(residue, (), begins_strand=begins_strand) == absent


def test_bond_to_an_atom_that_nobody_knows_is_no_crash() -> None:
    odd = ReceptorResidue("A", 2, "", "UNX", (ReceptorAtom("X", "X", (0, 0, 0)),))

    with pytest.raises(Untypable, match="RDKit says"):
        typed_component(component_residue("NAG"), [Link("C1", odd, odd.atoms[0])])


def test_names_cut_short_are_recognized_by_the_bonds() -> None:
    renamed = component_residue("NAP")
    atoms = tuple(
        ReceptorAtom(f"{atom.element}{index}", atom.element, atom.position) for index, atom in enumerate(renamed.atoms)
    )

    typed = typed_component(ReceptorResidue("A", 1, "", "NAP", atoms), ())

    assert charge_of(typed) == pytest.approx(charge_of(typed_component(renamed, ())), abs=0.02)


@pytest.mark.parametrize(
    ("residue", "kind", "reason"),
    [
        (component_residue("NAG"), GroupKind.GLYCAN, ""),
        (ReceptorResidue("A", 1, "", "ZZ99", component_residue("NAG").atoms), GroupKind.LIGAND, "no entry"),
        (ReceptorResidue("A", 1, "", "GLC", component_residue("NAG").atoms), GroupKind.GLYCAN, "do not agree"),
        (ReceptorResidue("A", 1, "", "XE", (ReceptorAtom("XE", "Xe", (0, 0, 0)),)), GroupKind.ION, "no atom type"),
        (ReceptorResidue("A", 1, "", "HOH", (ReceptorAtom("N", "N", (0, 0, 0)),)), GroupKind.WATER, "no oxygen"),
    ],
)
def test_what_cannot_be_typed_says_why(residue: ReceptorResidue, kind: GroupKind, reason: str) -> None:
    if not reason:
        assert typed_group(residue, kind).is_hetero
        return
    with pytest.raises(Untypable, match=reason):
        typed_group(residue, kind)
