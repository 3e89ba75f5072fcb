"""A program of the Vina family that does what it should not: each time a reason of its own, and nothing left behind."""

import re
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.engines.conftest import BOX
from tests.support.family_programs import RECEPTOR, WRITE_POSE, Script, without

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, unpack_coordinates
from molecular_analysis_dashboard.adapters.engines import program_run
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine, VinaCommandSite
from molecular_analysis_dashboard.adapters.engines.vina_command_line import read_command_line
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.ports.engine import RelaxingSite

NO_POSE = RejectionReason.NO_POSE
# Writes something else as the x coordinate of each atom.
PLACE = "s/^\\(ATOM .\\{{25\\}}\\)......../\\1{}/"
PROTOCOL = DockingProtocol(engine="mine", effort=SearchEffort(exhaustiveness=3), n_poses=2)


@pytest.fixture(scope="module")
def ethanol() -> LigandState:
    return prepare_states(LigandInput("1", "one", "CCO"), LigandOptions(protonate=False), 7)[0]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs of a program put their files; nothing of them may be left."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def open_site(script: Script, tmp_path: Path, protocol: DockingProtocol = PROTOCOL) -> VinaCommandSite:
    return VinaCommandEngine("mine", (script.write(tmp_path / "vina"),)).open_site(RECEPTOR, BOX, protocol)


def write_poses(*poses: tuple[str, str]) -> str:
    """A shell command that writes poses: a score and a sed command that changes the ligand's lines, each."""
    parts = [
        f'echo "MODEL {n}"; echo "REMARK VINA RESULT: {score} 0 0"; sed {shlex.quote(change)} ligand.pdbqt; echo ENDMDL'
        for n, (score, change) in enumerate(poses, start=1)
    ]
    return f"{{ {'; '.join(parts)}; }} > poses.pdbqt"


def test_program_gets_every_option_that_it_offers(tmp_path: Path, ethanol: LigandState) -> None:
    seen = tmp_path / "seen"
    site = open_site(Script(dock=f'echo "$*" > {seen}; {WRITE_POSE}'), tmp_path)
    site.dock(ethanol, seed=11)

    options = dict(re.findall(r"--(\w+) (\S+)", seen.read_text()))
    assert options == {
        "receptor": "receptor.pdbqt",
        "ligand": "ligand.pdbqt",
        "out": "poses.pdbqt",
        "cpu": "1",
        **{f"center_{axis}": "0.0" for axis in "xyz"},
        **{f"size_{axis}": "20.0" for axis in "xyz"},
        "seed": "11",
        "exhaustiveness": "3",
        # As many as Vina refines by itself; two of them are kept.
        "num_modes": "9",
        "energy_range": "3.0",
        "min_rmsd": "1.0",
    }


def test_options_that_it_lacks_are_left_out_and_those_of_smina_have_their_own_name(
    tmp_path: Path, ethanol: LigandState
) -> None:
    seen = tmp_path / "seen"
    help_text = f"{without('min_rmsd', 'energy_range')}; echo '  --min_rmsd_filter arg (=1)  rmsd value'"
    site = open_site(
        Script(dock=f'echo "$*" > {seen}; {WRITE_POSE}', help=help_text),
        tmp_path,
        replace(PROTOCOL, min_rmsd_angstrom=1.5, scoring="vinardo"),
    )
    site.dock(ethanol, seed=1)

    assert "--min_rmsd_filter 1.5" in seen.read_text()
    assert "--scoring vinardo" in seen.read_text()
    assert "energy_range" not in seen.read_text()


def test_poses_come_ranked_within_the_range_and_not_more_than_asked(tmp_path: Path, ethanol: LigandState) -> None:
    scores = ("-4.5", "-5.0", "-1.9", "-4.0")
    poses = open_site(Script(dock=write_poses(*((score, "") for score in scores))), tmp_path).dock(ethanol, seed=1)
    assert [(pose.rank, pose.score_kcal_mol) for pose in poses] == [(1, -5.0), (2, -4.5)]

    wide = replace(PROTOCOL, n_poses=9)
    poses = open_site(Script(dock=write_poses(*((score, "") for score in scores))), tmp_path, wide).dock(
        ethanol, seed=1
    )
    assert [pose.score_kcal_mol for pose in poses] == [-5.0, -4.5, -4.0]


def test_scores_of_smina_and_gnina_are_read(tmp_path: Path, ethanol: LigandState) -> None:
    # gnina ends no line between its remarks.
    remarks = "REMARK minimizedAffinity -6.25REMARK CNNscore 0.9"
    dock = f'{{ echo "MODEL 1"; echo "{remarks}"; cat ligand.pdbqt; echo ENDMDL; }} > poses.pdbqt'

    assert open_site(Script(dock=dock), tmp_path).dock(ethanol, seed=1)[0].score_kcal_mol == -6.25


@pytest.mark.parametrize(
    ("dock", "reason", "words"),
    [
        ("exit 0", NO_POSE, "wrote no pose. mine ended with status 0 without a word"),
        ("> poses.pdbqt", NO_POSE, "wrote no pose"),
        ("head -c 5000 /dev/urandom > poses.pdbqt; echo done", NO_POSE, "wrote no pose"),
        ("echo boom >&2; exit 3", NO_POSE, "mine ended with status 3, and says: boom"),
        ("echo 'PDBQT parsing error: Atom type Xx is not a valid AutoDock type' >&2; exit 1",
         RejectionReason.PREPARATION_FAILED, "Atom type Xx"),
        (write_poses(("nan", "")), NO_POSE, "cannot be read"),
        (write_poses(("-5", "s/^ATOM      1  C/ATOM      1  N/")), NO_POSE, "cannot be read"),
        (write_poses(("-5", "/^ATOM      2/d")), NO_POSE, "cannot be read"),
        (write_poses(("-5", "s/^\\(ATOM .\\{25\\}\\)......../\\1     nan/")), NO_POSE, "cannot be read"),
        (write_poses(("-5", PLACE.format("  here!!"))), NO_POSE, "cannot be read"),
        (write_poses(("-5", PLACE.format(" 900.000"))), RejectionReason.OUTSIDE_BOX, "beyond the box"),
        (f"{WRITE_POSE}; head -c 300 poses.pdbqt > short; mv short poses.pdbqt", NO_POSE, "cannot be read"),
    ],
)  # fmt: skip
def test_what_it_does_wrong_becomes_a_rejection_with_its_own_words(
    tmp_path: Path, scratch: Path, ethanol: LigandState, dock: str, reason: RejectionReason, words: str
) -> None:
    with pytest.raises(LigandRejected) as rejected:
        open_site(Script(dock=dock), tmp_path).dock(ethanol, seed=1)
    assert (rejected.value.reason, words in rejected.value.message) == (reason, True), rejected.value.message
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("flood", ["exec yes", "yes", "exec yes > poses.pdbqt", "yes > poses.pdbqt"])
def test_flood_of_output_is_cut_off(
    tmp_path: Path, ethanol: LigandState, flood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_run, "MAX_FILE_BYTES", 1 << 20)
    with pytest.raises(LigandRejected, match="more than 1 MiB"):
        open_site(Script(dock=flood), tmp_path).dock(ethanol, seed=1)


@pytest.mark.parametrize(
    "dock",
    ["echo 'Error: insufficient memory!' >&2; exit 1", "echo 'what():  std::bad_alloc' >&2; kill -ABRT $$"],
)
def test_lack_of_memory_is_told_as_such(tmp_path: Path, scratch: Path, ethanol: LigandState, dock: str) -> None:
    with pytest.raises(MemoryError):
        open_site(Script(dock=dock), tmp_path).dock(ethanol, seed=1)
    assert list(scratch.iterdir()) == []


def test_ligand_that_cannot_be_docked_is_refused_before_the_program_runs(tmp_path: Path, ethanol: LigandState) -> None:
    site = open_site(Script(dock=f"touch {tmp_path}/ran"), tmp_path)
    boron = replace(ethanol, pdbqt=re.sub(r"\bC \n", "B \n", ethanol.pdbqt, count=1))
    with pytest.raises(LigandRejected, match="Atom types: B"):
        site.dock(boron, seed=1)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("printed", "score"),
    [
        ("Affinity: -7.12345 (kcal/mol)", -7.12345),
        ("Estimated Free Energy of Binding   : -12.513 (kcal/mol) [=(1)+(2)+(3)+(4)]", -12.513),
        ("Affinity: 1e+06 (kcal/mol)", 1e6),
    ],
)
def test_score_in_place_is_read(tmp_path: Path, ethanol: LigandState, printed: str, score: float) -> None:
    assert open_site(Script(score_only=f"echo '{printed}'"), tmp_path).score(ethanol) == score


def test_score_in_place_that_fails_says_why(tmp_path: Path, ethanol: LigandState) -> None:
    with pytest.raises(LigandRejected, match="printed no score"):
        open_site(Script(score_only="echo hello"), tmp_path).score(ethanol)
    with pytest.raises(EngineFailed) as unsupported:
        open_site(Script(help=without("score_only")), tmp_path).score(ethanol)
    assert unsupported.value.error_code == "scoring_in_place_unsupported"
    far = replace(BOX, center=(8.0, 0.0, 0.0), size=(10.0, 10.0, 10.0))
    engine = VinaCommandEngine("mine", (Script().write(tmp_path / "vina"),))
    with pytest.raises(LigandRejected) as outside:
        engine.open_site(RECEPTOR, far, PROTOCOL).score(ethanol)
    assert outside.value.reason is RejectionReason.OUTSIDE_BOX


def relax(script: Script, tmp_path: Path, state: LigandState) -> Pose:
    site = open_site(script, tmp_path)
    assert isinstance(site, RelaxingSite)
    return site.relax(state)


def test_relaxed_pose_is_read_with_the_printed_score(tmp_path: Path, ethanol: LigandState) -> None:
    shift = PLACE.format("   1.500")
    script = Script(local_only=f"sed {shlex.quote(shift)} ligand.pdbqt > poses.pdbqt; echo 'Affinity: -1.75'")
    pose = relax(script, tmp_path, ethanol)

    assert pose.score_kcal_mol == -1.75
    heavy = [
        number for number, atom in enumerate(mol_from_block(ethanol.mol_block).GetAtoms()) if atom.GetAtomicNum() > 1
    ]
    assert unpack_coordinates(pose.coordinates)[heavy, 0] == pytest.approx([1.5] * 3)


@pytest.mark.parametrize(
    ("local_only", "reason", "words"),
    [
        ("exit 0", NO_POSE, "wrote no pose that can be read"),
        ("echo 'Affinity: -1.75'; head -1 ligand.pdbqt > poses.pdbqt", NO_POSE, "wrote no pose that can be read"),
        ("cp ligand.pdbqt poses.pdbqt", NO_POSE, "printed no score"),
        ("echo boom >&2; exit 3", NO_POSE, "boom"),
        ("echo 'PDBQT parsing error: Xx' >&2; exit 1", RejectionReason.PREPARATION_FAILED, "Xx"),
    ],
)
def test_relaxing_that_fails_says_why(
    tmp_path: Path, ethanol: LigandState, local_only: str, reason: RejectionReason, words: str
) -> None:
    with pytest.raises(LigandRejected) as rejected:
        relax(Script(local_only=local_only), tmp_path, ethanol)
    assert (rejected.value.reason, words in rejected.value.message) == (reason, True), rejected.value.message


def test_program_without_a_local_search_cannot_relax_and_smina_s_own_option_is_preferred(tmp_path: Path) -> None:
    assert not isinstance(open_site(Script(help=without("local_only")), tmp_path), RelaxingSite)
    both = Script(help=f"{without()}; echo '  --minimize   energy minimization'")
    assert read_command_line("mine", (both.write(tmp_path / "smina"),)).minimise_option == "minimize"


@pytest.mark.parametrize(
    ("protocol", "script", "code", "words"),
    [
        (replace(PROTOCOL, scoring="ad4"), Script(), "scoring_unsupported", "vina or vinardo"),
        (replace(PROTOCOL, min_rmsd_angstrom=2), Script(help=without("min_rmsd")), "parameter_unsupported", "min_rmsd"),
        (PROTOCOL, Script(score_only="echo \"Command line parse error: unrecognised option '--x'\"; exit 1"),
         "receptor_refused", "unrecognised option"),
        (replace(PROTOCOL, flexible_residues=("A:GLY1",)), Script(), "parameter_unsupported", "flexible_residues"),
        (PROTOCOL, Script(score_only="exit 2"), "receptor_refused", "status 2 without a word"),
    ],
)  # fmt: skip
def test_site_that_the_program_refuses_is_not_opened(
    tmp_path: Path, protocol: DockingProtocol, script: Script, code: str, words: str
) -> None:
    with pytest.raises(EngineFailed) as refused:
        open_site(script, tmp_path, protocol)
    assert (refused.value.error_code, words in refused.value.message) == (code, True), refused.value.message


def test_what_vina_1_2_minimised_is_read_from_its_remarks(tmp_path: Path, ethanol: LigandState) -> None:
    remarks = (("-8.0", "-9.5", "-10.0"), ("-7.6", "-9.75", "-9.5"))
    parts = [
        f"echo MODEL; echo 'REMARK VINA RESULT:  {score}  0  0'; echo 'REMARK INTER + INTRA:   {both}'; "
        f"echo 'REMARK INTER:     {between}'; cat ligand.pdbqt; echo ENDMDL"
        for score, both, between in remarks
    ]
    poses = open_site(Script(dock=f"{{ {'; '.join(parts)}; }} > poses.pdbqt"), tmp_path).dock(ethanol, seed=1)

    # The best pose scores -8 for -10 with the receptor: 0.8 for all.
    assert [pose.objective_kcal_mol for pose in poses] == pytest.approx([-7.6, -7.8])
    assert open_site(Script(), tmp_path).dock(ethanol, seed=1)[0].objective_kcal_mol is None


def test_shortened_run_is_passed_on(tmp_path: Path, ethanol: LigandState) -> None:
    seen = tmp_path / "seen"
    short = replace(PROTOCOL, effort=SearchEffort(exhaustiveness=3, run_length=0.25))
    open_site(Script(dock=f'echo "$*" > {seen}; {WRITE_POSE}'), tmp_path, short).dock(ethanol, seed=1)
    assert re.search(r"--max_evals [1-9]\d+", seen.read_text())

    with pytest.raises(EngineFailed, match="run_length"):
        open_site(Script(help=without("max_evals")), tmp_path, short)
