"""AutoGrid, which computes the maps of AutoDock 4's scoring function: found, identified, and run once per site.

It is under the GPL, so it is only ever a program of its own: neither imported nor part of what we ship.
"""

import re
import shutil
import tempfile
import weakref
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import structlog

from molecular_analysis_dashboard.adapters.engines.ad4_parameters import (
    MAPPED_TYPES,
    grid_points,
    grid_specification,
    parameter_file,
    with_known_types,
)
from molecular_analysis_dashboard.adapters.engines.native_builds import NativeBuild
from molecular_analysis_dashboard.adapters.engines.program_run import Ended, file_hash, follow, run_program
from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.engine_commands import AD4, DEFAULT_AUTOGRID
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.sites import SearchBox

_PROBE_S = 30.0
# A box of 20 to 30 Å takes 5 to 15 s of CPU.
_MAPS_S = 300.0
_SIGKILL = -9
_PREFIX, _HEADER_LINES = "receptor", 6

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AutoGrid:
    """The program that is installed here."""

    program: str
    version: str
    sha256: str

    def build_of(self, build: EngineBuild) -> EngineBuild:
        """Return the build of an engine that scores with this program's maps.

        It is a build of its own, so that its jobs reach only workers that have the program, and its name tells which.
        """
        base = f"{build.engine}-{build.version}"
        variant = build.build_id.removeprefix(f"{base}-")
        build_id = f"{base}-autogrid{self.version}-{self.sha256[:8]}-{variant}"
        return replace(build, build_id=build_id, scoring_functions=(AD4,))


@runtime_checkable
class TakesAutoGrid(Protocol):
    """An engine that offers another scoring function where AutoGrid is installed."""

    def with_autogrid(self, autogrid: AutoGrid) -> Self:
        """Return the engine with that scoring function."""


def read_autogrid(command: str) -> AutoGrid:
    """Ask AutoGrid for its version.

    Raises
    ------
    EngineFailed
        With code ``engine_unusable``, if there is no such program or it is another one.
    """
    found = shutil.which(command)
    if found is None:
        raise EngineFailed(
            f"There is no program {command}. Install AutoGrid (on Debian: apt-get install autogrid), or name it in "
            "MAD_AUTOGRID_COMMAND.",
            code="engine_unusable",
            program=command,
        )
    # It runs in folders of its own, where a relative path means nothing.
    program = str(Path(found).absolute())
    with tempfile.TemporaryDirectory(prefix="mad-engine-") as folder:
        ended = run_program([program, "--version"], Path(folder), timeout_s=_PROBE_S)
    told = re.search(r"AutoGrid\s+(\d+(?:\.\d+)+)", ended.words)
    if told is None:
        raise EngineFailed(f"{program} is not AutoGrid: {ended.told(program)}", code="engine_unusable", program=program)
    return AutoGrid(program, told[1], file_hash(program))


@cache
def find_autogrid(command: str) -> AutoGrid | None:
    """Return AutoGrid, None where there is none; one that was asked for and cannot be used is logged."""
    if not command:
        return None
    try:
        return read_autogrid(command)
    except EngineFailed as cause:
        if command != DEFAULT_AUTOGRID or shutil.which(command):
            _log.warning("autogrid_left_out", program=command, reason=cause.message)
        return None


def beside_native(builds: tuple[NativeBuild, ...], autogrid: AutoGrid | None) -> tuple[NativeBuild, ...]:
    """Return builds made for a processor, each followed by the one that scores with AutoGrid's maps."""
    if autogrid is None:
        return builds
    pairs = ((found, replace(found, build=autogrid.build_of(found.build))) for found in builds)
    return tuple(one for pair in pairs for one in pair)


class MapFolder:
    """AutoGrid's maps of one site, for a program that reads them anew for every ligand; removed with this object."""

    def __init__(self, autogrid: AutoGrid, receptor_pdbqt: str, box: SearchBox) -> None:
        folder = tempfile.mkdtemp(prefix="mad-engine-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.prefix = write_maps(autogrid, receptor_pdbqt, box, Path(folder))


def write_maps(autogrid: AutoGrid, receptor_pdbqt: str, box: SearchBox, folder: Path) -> str:
    """Compute the maps of every atom type that a ligand may have; return their common prefix.

    Raises
    ------
    EngineFailed
        ``autogrid_failed``, with AutoGrid's own words, if it fails, takes too long or leaves a map incomplete.
    """
    text, types = with_known_types(receptor_pdbqt)
    (folder / f"{_PREFIX}.pdbqt").write_text(text)
    (folder / "parameters.dat").write_text(parameter_file())
    (folder / "maps.gpf").write_text(grid_specification(_PREFIX, types, box))
    _refuse_failure(_run(autogrid, folder))
    n_lines = _HEADER_LINES + grid_points(box)
    for name in (*MAPPED_TYPES, "e", "d"):
        path = folder / f"{_PREFIX}.{name}.map"
        if not path.is_file() or _count_lines(path) != n_lines:
            raise _failed(f"AutoGrid left the map {path.name} incomplete. Is the disk full?")
    return str(folder / _PREFIX)


def _run(autogrid: AutoGrid, folder: Path) -> Ended:
    try:
        return run_program([autogrid.program, "-p", "maps.gpf", "-l", "maps.glg"], folder, timeout_s=_MAPS_S)
    except EngineFailed as cause:
        raise _failed(f"The maps could not be computed: {cause.message} A smaller box takes less time.") from cause


def _refuse_failure(ended: Ended) -> None:
    if ended.is_out_of_memory:
        raise MemoryError(ended.words[-300:])
    if ended.status == _SIGKILL:
        # Not its own doing: the slot tries again.
        follow(ended)
    if ended.status != 0:
        advice = " Choose a smaller box." if ended.flooded else ""
        raise _failed(f"The maps could not be computed. {ended.told('AutoGrid')}{advice}")


def _failed(sentence: str) -> EngineFailed:
    return EngineFailed(sentence, code="autogrid_failed")


def _count_lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b""))
