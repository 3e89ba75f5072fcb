"""Rescoring in the engine process, with the real engine on a lattice of carbon atoms."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rdkit import Chem
from tests.integration.engines.conftest import BOX, MakeProcess, site
from tests.integration.engines.test_redocking import LATTICE
from tests.support.family_programs import REAL, Script

from molecular_analysis_dashboard.adapters.chemistry.poses import pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.analyses import PosedLigand
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, RejectedLigand, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.rescoring import MARGIN_ANGSTROM, RescoredPose, RescoringMethod
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec

DOCKING = DockingProtocol(effort=SearchEffort(exhaustiveness=1), n_poses=2, ligands=LigandOptions(protonate=False))
MINE = f"mine={shlex.join(REAL)}"


def spec(engine: str = "vina", scoring: str = "vina") -> SiteSpec:
    """A site to rescore at."""
    return SiteSpec("lattice", LATTICE, BOX.widened(MARGIN_ANGSTROM), RescoringMethod(engine, scoring).protocol)


@pytest.fixture
def docked(make_process: MakeProcess) -> tuple[EngineProcess, list[PosedLigand], DockedLigand]:
    """A process that has docked one ligand, and its poses."""
    process = make_process(warm_sites=4, engine_commands=MINE)
    outcome = process.dock(SiteSpec("lattice", LATTICE, BOX, DOCKING), LigandInput("1", "n", "CC(=O)Nc1ccccc1"))
    assert isinstance(outcome, DockedLigand)
    return process, [PosedLigand("1", outcome.state_mol_block, pose.coordinates) for pose in outcome.poses], outcome


Docked = tuple[EngineProcess, list[PosedLigand], DockedLigand]


def rescore(process: EngineProcess, where: SiteSpec, posed: PosedLigand, *, relax: bool = False) -> RescoredPose:
    process.open_site(where)
    found = process.rescore(where, posed, relax=relax)
    assert isinstance(found, RescoredPose)
    return found


def test_the_same_function_gives_the_docked_score_back(docked: Docked) -> None:
    process, poses, outcome = docked

    again = rescore(process, spec(), poses[0])
    assert again.score_kcal_mol == pytest.approx(outcome.score_kcal_mol, abs=0.01)
    assert (again.moved_angstrom, again.coordinates) == (None, None)
    assert again.seconds_cpu > 0
    process.restart()
    by_a_fresh_one = process.rescore(spec(), poses[0], relax=False)
    assert isinstance(by_a_fresh_one, RescoredPose)
    assert by_a_fresh_one.score_kcal_mol == again.score_kcal_mol


def test_another_function_gives_another_score_and_a_program_the_same_one(docked: Docked) -> None:
    process, poses, _ = docked

    vinardo = rescore(process, spec(scoring="vinardo"), poses[0])
    assert vinardo.score_kcal_mol != pytest.approx(rescore(process, spec(), poses[0]).score_kcal_mol, abs=0.1)
    by_program = rescore(process, spec("mine", "vinardo"), poses[0])
    assert by_program.score_kcal_mol == pytest.approx(vinardo.score_kcal_mol, abs=0.002)


@pytest.mark.parametrize("engine", ["vina", "mine"])
def test_relaxing_goes_downhill_and_says_how_far(docked: Docked, engine: str) -> None:
    process, poses, _ = docked
    start = pose_mol(poses[0].mol_block, poses[0].coordinates)
    positions = start.GetConformer().GetPositions()
    pushed = replace(poses[0], coordinates=(positions + 0.4).astype("<f4").tobytes())

    in_place = rescore(process, spec(engine), pushed)
    relaxed = rescore(process, spec(engine), pushed, relax=True)

    assert relaxed.score_kcal_mol < in_place.score_kcal_mol
    assert relaxed.coordinates is not None
    there = pose_mol(pushed.mol_block, relaxed.coordinates)
    assert relaxed.moved_angstrom == pytest.approx(symmetry_rmsd(pose_mol(pushed.mol_block, pushed.coordinates), there))
    assert float(str(relaxed.moved_angstrom)) > 0.1
    assert Chem.MolToSmiles(there) == Chem.MolToSmiles(start)


def test_atoms_beyond_the_wall_of_the_docking_box_are_scored(docked: Docked) -> None:
    process, poses, _ = docked
    positions = pose_mol(poses[0].mol_block, poses[0].coordinates).GetConformer().GetPositions()
    at_the_wall = positions - [positions[:, 0].min() + 10.0 + MARGIN_ANGSTROM / 2, 0.0, 0.0]
    beyond = at_the_wall - [MARGIN_ANGSTROM, 0.0, 0.0]
    inside, outside = (replace(poses[0], coordinates=found.astype("<f4").tobytes()) for found in (at_the_wall, beyond))

    assert rescore(process, spec(), inside).score_kcal_mol < 100
    refused = process.rescore(spec(), outside, relax=False)
    assert isinstance(refused, RejectedLigand)
    assert refused.reason is RejectionReason.OUTSIDE_BOX


def test_an_atom_type_that_the_other_program_does_not_know_is_a_reason(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    words = "PDBQT parsing error: Atom type Si is not a valid AutoDock type"
    # The carbon atom that tries the site passes.
    script = Script(
        score_only=f"if grep -q Si ligand.pdbqt; then echo '{words}' >&2; exit 1; fi; echo 'Affinity: -1.5'"
    )
    process = make_process(engine_commands=f"mine={script.write(tmp_path / 'vina')}")
    outcome = process.dock(SiteSpec("lattice", LATTICE, BOX, DOCKING), LigandInput("1", "n", "C[Si](C)(C)c1ccccc1"))
    assert isinstance(outcome, DockedLigand)
    posed = PosedLigand("1", outcome.state_mol_block, outcome.poses[0].coordinates)

    process.open_site(spec("mine"))
    refused = process.rescore(spec("mine"), posed, relax=False)

    assert isinstance(refused, RejectedLigand)
    assert refused.reason is RejectionReason.PREPARATION_FAILED
    assert words in refused.message
    Path(tmp_path / "vina").unlink()


def test_a_pose_that_is_no_molecule_is_refused(docked: Docked) -> None:
    process, (pose, *_), _ = docked
    exotic = re.sub(" C   0", " Xe  0", pose.mol_block, count=1)
    wrong = [
        (replace(pose, coordinates=pose.coordinates[:-12]), "atoms"),
        (replace(pose, mol_block="love"), "cannot be read"),
        (replace(pose, mol_block=exotic), ""),
    ]
    process.open_site(spec())
    for posed, words in wrong:
        refused = process.rescore(spec(), posed, relax=False)
        assert isinstance(refused, RejectedLigand)
        assert words in refused.message
    assert isinstance(process.rescore(spec(), pose, relax=False), RescoredPose)


def test_an_engine_that_cannot_relax_says_so(docked: Docked, process: EngineProcess) -> None:
    _, poses, _ = docked
    where = site("REMARK any receptor will do", engine="test")
    process.open_site(where)

    assert isinstance(process.rescore(where, poses[0], relax=False), RescoredPose)
    with pytest.raises(EngineFailed) as refused:
        process.rescore(where, poses[0], relax=True)
    assert refused.value.error_code == "relaxing_unsupported"
