"""Compile Vina's bindings for this processor, out of the source distribution that the installed version came with."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from molecular_analysis_dashboard.adapters.engines.native_builds import (
    NativeBuild,
    Processor,
    lacking,
    module_hash,
    write_record,
)
from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.errors import EngineFailed

# SHA-256 of the source distributions on the package index that we know; pip refuses any other file.
_SOURCES = {"1.2.7": "79e5288d10207b85f20adac3dd6f4708eac761c2d8070fbad76ff997cf48e4f9"}
# Stands in for a class of 1.2.7; see the decision on builds before another version is added above.
_SHARED_TABLES = Path(__file__).with_name("vina_shared_tables.h")
_PROGRAMS = ("g++", "swig", "ldd")
_BOOST_FOLDERS = (Path("/usr/include/boost"), Path("/usr/local/include/boost"))
_HOW_TO_GET_THEM = "On Debian: apt-get install g++ swig libboost-all-dev."
_BOOST_LIBRARY = re.compile(r"=> (\S+/libboost_\S+)")
_TIMEOUT_S = 3600.0
_TOLD_CHARACTERS = 2000


def compile_vina(
    folder: Path, processor: Processor, scoring_functions: tuple[str, ...], *, shared_tables: bool = True
) -> NativeBuild:
    """Build the bindings of the installed version into a folder of their own below `folder`, replacing an older one.

    Parameters
    ----------
    shared_tables : bool
        Whether pairs of atoms of equal kinds share an energy table; without, it takes longer to the same numbers.

    Raises
    ------
    EngineFailed
        ``build_impossible`` when a program, the headers or the source's hash is missing, or the processor lacks
        what the level needs; ``build_failed`` when pip or the compiler fails.
    """
    found = version("vina")
    _check(found, processor)
    build_id = f"vina-{found}-{processor}" if shared_tables else f"vina-{found}-plain-{processor}"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as name:
        place = Path(name) / build_id
        _install(found, _flags(processor, shared_tables=shared_tables), place, Path(name))
        digest = module_hash(place)
        if not digest:
            raise EngineFailed("The build ended without a compiled module.", code="build_failed")
        _bring_boost(place / "vina")
        made = write_record(place, EngineBuild("vina", found, build_id, scoring_functions, digest), processor)
        target = folder / build_id
        shutil.rmtree(target, ignore_errors=True)
        place.rename(target)
    return NativeBuild(made.build, target)


def _check(found: str, processor: Processor) -> None:
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if not any(path.is_dir() for path in _BOOST_FOLDERS):
        missing.append("the headers of Boost")
    if missing:
        raise _impossible(f"To build Vina, {', '.join(missing)} must be installed. {_HOW_TO_GET_THEM}")
    if found not in _SOURCES:
        raise _impossible(f"Vina {found} is installed; only the sources of {', '.join(_SOURCES)} can be checked.")
    if absent := lacking(processor):
        raise _impossible(f"This processor lacks {', '.join(absent)}; build for another one, such as native.")


def _impossible(sentence: str) -> EngineFailed:
    return EngineFailed(sentence, code="build_impossible")


def _flags(processor: Processor, *, shared_tables: bool) -> str:
    # Without -DNDEBUG, which a user's flags displace, the asserts of the inner loops would be compiled in.
    flags = f"-O3 -DNDEBUG -fPIC -march={processor}"
    return f"{flags} -include {shlex.quote(str(_SHARED_TABLES))}" if shared_tables else flags


def _install(found: str, flags: str, place: Path, scratch: Path) -> None:
    requirement = scratch / "requirements.txt"
    requirement.write_text(f"vina=={found} --hash=sha256:{_SOURCES[found]}\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-cache-dir", "--no-deps", "--no-build-isolation", "--no-binary", "vina", "--require-hashes"]
    command += ["--target", str(place), "--requirement", str(requirement)]
    try:
        run = subprocess.run(
            command,
            cwd=scratch,
            env=os.environ | {"CFLAGS": flags, "CXXFLAGS": flags, "LDFLAGS": "-Wl,-rpath,$ORIGIN"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as cause:
        raise EngineFailed(f"The compiler was not done within {_TIMEOUT_S:g} s.", code="build_failed") from cause
    if run.returncode != 0:
        said = (run.stderr or run.stdout).strip()[-_TOLD_CHARACTERS:]
        raise EngineFailed(f"Vina could not be built. pip says: {said}", code="build_failed")


def _bring_boost(package: Path) -> None:
    """Put the shared libraries of Boost beside the module, so that a build runs where Boost is not installed."""
    for module in package.glob("*.so"):
        told = subprocess.run(["ldd", module], capture_output=True, text=True, check=True).stdout
        for library in _BOOST_LIBRARY.findall(told):
            shutil.copy(library, package)
