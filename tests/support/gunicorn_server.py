"""The API as it is deployed: gunicorn with several workers and the packaged set-up, on a free port."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.support.mad_command import free_port
from tests.support.waiting import wait_until

APPLICATION = "molecular_analysis_dashboard.presentation.api.main:app"
PACKAGED = "python:molecular_analysis_dashboard.presentation.api.gunicorn_conf"


@dataclass
class Gunicorn:
    """A running server."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20)

    def workers(self) -> list[int]:
        return sorted(child.pid for child in psutil.Process(self.process.pid).children())

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged; every line is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_started(self, count: int) -> None:
        """Wait until so many workers have started since the beginning."""
        wait_until(lambda: self.log.read_text().count("startup complete") >= count, 60, lambda: self.log.read_text())


@contextmanager
def gunicorn_server(
    folder: Path, environment: Mapping[str, str], *, configuration: str = PACKAGED
) -> Iterator[Gunicorn]:
    """Serve with two workers."""
    port, log = free_port(), folder / "gunicorn.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", configuration, APPLICATION],
            cwd=folder,
            env={**environment, "PORT": str(port), "WEB_CONCURRENCY": "2"},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    server = Gunicorn(process, log, f"http://127.0.0.1:{port}")
    try:
        server.wait_started(2)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)
