"""Which docking engines are installed: entry points, loaded when needed."""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import structlog

from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.ports.engine import DockingEngine

ENTRY_POINT_GROUP = "molecular_analysis_dashboard.engines"
EngineFactory = Callable[[], DockingEngine]

_log = structlog.get_logger(__name__)


def installed_engines() -> dict[str, EngineFactory]:
    """Return a factory for each installed engine by name; an engine is imported when its factory is called."""
    return {point.name: _factory(point) for point in entry_points(group=ENTRY_POINT_GROUP)}


def load_engine(name: str) -> DockingEngine:
    """Return a new instance of an installed engine.

    Raises
    ------
    EngineFailed
        ``engine_not_installed`` or ``engine_unusable``.
    """
    engines = installed_engines()
    if name not in engines:
        known = ", ".join(sorted(engines)) or "none"
        raise EngineFailed(
            f"The docking engine “{name}” is not installed here. Installed: {known}.",
            code="engine_not_installed",
            engine=name,
        )
    return engines[name]()


def installed_builds() -> tuple[EngineBuild, ...]:
    """Return the builds of the engines that load, by name; one that does not is logged and left out."""
    builds = []
    for name, factory in sorted(installed_engines().items()):
        try:
            builds.append(factory().build)
        except EngineFailed as cause:
            _log.warning("engine_left_out", engine=name, reason=cause.message)
    return tuple(builds)


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
