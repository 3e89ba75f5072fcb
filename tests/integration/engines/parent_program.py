"""Holds an engine process that is busy: ``parent_program.py PLUGINS SCRIPT``."""

import os
import sys

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec


def main(plugins: str, script: str) -> None:
    process = EngineProcess(
        memory_bytes=8 << 30,
        dock_timeout_s=60.0,
        preparation_timeout_s=60.0,
        warm_sites=2,
        environment={"PATH": os.environ["PATH"], "PYTHONPATH": plugins},
    )

    box = SearchBox((0.0, 0.0, 0.0), (20.0, 20.0, 20.0))
    process.open_site(SiteSpec("hash", script, box, DockingProtocol(engine="script")))


if __name__ == "__main__":
    main(*sys.argv[1:])
