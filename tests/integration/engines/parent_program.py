"""Holds an engine process that is busy: ``parent_program.py PLUGINS SCRIPT``, or with a program's commands beside them.

The first is what the engine "script" shall do; the second docks at the receptor that stands in place of the script.
"""

import os
import sys

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.engine_commands import parse_engine_commands
from molecular_analysis_dashboard.domain.ligands import LigandInput
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec


def main(plugins: str, receptor: str, engine_commands: str = "") -> None:
    process = EngineProcess(
        memory_bytes=8 << 30,
        dock_timeout_s=60.0,
        preparation_timeout_s=60.0,
        warm_sites=2,
        environment={"PATH": os.environ["PATH"], "PYTHONPATH": plugins},
        engine_commands=engine_commands,
    )

    box = SearchBox((0.0, 0.0, 0.0), (20.0, 20.0, 20.0))
    engine = next(iter(parse_engine_commands(engine_commands)), "script")
    site = SiteSpec("hash", receptor, box, DockingProtocol(engine=engine))
    process.open_site(site)
    process.dock(site, LigandInput("1", "one", "CCO"))


if __name__ == "__main__":
    main(*sys.argv[1:])
