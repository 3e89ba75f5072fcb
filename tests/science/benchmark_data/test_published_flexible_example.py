"""The Vina authors' own example of flexible docking: imatinib in c-Abl with Thr 315 turning (PDB 1FPU), -11.627."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from tests.science.benchmark_data.test_published_example import BOX

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import label_of, split_off
from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.native_ligand import read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, position
from molecular_analysis_dashboard.adapters.chemistry.poses import (
    mol_from_block,
    pose_mol,
    symmetry_rmsd,
    with_positions,
)
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.sites import Vector

pytestmark = pytest.mark.benchmark_data

PUBLISHED_TOP_SCORE_KCAL_MOL = -11.627
# INTER and INTER + INTRA of the published file: what the search minimised, on the scale of the score.
PUBLISHED_OBJECTIVE_KCAL_MOL = -18.145 * PUBLISHED_TOP_SCORE_KCAL_MOL / -16.385
THREONINE = "A:THR315"
RIGID = DockingProtocol(effort=SearchEffort(exhaustiveness=12, run_length=0.25))
FLEXIBLE = replace(RIGID, flexible_residues=(THREONINE,))


@pytest.fixture(scope="module")
def folder(benchmark_data: Path) -> Path:
    return benchmark_data / "score_reproduction" / "vina_examples" / "flexible_1fpu"


@pytest.fixture(scope="module")
def receptor(folder: Path) -> str:
    """The two parts as published, put together again; one atom's name stands a column off there."""
    texts = [(folder / f"1fpu_receptor_{part}.pdbqt").read_text() for part in ("rigid", "flex")]
    return re.sub(r"^(ATOM {6}3) CG2 ", r"\1  CG2", "".join(texts), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def published_top(folder: Path) -> str:
    return (folder / "1fpu_ligand_flex_vina_out.pdbqt").read_text().split("ENDMDL")[0]


@pytest.fixture(scope="module")
def published_pose(folder: Path, published_top: str) -> Chem.Mol:
    """The published top pose on the molecule whose coordinates the published start has, atom by atom."""
    sdf = (folder.with_name("basic_1iep") / "1iep_ligand.sdf").read_bytes()
    block = read_ligand_file(sdf, "1iep_ligand.sdf").mol_block
    assert block is not None
    mol = Chem.RemoveHs(mol_from_block(block))
    start = [position(line) for line in atom_lines((folder / "1iep_ligand.pdbqt").read_text())]
    end = [position(line) for line in atom_lines(published_top)]
    places = [
        end[min(range(len(start)), key=lambda index: math.dist(start[index], there))]
        for there in mol.GetConformer().GetPositions().tolist()
    ]
    return with_positions(mol, np.array(places))


@pytest.fixture(scope="module")
def state(published_pose: Chem.Mol) -> LigandState:
    mol = Chem.AddHs(published_pose, addCoords=True)
    typed = to_pdbqt(mol)
    block = Chem.MolToMolBlock(mol)
    charge = Chem.GetFormalCharge(mol)
    return LigandState(Chem.MolToSmiles(published_pose), block, typed.pdbqt, 37, typed.torsions, charge)


def threonine(text: str) -> dict[str, Vector]:
    return {line[12:16].strip(): position(line) for line in atom_lines(text) if label_of(line) == THREONINE}


def test_side_chain_is_split_off_as_published(folder: Path, receptor: str) -> None:
    parts = split_off(receptor, [THREONINE], BOX)

    def shape(text: str) -> list[str]:
        return [line.split()[0] for line in text.splitlines() if not line.startswith("REMARK")]

    assert shape(parts.flexible_pdbqt) == shape((folder / "1fpu_receptor_flex.pdbqt").read_text())
    assert parts.rigid_pdbqt.splitlines() == list(atom_lines((folder / "1fpu_receptor_rigid.pdbqt").read_text()))


def test_published_pose_scores_as_published_between_its_side_chains(
    receptor: str, published_top: str, state: LigandState
) -> None:
    there = threonine(published_top)
    lines = [
        f"{line[:30]}{''.join(f'{value:8.3f}' for value in there.get(line[12:16].strip(), position(line)))}{line[54:]}"
        if label_of(line) == THREONINE
        else line
        for line in atom_lines(receptor)
    ]
    moved, before = (VinaEngine().open_site(text, BOX.widened(2), RIGID) for text in ("\n".join(lines), receptor))

    # Of a flexible residue Vina leaves out what does not move, CA and CB, which is worth 0.16 kcal/mol here.
    assert moved.score(state) == pytest.approx(PUBLISHED_TOP_SCORE_KCAL_MOL - 0.157, abs=0.05)
    assert before.score(state) > moved.score(state) + 0.1


def test_published_pose_and_side_chain_come_back(
    receptor: str, published_top: str, published_pose: Chem.Mol, state: LigandState
) -> None:
    best = VinaEngine().open_site(receptor, BOX, FLEXIBLE).dock(state, seed=1)[0]

    # Not the score: that hangs on the internal energy of whichever pose of this minimum is best.
    assert best.objective == pytest.approx(PUBLISHED_OBJECTIVE_KCAL_MOL, abs=0.15)
    assert symmetry_rmsd(published_pose, pose_mol(state.mol_block, best.coordinates)) <= 2.0
    ours, theirs = threonine(best.side_chains_pdb), threonine(published_top)
    assert max(math.dist(ours[name], theirs[name]) for name in ("OG1", "CG2")) <= 0.5
