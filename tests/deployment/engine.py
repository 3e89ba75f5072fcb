"""How the Docker engine can be restarted from here, if it can at all."""

import os
import shlex
from pathlib import Path

from tests.deployment.stack import Stack

VARIABLE = "MAD_TEST_ENGINE_RESTART"
_OF_THE_SYSTEM = {"unix:///var/run/docker.sock", "unix:///run/docker.sock"}


def restart_command(stack: Stack) -> list[str] | str:
    """Return the command that restarts the engine, or a sentence why there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return shlex.split(named)
    reason = _reason_against_systemctl(stack)
    return f"{reason}; {VARIABLE} may name a command" if reason else ["systemctl", "restart", "docker"]


def _reason_against_systemctl(stack: Stack) -> str:
    engine = stack.docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
    if engine not in _OF_THE_SYSTEM:
        return f"the engine is not the system's, but {engine}"
    if not Path("/run/systemd/system").is_dir():
        return "there is no systemd to restart the engine with"
    if os.geteuid() != 0:
        return "only root may restart the engine"
    ours = set(stack.docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}").split())
    if set(stack.docker("ps", "--quiet").split()) - ours:
        return "other containers run here, which that would stop"
    return ""
