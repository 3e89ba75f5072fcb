"""Builds of Vina's bindings made for this machine's processor: which there are, and whether they may run here.

A build is a folder with the package `vina`, as pip installs it, and `build.json`. Put first on PYTHONPATH, it takes
the place of the wheel; an engine process has one of them for life.
"""

import json
import platform
import sysconfig
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.hashing import bytes_hash

RECORD = "build.json"
# Of this Python; another one cannot load it.
_MODULE = f"_vina_wrapper{sysconfig.get_config_var('EXT_SUFFIX')}"
_CPU_INFO = Path("/proc/cpuinfo")
# What the x86-64 psABI demands of each level beyond the one before, in the kernel's words; lzcnt is called abm.
_V3 = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

_log = structlog.get_logger(__name__)


class Processor(StrEnum):
    """What a build is made for; also the last part of its name."""

    NATIVE = "native"
    V3 = "x86-64-v3"
    V4 = "x86-64-v4"


@dataclass(frozen=True)
class NativeBuild:
    """A build in its folder, and why it cannot be used here, empty when it can."""

    build: EngineBuild
    folder: Path
    refusal: str = ""


def native_builds(folder: Path) -> tuple[NativeBuild, ...]:
    """Return the builds in a folder by name, those that cannot be used here with the reason."""
    return tuple(_read(path.parent) for path in sorted(folder.glob(f"*/{RECORD}")))


def usable_builds(folder: Path | None) -> tuple[NativeBuild, ...]:
    """Return the builds that may run on this processor; the others are logged and left out."""
    usable = []
    for found in native_builds(folder) if folder else ():
        if found.refusal:
            _log.warning("engine_build_left_out", build=found.build.build_id, reason=found.refusal)
        else:
            usable.append(found)
    return tuple(usable)


def build_of_module(module: Path) -> EngineBuild | None:
    """Return the build to which a loaded `_vina_wrapper` belongs; None for that of the wheel."""
    folder = module.parents[1]
    return _read(folder).build if (folder / RECORD).is_file() else None


def write_record(folder: Path, build: EngineBuild, processor: Processor) -> NativeBuild:
    """Complete a build's folder: from now on it counts."""
    body = asdict(build) | {"processor": processor, "cpu_sha256": cpu_hash()}
    (folder / RECORD).write_text(json.dumps(body, indent=2) + "\n")
    return NativeBuild(build, folder)


def module_hash(folder: Path) -> str:
    """Return the SHA-256 of the compiled module in a build's folder, empty when this Python has none there."""
    module = folder / "vina" / _MODULE
    return bytes_hash(module.read_bytes()) if module.is_file() else ""


def cpu_flags() -> frozenset[str]:
    """Return the instruction sets of this processor, as the kernel names them."""
    for line in _CPU_INFO.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def cpu_hash() -> str:
    """Return what a native build is tied to: architecture and instruction sets."""
    return bytes_hash(" ".join((platform.machine(), *sorted(cpu_flags()))).encode())


def lacking(processor: Processor) -> list[str]:
    """Return the instruction sets that a level needs and this processor does not have."""
    needed: Mapping[Processor, frozenset[str]] = {Processor.V3: _V3, Processor.V4: _V4}
    return sorted(needed.get(processor, frozenset()) - cpu_flags())


def _read(folder: Path) -> NativeBuild:
    try:
        body = json.loads((folder / RECORD).read_text())
        processor, cpu_sha256 = Processor(body.pop("processor")), body.pop("cpu_sha256")
        build = EngineBuild(**body | {"scoring_functions": tuple(body["scoring_functions"])})
    except (OSError, ValueError, TypeError, KeyError):
        return NativeBuild(EngineBuild("vina", "", folder.name, ()), folder, f"{RECORD} cannot be read.")
    return NativeBuild(build, folder, _refusal(folder, build, processor, cpu_sha256))


def _refusal(folder: Path, build: EngineBuild, processor: Processor, cpu_sha256: str) -> str:
    if folder.name != build.build_id:
        return f"Its folder is called {folder.name}."
    if module_hash(folder) != build.sha256:
        return "Its compiled module is missing or was changed."
    if processor is Processor.NATIVE and cpu_sha256 != cpu_hash():
        return "It was made on another processor."
    if missing := lacking(processor):
        return f"This processor lacks {', '.join(missing)}."
    return ""
