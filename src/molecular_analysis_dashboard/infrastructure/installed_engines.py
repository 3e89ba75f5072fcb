"""Prints the installed docking engines as JSON; a program of its own, because loading one may end the process."""

import json
import sys

from molecular_analysis_dashboard.adapters.engines.registry import installed_engines
from molecular_analysis_dashboard.domain.engine_commands import parse_engine_commands
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.infrastructure.settings import load_settings

_ADVICE = "Correct MAD_ENGINE_COMMANDS, or install the program: see docs/how-to/use-another-docking-program.md."


def main() -> None:
    """Write a list of ``{"name", "build_id"}`` or ``{"name", "error"}``, the latter with ``"advice"`` for programs."""
    found: list[dict[str, str]] = []
    commands = parse_engine_commands(load_settings().docking.engine_commands)
    for name, factory in sorted(installed_engines(commands).items()):
        try:
            found.append({"name": name, "build_id": factory().build.build_id})
        except EngineFailed as error:
            advice = {"advice": _ADVICE} if name in commands else {}
            found.append({"name": name, "error": error.message, **advice})
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
