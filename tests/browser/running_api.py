import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.support.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RunningApi:
    """One API process on a port of its own; stopped and started again it comes back at the same address."""

    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        app = "molecular_analysis_dashboard.presentation.api.main:app"
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(self.port)],
                env={**self.environment, "HOST": "127.0.0.1", "PORT": str(self.port)},
                cwd=self.log.parent,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers, 60, lambda: f"the API does not answer: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End it at once, as a lost machine would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}health").is_success
        except httpx.TransportError:
            return False
