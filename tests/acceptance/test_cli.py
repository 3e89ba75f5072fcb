"""The `mad` command with real servers, a real API and a real worker."""

import csv
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from mad_test_engine import CRASHER, SLEEPER
from tests.support.family_programs import Script
from tests.support.hollow_block import block, block_pdbqt
from tests.support.mad_command import MadCommand, RunningCommand, mad_command
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

EXPORTS = ["hits.csv", "poses.sdf", "provenance.json", "rejected.csv"]
LIGANDS = {f"alcohol-{n}": "C" * n + "O" for n in range(2, 11)} | {"amine": "CCCN.Cl"}
BAD = {"too-many-bonds": "CC(C)(C)(C)C", "open-ring": "c1ccccc"}
BOX = ("--center", "-1.5", "0.5", "0", "--size", "12", "12", "12")
FAST = ("--engine", "test", "--exhaustiveness", "1")


@pytest.fixture(scope="module")
def shared() -> Iterator[MadCommand]:
    with mad_command({}) as mad:
        mad.environment["MAD_ENGINE_COMMANDS"] = f"family='{Script().write(mad.folder / 'vina')}'; gone=/no/such/vina"
        mad.up("--workers", "2")
        yield mad


@pytest.fixture
def alone() -> Iterator[MadCommand]:
    """A data folder without a stack."""
    with mad_command({"CELERY_WORKER_CONCURRENCY": "2"}) as mad:
        yield mad


@pytest.fixture
def receptor(tmp_path: Path) -> Path:
    """A ready receptor: a small lattice of carbon atoms."""
    path = tmp_path / "receptor.pdbqt"
    places = [(x, y, z) for x in (-6, 0, 6) for y in (-6, 0, 6) for z in (-6, 0, 6)]
    path.write_text(
        "".join(
            f"ATOM  {n:5d}  C   GLY A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 C \n"
            for n, (x, y, z) in enumerate(places, start=1)
        )
    )
    return path


@pytest.fixture
def ligands(tmp_path: Path) -> Path:
    return write_smiles(tmp_path / "ligands.smi", LIGANDS | BAD)


@pytest.fixture(scope="module")
def complex_folder() -> Path:
    """The complex that ProLIF carries (5-HT1B with ergotamine), without importing ProLIF."""
    import importlib.util

    spec = importlib.util.find_spec("prolif")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data" / "vina"


def write_smiles(path: Path, molecules: dict[str, str]) -> Path:
    path.write_text("".join(f"{smiles} {name}\n" for name, smiles in molecules.items()))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_up_runs_until_interrupted_and_leaves_no_process(alone: MadCommand) -> None:
    command = alone.up()
    family = alone.processes()
    status = alone("status", "--json")
    assert status.json["ready"] is True
    assert status.json["url"] == f"http://127.0.0.1:{alone.environment['PORT']}"
    assert {process["name"] for process in status.json["processes"]} == {"api", "worker"}
    command.interrupt()
    result = command.result()
    assert result.code == 0, result.stderr
    assert "Stopping; ligands that are being docked get up to 20 s." in result.stderr
    assert result.json["url"] == status.json["url"]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert alone("status").code == ExitCode.NOT_REACHABLE


def test_detached_stack_outlives_its_command_and_is_stopped_by_down(alone: MadCommand) -> None:
    up = alone("up", "--detach", "--json")
    assert up.code == 0, up.stderr
    assert psutil.pid_exists(up.json["pid"])
    assert alone("status").code == 0
    down = alone("down", "--json")
    assert (down.code, down.json["stopped"]) == (0, True)
    assert alone("status").code == ExitCode.NOT_REACHABLE


def test_port_in_use_is_told_by_the_detached_start_too(alone: MadCommand, shared: MadCommand) -> None:
    refused = alone("up", "--detach", "--port", shared.environment["PORT"])
    assert (refused.code, refused.error_code) == (ExitCode.CONFLICT, "port_taken")


@pytest.mark.parametrize("way", [(), ("--detach",)])
def test_second_up_says_where_the_first_one_is(shared: MadCommand, way: tuple[str, ...]) -> None:
    second = shared("up", *way)
    assert (second.code, second.error_code) == (ExitCode.CONFLICT, "already_running")
    assert f"http://127.0.0.1:{shared.environment['PORT']}" in second.stderr
    assert shared("status").code == 0


def test_doctor_finds_the_running_stack_in_order(shared: MadCommand) -> None:
    result = shared("doctor", "--json")
    assert result.code == 0, result.stdout
    found = {finding["check"]: finding["verdict"] for finding in result.json["findings"]}
    checks = (
        "program",
        "engine vina",
        "engine family",
        "data folder",
        "stack",
        "postgres",
        "database",
        "redis-server",
        "redis",
        "storage",
    )
    assert {check: found[check] for check in checks} == dict.fromkeys(checks, "ok")
    assert found["engine gone"] == "warning"
    assert "There is no program /no/such/vina" in result.stdout


def test_doctor_names_what_does_not_answer(shared: MadCommand) -> None:
    result = shared("doctor", DATABASE_URL="postgresql://mad:secret-word@127.0.0.1:1/mad", REDIS_HOST="127.0.0.1")
    assert result.code == ExitCode.NOT_IN_ORDER
    assert "does not answer" in result.stdout
    assert "secret-word" not in result.stdout


def test_dock_writes_four_files_that_account_for_every_record(
    shared: MadCommand, receptor: Path, ligands: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, *FAST, "--json")
    result = shared("dock", *arguments)
    assert result.code == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == EXPORTS
    assert {row["name"] for row in rows(out / "hits.csv")} == LIGANDS.keys()
    assert {row["name"] for row in rows(out / "rejected.csv")} == BAD.keys()
    assert (out / "poses.sdf").read_text().count("$$$$") >= len(LIGANDS)
    assert json.loads((out / "provenance.json").read_text())
    assert result.json["job"]["counts"]["input"] == len(LIGANDS | BAD)
    assert result.json["files"] == {name: str(out / name) for name in EXPORTS}
    assert len(result.json["hits"]) == len(LIGANDS)
    assert "Search box" in result.stderr
    assert f"1 of {len(LIGANDS)} ligands came with counter-ions or solvent" in result.stderr
    assert "amine: Removed: HCl." in result.stderr
    assert not list(tmp_path.glob(".out*"))


def test_dock_by_a_program_that_the_settings_name(
    shared: MadCommand, receptor: Path, ligands: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, "--engine", "family")
    result = shared("dock", *arguments, "--json", "--exhaustiveness", "1")

    assert result.code == 0, result.stderr
    assert {row["name"] for row in rows(out / "hits.csv")} == LIGANDS.keys()
    provenance = json.loads((out / "provenance.json").read_text())
    build = provenance["job"]["engine_build"]
    assert build.startswith("family-1.2.3-")
    assert provenance["protocol"]["body"]["scoring"] == "vina"
    assert len(provenance["workers"][0]["software"]["engines"][build]["sha256"]) == 64


def test_jobs_are_listed_shown_and_exported(shared: MadCommand, receptor: Path, ligands: Path, tmp_path: Path) -> None:
    arguments = ("--receptor", receptor, "--ligands", ligands, "--out", tmp_path / "first", *BOX, *FAST, "--json")
    job_id = shared("dock", *arguments).json["job"]["id"]
    listed = shared("jobs", "list", "--kind", "screen", "--limit", "500", "--json")
    assert job_id in {job["id"] for job in listed.json}
    assert job_id in shared("jobs", "list").stdout
    shown = shared("jobs", "show", job_id)
    assert "state: completed" in shown.stdout
    exported = shared("jobs", "export", job_id, "--out", tmp_path / "second", "--wait")
    assert exported.code == 0, exported.stderr
    first, second = ((tmp_path / name / "poses.sdf").read_bytes() for name in ("first", "second"))
    assert first == second
    again = shared("jobs", "export", job_id, "--out", tmp_path / "second")
    assert (again.code, again.error_code) == (ExitCode.CONFLICT, "folder_not_empty")
    assert shared("jobs", "export", job_id, "--out", tmp_path / "second", "--force").code == 0


def test_unknown_job_is_not_found(shared: MadCommand) -> None:
    for command in ("show", "cancel"):
        result = shared("jobs", command, "0190163d-8694-739b-aea5-966c26f8ad91")
        assert result.code == ExitCode.NOT_FOUND
        assert result.stdout == ""


def test_job_without_results_cannot_be_exported(
    shared: MadCommand, receptor: Path, ligands: Path, tmp_path: Path
) -> None:
    shared("dock", "--receptor", receptor, "--ligands", ligands, "--out", tmp_path / "out", *BOX, *FAST)
    ingest = shared("jobs", "list", "--kind", "ingest", "--json").json[0]["id"]
    result = shared("jobs", "export", ingest, "--out", tmp_path / "none")
    assert (result.code, result.error_code) == (ExitCode.CONFLICT, "not_a_screen")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("receptor_text", "ligand_text", "site"),
    [
        ("this is no structure\n", None, BOX),
        ("\x89PNG\r\n\x1a\n\x00\x00", None, BOX),
        (None, "C1CC unclosed\nC(C)(C)(C)(C)C pentavalent\n", BOX),
        (None, "\n\n", BOX),
        (None, None, ("--center", "500", "0", "0", "--size", "12", "12", "12")),
        (None, None, ("--center", "0", "0", "0", "--size", "1", "12", "12")),
        (None, None, ("--residues", "Z:999")),
        (None, None, ("--pocket", "1")),
    ],
    ids=[
        "no structure",
        "binary",
        "no valid ligand",
        "blank ligands",
        "box off",
        "box too small",
        "no residue",
        "no pocket",
    ],
)
def test_what_cannot_be_docked_is_refused_with_a_reason_and_no_folder(
    shared: MadCommand,
    receptor: Path,
    ligands: Path,
    tmp_path: Path,
    receptor_text: str | None,
    ligand_text: str | None,
    site: tuple[str, ...],
) -> None:
    if receptor_text is not None:
        receptor.write_text(receptor_text)
    if ligand_text is not None:
        ligands.write_text(ligand_text)
    out = tmp_path / "out"
    result = shared("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, *site, *FAST)
    assert result.code == ExitCode.INPUT_REFUSED, result.stderr
    assert result.error_code
    assert result.stdout == ""
    assert not out.exists()


def test_pocket_is_listed_and_docked_into(shared: MadCommand, ligands: Path, tmp_path: Path) -> None:
    center = np.array([-8.0, 1.0, 0.0])
    receptor = tmp_path / "hollow.pdbqt"
    receptor.write_text(block_pdbqt(block((center, 5.5))))
    out = tmp_path / "out"

    (pocket,) = shared("pockets", "--receptor", receptor, "--json").json["pockets"]
    docked = shared("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, "--pocket", "1", *FAST)

    assert np.linalg.norm(np.array(pocket["center"]) - center) < 1.5
    assert docked.code == 0, docked.stderr
    site = json.loads((out / "provenance.json").read_text())["binding_site"]
    assert (site["origin"], site["details"]["rank"]) == ("pocket", 1)
    assert {"center": site["center_angstrom"], "size": site["size_angstrom"]} == pocket["box"]
    out = tmp_path / "beyond"
    beyond = shared("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, "--pocket", "2", *FAST)
    assert (beyond.code, beyond.error_code) == (ExitCode.INPUT_REFUSED, "pocket_not_found")


def test_interrupted_dock_cancels_its_job(shared: MadCommand, receptor: Path, tmp_path: Path) -> None:
    ligands = write_smiles(tmp_path / "ligands.smi", {"sleeper": f"{SLEEPER}CCO"})
    out = tmp_path / "out"
    command = shared.start("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, *FAST)
    job_id = shared.job_id(command)
    command.interrupt()
    result = command.result()
    assert result.code == ExitCode.INTERRUPTED
    assert result.stdout == ""
    assert shared("jobs", "show", job_id, "--json").json["state"] == "cancelled"
    assert not out.exists()


def test_job_cancelled_by_somebody_else_fails_the_dock(shared: MadCommand, receptor: Path, tmp_path: Path) -> None:
    ligands = write_smiles(tmp_path / "ligands.smi", {"sleeper": f"{SLEEPER}CCO"})
    out = tmp_path / "out"
    command = shared.start("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, *FAST)
    assert shared("jobs", "cancel", shared.job_id(command)).code == 0
    result = command.result()
    assert (result.code, result.error_code) == (ExitCode.JOB_NOT_COMPLETED, "job_cancelled")
    assert not out.exists()


def test_what_a_cancelled_job_had_scored_is_exported_as_partial(
    shared: MadCommand, receptor: Path, tmp_path: Path
) -> None:
    molecules = LIGANDS | {f"sleeper-{n}": f"{SLEEPER}{'C' * n}O" for n in range(1, 3)} | BAD
    ligands = write_smiles(tmp_path / "ligands.smi", molecules)
    out = tmp_path / "out"
    command = shared.start("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, *FAST)
    job_id = shared.job_id(command)
    wait_until(lambda: shared.scored(job_id) >= 1, 60, lambda: command.stderr)
    assert shared("jobs", "cancel", job_id).code == 0
    assert command.result().code == ExitCode.JOB_NOT_COMPLETED
    exported = shared("jobs", "export", job_id, "--out", out, "--wait", "--json")
    assert exported.code == ExitCode.JOB_NOT_COMPLETED
    counts = exported.json["job"]["counts"]
    assert counts["scored"] + counts["rejected"] + counts["cancelled"] == len(molecules) - len(BAD)
    assert len(rows(out / "hits.csv")) == counts["scored"] >= 1
    assert f"partial: {counts['scored']} scored, " in exported.stderr


def test_paused_job_fails_the_dock_with_the_reason(shared: MadCommand, receptor: Path, tmp_path: Path) -> None:
    ligands = write_smiles(tmp_path / "ligands.smi", {f"crasher-{n}": f"{CRASHER}{'C' * n}O" for n in range(1, 15)})
    out = tmp_path / "out"
    result = shared("dock", "--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, *FAST, "--json")
    assert (result.code, result.error_code) == (ExitCode.JOB_NOT_COMPLETED, "job_paused")
    assert "engine_crash" in result.stderr
    assert shared("jobs", "cancel", result.json["error"]["details"]["job_id"]).code == 0


def test_token_is_asked_for_and_taken(alone: MadCommand) -> None:
    token = "a-long-random-token-of-this-test"
    alone.up(MAD_STATIC_TOKEN=token)
    refused = alone("jobs", "list")
    assert (refused.code, refused.error_code) == (ExitCode.NOT_ALLOWED, "unauthenticated")
    assert alone("jobs", "list", MAD_TOKEN=token).code == 0
    assert alone("jobs", "list", "--token", token).code == 0


def kill_up(command: RunningCommand) -> None:
    os.kill(command.process.pid, signal.SIGKILL)
    command.process.wait()


def test_killed_stack_is_recovered_by_the_next_up_and_the_dock_goes_on(
    alone: MadCommand, receptor: Path, tmp_path: Path
) -> None:
    killed = alone.up()
    ligands = write_smiles(tmp_path / "ligands.smi", {f"alcohol-{n}": "C" * n + "O" for n in range(2, 30)})
    out = tmp_path / "out"
    arguments = ("--receptor", receptor, "--ligands", ligands, "--out", out, *BOX, "--engine", "test")
    dock = alone.start("dock", *arguments, "--exhaustiveness", "40")
    job_id = alone.job_id(dock)
    wait_until(lambda: alone.scored(job_id) >= 4, 60, lambda: dock.stderr)
    kill_up(killed)
    alone.up()
    result = dock.result()
    assert result.code == 0, result.stderr
    assert "does not answer; waiting for it" in result.stderr
    assert len(rows(out / "hits.csv")) == 28


def test_dock_without_a_server_starts_one_for_the_call(alone: MadCommand, complex_folder: Path, tmp_path: Path) -> None:
    """Real preparation and real docking with Vina, and the box around a ligand of a file."""
    native = tmp_path / "native.sdf"
    native.write_text((complex_folder / "vina_output.sdf").read_text().partition("$$$$")[0] + "$$$$\n")
    ligands = write_smiles(tmp_path / "ligands.smi", {"paracetamol": "CC(=O)Nc1ccc(O)cc1"})
    out = tmp_path / "out"
    arguments = ("--receptor", complex_folder / "rec.pdb", "--ligands", ligands, "--out", out, "--site-from", native)
    result = alone("dock", *arguments, "--exhaustiveness", "1", "--json")
    assert result.code == 0, result.stderr
    assert result.json["hits"][0]["score_kcal_mol"] < -3
    assert result.json["job"]["engine_build"].startswith("vina-")
    assert sorted(path.name for path in out.iterdir()) == EXPORTS
    assert alone("status").code == ExitCode.NOT_REACHABLE
