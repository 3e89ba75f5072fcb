"""What of a structure stays, judged on a few residues placed by hand; nothing here runs a force field."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from molecular_analysis_dashboard.adapters.chemistry import receptor_extent
from molecular_analysis_dashboard.adapters.chemistry.chain_caps import capped
from molecular_analysis_dashboard.adapters.chemistry.chain_gaps import is_joined, note_gaps
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind, classified, standard_name
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import (
    attached_to,
    links_between,
    note_overlaps,
)
from molecular_analysis_dashboard.adapters.chemistry.metal_contacts import settle_metal_contacts
from molecular_analysis_dashboard.adapters.chemistry.pka_notes import note_pkas
from molecular_analysis_dashboard.adapters.chemistry.receptor_extent import around_site
from molecular_analysis_dashboard.adapters.chemistry.receptor_files import chain_letters, receptor_pdb
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
    Site,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_selection import Selection, select
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure
from molecular_analysis_dashboard.domain.errors import InvalidInput, PreparationFailed
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, Severity, WaterPolicy

Atom = tuple[str, str, tuple[float, float, float]]


def book_at(*center: float, radius: float = 0.0) -> Notebook:
    return Notebook(Site((center[0], center[1], center[2]) if center else None, radius))


def residue(name: str, number: int, *atoms: Atom, chain: str = "A", icode: str = "") -> ReceptorResidue:
    made = tuple(ReceptorAtom(atom, element, place) for atom, element, place in atoms)
    return ReceptorResidue(chain, number, icode, name, made)


def peptide(number: int, x: float, *, name: str = "ALA", chain: str = "A") -> ReceptorResidue:
    """An amino acid at x, whose N is bonded to one placed 3.8 Å before it."""
    backbone: Sequence[Atom] = (
        ("N", "N", (x, 0.0, 0.0)),
        ("CA", "C", (x + 1.2, 0.8, 0.0)),
        ("C", "C", (x + 2.5, 0.0, 0.0)),
        ("O", "O", (x + 2.5, -1.23, 0.0)),
        ("CB", "C", (x + 1.2, 1.7, 1.2)),
    )
    return residue(name, number, *backbone, chain=chain)


def actions(book: Notebook) -> list[tuple[str, str]]:
    return [(note.residue, note.action) for note in book.notes]


def pdb(*residues: ReceptorResidue, hetero: Sequence[ReceptorResidue] = ()) -> bytes:
    return receptor_pdb([*residues, *(replace(group, is_hetero=True) for group in hetero)]).encode()


def selected(data: bytes, options: ReceptorOptions) -> tuple[Selection, Notebook]:
    book = Notebook(Site.of(options))
    return select(read_structure(data, "a.pdb"), options, book), book


CHAIN = [peptide(number, 3.8 * number) for number in range(1, 6)]
WATER_BETWEEN = residue("HOH", 101, ("O", "O", (10.0, -4.0, 0.0)))
WATER_FREE = residue("HOH", 102, ("O", "O", (10.0, 6.5, 0.0)))
WATER_FAR = residue("HOH", 103, ("O", "O", (60.0, 0.0, 0.0)))
LIGAND = residue(
    "LIG", 200, ("C1", "C", (10.0, -8.0, 0.0)), ("O1", "O", (10.0, -6.8, 0.0)), ("C2", "C", (11.4, -8.5, 0.0))
)
SITE = ReceptorOptions(site_center=(10.0, -8.0, 0.0), site_radius_angstrom=2.0)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (SITE, set()),
        (replace(SITE, waters=WaterPolicy.ALL), {101, 102, 103}),
        (replace(SITE, waters=WaterPolicy.NEAR), {101}),
        (replace(SITE, waters=WaterPolicy.NEAR, water_reach_angstrom=13.0), {101, 102}),
        (replace(SITE, waters=WaterPolicy.BRIDGING), {101}),
        (replace(SITE, waters=WaterPolicy.BRIDGING, water_reach_angstrom=13.0), {101}),
        (replace(SITE, waters=WaterPolicy.BRIDGING, water_reach_angstrom=1.0), set()),
        (replace(SITE, waters=WaterPolicy.NEAR, remove=("HOH:A:101",)), set()),
        (replace(SITE, keep=("HOH:A:103",)), {103}),
    ],
)
def test_waters_stay_by_policy_and_place(options: ReceptorOptions, kept: set[int]) -> None:
    data = pdb(*CHAIN, hetero=[WATER_BETWEEN, WATER_FREE, WATER_FAR, LIGAND])

    selection, _ = selected(data, options)

    assert {group.number for group, _ in selection.groups} == kept


@pytest.mark.parametrize(("n_contacts", "is_kept"), [(2, False), (3, True)])
def test_without_a_ligand_a_water_needs_three_bonds_to_the_receptor(n_contacts: int, is_kept: bool) -> None:
    around = ((13.2, -4.0, 0.0), (10.0, -4.0, 3.2))[: n_contacts - 1]
    ions = [residue("CL", 300 + index, ("CL", "Cl", place)) for index, place in enumerate(around)]
    options = replace(SITE, waters=WaterPolicy.BRIDGING)

    selection, _ = selected(pdb(*CHAIN, hetero=[WATER_BETWEEN, *ions]), options)

    assert ("HOH" in {group.name for group, _ in selection.groups}) is is_kept


@pytest.mark.parametrize("policy", [WaterPolicy.NEAR, WaterPolicy.BRIDGING])
def test_policy_that_looks_at_the_site_needs_one(policy: WaterPolicy) -> None:
    with pytest.raises(InvalidInput) as refusal:
        selected(pdb(*CHAIN), ReceptorOptions(waters=policy))

    assert refusal.value.error_code == "site_needed"


def sugar(number: int, x: float, y: float) -> ReceptorResidue:
    return residue(
        "NAG", number, ("C1", "C", (x, y, 0.0)), ("O4", "O", (x, y + 2.4, 0.0)), ("C4", "C", (x, y + 1.2, 0))
    )


@pytest.mark.parametrize(("y", "is_kept"), [(3.0, True), (4.5, False)])
def test_glycan_stays_only_where_it_hangs_on_a_chain(y: float, is_kept: bool) -> None:
    first, second = sugar(401, CHAIN[0].atoms[4].position[0], y), sugar(402, CHAIN[0].atoms[4].position[0], y + 3.8)
    first = replace(first, atoms=tuple(replace(a, position=(*a.position[:2], 1.2)) for a in first.atoms))
    second = replace(second, atoms=tuple(replace(a, position=(*a.position[:2], 1.2)) for a in second.atoms))

    selection, book = selected(pdb(*CHAIN, hetero=[first, second]), ReceptorOptions())

    assert [group.number for group, _ in selection.groups] == ([401, 402] if is_kept else [])
    assert ("A:NAG 402", "kept" if is_kept else "removed") in actions(book)


def test_residue_whose_covalent_ligand_is_removed_is_noted() -> None:
    place = CHAIN[1].atoms[4].position
    ligand = residue("LIG", 9, ("C1", "C", (place[0], place[1] + 1.5, place[2])), ("C2", "C", (place[0], 5.0, 1.2)))

    removed = selected(pdb(*CHAIN, hetero=[ligand]), ReceptorOptions())[1]
    kept = selected(pdb(*CHAIN, hetero=[ligand]), ReceptorOptions(keep=("LIG",)))[1]

    assert ("A:ALA 2", "covalent_partner_removed") in actions(removed)
    assert "covalent_partner_removed" not in {action for _, action in actions(kept)}


def with_occupancy(data: bytes, occupancy: str, number: int | None = None) -> bytes:
    lines = data.decode().splitlines()
    return "\n".join(
        f"{line[:54]}{occupancy}{line[60:]}" if line.startswith("ATOM") and number in (None, int(line[22:26])) else line
        for line in lines
    ).encode()


def test_atoms_placed_without_density_are_noted() -> None:
    assert ("A:ALA 3", "zero_occupancy") in actions(selected(with_occupancy(pdb(*CHAIN), "  0.00", 3), SITE)[1])
    assert actions(selected(with_occupancy(pdb(*CHAIN), "  0.30", 3), SITE)[1]) == []


def test_model_without_occupancies_is_no_news() -> None:
    assert actions(selected(with_occupancy(pdb(*CHAIN), "  0.00"), ReceptorOptions())[1]) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (peptide(3, 7.6), ""),
        (peptide(3, 20.0), "The chain is broken after it"),
        (peptide(4, 20.0), "One residue is missing after it"),
        (peptide(9, 20.0), "6 residues are missing after it"),
        (peptide(-4, 20.0), "The chain is broken after it"),
    ],
)
def test_gap_in_a_chain_is_noted_on_both_sides(after: ReceptorResidue, told: str) -> None:
    before = peptide(2, 3.8)
    book = book_at(5.0, 0.0, 0.0)

    note_gaps([[before, after]], {before.label}, book)

    assert is_joined(before, after) is (not told)
    assert [note.residue for note in book.notes] == ([before.label, after.label] if told else [])
    assert all(told in note.message for note in book.notes[:1])
    assert all(note.severity is Severity.WARNING for note in book.notes[:1])


def test_gap_between_residues_that_were_left_out_does_not_matter() -> None:
    book = book_at()
    note_gaps([[peptide(2, 3.8), peptide(9, 50.0)]], {"A:ALA 1"}, book)
    assert book.notes == []


def test_open_ends_are_capped_and_real_ones_are_not() -> None:
    last = peptide(9, 80.0)
    real_end = replace(last, atoms=(*last.atoms, ReceptorAtom("OXT", "O", (83.5, 1.0, 0.0))))
    chain = [*CHAIN[:3], peptide(7, 40.0), real_end]
    book = book_at()

    names = [r.name for r in capped({"A": chain}, [], {CHAIN[0].label}, book)["A"]]

    assert names == ["ALA", "ALA", "ALA", "NME", "ACE", "ALA", "NME", "ACE", "ALA"]
    assert [action for _, action in actions(book)] == ["capped"] * 4


def test_cap_is_bonded_as_a_peptide_is() -> None:
    _, *rest = capped({"A": CHAIN[1:2]}, [], set(), book_at())["A"]
    acetyl = capped({"A": CHAIN[1:2]}, [], set(), book_at())["A"][0]
    methylamine = rest[-1]

    assert (acetyl.name, methylamine.name) == ("ACE", "NME")
    assert is_joined(acetyl, CHAIN[1])
    assert is_joined(CHAIN[1], methylamine)
    assert links_between([acetyl, CHAIN[1], methylamine]).keys() == {r.label for r in (acetyl, CHAIN[1], methylamine)}


def test_end_without_room_stays_open_and_says_so() -> None:
    grid = [(3.8 + dx, dy, dz) for dx in (-4.0, -2.5, -1.0, 0.5) for dy in (-2.0, -0.5, 1.0) for dz in (-2.0, 0.0, 2.0)]
    wall = residue("LIG", 1, *((f"C{index}", "C", place) for index, place in enumerate(grid)))
    book = book_at()

    names = [r.name for r in capped({"A": CHAIN[1:2]}, [wall], set(), book)["A"]]

    assert names == ["ALA", "NME"]
    assert ("A:ALA 2", "not_capped") in actions(book)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receptor_extent, "CROP_RESIDUES", 4)
    monkeypatch.setattr(receptor_extent, "MAX_RESIDUES", 8)


@pytest.mark.usefixtures("small_limits")
def test_chains_away_from_the_site_of_a_large_structure_are_left_out() -> None:
    chains = {"A": CHAIN[:3], "B": [peptide(n, 100.0 + n, chain="B") for n in range(3)]}
    book = book_at(5.0, 0.0, 0.0)

    assert list(around_site(chains, book, may_leave_chains=True)) == ["A"]
    assert [note.action for note in book.notes] == ["chains_left_out"]
    assert list(around_site(chains, book_at(5.0, 0.0, 0.0), may_leave_chains=False)) == ["A", "B"]
    assert list(around_site(chains, book_at(), may_leave_chains=True)) == ["A", "B"]


@pytest.mark.usefixtures("small_limits")
def test_residues_away_from_the_site_of_a_large_chain_are_left_out() -> None:
    chains = {"A": [peptide(n, 3.8 * n) for n in range(20)]}
    book = book_at(0.0, 0.0, 0.0)

    kept = around_site(chains, book, may_leave_chains=True)["A"]

    assert [r.number for r in kept] == list(range(8))
    assert [note.action for note in book.notes] == ["residues_left_out"]


@pytest.mark.usefixtures("small_limits")
def test_structure_that_is_too_large_is_refused_with_what_to_do() -> None:
    with pytest.raises(PreparationFailed, match="Give a site") as refusal:
        around_site({"A": [peptide(n, 3.8 * n) for n in range(20)]}, book_at(), may_leave_chains=True)

    assert refusal.value.error_code == "too_large"


def test_structure_of_usual_size_is_kept_whole() -> None:
    book = book_at(500.0, 0.0, 0.0)
    assert around_site({"A": CHAIN}, book, may_leave_chains=True) == {"A": CHAIN}
    assert book.notes == []


def test_bonds_are_told_from_contacts_and_overlaps() -> None:
    first = residue("LYS", 1, ("NZ", "N", (0.0, 0.0, 0.0)), ("CE", "C", (-1.5, 0.0, 0.0)))
    others = {
        distance: residue("LIG", 2, ("C1", "C", (distance, 0.0, 0.0)), ("C2", "C", (distance + 1.5, 0.0, 0.0)))
        for distance in (0.6, 1.34, 2.0, 2.9)
    }
    bonded = [distance for distance, other in others.items() if links_between([first, other])]
    assert bonded == [1.34]

    told = {}
    for distance, other in others.items():
        book = book_at()
        note_overlaps([first, other], links_between([first, other]), book)
        told[distance] = [action for _, action in actions(book)]
    assert told == {0.6: ["overlap"], 1.34: [], 2.0: ["overlap"], 2.9: []}


def test_overlap_of_bonded_residues_is_told_but_not_their_bond() -> None:
    carbonyl = residue("ALA", 1, ("CA", "C", (-1.5, 0.0, 0.0)), ("C", "C", (0.0, 0.0, 0.0)))
    roomy = residue("PRO", 2, ("N", "N", (1.34, 0.0, 0.0)), ("CD", "C", (2.0, 1.3, 0.0)))
    tight = residue("PRO", 2, ("N", "N", (1.34, 0.0, 0.0)), ("CD", "C", (0.3, 1.9, 0.0)))
    links = links_between([carbonyl, roomy])

    told = {}
    for name, other in (("roomy", roomy), ("tight", tight)):
        book = book_at()
        note_overlaps([carbonyl, other], links, book)
        told[name] = [note.message for note in book.notes]
    assert told["roomy"] == []
    assert [message.split(": ")[0] for message in told["tight"]] == ["Its C is 1.9 Å from CD of A:PRO 2"]


def test_metal_is_no_bond_partner() -> None:
    cysteine = residue("CYS", 1, ("SG", "S", (0.0, 0.0, 0.0)), ("CB", "C", (-1.8, 0.0, 0.0)))
    cluster = residue("SF4", 2, ("FE1", "Fe", (2.2, 0.0, 0.0)), ("S1", "S", (4.4, 0.0, 0.0)))
    assert links_between([cysteine, cluster]) == {}


def test_what_hangs_on_a_chain_is_found_through_others() -> None:
    first, second, third = (sugar(number, 0.0, y) for number, y in ((1, 0.0), (2, 3.8), (3, 30.0)))
    links = links_between([first, second, third])
    assert attached_to([first], links) == {first.label, second.label}


@pytest.mark.parametrize(
    ("name", "donor", "proton", "metal", "is_deprotonated"),
    [
        ("ASP", "OD1", "HD2", "Ca", True),
        ("GLU", "OE2", "HE2", "Mg", True),
        ("TYR", "OH", "HH", "Fe", True),
        ("CYS", "SG", "HG", "Zn", True),
        ("ASP", "OD1", "HD2", "Na", False),
        ("SER", "OG", "HG", "Zn", False),
    ],
)
def test_acid_that_binds_a_metal_has_given_up_its_proton(
    name: str, donor: str, proton: str, metal: str, is_deprotonated: bool
) -> None:
    side_chain = residue(name, 1, (donor, "O", (0.0, 0.0, 0.0)), (proton, "H", (-0.9, 0.0, 0.0)))
    ion = ReceptorAtom(metal.upper(), metal, (2.2, 0.0, 0.0))

    settled = settle_metal_contacts(side_chain, [ion], book_at())

    assert (settled.atom(proton) is None) is is_deprotonated


@pytest.mark.parametrize(
    ("name", "pka", "center", "severity", "words"),
    [
        ("HIS", 6.5, (0.0, 0.0, 0.0), Severity.WARNING, "neutral, but"),
        ("HIS", 8.2, (0.0, 0.0, 0.0), Severity.WARNING, "positive, but"),
        ("GLU", 4.2, (0.0, 0.0, 0.0), Severity.INFO, "negative."),
        ("GLU", 9.1, (0.0, 0.0, 0.0), Severity.INFO, "neutral."),
        ("GLU", 9.1, (50.0, 0.0, 0.0), None, ""),
        ("CYS", 99.99, (0.0, 0.0, 0.0), None, ""),
        ("ARG", 12.5, (0.0, 0.0, 0.0), None, ""),
    ],
)
def test_uncertain_protonation_near_the_site_is_a_warning(
    name: str, pka: float, center: tuple[float, float, float], severity: Severity | None, words: str
) -> None:
    book = book_at(*center)

    note_pkas([(residue(name, 1, ("CA", "C", (1.0, 0.0, 0.0))), pka)], 7.4, book)

    assert [note.severity for note in book.notes] == ([] if severity is None else [severity])
    assert all(words in note.message for note in book.notes)


def test_chains_with_long_names_get_letters_of_their_own() -> None:
    chains = [replace(CHAIN[0], chain=name) for name in ("A", "AA", "B-2", "C", "")]

    letters = chain_letters(chains)

    assert letters == {"A": "A", "AA": "B", "B-2": "D", "C": "C", "": " "}
    assert {line[21] for line in receptor_pdb(chains).splitlines() if line.startswith("ATOM")} == set("ABCD ")


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("HSD", "HIS"),
        ("HISE", "HIS"),
        ("CYX", "CYS"),
        ("NALA", "ALA"),
        ("CHIE", "HIS"),
        ("NASH", "ASP"),
        ("ASPH", "ASP"),
        ("DA5", "DA"),
        ("RU3", "U"),
        ("NAG", "NAG"),
        ("CALX", "CALX"),
        ("NNME", "NNME"),
        ("SEP", "SEP"),
    ],
)
def test_names_of_force_fields_are_the_standard_ones(name: str, standard: str) -> None:
    assert standard_name(name) == standard


def classified_pdb(*residues: ReceptorResidue) -> dict[str, GroupKind]:
    chain = read_structure(pdb(*residues), "a.pdb")[0][0]
    return {f"{found.name} {found.seqid}": kind for found, kind in classified(chain)}


CHROMOPHORE = residue(
    "CRO", 3, ("N1", "N", (11.4, 0.0, 0.0)), ("CA1", "C", (12.6, 0.8, 0.0)), ("C3", "C", (13.9, 0.0, 0.0))
)


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (CHROMOPHORE, GroupKind.MODIFIED_RESIDUE),
        (peptide(3, 11.4, name="PCA"), GroupKind.MODIFIED_RESIDUE),
        (peptide(3, 11.4, name="DAL"), GroupKind.MODIFIED_RESIDUE),
        (residue("NH2", 3, ("N", "N", (11.4, 0.0, 0.0))), GroupKind.MODIFIED_RESIDUE),
        (residue("NH2", 3, ("N", "N", (15.4, 0.0, 0.0))), GroupKind.LIGAND),
        (replace(CHROMOPHORE, atoms=CHROMOPHORE.atoms[1:2]), GroupKind.LIGAND),
    ],
)
def test_odd_residue_belongs_to_the_chain_it_is_bonded_to(odd: ReceptorResidue, kind: GroupKind) -> None:
    found = classified_pdb(*CHAIN[:2], odd, *([CHAIN[3]] if odd.name != "NH2" else []))

    assert found[f"{odd.name} 3"] is kind
    assert found["ALA 2"] is GroupKind.POLYMER
