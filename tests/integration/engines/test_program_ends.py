"""A program that an engine process runs: it ends with it, and its own end is judged as the engine's."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from tests.integration.engines.conftest import BOX, PLUGINS, MakeProcess
from tests.support.family_programs import RECEPTOR, WRITE_POSE, Script
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec

SITE = SiteSpec("hash", RECEPTOR, BOX, DockingProtocol(engine="mine", n_poses=2))
LIGAND = LigandInput("1", "one", "CCO")
HANG = "exec sleep 1000"


def commands(tmp_path: Path, dock: str) -> str:
    """Settings with a program that says its number, then does what it shall."""
    script = Script(dock=f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; {dock}")
    folder = tmp_path.parent / f"{tmp_path.name}-program"
    folder.mkdir(exist_ok=True)
    return f"mine='{script.write(folder / 'vina')}'"


def program(folder: Path) -> psutil.Process:
    """The program, once it runs."""
    pid = folder / "pid"
    wait_until(pid.exists, 60, "the program did not start")
    return psutil.Process(int(pid.read_text()))


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program says its number; not the scratch folder, of which nothing may be left."""
    return tmp_path_factory.mktemp("notes")


def ended(process: EngineProcess) -> ProcessEnded:
    with pytest.raises(ProcessEnded) as raised:
        process.dock(SITE, LIGAND)
    return raised.value


def test_ligand_is_docked_by_the_program(make_process: MakeProcess, notes: Path) -> None:
    dock = f"ulimit -v > {notes}/limit; {WRITE_POSE}"
    process = make_process(engine_commands=commands(notes, dock), memory_bytes=5 << 30)
    first, again = process.dock(SITE, LIGAND), process.dock(SITE, LIGAND)

    assert isinstance(first, DockedLigand)
    assert isinstance(again, DockedLigand)
    assert (first.score_kcal_mol, first.poses, first.seed) == (-5.25, again.poses, again.seed)
    assert int((notes / "limit").read_text()) * 1024 == 5 << 30


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_signal_that_ends_the_program_ends_the_engine_process(
    make_process: MakeProcess, notes: Path, number: signal.Signals
) -> None:
    process = make_process(engine_commands=commands(notes, f"echo last words; kill -{int(number)} $$"))

    crash = ended(process)
    cause = ExitCause.KILLED if number is signal.SIGKILL else ExitCause.CRASH
    assert (crash.cause, crash.details["status"]) == (cause, -number)
    assert "last words" in str(crash.details["stderr"])


def test_program_that_hangs_ends_in_time(make_process: MakeProcess, notes: Path) -> None:
    process = make_process(engine_commands=commands(notes, HANG), dock_timeout_s=5.0)
    process.open_site(SITE)

    assert ended(process).cause is ExitCause.TIMEOUT
    # On a busy machine the time may be over before the program has begun.
    pids = [int(pid.read_text()) for pid in notes.glob("pid")]
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), 2, "the program outlived its time")


def test_cancel_ends_the_program(make_process: MakeProcess, notes: Path) -> None:
    process = make_process(engine_commands=commands(notes, HANG))
    running: list[psutil.Process] = []
    stopped_at: list[float] = []

    def stop() -> None:
        running.append(program(notes))
        stopped_at.append(time.monotonic())
        process.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    assert ended(process).cause is ExitCause.STOPPED
    thread.join()
    wait_until(lambda: gone(running[0]), 2, "the program outlived the cancelled job")
    assert time.monotonic() - stopped_at[0] < 2


def test_program_does_not_outlive_a_dead_engine_process(make_process: MakeProcess, notes: Path) -> None:
    process = make_process(engine_commands=commands(notes, HANG))
    left: list[bool] = []

    def kill() -> None:
        running = program(notes)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: gone(running), 2, "the program outlived its engine process")
        left.append(gone(running))

    thread = threading.Thread(target=kill)
    thread.start()
    assert ended(process).cause is ExitCause.KILLED
    thread.join()
    assert left == [True]


def test_program_does_not_outlive_a_killed_slot(notes: Path, tmp_path: Path) -> None:
    holder = Path(__file__).with_name("parent_program.py")
    arguments = [os.pathsep.join(map(str, PLUGINS)), RECEPTOR, commands(notes, HANG)]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, str(holder), *arguments], env=environment) as slot:
        running = program(notes)
        slot.kill()
        wait_until(lambda: gone(running), 2, "the program outlived its slot")


def test_program_that_is_gone_is_told(make_process: MakeProcess, notes: Path) -> None:
    process = make_process(engine_commands=commands(notes, WRITE_POSE))
    process.open_site(SITE)
    (notes.parent / f"{notes.name}-program" / "vina").unlink()
    with pytest.raises(EngineFailed, match="There is no program"):
        process.dock(SITE, LIGAND)
