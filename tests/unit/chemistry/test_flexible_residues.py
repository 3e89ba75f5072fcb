"""Side chains that are split off a receptor, and come back where a pose has them."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import FlexibleReceptor, label_of, split_off
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, position
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions
from molecular_analysis_dashboard.domain.sites import SearchBox, Vector

# Torsions of complete side chains, those of polar hydrogens included.
TORSIONS = {"ARG": 4, "ASN": 2, "ASP": 2, "GLN": 3, "GLU": 3, "HIS": 2, "ILE": 2, "LEU": 2, "LYS": 5, "MET": 3,
            "PHE": 2, "SER": 2, "THR": 2, "TRP": 2, "TYR": 3, "VAL": 1}  # fmt: skip
RIGID = {"GLY", "ALA", "PRO"}
EDGES = (126.0, 126.0, 126.0)


@pytest.fixture(scope="module")
def receptor() -> str:
    """5-HT1B (PDB 4IAQ)."""
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / "vina" / "rec.pdb"
    return prepare_receptor(path.read_bytes(), "rec.pdb", ReceptorOptions()).pdbqt


def first_of(receptor: str, name: str) -> str:
    return next(label for line in atom_lines(receptor) if (label := label_of(line)).startswith(f"A:{name}"))


def places(pdbqt: str, label: str) -> list[Vector]:
    return [position(line) for line in atom_lines(pdbqt) if label_of(line) == label]


def around(receptor: str, label: str, edges: Vector = EDGES) -> SearchBox:
    return SearchBox(places(receptor, label)[0], edges)


def split(receptor: str, label: str) -> FlexibleReceptor:
    return split_off(receptor, [label], around(receptor, label))


def refusal(receptor: str, labels: list[str], box: SearchBox) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        split_off(receptor, labels, box)
    assert refused.value.details["residues"]
    return refused.value


@pytest.mark.parametrize("name", sorted(TORSIONS))
def test_side_chain_turns_about_the_bonds_of_its_residue(receptor: str, name: str) -> None:
    label = first_of(receptor, name)

    parts = split(receptor, label)

    assert parts.torsions == TORSIONS[name]
    n_atoms = len(list(atom_lines(receptor)))
    assert len(list(atom_lines(parts.rigid_pdbqt))) + len(list(atom_lines(parts.flexible_pdbqt))) == n_atoms
    assert parts.flexible_pdbqt.count("\nBRANCH") == parts.flexible_pdbqt.count("\nENDBRANCH") == TORSIONS[name]
    # Unmoved, the residue is what it was.
    placed = parts.placed(parts.flexible_pdbqt)
    assert [position(line) for line in atom_lines(placed)] == places(receptor, label)
    assert {line[:26] for line in atom_lines(placed)} == {
        line[:26] for line in atom_lines(receptor) if label_of(line) == label
    }


def test_torsion_tree_goes_outwards_and_is_numbered_through(receptor: str) -> None:
    serine, valine = first_of(receptor, "SER"), first_of(receptor, "VAL")

    text = split_off(receptor, [serine, valine], around(receptor, serine)).flexible_pdbqt

    shape = re.sub(r"^ATOM +(\d+) +(\w+) .*$", r"ATOM \1 \2", text, flags=re.MULTILINE).splitlines()
    assert [line for line in shape if not line.startswith(("BEGIN", "END_RES"))] == [
        *("ROOT", "ATOM 1 CA", "ENDROOT", "BRANCH   1   2", "ATOM 2 CB", "BRANCH   2   3"),
        *("ATOM 3 OG", "ATOM 4 HG", "ENDBRANCH   2   3", "ENDBRANCH   1   2"),
        *(
            "ROOT",
            "ATOM 5 CA",
            "ENDROOT",
            "BRANCH   5   6",
            "ATOM 6 CB",
            "ATOM 7 CG1",
            "ATOM 8 CG2",
            "ENDBRANCH   5   6",
        ),
    ]


def test_names_of_protonation_states_are_known(receptor: str) -> None:
    label = first_of(receptor, "HIS")
    renamed = receptor.replace("HIS A", "HIE A")

    assert split(renamed, label.replace("HIS", "HIE")).torsions == TORSIONS["HIS"]


@pytest.mark.parametrize("name", sorted(RIGID))
def test_residue_without_a_side_chain_that_turns_is_refused(receptor: str, name: str) -> None:
    label = first_of(receptor, name)

    assert refusal(receptor, [label], around(receptor, label)).error_code == "flexible_residue_rigid"


@pytest.mark.parametrize("broken", ["CA", "CG"])
def test_side_chain_with_a_hole_is_refused(receptor: str, broken: str) -> None:
    label = first_of(receptor, "LYS")
    kept = [line for line in atom_lines(receptor) if label_of(line) != label or line[12:16].strip() != broken]

    assert refusal("\n".join(kept), [label], around(receptor, label)).error_code == "flexible_residue_rigid"


def test_atom_that_is_there_twice_is_refused(receptor: str) -> None:
    label = first_of(receptor, "SER")
    lines = list(atom_lines(receptor))
    twice = [line for line in lines if label_of(line) == label and line[12:16].strip() == "OG"]

    assert refusal("\n".join(lines + twice), [label], around(receptor, label)).error_code == "flexible_residue_rigid"


def test_other_residues_are_refused_by_name(receptor: str) -> None:
    lysine = first_of(receptor, "LYS")
    near, far = around(receptor, lysine), SearchBox((500.0, 0.0, 0.0), (20.0, 20.0, 20.0))
    many = sorted({label_of(line) for line in atom_lines(receptor) if re.match(r"A:(LYS|ARG)", label_of(line))})[:5]

    assert refusal(receptor, ["A:LYS9999", lysine], near).error_code == "flexible_residue_unknown"
    assert refusal(receptor, [lysine], far).error_code == "flexible_residue_outside"
    assert (
        refusal(receptor, [lysine], around(receptor, lysine, (6.0, 6.0, 6.0))).error_code == "flexible_residue_outside"
    )
    assert refusal(receptor, many, near).error_code == "flexible_torsions"


def test_residue_of_another_name_at_the_same_place_is_told(receptor: str) -> None:
    lysine = first_of(receptor, "LYS")
    refused = refusal(receptor, [lysine.replace("LYS", "GLU")], around(receptor, lysine))

    assert refused.error_code == "flexible_residue_unknown"
    assert f"Do you mean {lysine}?" in refused.message


def test_disulfide_is_refused(receptor: str) -> None:
    bonded = dict.fromkeys(label_of(line) for line in atom_lines(receptor) if label_of(line).startswith("A:CYS"))
    codes = set()
    for label in bonded:
        try:
            split(receptor, label)
        except InvalidInput as refused:
            codes.add(refused.error_code)
    assert codes == {"flexible_residue_bonded"}


@pytest.mark.parametrize(
    ("atom_type", "angstrom", "code"),
    [
        ("Zn", 2.1, "flexible_residue_bonded"),
        ("C", 1.5, "flexible_residue_bonded"),
        ("Zn", 3.2, None),
        ("OA", 2.7, None),
    ],
)
def test_what_holds_a_side_chain_is_a_metal_or_a_bond(
    receptor: str, atom_type: str, angstrom: float, code: str | None
) -> None:
    label = first_of(receptor, "GLU")
    (oxygen,) = (line for line in atom_lines(receptor) if label_of(line) == label and line[12:16].strip() == "OE1")
    (carbon,) = (line for line in atom_lines(receptor) if label_of(line) == label and line[12:16].strip() == "CD")
    start, end = position(carbon), position(oxygen)
    x, y, z = (b + (b - a) / 1.25 * angstrom for a, b in zip(start, end, strict=True))
    partner = f"HETATM 9999 X    XXX A 999    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 {atom_type}"
    box = around(receptor, label)

    if code is None:
        assert split_off(f"{receptor}{partner}\n", [label], box).torsions == TORSIONS["GLU"]
    else:
        refused = refusal(f"{receptor}{partner}\n", [label], box)
        assert refused.error_code == code
        assert "A:XXX999" in refused.message


def test_model_of_other_side_chains_is_refused(receptor: str) -> None:
    parts = split(receptor, first_of(receptor, "SER"))

    with pytest.raises(ValueError, match="argument"):
        parts.placed("MODEL 1\nENDMDL\n")
    with pytest.raises(ValueError, match="argument"):
        parts.placed(split(receptor, first_of(receptor, "LEU")).flexible_pdbqt)
