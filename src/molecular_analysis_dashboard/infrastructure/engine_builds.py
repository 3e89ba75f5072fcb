"""The engine builds of this machine, for the command that lists and makes them."""

from dataclasses import asdict, dataclass
from pathlib import Path

from molecular_analysis_dashboard.adapters.engines.native_builds import NativeBuild, Processor, native_builds
from molecular_analysis_dashboard.adapters.engines.registry import installed_builds
from molecular_analysis_dashboard.adapters.engines.vina_compiler import compile_vina
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput


@dataclass(frozen=True)
class OfferedBuild:
    """One line of the list; `folder` is empty for what is installed, `refusal` for what can be used."""

    build_id: str
    engine: str
    version: str
    scoring_functions: tuple[str, ...]
    sha256: str
    folder: str = ""
    refusal: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the line as JSON-compatible values."""
        return asdict(self)


def offered_builds(folder: Path) -> list[OfferedBuild]:
    """Return the installed engines' builds, then those in the folder, usable or not."""
    found = [OfferedBuild(**asdict(build)) for build in installed_builds()]
    return found + [_offered(native) for native in native_builds(folder)]


def build_vina(folder: Path, processor: str) -> OfferedBuild:
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
    return _offered(compile_vina(folder, Processor(processor), installed.scoring_functions))


def _offered(native: NativeBuild) -> OfferedBuild:
    return OfferedBuild(**asdict(native.build), folder=str(native.folder), refusal=native.refusal)
