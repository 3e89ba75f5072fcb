"""Prints the installed docking engines as JSON; a program of its own, because loading one may end the process."""

import json
import sys

from molecular_analysis_dashboard.adapters.engines.autogrid import read_autogrid
from molecular_analysis_dashboard.adapters.engines.registry import builds_of, installed_engines
from molecular_analysis_dashboard.domain.engine_commands import DEFAULT_AUTOGRID
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.infrastructure.logging import configure_logging
from molecular_analysis_dashboard.infrastructure.settings import load_settings

_ADVICE = "Correct MAD_ENGINE_COMMANDS, or install the program: see docs/how-to/use-another-docking-program.md."


def main() -> None:
    """Write a list of ``{"name", "build_id"}`` or ``{"name", "error"}``, the latter with ``"advice"`` for programs."""
    configure_logging("warning", json=False, stream="stderr")
    found: list[dict[str, str]] = []
    programs = load_settings().docking.programs
    for name, factory in sorted(installed_engines(programs).items()):
        try:
            found += [{"name": name, "build_id": build.build_id} for build in builds_of(factory())]
        except EngineFailed as error:
            advice = {"advice": _ADVICE} if name in programs.engines else {}
            found.append({"name": name, "error": error.message, **advice})
    if programs.autogrid not in ("", DEFAULT_AUTOGRID):
        found += _problem_of_autogrid(programs.autogrid)
    sys.stdout.write(json.dumps(found))


def _problem_of_autogrid(command: str) -> list[dict[str, str]]:
    """Return why a program that was named as AutoGrid is not used, if it is not."""
    try:
        read_autogrid(command)
    except EngineFailed as error:
        return [{"name": "autogrid", "error": error.message, "advice": "Correct MAD_AUTOGRID_COMMAND."}]
    return []


if __name__ == "__main__":
    main()
