import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.integration.engines.conftest import PLUGINS
from tests.support.waiting import wait_until

BUSY = ["while True: pass", "import ctypes\nctypes.PyDLL(None).sleep(1000)"]


def ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("script", BUSY, ids=["busy in Python", "holds the interpreter's lock"])
def test_engine_process_does_not_outlive_its_killed_slot(script: str, tmp_path: Path) -> None:
    program = Path(__file__).with_name("parent_program.py")
    mark = tmp_path / "pid"
    marked = f"with open({str(mark)!r}, 'w') as mark: mark.write(str(os.getpid()))\n{script}"
    with subprocess.Popen(
        [sys.executable, str(program), os.pathsep.join(map(str, PLUGINS)), marked],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
    ) as parent:
        pid = wait_until(lambda: mark.exists() and mark.read_text(), 30, "the engine process did not get busy")
        child = psutil.Process(int(pid))
        parent.kill()
        wait_until(lambda: ended(child), 2, "the engine process outlived its slot")
