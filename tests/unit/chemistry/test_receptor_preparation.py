import math
from collections.abc import Sequence

import gemmi
import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tests.support.components import component_residue

from molecular_analysis_dashboard.adapters.chemistry.hydrogens import superposition
from molecular_analysis_dashboard.adapters.chemistry.metal_contacts import settle_metal_contacts
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import RECEPTOR_TYPES, atom_lines, atom_type
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
    Site,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.domain.errors import InvalidInput, PreparationFailed
from molecular_analysis_dashboard.domain.receptors import (
    PreparedReceptor,
    ReceptorOptions,
    Severity,
    WaterPolicy,
)

ION = "HETATM 9001 {name:>2}    {name:>2} A 901    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {name:>2}"
WATER = "HETATM 9002  O   HOH A 902    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           O"


def lines_of(data: bytes) -> list[str]:
    return [line for line in data.decode().splitlines() if line.startswith(("ATOM", "HETATM"))]


def joined(lines: Sequence[str]) -> bytes:
    return "\n".join([*lines, "END", ""]).encode()


def residue(line: str) -> int:
    return int(line[22:26])


def center_of(data: bytes, number: int) -> tuple[float, float, float]:
    line = next(line for line in lines_of(data) if residue(line) == number and line[12:16].strip() == "CA")
    return float(line[30:38]), float(line[38:46]), float(line[46:54])


def types_of(prepared: PreparedReceptor) -> set[str]:
    return {atom_type(line) for line in atom_lines(prepared.pdbqt)}


def actions(prepared: PreparedReceptor) -> set[tuple[str, str]]:
    return {(note.residue, note.action) for note in prepared.report.notes}


def test_protein_is_typed_completely(protein_pdb: bytes) -> None:
    prepared = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())

    assert prepared.report.n_residues == len({residue(line) for line in lines_of(protein_pdb)})
    assert types_of(prepared) <= RECEPTOR_TYPES
    assert {"C", "N", "OA", "HD", "A"} <= types_of(prepared)
    assert prepared.report.n_atoms == len(list(atom_lines(prepared.pdbqt)))
    assert not any(note.severity is Severity.BLOCKING for note in prepared.report.notes)
    assert {"meeko", "pdb2pqr", "gemmi"} <= set(prepared.report.versions)


def test_preparation_is_repeatable(protein_pdb: bytes) -> None:
    first = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())
    second = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())

    assert first.content_hash == second.content_hash


def test_hydrogens_of_the_file_do_not_matter(protein_pdb: bytes) -> None:
    bare = [line for line in lines_of(protein_pdb) if line[76:78].strip() != "H"]

    with_hydrogens = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())
    without = prepare_receptor(joined(bare), "a.pdb", ReceptorOptions())

    assert with_hydrogens.pdbqt == without.pdbqt


def test_pdb_carries_more_hydrogens_than_the_engine_file(protein_pdb: bytes) -> None:
    prepared = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())

    n_hydrogens = sum(1 for line in prepared.pdb.splitlines() if line.endswith(" H"))
    assert n_hydrogens > sum(1 for line in atom_lines(prepared.pdbqt) if atom_type(line) == "HD")


def test_missing_side_chain_is_rebuilt_and_noted(protein_pdb: bytes) -> None:
    cut = [line for line in lines_of(protein_pdb) if not (residue(line) == 55 and line[12:16].strip() not in BACKBONE)]
    assert len(cut) < len(lines_of(protein_pdb))

    prepared = prepare_receptor(joined(cut), "a.pdb", ReceptorOptions())

    assert [action for name, action in actions(prepared) if name.endswith(" 55")] == ["side_chain_rebuilt"]


BACKBONE = {"N", "CA", "C", "O", "HN", "HA"}


def placed(lines: Sequence[str], number: int) -> dict[str, tuple[float, float, float]]:
    return {
        line[12:16].strip(): (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        for line in lines
        if line.startswith("ATOM") and line[21] == "A" and residue(line) == number and line[76:78].strip() != "H"
    }


def test_side_chain_of_the_file_is_not_turned_for_a_hydrogen(protein_pdb: bytes) -> None:
    # A glycine so near that a hydrogen of the leucine has no room, while no heavy atoms touch.
    whole = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())
    number = next(residue(line) for line in lines_of(protein_pdb) if line[17:20] == "LEU")
    hydrogen = next(line for line in whole.pdb.splitlines() if line[12:16].strip() == "HB2" and residue(line) == number)
    beta = np.array(placed(lines_of(protein_pdb), number)["CB"])
    towards = np.array([float(hydrogen[30:38]), float(hydrogen[38:46]), float(hydrogen[46:54])]) - beta
    near = beta + 2.35 * towards / np.linalg.norm(towards)
    glycine = {"N": (-0.5, 1.3, 0.3), "CA": (0.0, 0.0, 0.0), "C": (1.5, 0.0, 0.0), "O": (2.1, 1.1, 0.0)}
    axis = towards / np.linalg.norm(towards)
    side = np.cross(axis, (0.0, 0.0, 1.0) if abs(axis[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    frame = np.array([axis, side, np.cross(axis, side)])
    lines = []
    for name, place in glycine.items():
        x, y, z = near + np.array(place) @ frame
        lines.append(f"ATOM   9000  {name:<3} GLY B 500    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           {name[0]}")

    prepared = prepare_receptor(joined([*lines_of(protein_pdb), *lines]), "a.pdb", ReceptorOptions())

    assert placed(prepared.pdb.splitlines(), number) == placed(lines_of(protein_pdb), number)
    assert not [action for name, action in actions(prepared) if name == f"A:LEU {number}"]


def test_neighbours_that_a_disulfide_joins_keep_their_peptide_bond() -> None:
    peptide = Chem.RWMol(Chem.MolFromSequence("GCCG"))
    first, second = (atom.GetIdx() for atom in peptide.GetAtoms() if atom.GetPDBResidueInfo().GetName().strip() == "SG")
    peptide.AddBond(first, second, Chem.BondType.SINGLE)
    Chem.SanitizeMol(peptide)
    whole = Chem.AddHs(peptide)
    assert rdDistGeom.EmbedMolecule(whole, randomSeed=7) == 0

    prepared = prepare_receptor(Chem.MolToPDBBlock(Chem.RemoveHs(whole)).encode(), "a.pdb", ReceptorOptions())

    cysteines = [line for line in prepared.pdb.splitlines() if line[17:20] == "CYS"]
    hydrogens = [line[12:16].strip() for line in cysteines if residue(line) == 3 and line[76:78].strip() == "H"]
    assert sorted(hydrogens) == ["H", "HA", "HB2", "HB3"]
    assert sum(float(line[66:76]) for line in atom_lines(prepared.pdbqt)) == pytest.approx(0.0, abs=0.05)


def without_backbone(data: bytes, number: int) -> bytes:
    return joined(
        [line for line in lines_of(data) if not (residue(line) == number and line[12:16].strip() in ("C", "O"))]
    )


def test_problem_near_the_site_blocks(protein_pdb: bytes) -> None:
    options = ReceptorOptions(site_center=center_of(protein_pdb, 55))

    with pytest.raises(PreparationFailed) as caught:
        prepare_receptor(without_backbone(protein_pdb, 55), "a.pdb", options)

    assert caught.value.error_code == "problems_near_site"
    assert any(name.endswith(" 55") for name in caught.value.details["residues"])  # type: ignore[attr-defined]


def test_overridden_problem_is_left_out_and_noted(protein_pdb: bytes) -> None:
    options = ReceptorOptions(site_center=center_of(protein_pdb, 55), override_problems=True)

    prepared = prepare_receptor(without_backbone(protein_pdb, 55), "a.pdb", options)

    assert [note.action for note in prepared.report.notes if note.residue.endswith(" 55")] == ["left_out"]


@pytest.mark.parametrize("center", [None, (200.0, 0.0, 0.0)])
def test_problem_away_from_the_site_warns(center: tuple[float, float, float] | None, protein_pdb: bytes) -> None:
    prepared = prepare_receptor(without_backbone(protein_pdb, 55), "a.pdb", ReceptorOptions(site_center=center))

    (note,) = [note for note in prepared.report.notes if note.action == "left_out"]
    assert note.severity is Severity.WARNING
    assert (note.distance_angstrom is None) is (center is None)


def with_hetero(data: bytes, line: str, near: int, offset: float) -> bytes:
    x, y, z = center_of(data, near)
    return joined([*lines_of(data), "TER", line.format(x=x + offset, y=y, z=z, name="ZN")])


@pytest.mark.parametrize(
    ("options", "is_kept"),
    [
        ({}, True),
        ({"near": 50}, True),
        ({"near": 75}, False),
        ({"near": 75, "keep": ("ZN:A:901",)}, True),
        ({"remove": ("ZN",)}, False),
        ({"keep": ("ZN",), "remove": ("ZN:A",)}, False),
    ],
)
def test_ion_stays_near_the_site_or_as_told(options: dict[str, object], is_kept: bool, protein_pdb: bytes) -> None:
    near = options.pop("near", None)
    center = center_of(protein_pdb, int(str(near))) if near else None
    data = with_hetero(protein_pdb, ION, near=50, offset=4.0)

    prepared = prepare_receptor(data, "a.pdb", ReceptorOptions(site_center=center, **options))  # type: ignore[arg-type]

    assert ("Zn" in types_of(prepared)) is is_kept
    assert ("A:ZN 901", "kept" if is_kept else "removed") in actions(prepared)


@pytest.mark.parametrize(("policy", "is_kept"), [(WaterPolicy.ALL, True), (WaterPolicy.NONE, False)])
def test_water_policy(policy: WaterPolicy, is_kept: bool, protein_pdb: bytes) -> None:
    data = with_hetero(protein_pdb, WATER, near=50, offset=4.0)

    prepared = prepare_receptor(data, "a.pdb", ReceptorOptions(waters=policy))

    assert ("HOH" in prepared.pdbqt) is is_kept


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (ReceptorOptions(model=2), "model_not_found"),
        (ReceptorOptions(chains=("A", "Q")), "chain_not_found"),
        (ReceptorOptions(keep=("HEM",)), "group_not_found"),
        (ReceptorOptions(remove=("HEM:A:1",)), "group_not_found"),
    ],
)
def test_options_naming_what_is_not_there_are_refused(options: ReceptorOptions, code: str, protein_pdb: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        prepare_receptor(protein_pdb, "a.pdb", options)

    assert caught.value.error_code == code


def test_unknown_element_is_left_out_and_noted(protein_pdb: bytes) -> None:
    odd = [line[:76] + " X" if residue(line) == 60 else line for line in lines_of(protein_pdb)]

    prepared = prepare_receptor(joined(odd), "a.pdb", ReceptorOptions())

    assert "left_out" in {action for name, action in actions(prepared) if name.endswith(" 60")}


def test_structure_without_polymer_leaves_nothing() -> None:
    data = joined([WATER.format(x=0, y=0, z=0)])

    with pytest.raises(PreparationFailed) as caught:
        prepare_receptor(data, "a.pdb", ReceptorOptions())

    assert caught.value.error_code == "nothing_left"


def test_selenomethionine_becomes_methionine(protein_pdb: bytes) -> None:
    numbers = {residue(line) for line in lines_of(protein_pdb) if line[17:20] == "MET"}
    assert numbers, "the fixture needs a methionine"
    changed = [
        line.replace("MET", "MSE").replace(" SD ", "SE  ")[:76] + ("SE" if " SD " in line else line[76:78])
        if residue(line) in numbers
        else line
        for line in lines_of(protein_pdb)
    ]

    prepared = prepare_receptor(joined(changed), "a.pdb", ReceptorOptions())

    assert "selenium_replaced" in {action for _, action in actions(prepared)}
    assert "MSE" not in prepared.pdbqt


def test_ready_pdbqt_passes_through(protein_pdb: bytes) -> None:
    ready = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions())

    again = prepare_receptor(ready.pdbqt.encode(), "a.pdbqt", ReceptorOptions())

    assert again.pdbqt == ready.pdbqt
    assert "ready PDBQT" in again.report.steps[0]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda text: text.replace(" OA\n", " QQ\n", 1), "pdbqt_atom_types"),
        (lambda text: "ROOT\n" + text, "pdbqt_is_ligand"),
    ],
)
def test_unusable_pdbqt_is_refused(edit: "object", code: str, protein_pdb: bytes) -> None:
    ready = prepare_receptor(protein_pdb, "a.pdb", ReceptorOptions()).pdbqt
    assert callable(edit)

    with pytest.raises(InvalidInput) as caught:
        prepare_receptor(edit(ready).encode(), "a.pdbqt", ReceptorOptions())

    assert caught.value.error_code == code


def test_preparation_prints_nothing(protein_pdb: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    prepare_receptor(without_backbone(protein_pdb, 55), "a.pdb", ReceptorOptions())

    assert capfd.readouterr() == ("", "")


HISTIDINE = {
    "N": ("N", (-1.2, 0, 0)), "CA": ("C", (0, 0, 0)), "C": ("C", (0.5, 1.4, 0)), "O": ("O", (-0.2, 2.4, 0)),
    "CB": ("C", (0.6, -0.8, 1.2)), "CG": ("C", (0, -0.4, 2.5)), "ND1": ("N", (-1.0, -1.1, 3.1)),
    "CD2": ("C", (0.4, 0.6, 3.4)), "CE1": ("C", (-1.2, -0.6, 4.3)), "NE2": ("N", (-0.4, 0.5, 4.5)),
}  # fmt: skip
ZINC_AT_NE2 = ReceptorAtom("ZN", "Zn", (0.0, 1.5, 6.3))
ZINC_FAR = ReceptorAtom("ZN", "Zn", (9.0, 9.0, 9.0))
SODIUM_AT_NE2 = ReceptorAtom("NA", "Na", (0.0, 1.5, 6.3))


def histidine(*hydrogens: str) -> ReceptorResidue:
    atoms = [ReceptorAtom(name, element, position) for name, (element, position) in HISTIDINE.items()]
    atoms += [ReceptorAtom(name, "H", (0.0, 0.0, 0.0)) for name in hydrogens]
    return ReceptorResidue("A", 64, "", "HIS", tuple(atoms))


@pytest.mark.parametrize(
    ("hydrogens", "metal", "expected"),
    [
        (("HE2",), ZINC_AT_NE2, {"HD1"}),
        (("HD1",), ZINC_AT_NE2, {"HD1"}),
        (("HD1", "HE2"), ZINC_AT_NE2, {"HD1"}),
        (("HE2",), ZINC_FAR, {"HE2"}),
        (("HE2",), SODIUM_AT_NE2, {"HE2"}),
    ],
)
def test_histidine_is_not_protonated_towards_its_metal(
    hydrogens: tuple[str, ...], metal: ReceptorAtom, expected: set[str]
) -> None:
    settled = settle_metal_contacts(histidine(*hydrogens), [metal], Notebook(Site(None, 0.0)))

    assert {atom.name for atom in settled.atoms if atom.is_hydrogen} == expected


def test_cysteine_that_binds_zinc_is_a_thiolate() -> None:
    cysteine = ReceptorResidue(
        "A", 5, "", "CYS", (ReceptorAtom("SG", "S", (0, 0, 0)), ReceptorAtom("HG", "H", (1.3, 0, 0)))
    )
    book = Notebook(Site(None, 0.0))

    settled = settle_metal_contacts(cysteine, [ReceptorAtom("ZN", "Zn", (2.3, 0, 0))], book)

    assert [atom.name for atom in settled.atoms] == ["SG"]
    assert book.notes[0].action == "protonation"


def test_failure_of_protonation_is_a_warning_about_the_whole_structure(protein_pdb: bytes) -> None:
    lines = protein_pdb.decode().splitlines()
    at_one_point = [f"{line[:30]}{3 * '   1.000'}{line[54:]}" if line[22:26] == "  50" else line for line in lines]

    report = prepare_receptor("\n".join(at_one_point).encode(), "a.pdb", ReceptorOptions(override_problems=True)).report

    (note,) = [note for note in report.notes if note.action == "protonation_failed"]
    assert (note.residue, note.severity) == ("whole structure", Severity.WARNING)
    assert "usual protonation state" in note.message


def numbered(data: bytes, first: int, last: int) -> list[str]:
    return [line for line in lines_of(data) if first <= residue(line) <= last]


def hydrogens_of(prepared: PreparedReceptor, number: int, near: str) -> int:
    """How many hydrogens a residue's atom carries."""
    own = [line for line in lines_of(prepared.pdb.encode()) if residue(line) == number]
    places = {line[12:16].strip(): [float(line[i : i + 8]) for i in (30, 38, 46)] for line in own}
    return sum(
        1
        for line in own
        if line.endswith(" H") and math.dist(places[line[12:16].strip()], places[near]) < LONGEST_BOND_TO_HYDROGEN
    )


LONGEST_BOND_TO_HYDROGEN = 1.2


def total_charge(prepared: PreparedReceptor) -> float:
    return sum(float(line[66:76]) for line in atom_lines(prepared.pdbqt))


@pytest.mark.parametrize(("caps", "names"), [(True, {"ACE", "NME"}), (False, set())])
def test_break_is_neutral_with_caps_and_without(caps: bool, names: set[str], protein_pdb: bytes) -> None:
    broken = joined([*numbered(protein_pdb, 48, 51), *numbered(protein_pdb, 60, 63)])

    prepared = prepare_receptor(broken, "a.pdb", ReceptorOptions(caps=caps))

    assert {line[17:20] for line in lines_of(prepared.pdb.encode())} & {"ACE", "NME"} == names
    assert hydrogens_of(prepared, 60, "N") == 1
    assert abs(total_charge(prepared) - round(total_charge(prepared))) < 0.05
    assert Chem.MolFromPDBBlock(prepared.pdb, removeHs=False) is not None
    assert {action for _, action in actions(prepared)} >= {"chain_break"}


@pytest.mark.parametrize(
    ("sequence", "n_hydrogens"),
    [
        ("", 3),
        ("{names}", 3),
        ("GLY PRO GLY {names}", 1),
    ],
)
def test_chain_begins_with_a_charge_only_where_its_sequence_begins(
    sequence: str, n_hydrogens: int, protein_pdb: bytes
) -> None:
    kept = numbered(protein_pdb, 48, 53)
    names = " ".join(dict.fromkeys(line[17:20] + line[22:26] for line in kept))
    residues = sequence.format(names=" ".join(part for part in names.split() if part.isalpha())).split()
    header = [f"SEQRES   1 A {len(residues):4d}  {' '.join(residues)}"] if residues else []

    prepared = prepare_receptor(joined([*header, *kept]), "a.pdb", ReceptorOptions())

    assert hydrogens_of(prepared, 48, "N") == n_hydrogens


def test_chain_keeps_its_long_name_in_options_and_report(protein_pdb: bytes) -> None:
    structure = gemmi.read_pdb_string(joined(numbered(protein_pdb, 48, 53)).decode())
    structure[0][0].name = "AA-2"
    structure.setup_entities()
    mmcif = structure.make_mmcif_document().as_string().encode()

    prepared = prepare_receptor(mmcif, "a.cif", ReceptorOptions(chains=("AA-2",), site_center=(0.0, 0.0, 0.0)))

    assert {line[21] for line in atom_lines(prepared.pdbqt)} == {"A"}
    assert all(note.residue.startswith("AA-2:") for note in prepared.report.notes)


def test_bond_to_a_kept_group_takes_the_place_of_hydrogens(protein_pdb: bytes) -> None:
    serine = next(number for number in range(40, 75) if name_of(protein_pdb, number) == "SER")
    kept = numbered(protein_pdb, serine - 1, serine + 1)
    sugar = glycosylated(kept, serine)

    bonded = prepare_receptor(joined([*kept, "TER", *sugar]), "a.pdb", ReceptorOptions())
    removed = prepare_receptor(joined([*kept, "TER", *sugar]), "a.pdb", ReceptorOptions(remove=("NAG",)))

    assert (hydrogens_of(bonded, serine, "OG"), hydrogens_of(removed, serine, "OG")) == (0, 1)
    assert hydrogens_of(bonded, 900, "C1") == 1
    assert (f"A:SER {serine}", "covalent_partner_removed") in actions(removed)


def name_of(data: bytes, number: int) -> str:
    return next((line[17:20] for line in lines_of(data) if residue(line) == number), "")


def glycosylated(lines: Sequence[str], serine: int) -> list[str]:
    """A sugar whose anomeric carbon is bonded to the serine's oxygen, pointing away from the chain."""
    places = {
        line[12:16].strip(): np.array([float(line[i : i + 8]) for i in (30, 38, 46)])
        for line in lines
        if residue(line) == serine
    }
    sugar = component_residue("NAG")
    own = {atom.name: np.array(atom.position) for atom in sugar.atoms}
    outward = places["OG"] - places["CB"]
    rotation, _ = superposition(
        np.array([own["C1"] - own["O1"], np.zeros(3)]), np.array([outward / np.linalg.norm(outward) * 1.4, np.zeros(3)])
    )
    moved = {name: (place - own["O1"]) @ rotation.T + places["OG"] for name, place in own.items() if name != "O1"}
    return [
        f"HETATM 9001 {name:<4} NAG A 900    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {name[0]:>2}"
        for name, (x, y, z) in moved.items()
    ]


def test_trace_is_refused_by_what_it_lacks(protein_pdb: bytes) -> None:
    trace = [line for line in lines_of(protein_pdb) if line[12:16].strip() == "CA"]

    with pytest.raises(PreparationFailed, match="has only CA") as refusal:
        prepare_receptor(joined(trace), "a.pdb", ReceptorOptions())

    assert refusal.value.error_code == "backbone_missing"


@pytest.mark.parametrize(("atom_types", "is_noted"), [(("C", "OA"), True), (("C", "OA", "HD"), False)])
def test_ready_pdbqt_without_polar_hydrogens_is_told(atom_types: Sequence[str], is_noted: bool) -> None:
    lines = [
        f"ATOM  {n:5d}  X{n}  GLY A   1    {n:8.3f}   0.000   0.000  1.00  0.00    +0.000 {kind:<2}"
        for n, kind in enumerate(atom_types, 1)
    ]

    prepared = prepare_receptor("\n".join(lines).encode(), "a.pdbqt", ReceptorOptions())

    assert ("whole structure", "no_polar_hydrogens") in actions(prepared) or not is_noted
    assert bool(prepared.report.notes) is is_noted
