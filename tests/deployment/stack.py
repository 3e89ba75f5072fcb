"""A deployment of its own for the tests: a clean copy of the sources, its own project, ports and secrets.

Every variable of the contract has another value than its default, so that each effect can be seen.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.client import Client

ROOT = Path(__file__).parents[2]
# All that is special in addresses, in Compose and in shells.
PASSWORD = "p@ss/w%rd:#? &'\"$x+=é"
TOKEN = "test-token-0123456789-0123456789-0123456789"
SECRETS = {
    "secret_key": "test-key-0123456789-0123456789-0123456789",
    "postgres_password": PASSWORD,
    "static_token": TOKEN,
    "flower_basic_auth": "watcher:flower-password-123",
}
FLOWER_LOGIN = ("watcher", "flower-password-123")
# What a test takes from its environment to reach the engine and the registries.
_KEPT = ("PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_CONFIG", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_PATIENCE_S = 300.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@dataclass
class Stack:
    """One running project; `seconds` holds how long each command of its start took."""

    folder: Path
    secrets: Path
    project: str = field(default_factory=lambda: f"mad-test-{uuid4().hex[:8]}")
    port: int = field(default_factory=free_port)
    flower_port: int = field(default_factory=free_port)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": "docker-compose.yml:docker-compose.secrets.yml",
            "COMPOSE_ANSI": "never",
            "SECRETS_DIR": str(self.secrets),
            "IMAGE_TAG": "deployment-test",
            "ENV": "production",
            "LOG_LEVEL": "debug",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "1",
            "UVICORN_WORKERS": "3",
            "POSTGRES_USER": "lab",
            "POSTGRES_DB": "screens",
            "POSTGRES_PORT": "5544",
            "REDIS_PORT": "6390",
            "REDIS_URL": "redis://redis:6390/3",
            "CELERY_BROKER_URL": "redis://redis:6390/4",
            "CELERY_RESULT_BACKEND": "redis://redis:6390/5",
            "CELERY_WORKER_CONCURRENCY": "1",
            "CELERY_PREFETCH_MULTIPLIER": "2",
            "CELERY_ACKS_LATE": "true",
            "RESULTS_DIR": "/data/results/here",
            "UPLOADS_DIR": "/data/uploads/there",
            "FLOWER_PORT": str(self.flower_port),
            "API_MEMORY": "400m",
            "PROXY_MEMORY": "48m",
        }

    def run(self, *command: str, **changed: str) -> str:
        """Run a command in the project's folder; return what it wrote, fail with it if it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | changed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done.stdout

    def timed(self, line: str) -> str:
        """Run a usage line of the contract as it is written."""
        began = time.monotonic()
        output = self.run(*line.split())
        self.seconds[line] = time.monotonic() - began
        return output

    def compose(self, *arguments: str) -> str:
        return self.run("docker", "compose", *arguments)

    def docker(self, *arguments: str) -> str:
        return self.run("docker", *arguments)

    def containers(self, service: str) -> list[str]:
        """Names of a service's containers, running or not, by their numbers."""
        listed = self.docker(
            *("ps", "--all", "--format", "{{.Names}}"),
            *("--filter", f"label=com.docker.compose.project={self.project}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
            *("--filter", "label=com.docker.compose.oneoff=False"),
        )
        return sorted(listed.split())

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker("inspect", container))[0]
        return found

    def execute(self, container: str, *command: str) -> str:
        return self.docker("exec", container, *command)

    def logs(self, container: str) -> list[str]:
        return self.docker("logs", container).splitlines()

    def client(self) -> Client:
        return Client(self.url, TOKEN)

    def http(self, **options: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, **{"timeout": 60.0} | options
        )

    def wait_healthy(self, services: Sequence[str]) -> None:
        def unhealthy() -> list[str]:
            names = [name for service in services for name in self.containers(service)]
            return [n for n in names if self.inspect(n)["State"].get("Health", {}).get("Status") != "healthy"]

        wait_until(lambda: not unhealthy(), _PATIENCE_S, lambda: f"not healthy: {unhealthy()}", interval_s=2)

    def wait_ready(self) -> float:
        """Wait until the API says that it can work; return how many seconds that took."""

        def ready() -> bool:
            try:
                return httpx.get(f"{self.url}/ready", timeout=10).is_success
            except httpx.TransportError:
                return False

        began = time.monotonic()
        wait_until(ready, _PATIENCE_S, "the API is not ready", interval_s=0.5)
        return time.monotonic() - began

    def start(self) -> None:
        """Walk the usage lines of the contract, in their order."""
        self.timed("docker compose build")
        self.timed("docker compose up -d postgres redis")
        self.timed("docker compose run --rm migrate")
        self.timed("docker compose up -d api worker")
        self.timed(f"curl -fsS http://localhost:{self.port}/health")
        self.timed("docker compose up -d --scale api=2 --scale worker=3")
        self.wait_ready()

    def remove(self) -> None:
        """Remove the containers, networks and volumes of this project."""
        self.compose("--profile", "tls", "down", "--volumes", "--remove-orphans", "--timeout", "10")

    def remove_images(self) -> None:
        """Remove the images that the tests have built."""
        for image in ("api", "worker"):
            self.docker("image", "rm", "--force", f"molecular-analysis-dashboard-{image}:deployment-test")


def clean_copy(target: Path) -> Path:
    """Copy what git knows or would add, as a clean clone holds it; return where it is."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def write_secrets(folder: Path) -> Path:
    """Write the secrets as files that every container's user can read; return their folder."""
    folder.mkdir()
    for name, value in SECRETS.items():
        (folder / name).write_text(f"{value}\n", encoding="utf-8")
        (folder / name).chmod(0o444)
    return folder
