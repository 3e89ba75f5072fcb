"""Which docking engines are installed: entry points, loaded when needed."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points

import structlog

from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, TakesAutoGrid, find_autogrid
from molecular_analysis_dashboard.domain.docking import EngineBuild
from molecular_analysis_dashboard.domain.engine_commands import AD4, DockingPrograms
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.ports.engine import DockingEngine, EngineOfSeveralBuilds

ENTRY_POINT_GROUP = "molecular_analysis_dashboard.engines"
EngineFactory = Callable[[], DockingEngine]
_NONE = DockingPrograms()

_log = structlog.get_logger(__name__)


def installed_engines(programs: DockingPrograms = _NONE) -> dict[str, EngineFactory]:
    """Return a factory for each installed engine by name; an engine is imported when its factory is called.

    Parameters
    ----------
    programs : DockingPrograms
        Programs that are engines too, or that engines need.
    """
    autogrid = find_autogrid(programs.autogrid)
    engines: dict[str, EngineFactory] = {
        name: partial(_command_engine, name, command, autogrid) for name, command in programs.engines.items()
    }
    for point in entry_points(group=ENTRY_POINT_GROUP):
        taken = point.name in programs.engines
        engines[point.name] = _twice(point.name) if taken else _factory(point, autogrid)
    return engines


def load_engine(name: str, programs: DockingPrograms = _NONE) -> DockingEngine:
    """Return a new instance of an installed engine.

    Raises
    ------
    EngineFailed
        ``engine_not_installed`` or ``engine_unusable``.
    """
    engines = installed_engines(programs)
    if name not in engines:
        known = ", ".join(sorted(engines)) or "none"
        raise EngineFailed(
            f"The docking engine “{name}” is not installed here. Installed: {known}.",
            code="engine_not_installed",
            engine=name,
        )
    return engines[name]()


def usable_engines(programs: DockingPrograms = _NONE) -> tuple[DockingEngine, ...]:
    """Return the engines that load and know their build, by name; one that does not is logged and left out."""
    engines = []
    for name, factory in sorted(installed_engines(programs).items()):
        try:
            engine = factory()
            _log.debug("engine_found", build=engine.build.build_id)
        except EngineFailed as cause:
            _log.warning("engine_left_out", engine=name, reason=cause.message)
        else:
            engines.append(engine)
    return tuple(engines)


def installed_builds(programs: DockingPrograms = _NONE) -> tuple[EngineBuild, ...]:
    """Return the builds of the usable engines, by name."""
    return tuple(build for engine in usable_engines(programs) for build in builds_of(engine))


def builds_of(engine: DockingEngine) -> tuple[EngineBuild, ...]:
    """Return every build that an engine is, its plain one first."""
    further = engine.further_builds if isinstance(engine, EngineOfSeveralBuilds) else ()
    return (engine.build, *further)


def schema_of(engine: DockingEngine, build: EngineBuild) -> Mapping[str, object]:
    """Return the schema of an engine's parameters as one of its builds reads them: with the build's own scoring."""
    schema = engine.parameter_schema
    if build == engine.build or not build.scoring_functions:
        return schema
    scoring = {"type": "string", "enum": list(build.scoring_functions), "default": build.scoring_functions[0]}
    offered = schema.get("properties")
    fields = dict(offered) if isinstance(offered, Mapping) else {}
    if AD4 in build.scoring_functions:
        # Its score leaves out what moved side chains cost.
        fields.pop("flexible_residues", None)
    return {**schema, "properties": {**fields, "scoring": scoring}}


def _command_engine(name: str, command: tuple[str, ...], autogrid: AutoGrid | None) -> DockingEngine:
    from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine

    return VinaCommandEngine(name, command, autogrid)


def _twice(name: str) -> EngineFactory:
    def refuse() -> DockingEngine:
        raise EngineFailed(
            f"The engine name “{name}” is taken by an installed package. Rename it in MAD_ENGINE_COMMANDS.",
            code="engine_unusable",
            engine=name,
        )

    return refuse


def _factory(point: EntryPoint, autogrid: AutoGrid | None) -> EngineFactory:
    def create() -> DockingEngine:
        try:
            engine: DockingEngine = point.load()()
        except Exception as cause:  # a plug-in may fail in any way, and must not take the others along
            raise EngineFailed(
                f"The docking engine “{point.name}” cannot be loaded: {cause}. Reinstall it or remove it.",
                code="engine_unusable",
                engine=point.name,
            ) from cause
        return engine.with_autogrid(autogrid) if autogrid and isinstance(engine, TakesAutoGrid) else engine

    return create
