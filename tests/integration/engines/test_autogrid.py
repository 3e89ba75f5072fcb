"""Scoring with AutoDock 4: what Vina makes of maps, and what becomes of an AutoGrid that is missing or fails."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rdkit import Chem
from tests.integration.engines.conftest import BOX, MakeProcess
from tests.support.autogrid_scripts import WHOLE, write_autogrid
from tests.support.family_programs import REAL, RECEPTOR, Script, without
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, pose_mol
from molecular_analysis_dashboard.adapters.engines import autogrid, program_run
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, find_autogrid, read_autogrid
from molecular_analysis_dashboard.adapters.engines.registry import builds_of, load_engine, schema_of
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.engine_commands import DockingPrograms
from molecular_analysis_dashboard.domain.engine_parameters import first_unsupported
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec

CHARGED = RECEPTOR.replace("+0.000 C ", "+0.250 C ")
PROTOCOL = DockingProtocol(
    scoring="ad4",
    effort=SearchEffort(1, run_length=0.1, max_rounds=2),
    n_poses=2,
    ligands=LigandOptions(protonate=False),
)
SMALL = replace(BOX, size=(12.0, 12.0, 12.0))


@pytest.fixture(scope="module")
def ethanol() -> LigandState:
    return prepare_states(LigandInput("1", "one", "CCO"), LigandOptions(protonate=False), 7)[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_autogrid(tmp_path_factory.mktemp("programs") / "autogrid4")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs put their files; nothing of them may be left."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def failing(tmp_path: Path, run: str) -> AutoGrid:
    return read_autogrid(write_autogrid(tmp_path / "autogrid4", run))


def test_bindings_search_on_its_maps_and_keep_no_file(whole: str, scratch: Path, ethanol: LigandState) -> None:
    site = VinaEngine(read_autogrid(whole)).open_site(CHARGED, SMALL, PROTOCOL)
    assert list(scratch.iterdir()) == []

    poses = site.dock(ethanol, seed=1)

    assert poses == site.dock(ethanol, seed=1)
    assert poses[0].coordinates != site.dock(ethanol, seed=2)[0].coordinates
    # Three heavy atoms and a polar hydrogen near the bottom of the bowl, and a torsion.
    assert poses[0].score_kcal_mol == pytest.approx(-3.5, abs=0.4)
    assert all(pose.objective_kcal_mol is None for pose in poses)
    assert all(matches_state(ethanol.mol_block, pose.coordinates, ethanol.smiles) for pose in poses)
    there = replace(ethanol, mol_block=Chem.MolToMolBlock(pose_mol(ethanol.mol_block, poses[0].coordinates)))
    assert site.score(there) == pytest.approx(poses[0].score_kcal_mol, abs=0.02)
    assert site.relax(there).score_kcal_mol <= poses[0].score_kcal_mol + 0.02


@pytest.mark.usefixtures("scratch")
def test_command_is_given_the_maps_instead_of_the_receptor(whole: str, ethanol: LigandState) -> None:
    grid = read_autogrid(whole)
    protocol = replace(PROTOCOL, engine="mine")
    site = VinaCommandEngine("mine", REAL, grid).open_site(CHARGED, SMALL, protocol)
    bundled = VinaEngine(grid).open_site(CHARGED, SMALL, PROTOCOL)

    best = site.dock(ethanol, seed=1)[0]

    assert best.score_kcal_mol == pytest.approx(bundled.dock(ethanol, seed=1)[0].score_kcal_mol, abs=0.2)
    assert best.objective_kcal_mol is None
    there = replace(ethanol, mol_block=Chem.MolToMolBlock(pose_mol(ethanol.mol_block, best.coordinates)))
    assert site.score(there) == pytest.approx(best.score_kcal_mol, abs=0.02)


def test_maps_of_a_command_live_as_long_as_its_site(whole: str, scratch: Path, tmp_path: Path) -> None:
    command = (Script().write(tmp_path / "vina"),)
    site = VinaCommandEngine("mine", command, read_autogrid(whole)).open_site(
        CHARGED, SMALL, replace(PROTOCOL, engine="mine")
    )
    assert list(scratch.glob("*/receptor.C.map"))

    del site
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("found", [" H ", " O "])
def test_atom_type_without_a_map_is_refused_before_vina_ends_the_process(
    whole: str, ethanol: LigandState, found: str
) -> None:
    site = VinaEngine(read_autogrid(whole)).open_site(CHARGED, SMALL, PROTOCOL)
    odd = replace(ethanol, pdbqt=re.sub(r" OA(?=\n)", found.rstrip(), ethanol.pdbqt))

    with pytest.raises(LigandRejected) as rejected:
        site.dock(odd, seed=1)
    assert rejected.value.reason is RejectionReason.UNSUPPORTED_ELEMENT


def test_it_makes_a_build_of_its_own(whole: str, tmp_path: Path) -> None:
    deaf = (Script(help=without("maps")).write(tmp_path / "vina"),)
    programs = DockingPrograms({"mine": REAL, "deaf": deaf}, whole)
    builds = {name: builds_of(load_engine(name, programs)) for name in ("vina", "mine", "deaf")}

    plain, scored = builds["vina"]
    assert (plain.scoring_functions, scored.scoring_functions) == (("vina", "vinardo"), ("ad4",))
    assert re.fullmatch(r"vina-1\.2\.7-autogrid4\.2\.6-[0-9a-f]{8}-portable", scored.build_id)
    assert [build.scoring_functions for build in builds["mine"]] == [("vina", "vinardo"), ("ad4",)]
    assert [build.scoring_functions for build in builds["deaf"]] == [("vina", "vinardo")]
    fields = schema_of(load_engine("vina", programs), scored)["properties"]
    assert isinstance(fields, dict)
    assert fields["scoring"]["enum"] == ["ad4"]


def test_process_docks_a_job_of_that_build(make_process: MakeProcess, whole: str) -> None:
    build = builds_of(load_engine("vina", DockingPrograms(autogrid=whole)))[1].build_id
    spec = SiteSpec("hash", CHARGED, SMALL, PROTOCOL, build)

    outcome = make_process(autogrid_command=whole).dock(spec, LigandInput("1", "one", "CCO"))

    assert isinstance(outcome, DockedLigand)
    assert outcome.search.rounds == 2
    with pytest.raises(EngineFailed) as refused:
        make_process().dock(spec, LigandInput("1", "one", "CCO"))
    assert refused.value.error_code == "engine_build_missing"
    assert build in refused.value.message


@pytest.mark.parametrize("engine", [VinaEngine(), VinaCommandEngine("mine", REAL)])
def test_without_it_ad4_is_refused_with_what_is_missing(engine: VinaEngine | VinaCommandEngine) -> None:
    with pytest.raises(EngineFailed, match=r"Choose vina or vinardo\. For ad4, install AutoGrid") as refused:
        engine.open_site(CHARGED, SMALL, PROTOCOL)
    assert refused.value.error_code == "scoring_unsupported"
    assert len(builds_of(engine)) == 1


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        (None, "There is no program"),
        ("echo 'AutoDock Vina v1.2.3'", "is not AutoGrid"),
        ("exit 1", "without a word"),
        ("kill -SEGV $$", "SIGSEGV"),
        ("exec sleep 100", "did not answer within"),
    ],
)
def test_program_that_is_not_autogrid_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, complaint: str
) -> None:
    monkeypatch.setattr(autogrid, "_PROBE_S", 1.0 if version and "sleep" in version else 30.0)
    path = str(tmp_path / "autogrid4")
    if version is not None:
        write_autogrid(tmp_path / "autogrid4", version=version)

    with pytest.raises(EngineFailed, match=complaint) as refused:
        read_autogrid(path)
    assert refused.value.error_code == "engine_unusable"
    assert find_autogrid(path) is None
    assert [build.engine for build in builds_of(load_engine("vina", DockingPrograms(autogrid=path)))] == ["vina"]


def found_by_doctor(**environment: str) -> list[dict[str, str]]:
    program = "molecular_analysis_dashboard.infrastructure.installed_engines"
    run = subprocess.run(
        [sys.executable, "-P", "-m", program], env=os.environ | environment, capture_output=True, check=True
    )
    found: list[dict[str, str]] = json.loads(run.stdout)
    return found


def test_doctor_tells_of_what_was_named_and_of_nothing_else(whole: str) -> None:
    missing = found_by_doctor(MAD_AUTOGRID_COMMAND="/no/such/autogrid4")
    assert [(one["name"], "error" in one) for one in missing if one["name"] in ("vina", "autogrid")] == [
        ("vina", False),
        ("autogrid", True),
    ]
    present = found_by_doctor(MAD_AUTOGRID_COMMAND=whole)
    assert sum(one["name"] == "vina" for one in present) == 2
    assert not any(one["name"] == "autogrid" for one in found_by_doctor(MAD_AUTOGRID_COMMAND="off") + present)


INCOMPLETE = f"( {WHOLE} ); head -n 100 receptor.C.map > short; mv short receptor.C.map"


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("echo 'autogrid4: ERROR: too many atoms' >&2; exit 1", "status 1, and says: autogrid4: ERROR: too many atoms"),
        ("exit 255", "status 255 without a word"),
        ("kill -SEGV $$", "was ended by SIGSEGV"),
        ("exit 0", "receptor.C.map incomplete"),
        (INCOMPLETE, "receptor.C.map incomplete"),
        (f"( {WHOLE} ); rm receptor.d.map", "receptor.d.map incomplete"),
        ("exec yes > receptor.C.map", "more than 1 MiB .* Choose a smaller box"),
        ("exec sleep 100", "did not answer within 1 s. A smaller box"),
    ],
)
def test_maps_that_cannot_be_computed_fail_with_its_own_words(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, run: str, words: str
) -> None:
    monkeypatch.setattr(autogrid, "_MAPS_S", 1.0 if "sleep" in run else 300.0)
    monkeypatch.setattr(program_run, "MAX_FILE_BYTES", 1 << 20)
    engine = VinaEngine(failing(tmp_path, run))

    with pytest.raises(EngineFailed, match=words) as failed:
        engine.open_site(CHARGED, SMALL, PROTOCOL)
    assert failed.value.error_code == "autogrid_failed"
    assert list(scratch.iterdir()) == []


def test_kill_from_outside_ends_the_process_that_the_slot_starts_anew(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    process = make_process(autogrid_command=write_autogrid(programs(tmp_path) / "autogrid4", "kill -KILL $$"))

    with pytest.raises(ProcessEnded) as ended:
        process.open_site(SiteSpec("hash", CHARGED, SMALL, PROTOCOL))
    assert ended.value.cause is ExitCause.KILLED


def test_stopped_process_leaves_no_autogrid_behind(make_process: MakeProcess, tmp_path: Path) -> None:
    notes = programs(tmp_path)
    run = f"echo $$ > {notes}/new; mv {notes}/new {notes}/pid; exec sleep 1000"
    process = make_process(autogrid_command=write_autogrid(notes / "autogrid4", run))
    ends: list[ExitCause] = []

    def open_site() -> None:
        try:
            process.open_site(SiteSpec("hash", CHARGED, SMALL, PROTOCOL))
        except ProcessEnded as ended:
            ends.append(ended.cause)

    thread = threading.Thread(target=open_site)
    thread.start()
    wait_until((notes / "pid").exists, 60, "AutoGrid did not start")
    pid = int((notes / "pid").read_text())
    process.stop()
    thread.join(60)

    assert ends == [ExitCause.STOPPED]
    wait_until(lambda: not psutil.pid_exists(pid), 10, "AutoGrid is still there")


def programs(tmp_path: Path) -> Path:
    """A folder beside the scratch folder, of which nothing may be left."""
    folder = tmp_path.with_name(f"{tmp_path.name}-programs")
    folder.mkdir()
    return folder


def test_lack_of_memory_is_told_as_such(tmp_path: Path, scratch: Path) -> None:
    with pytest.raises(MemoryError):
        VinaEngine(failing(tmp_path, "echo 'Cannot allocate memory' >&2; exit 1")).open_site(CHARGED, SMALL, PROTOCOL)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("receptor", "code"),
    [(RECEPTOR, "charges_missing"), (CHARGED.replace("+0.250 C ", "+1.000 K ", 1), "receptor_refused")],
)
def test_receptor_that_ad4_cannot_score_is_refused_before_it_runs(tmp_path: Path, receptor: str, code: str) -> None:
    grid = failing(tmp_path, f"touch {tmp_path}/ran; exit 1")
    for engine in (VinaEngine(grid), VinaCommandEngine("mine", REAL, grid)):
        with pytest.raises(EngineFailed) as refused:
            engine.open_site(receptor, SMALL, PROTOCOL)
        assert refused.value.error_code == code
    assert not (tmp_path / "ran").exists()


def test_ad4_offers_no_flexible_residues_and_refuses_them(tmp_path: Path) -> None:
    grid = failing(tmp_path, f"touch {tmp_path}/ran; exit 1")
    flexible = replace(PROTOCOL, flexible_residues=("A:GLY1",))
    engine = VinaEngine(grid)
    plain, scored = builds_of(engine)

    offered = [first_unsupported(schema_of(engine, build), flexible) for build in (plain, scored)]
    assert [problem and problem.field for problem in offered] == [None, "flexible_residues"]
    for one in (engine, VinaCommandEngine("mine", REAL, grid)):
        with pytest.raises(EngineFailed) as refused:
            one.open_site(CHARGED, SMALL, flexible)
        assert (refused.value.error_code, refused.value.details["field"]) == (
            "parameter_unsupported",
            "flexible_residues",
        )
    assert not (tmp_path / "ran").exists()
