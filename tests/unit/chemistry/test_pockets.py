"""Pockets of made-up blocks of atoms with hollows of known place, and of 5-HT1B (PDB 4IAQ), as ProLIF ships it."""

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import Chem
from tests.support.hollow_block import block
from tests.unit.chemistry.conftest import prolif_data

from molecular_analysis_dashboard.adapters.chemistry.alpha_spheres import (
    MAX_RADIUS_ANGSTROM,
    MIN_RADIUS_ANGSTROM,
    alpha_spheres,
    clusters,
)
from molecular_analysis_dashboard.adapters.chemistry.pockets import MAX_POCKETS, find_pockets
from molecular_analysis_dashboard.domain.pockets import BOX_PADDING_ANGSTROM, Pocket

Atom = tuple[str, str, NDArray[np.float64]]
LEFT, RIGHT = np.array([-8.0, 0.0, 0.0]), np.array([8.0, 1.0, 0.5])


def walls(atoms: NDArray[np.float64], name: str = "LEU") -> list[Atom]:
    """Two atoms to a residue, a carbon and an oxygen."""
    return [("CO"[index % 2], name, position) for index, position in enumerate(atoms)]


def pdb(atoms: Iterable[Atom]) -> str:
    lines = []
    for index, (element, name, (x, y, z)) in enumerate(atoms):
        lines.append(
            f"ATOM  {index % 100_000:5d}  {element:<2}  {name:>3} A{index // 2 % 10_000:4d}    "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {element:>2}"
        )
    return "\n".join([*lines, "END", ""])


def singles(element: str, name: str, positions: NDArray[np.float64]) -> list[str]:
    return [
        f"HETATM{index:5d}  {element:<2}  {name:>3} W{index:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          "
        f"{element:>2}"
        for index, (x, y, z) in enumerate(positions)
    ]


def with_lines(text: str, lines: list[str]) -> str:
    return text.replace("END\n", "\n".join([*lines, "END", ""]))


@pytest.fixture(scope="module")
def hollow() -> str:
    return pdb(walls(block((LEFT, 5.5))))


@pytest.fixture(scope="module")
def pocket(hollow: str) -> Pocket:
    (only,) = find_pockets(hollow)
    return only


def test_hollow_is_found_where_it_is(pocket: Pocket) -> None:
    assert pocket.rank == 1
    assert np.linalg.norm(np.array(pocket.center) - LEFT) < 1.5
    # A sphere of 5.5 Å, less the atoms' own radii of about 1.6 Å, and more at the atoms that stand back.
    assert 4 / 3 * np.pi * 3.9**3 < pocket.volume_angstrom3 < 4 / 3 * np.pi * 6.2**3


def test_box_is_around_the_hollow(pocket: Pocket) -> None:
    assert pocket.box.contains(pocket.center, margin=BOX_PADDING_ANGSTROM)
    assert all(2 * BOX_PADDING_ANGSTROM < edge < 2 * BOX_PADDING_ANGSTROM + 11 for edge in pocket.box.size)


def test_residues_that_line_it_are_named_in_order(hollow: str, pocket: Pocket) -> None:
    numbers = [int(label.removeprefix("A:LEU")) for label in pocket.residues]
    assert numbers == sorted(set(numbers))
    places = {
        int(line[22:26]): float(np.linalg.norm([float(line[i : i + 8]) for i in (30, 38, 46)] - LEFT))
        for line in hollow.splitlines()[:-1]
    }
    assert all(places[number] < 11 for number in numbers)


def test_waters_ions_and_hydrogens_fill_nothing(hollow: str, pocket: Pocket) -> None:
    inside = LEFT + np.array([[0.0, 0, 0], [2.5, 0, 0], [0, 2.5, 0], [-2.5, 0, 0]])
    waters = singles("O", "HOH", inside[:2]) + singles("Zn", " ZN", inside[2:3]) + singles("H", "LEU", inside[3:])
    assert find_pockets(with_lines(hollow, waters)) == (pocket,)


def test_group_that_was_kept_fills_its_hollow(hollow: str) -> None:
    atoms = block()
    inside = atoms[np.linalg.norm(atoms - LEFT, axis=1) < 5.5]
    haem = [line.replace(" W", " H") for line in singles("C", "HEM", inside)]
    one_group = [f"{line[:22]}   1{line[26:]}" for line in haem]
    assert find_pockets(with_lines(hollow, one_group)) == ()


def test_larger_hollow_comes_first() -> None:
    first, second = find_pockets(pdb(walls(block((LEFT, 4.6), (RIGHT, 6.0)))))
    assert np.linalg.norm(np.array(first.center) - RIGHT) < 1.5
    assert np.linalg.norm(np.array(second.center) - LEFT) < 1.5
    assert (first.rank, second.rank) == (1, 2)
    assert first.score > second.score


def test_hollow_with_polar_walls_comes_first_of_two_alike() -> None:
    atoms = block((LEFT, 5.0), (-LEFT, 5.0))
    polar = [(element, "SER" if place[0] > 0 else "LEU", place) for element, _, place in walls(atoms)]
    first, _ = find_pockets(pdb(polar))
    assert np.linalg.norm(np.array(first.center) + LEFT) < 1.5


def test_place_in_space_does_not_matter(pocket: Pocket) -> None:
    shift = np.array([100.0, -50.0, 20.0])
    (moved,) = find_pockets(pdb(walls(block((LEFT, 5.5)) + shift)))
    assert np.array(moved.center) - shift == pytest.approx(np.array(pocket.center), abs=0.01)
    assert moved.residues == pocket.residues
    assert moved.score == pytest.approx(pocket.score, abs=0.05)


@pytest.mark.parametrize(
    "atoms",
    [
        block(),
        block((LEFT, 2.2)),
        np.empty((0, 3)),
        np.eye(3),
        np.array([[float(x), float(y), 0.0] for x in range(9) for y in range(9)]),
    ],
    ids=["solid", "hole of one atom", "nothing", "three atoms", "flat"],
)
def test_without_a_hollow_there_is_no_pocket(atoms: NDArray[np.float64]) -> None:
    assert find_pockets(pdb(walls(atoms))) == ()


def test_spheres_are_empty_and_touch_four_atoms() -> None:
    atoms = block((LEFT, 5.5))
    spheres = alpha_spheres(atoms)
    assert len(spheres) > 0
    for center, radius, touched in zip(spheres.centers, spheres.radii, spheres.atoms, strict=True):
        assert MIN_RADIUS_ANGSTROM <= radius <= MAX_RADIUS_ANGSTROM
        distances = np.linalg.norm(atoms - center, axis=1)
        assert distances[touched] == pytest.approx(radius)
        assert distances.min() > radius - 1e-6
    assert sum(map(len, clusters(spheres))) <= len(spheres)


def test_ergotamine_s_place_is_among_the_first_three_pockets_of_its_receptor() -> None:
    folder = prolif_data() / "vina"
    ligand = Chem.MolFromPDBFile(str(folder / "lig.pdb"), removeHs=True).GetConformer().GetPositions()

    pockets = find_pockets((folder / "rec.pdb").read_text())

    assert 3 < len(pockets) <= MAX_POCKETS
    assert [pocket.rank for pocket in pockets] == list(range(1, len(pockets) + 1))
    assert [pocket.score for pocket in pockets] == sorted((pocket.score for pocket in pockets), reverse=True)
    nearest = [float(np.linalg.norm(ligand - np.array(pocket.center), axis=1).min()) for pocket in pockets[:3]]
    assert min(nearest) <= 4.0
    best = pockets[nearest.index(min(nearest))]
    assert all(best.box.contains((x, y, z)) for x, y, z in ligand)
    assert "A:ASP129" in best.residues
