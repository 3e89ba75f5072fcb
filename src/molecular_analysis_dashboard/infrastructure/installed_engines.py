"""Prints the installed docking engines as JSON; a program of its own, because loading one may end the process."""

import json
import sys

from molecular_analysis_dashboard.adapters.engines.registry import installed_engines
from molecular_analysis_dashboard.domain.errors import EngineFailed


def main() -> None:
    """Write a list of ``{"name", "build_id"}`` or ``{"name", "error"}``."""
    found: list[dict[str, str]] = []
    for name, factory in sorted(installed_engines().items()):
        try:
            found.append({"name": name, "build_id": factory().build.build_id})
        except EngineFailed as error:
            found.append({"name": name, "error": error.message})
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
