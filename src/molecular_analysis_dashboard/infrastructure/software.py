"""What the results of a worker depend on besides the engine build, for provenance."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from molecular_analysis_dashboard.domain.docking import EngineBuild

# Everything that reads, prepares, types or docks a molecule.
_PACKAGES = (
    "rdkit",
    "meeko",
    "dimorphite_dl",
    "gemmi",
    "pdb2pqr",
    "propka",
    "biotite",
    "numpy",
    "scipy",
    "vina",
    "posebusters",
    "prolif",
)


def installed_software(builds: Sequence[EngineBuild]) -> dict[str, object]:
    """Return Python, platform, package versions and, by build, the engine's version and hash."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
        "engines": {build.build_id: {"version": build.version, "sha256": build.sha256} for build in builds},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
