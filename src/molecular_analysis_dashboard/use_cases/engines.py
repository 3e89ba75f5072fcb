"""Which engines there are: as workers registered their builds."""

from collections.abc import Mapping, Sequence

from molecular_analysis_dashboard.domain.docking import DockingProtocol, KnownBuild
from molecular_analysis_dashboard.domain.engine_parameters import first_unsupported
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork

# Every release carries it, so that protocols can be written before the first worker has started.
_BUNDLED: Mapping[str, tuple[str, ...]] = {"vina": ("vina", "vinardo")}


def known_engines(database: Database) -> list[KnownBuild]:
    """Return all builds that workers have or had: those of live workers first, then the latest seen."""
    with database.begin(SystemScope()) as uow:
        return uow.control.engine_builds()


def choose_build(uow: UnitOfWork, engine: str) -> str | None:
    """Return the build that a new job of this engine is pinned to, or None if no worker ever had one.

    The build that most live slots can run, and where several are alike the one made for their processor, which gives
    as good results in less time.
    """
    builds = [build for build in uow.control.engine_builds() if build.engine == engine]
    if not builds:
        return None
    most = max(build.live_slots for build in builds)
    alike = [build for build in builds if build.live_slots == most]
    tuned = [build for build in alike if most and not build.is_portable]
    return (tuned or alike)[0].build_id


def build_for(uow: UnitOfWork, engine: str) -> str:
    """Return the build that a new job of this engine is pinned to; Conflict (``no_engine``) if there never was one."""
    build = choose_build(uow, engine)
    if build is None:
        raise Conflict(
            f"No worker has ever offered the engine {engine}. Start a worker that has it, then submit again.",
            code="no_engine",
            engine=engine,
        )
    return build


def check_engine(uow: UnitOfWork, protocol: DockingProtocol) -> None:
    """Refuse a protocol that no engine known here could follow.

    Raises
    ------
    InvalidInput
        With code ``engine_unknown`` or ``scoring_unsupported`` and the choices there are, or with code
        ``parameter_unsupported`` and the field.
    """
    builds = {build.engine: build for build in reversed(uow.control.engine_builds())}
    offered = dict(_BUNDLED)
    for engine, build in builds.items():
        offered[engine] = build.scoring_functions or offered.get(engine, ())
    if protocol.engine not in offered:
        raise InvalidInput(
            f"There is no docking engine {protocol.engine}. Choose {_either(sorted(offered))}, or start a worker that "
            f"has {protocol.engine} first.",
            code="engine_unknown",
            choices=sorted(offered),
        )
    scoring = offered[protocol.engine]
    if scoring and protocol.scoring not in scoring:
        raise InvalidInput(
            f"The engine {protocol.engine} has no scoring function {protocol.scoring}. Choose {_either(scoring)}.",
            code="scoring_unsupported",
            choices=list(scoring),
        )
    schema = builds[protocol.engine].parameter_schema if protocol.engine in builds else {}
    if schema and (problem := first_unsupported(schema, protocol)):
        raise InvalidInput(problem.message, code="parameter_unsupported", field=problem.field)


def default_scoring(uow: UnitOfWork, engine: str, wished: str) -> str:
    """Return a scoring function if an engine offers it, else the engine's own default."""
    builds = [build for build in uow.control.engine_builds() if build.engine == engine]
    offered = builds[0].scoring_functions if builds else ()
    offered = offered or _BUNDLED.get(engine, ())
    return wished if wished in offered or not offered else offered[0]


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)
