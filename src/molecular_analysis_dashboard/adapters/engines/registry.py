"""Which docking engines are installed: entry points, loaded when needed."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

import structlog

from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.engine_commands import EngineCommands
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.ports.engine import DockingEngine

ENTRY_POINT_GROUP = "molecular_analysis_dashboard.engines"
EngineFactory = Callable[[], DockingEngine]
_NONE: EngineCommands = MappingProxyType({})

_log = structlog.get_logger(__name__)


def installed_engines(commands: EngineCommands = _NONE) -> dict[str, EngineFactory]:
    """Return a factory for each installed engine by name; an engine is imported when its factory is called.

    Parameters
    ----------
    commands : mapping
        Programs of the Vina family that are engines too, by name.
    """
    engines: dict[str, EngineFactory] = {
        name: partial(_command_engine, name, command) for name, command in commands.items()
    }
    for point in entry_points(group=ENTRY_POINT_GROUP):
        engines[point.name] = _twice(point.name) if point.name in commands else _factory(point)
    return engines


def load_engine(name: str, commands: EngineCommands = _NONE) -> DockingEngine:
    """Return a new instance of an installed engine.

    Raises
    ------
    EngineFailed
        ``engine_not_installed`` or ``engine_unusable``.
    """
    engines = installed_engines(commands)
    if name not in engines:
        known = ", ".join(sorted(engines)) or "none"
        raise EngineFailed(
            f"The docking engine “{name}” is not installed here. Installed: {known}.",
            code="engine_not_installed",
            engine=name,
        )
    return engines[name]()


def usable_engines(commands: EngineCommands = _NONE) -> tuple[DockingEngine, ...]:
    """Return the engines that load and know their build, by name; one that does not is logged and left out."""
    engines = []
    for name, factory in sorted(installed_engines(commands).items()):
        try:
            engine = factory()
            _log.debug("engine_found", build=engine.build.build_id)
        except EngineFailed as cause:
            _log.warning("engine_left_out", engine=name, reason=cause.message)
        else:
            engines.append(engine)
    return tuple(engines)


def installed_builds(commands: EngineCommands = _NONE) -> tuple[EngineBuild, ...]:
    """Return the builds of the usable engines, by name."""
    return tuple(engine.build for engine in usable_engines(commands))


def _command_engine(name: str, command: tuple[str, ...]) -> DockingEngine:
    from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine

    return VinaCommandEngine(name, command)


def _twice(name: str) -> EngineFactory:
    def refuse() -> DockingEngine:
        raise EngineFailed(
            f"The engine name “{name}” is taken by an installed package. Rename it in MAD_ENGINE_COMMANDS.",
            code="engine_unusable",
            engine=name,
        )

    return refuse


def _factory(point: EntryPoint) -> EngineFactory:
    def create() -> DockingEngine:
        try:
            engine: DockingEngine = point.load()()
        except Exception as cause:  # a plug-in may fail in any way, and must not take the others along
            raise EngineFailed(
                f"The docking engine “{point.name}” cannot be loaded: {cause}. Reinstall it or remove it.",
                code="engine_unusable",
                engine=point.name,
            ) from cause
        return engine

    return create
