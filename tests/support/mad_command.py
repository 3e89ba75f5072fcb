"""The `mad` command as a process of its own, with a data folder of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests.support.ledger_stack import PLUGINS
from tests.support.waiting import wait_until

_PROGRAM = (sys.executable, "-m", "molecular_analysis_dashboard.presentation.cli")
_TIMEOUT_S = 180


@dataclass(frozen=True)
class Result:
    """How one run of the command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error_code(self) -> str:
        """The code in the one error line."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("Error [")]
        assert len(lines) == 1, self.stderr
        return lines[0].partition("[")[2].partition("]")[0]


@dataclass
class RunningCommand:
    """A command that was started and not waited for."""

    process: "subprocess.Popen[str]"
    stderr_file: Path

    def result(self, timeout_s: float = _TIMEOUT_S) -> Result:
        """Wait for the end."""
        stdout, _ = self.process.communicate(timeout=timeout_s)
        return Result(self.process.returncode, stdout, self.stderr)

    @property
    def stderr(self) -> str:
        return self.stderr_file.read_text(encoding="utf-8")

    def interrupt(self) -> None:
        """What Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)


@dataclass
class MadCommand:
    """Runs `mad` in a folder, on a data folder inside it."""

    folder: Path
    environment: dict[str, str]
    started: list[RunningCommand] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return Path(self.environment["MAD_DATA_DIR"])

    def start(self, *arguments: object, **settings: str) -> RunningCommand:
        """Start the command."""
        stderr_file = self.folder / f"stderr-{len(self.started)}.txt"
        with stderr_file.open("wb") as stderr:
            process = subprocess.Popen(
                [*_PROGRAM, *map(str, arguments)],
                cwd=self.folder,
                env=self.environment | settings,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        command = RunningCommand(process, stderr_file)
        self.started.append(command)
        return command

    def __call__(self, *arguments: object, **settings: str) -> Result:
        return self.start(*arguments, **settings).result()

    def up(self, *arguments: object, **settings: str) -> RunningCommand:
        """Start ``mad up`` in the foreground and wait until it says that it listens."""
        command = self.start("up", "--json", *arguments, **settings)
        wait_until(
            lambda: command.process.poll() is not None or self("status", **settings).code == 0,
            _TIMEOUT_S,
            lambda: f"mad up is not ready: {command.stderr}",
            interval_s=0.1,
        )
        assert command.process.poll() is None, command.stderr
        return command

    def processes(self) -> list[psutil.Process]:
        """Every process of the stack that runs on the data folder."""
        state = json.loads((self.data_dir / "run" / "stack.json").read_text())
        supervisor = psutil.Process(state["supervisor_pid"])
        return [supervisor, *supervisor.children(recursive=True)]

    def job_id(self, command: RunningCommand) -> str:
        """The id of the screen that a running ``mad dock`` submitted."""

        def found() -> str:
            lines = [line for line in command.stderr.splitlines() if line.startswith("Job ")]
            return lines[0].split()[1].rstrip(":") if lines else ""

        return wait_until(found, _TIMEOUT_S, lambda: f"no job was submitted: {command.stderr}")

    def scored(self, job_id: str) -> int:
        """How many ligands of a job have a score."""
        return int(self("jobs", "show", job_id, "--json").json["counts"]["scored"])

    def end_all(self) -> None:
        """End whatever is left."""
        self("down")
        for command in self.started:
            if command.process.poll() is None:
                command.process.kill()
            command.process.communicate()


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mad_command(settings: Mapping[str, str]) -> Iterator[MadCommand]:
    """The command with an empty folder, which has a space in its name and is open to the servers' account."""
    folder = Path(tempfile.mkdtemp(prefix="mad cli-"))
    folder.chmod(0o755)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        "PYTHONPATH": str(PLUGINS),
        "MAD_DATA_DIR": str(folder / "data"),
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "1",
        **settings,
    }
    command = MadCommand(folder, environment)
    try:
        yield command
    finally:
        command.end_all()
        shutil.rmtree(folder)
