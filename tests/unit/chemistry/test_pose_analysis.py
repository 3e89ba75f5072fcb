"""Analyses of real complexes: ergotamine docked into the 5-HT1B receptor (PDB 4IAQ), as ProLIF ships it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from rdkit import Chem, Geometry
from rdkit.Chem import rdDistGeom
from tests.unit.chemistry.conftest import prolif_data

from molecular_analysis_dashboard.adapters.chemistry.ligand_properties import ligand_properties
from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import residues_near_box
from molecular_analysis_dashboard.adapters.chemistry.pose_analysis import PoseAnalyser
from molecular_analysis_dashboard.adapters.chemistry.pose_interactions import InteractionFinder
from molecular_analysis_dashboard.adapters.chemistry.poses import pack_coordinates
from molecular_analysis_dashboard.adapters.chemistry.strain import strain
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, Interaction, InteractionType, PosedLigand
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.sites import SearchBox


@pytest.fixture(scope="module")
def receptor_pdb() -> str:
    return (prolif_data() / "vina" / "rec.pdb").read_text()


@pytest.fixture(scope="module")
def ergotamine() -> Chem.Mol:
    record = (prolif_data() / "vina" / "vina_output.sdf").read_text().partition("$$$$")[0]
    return Chem.MolFromMolBlock(record, removeHs=False)


@pytest.fixture(scope="module")
def pocket(ergotamine: Chem.Mol) -> SearchBox:
    x, y, z = ergotamine.GetConformer().GetPositions().mean(axis=0).tolist()
    return SearchBox((x, y, z), (24.0, 24.0, 24.0))


@pytest.fixture(scope="module")
def indole(ergotamine: Chem.Mol) -> Chem.Mol:
    """The indole of the pose, alone: a small ligand whose place is known to be possible."""
    match = ergotamine.GetSubstructMatch(Chem.MolFromSmarts("c1cccc2[nH]ccc12"))
    mol = Chem.MolFromSmiles("c1cccc2[nH]ccc12")
    conformer = Chem.Conformer(mol.GetNumAtoms())
    for index, source in enumerate(match):
        conformer.SetAtomPosition(index, ergotamine.GetConformer().GetAtomPosition(source))
    mol.AddConformer(conformer)
    return Chem.AddHs(mol, addCoords=True)


@pytest.fixture(scope="module")
def analyser(receptor_pdb: str, pocket: SearchBox) -> PoseAnalyser:
    return PoseAnalyser(AnalysisSite("receptor", receptor_pdb, pocket))


def posed(
    mol: Chem.Mol, shift: tuple[float, float, float] = (0, 0, 0), *, better: tuple[bytes, ...] = ()
) -> PosedLigand:
    coordinates = pack_coordinates(mol.GetConformer().GetPositions() + np.asarray(shift))
    return PosedLigand("ligand", Chem.MolToMolBlock(mol), coordinates, better)


def test_a_possible_pose_passes_every_check_and_is_hardly_strained(analyser: PoseAnalyser, indole: Chem.Mol) -> None:
    first = posed(indole)
    found = analyser.analyse(posed(indole, (0.5, 0, 0), better=(first.coordinates,)))

    assert found.valid is True, found.failed_checks
    assert {"bond_lengths", "internal_energy", "minimum_distance_to_protein"} <= found.checks.keys()
    assert found.strain_kcal_mol == pytest.approx(0.0, abs=1.0)
    assert found.strain_method.startswith("MMFF94s")
    assert found.rmsd_angstrom == (0.5,)
    assert found.problems == {}
    assert found.seconds_cpu > 0


def test_a_pose_inside_the_protein_is_named_a_clash(
    analyser: PoseAnalyser, indole: Chem.Mol, receptor_pdb: str
) -> None:
    atom = next(
        line for line in receptor_pdb.splitlines() if line[12:16].strip() == "CB" and line[17:26] == "PHE B 330"
    )
    onto = np.array([float(atom[30:38]), float(atom[38:46]), float(atom[46:54])])
    shift = onto - indole.GetConformer().GetPositions().mean(axis=0)
    found = analyser.analyse(posed(indole, tuple(shift)))

    assert found.valid is False
    assert {"minimum_distance_to_protein", "volume_overlap_with_protein"} <= set(found.failed_checks)


def test_a_pose_without_neighbours_is_too_far_away_and_touches_nothing(
    analyser: PoseAnalyser, indole: Chem.Mol
) -> None:
    found = analyser.analyse(posed(indole, (0, 0, 500)))

    assert found.failed_checks == ("protein-ligand_maximum_distance",)
    assert found.interactions == ()


def test_a_pose_that_is_no_molecule_is_refused(analyser: PoseAnalyser, indole: Chem.Mol) -> None:
    with pytest.raises(InvalidInput):
        analyser.analyse(PosedLigand("ligand", "nonsense", b""))
    with pytest.raises(InvalidInput):
        analyser.analyse(PosedLigand("ligand", Chem.MolToMolBlock(indole), b"\0" * 12))


def test_a_receptor_away_from_the_box_is_refused(receptor_pdb: str) -> None:
    with pytest.raises(EngineFailed) as refused:
        PoseAnalyser(AnalysisSite("receptor", receptor_pdb, SearchBox((900.0, 0.0, 0.0), (20.0, 20.0, 20.0))))

    assert refused.value.error_code == "receptor_not_near_box"


def test_the_known_salt_bridge_and_contacts_of_ergotamine_are_found(
    receptor_pdb: str, ergotamine: Chem.Mol, pocket: SearchBox
) -> None:
    found = finder(receptor_pdb, pocket).interactions(ergotamine)

    assert Interaction(InteractionType.CATIONIC, "A:ASP129", 3.022) in found
    assert {(one.type, one.residue) for one in found} >= {
        (InteractionType.HB_DONOR, "A:ASP129"),
        (InteractionType.HB_ACCEPTOR, "A:VAL201"),
        (InteractionType.HYDROPHOBIC, "B:PHE330"),
    }
    assert all(one.distance_angstrom <= 6.5 for one in found)


def test_insertion_codes_tell_residues_apart(receptor_pdb: str, ergotamine: Chem.Mol, pocket: SearchBox) -> None:
    renumbered = receptor_pdb.replace("ASP A 129 ", "ASP A 128A").replace("LEU A 126 ", "ASP A 128B")
    residues = {one.residue for one in finder(renumbered, pocket).interactions(ergotamine)}

    assert "A:ASP128A" in residues
    assert "A:ASP128" not in residues


def test_a_metal_a_water_and_an_impossible_group_do_not_break_the_others(
    receptor_pdb: str, ergotamine: Chem.Mol, pocket: SearchBox
) -> None:
    carbonyl = ergotamine.GetSubstructMatches(Chem.MolFromSmarts("[CX3]=[OX1]"))[0][1]
    near = ergotamine.GetConformer().GetAtomPosition(carbonyl)
    # A carbon with five neighbours at bond length.
    crowd = [(0, 0, 0), (1.5, 0, 0), (-1.5, 0, 0), (0, 1.5, 0), (0, -1.5, 0), (0, 0, 1.5)]
    far = Geometry.Point3D(near.x + 8, near.y + 8, near.z)
    extra = [
        hetero("ZN", "ZN", 901, Geometry.Point3D(near.x, near.y, near.z + 2.0)),
        hetero("O", "HOH", 902, Geometry.Point3D(near.x + 9, near.y, near.z + 9)),
        *(
            hetero("C", "BAD", 903, Geometry.Point3D(far.x + x, far.y + y, far.z + z), number)
            for number, (x, y, z) in enumerate(crowd)
        ),
    ]
    tried = finder(receptor_pdb + "\n".join(extra), pocket)
    found = tried.interactions(ergotamine)

    assert (InteractionType.METAL_ACCEPTOR, "A:ZN901") in {(one.type, one.residue) for one in found}
    assert Interaction(InteractionType.CATIONIC, "A:ASP129", 3.022) in found
    # With it go the residues that it was put on top of.
    assert "A:BAD903" in tried.left_out
    assert len(tried.left_out) <= 5


def test_a_bent_pose_is_strained_and_an_unknown_element_has_no_strain() -> None:
    flat = Chem.AddHs(Chem.MolFromSmiles("CC(C)(C)c1ccccc1C(C)(C)C"))
    with embedded(flat) as mol:
        block = Chem.MolToMolBlock(mol)
        relaxed, method = strain(block, mol)
        squeezed = Chem.Mol(mol)
        squeezed.GetConformer().SetPositions(mol.GetConformer().GetPositions() * 0.8)
        tense, _ = strain(block, squeezed)

    assert method == "MMFF94s, of 20 conformers"
    assert relaxed is not None
    assert tense is not None
    assert tense > relaxed + 1.0
    with embedded(Chem.AddHs(Chem.MolFromSmiles("C[Xe]C"))) as mol:
        assert strain(Chem.MolToMolBlock(mol), mol)[0] is None


@pytest.mark.parametrize(
    ("smiles", "alerts"),
    [
        ("O=C1NC(=S)SC1=Cc1ccccc1", {"PAINS:ene_rhod_A(235)", "NIH:rhodanine"}),
        ("CC(=O)Oc1ccccc1C(=O)O", {"BRENK:phenol_ester"}),
        ("CCO", set()),
    ],
)
def test_alerts_are_named_with_their_catalogue(smiles: str, alerts: set[str]) -> None:
    found = ligand_properties(smiles)

    assert found is not None
    assert alerts <= set(found.alerts)
    assert bool(found.alerts) is bool(alerts)


def test_descriptors_of_aspirin_are_the_published_ones() -> None:
    found = ligand_properties("CC(=O)Oc1ccccc1C(=O)O")

    assert found is not None
    assert (found.logp, found.tpsa, found.qed) == pytest.approx((1.31, 63.6, 0.55), abs=0.01)
    assert (found.h_bond_donors, found.h_bond_acceptors, found.rotatable_bonds, found.rings) == (1, 3, 2, 1)


def test_what_rdkit_cannot_read_has_no_properties() -> None:
    assert ligand_properties("not a molecule") is None


def finder(pdb: str, box: SearchBox) -> InteractionFinder:
    return InteractionFinder(residues_near_box(pdb, box, 12.0))


def hetero(element: str, residue: str, number: int, at: Geometry.Point3D, serial: int = 0) -> str:
    name = element if len(element) == 2 else f" {element}{serial or ''}"
    return (
        f"HETATM{9000 + serial:5d} {name:<4} {residue:>3} A{number:4d}    "
        f"{at.x:8.3f}{at.y:8.3f}{at.z:8.3f}  1.00  0.00          {element:>2}"
    )


@contextmanager
def embedded(mol: Chem.Mol) -> Iterator[Chem.Mol]:
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    yield mol
