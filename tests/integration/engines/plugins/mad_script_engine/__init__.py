"""An engine whose receptor is a Python script, run inside the engine process when a site is opened.

So a test can make an engine process do whatever a bad library might do to it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.sites import SearchBox


class ScriptSite:
    """Docks nothing."""

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        raise NotImplementedError

    def score(self, state: LigandState) -> float:
        raise NotImplementedError


class ScriptEngine:
    """Implements the engine port."""

    @property
    def build(self) -> EngineBuild:
        return EngineBuild("script", "1.0", "script-1.0", ("script",))

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        return {"type": "object", "properties": {}}

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> ScriptSite:
        del box, protocol
        exec(receptor_pdbqt, {"os": os, "say": say, "answer": answer})
        return ScriptSite()


def say(message: object) -> None:
    """Let the caller read something, as the words of a refusal."""
    raise EngineFailed(str(message), code="said")


def answer(data: bytes) -> None:
    """Write straight into the pipe on which the answers go out."""
    pipes = [int(one.name) for one in Path("/proc/self/fd").iterdir() if int(one.name) > 2 and one.is_fifo()]
    os.write(pipes[0], data)
