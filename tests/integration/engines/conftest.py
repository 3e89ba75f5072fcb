import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import pytest

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry

PLUGINS = [Path(__file__).parent / "plugins", Path(__file__).parents[2] / "plugins"]
BOX = SearchBox((0.0, 0.0, 0.0), (20.0, 20.0, 20.0))
MakeProcess = Callable[..., EngineProcess]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the engine process puts its temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def make_process(scratch: Path) -> Iterator[MakeProcess]:
    """Make engine processes; nothing of them may be left at the end."""
    made: list[EngineProcess] = []
    children = set(psutil.Process().children(recursive=True))
    descriptors = psutil.Process().num_fds()

    def make(
        *,
        memory_bytes: int = 8 << 30,
        timeout_s: float = 60.0,
        dock_timeout_s: float | None = None,
        warm_sites: int = 2,
        log_level: str = "warning",
        engine_commands: str = "",
        autogrid_command: str = "",
        telemetry: Telemetry = SILENT,
        build_folders: Mapping[str, Path] = MappingProxyType({}),
    ) -> EngineProcess:
        process = EngineProcess(
            memory_bytes=memory_bytes,
            dock_timeout_s=dock_timeout_s or timeout_s,
            preparation_timeout_s=timeout_s,
            warm_sites=warm_sites,
            environment={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, PLUGINS))},
            engine_commands=engine_commands,
            autogrid_command=autogrid_command,
            log_level=log_level,
            telemetry=telemetry,
            build_folders=build_folders,
        )
        made.append(process)
        return process

    yield make
    for process in made:
        process.restart()
    assert set(psutil.Process().children(recursive=True)) == children
    assert psutil.Process().num_fds() == descriptors
    assert list(scratch.iterdir()) == []


@pytest.fixture
def process(make_process: MakeProcess) -> EngineProcess:
    return make_process()


def site(receptor: str, *, engine: str = "script") -> SiteSpec:
    """A docking site; for the engine "script" the receptor is what the engine process shall do."""
    protocol = DockingProtocol(engine=engine, scoring=engine, n_poses=2, ligands=LigandOptions(protonate=False))
    return SiteSpec(content_hash({"pdbqt": receptor}), receptor, BOX, protocol)
