"""Starting `mad up` in the background, and waiting for it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from molecular_analysis_dashboard.infrastructure.embedded.errors import StackFailed, unusable
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import StackState, read_stack_state
from molecular_analysis_dashboard.presentation.cli.exit_codes import InBackgroundFailed

_PROGRAM = (sys.executable, "-P", "-m", "molecular_analysis_dashboard.presentation.cli")
_START_TIMEOUT_S = 180.0
_POLL_S = 0.1


def start_in_background(data_dir: Path, arguments: Sequence[str]) -> StackState:
    """Run ``mad up`` in a session of its own and return once the stack is ready.

    Raises
    ------
    InBackgroundFailed
        With what the command said.
    StackFailed
        When it is not ready in time; it is told to stop.
    """
    layout = DataLayout(data_dir)
    try:
        layout.create()
        log_file = layout.logs / "mad-up.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*_PROGRAM, "up", "--json", "--data-dir", str(data_dir), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ),
                start_new_session=True,
            )
    except OSError as error:
        raise unusable(data_dir, error) from error
    try:
        return _ready(process, data_dir, log_file)
    except BaseException:
        if process.poll() is None:
            process.terminate()
        raise


def _ready(process: "subprocess.Popen[bytes]", data_dir: Path, log_file: Path) -> StackState:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _what_it_said(log_file, process.returncode)
        state = _state_of(process.pid, data_dir)
        if state is not None and state.phase == "running":
            return state
        time.sleep(_POLL_S)
    raise StackFailed(f"The stack was not ready after {_START_TIMEOUT_S:g} s. See {log_file}.", log_file=str(log_file))


def _state_of(pid: int, data_dir: Path) -> StackState | None:
    state = read_stack_state(data_dir)
    return state if state is not None and state.supervisor_pid == pid else None


def _what_it_said(log_file: Path, exit_code: int) -> InBackgroundFailed:
    text = log_file.read_text(encoding="utf-8", errors="replace")
    start = text.rfind('{\n  "error"')
    if start >= 0:
        error = json.JSONDecoder().raw_decode(text, start)[0]["error"]
        return InBackgroundFailed(
            str(error["message"]), code=str(error["code"]), exit_code=exit_code or 1, **error["details"]
        )
    return InBackgroundFailed(
        f"mad up ended with status {exit_code}. See {log_file}.", code="stack_failed", exit_code=exit_code or 1
    )
