"""The engine builds of this machine, listed and made by a program of its own: loading an engine may end the process.

``... list FOLDER`` and ``... build FOLDER PROCESSOR`` write one JSON object: the builds, or the error.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from molecular_analysis_dashboard.adapters.engines.autogrid import beside_native, find_autogrid
from molecular_analysis_dashboard.adapters.engines.native_builds import NativeBuild, Processor, native_builds
from molecular_analysis_dashboard.adapters.engines.registry import installed_builds
from molecular_analysis_dashboard.adapters.engines.vina_compiler import compile_vina
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput, MadError
from molecular_analysis_dashboard.infrastructure.logging import configure_logging
from molecular_analysis_dashboard.infrastructure.settings import load_settings

Row = dict[str, object]


def offered_builds(folder: Path) -> list[Row]:
    """Return the installed engines' builds, then those in the folder; `refusal` says why one cannot be used here."""
    programs = load_settings().docking.programs
    installed = [asdict(build) | {"folder": "", "refusal": ""} for build in installed_builds(programs)]
    native = beside_native(native_builds(folder), find_autogrid(programs.autogrid))
    return installed + [_row(found) for found in native]


def build_vina(folder: Path, processor: str) -> Row:
    """Compile Vina for a processor.

    Raises
    ------
    InvalidInput
        ``processor_unknown``.
    EngineFailed
        ``build_impossible`` or ``build_failed``, or ``engine_not_installed`` where there is no Vina to build anew.
    """
    if processor not in set(Processor):
        raise InvalidInput(
            f"There is no build for “{processor}”. Choose {', '.join(Processor)}.", code="processor_unknown"
        )
    installed = next((build for build in installed_builds() if build.engine == "vina"), None)
    if installed is None:
        raise EngineFailed("Vina is not installed here. Install the extra worker.", code="engine_not_installed")
    return _row(compile_vina(folder, Processor(processor), installed.scoring_functions))


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    configure_logging("warning", json=False, stream="stderr")
    task, folder, *processor = arguments
    try:
        builds = offered_builds(Path(folder)) if task == "list" else [build_vina(Path(folder), *processor)]
        body: Row = {"builds": builds}
    except MadError as error:
        body = {"error": {"code": error.error_code, "message": error.message}}
    sys.stdout.write(json.dumps(body))


def _row(native: NativeBuild) -> Row:
    return asdict(native.build) | {"folder": str(native.folder), "refusal": native.refusal}


if __name__ == "__main__":
    main(sys.argv[1:])
