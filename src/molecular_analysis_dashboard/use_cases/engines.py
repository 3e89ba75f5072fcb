"""Which engines there are: as workers registered their builds."""

from collections.abc import Sequence

from molecular_analysis_dashboard.domain.docking import DockingProtocol, KnownBuild
from molecular_analysis_dashboard.domain.engine_commands import preferred_scoring, scoring_refusal
from molecular_analysis_dashboard.domain.engine_parameters import first_unsupported
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork

# Every release carries it, so that protocols can be written before the first worker has started.
_BUNDLED: dict[str, tuple[str, ...]] = {"vina": ("vina", "vinardo")}


def known_engines(database: Database) -> list[KnownBuild]:
    """Return all builds that workers have or had: those of live workers first, then the latest seen."""
    with database.begin(SystemScope()) as uow:
        return uow.workers.engine_builds()


def choose_build(uow: UnitOfWork, engine: str, scoring: str) -> str | None:
    """Return the build that a new job of this engine is pinned to, or None if no worker ever had one that scores so.

    The build that most live slots can run, and where several are alike the one made for their processor, which gives
    as good results in less time.
    """
    builds = [build for build in uow.workers.engine_builds() if build.engine == engine and build.offers(scoring)]
    if not builds:
        return None
    most = max(build.live_slots for build in builds)
    alike = [build for build in builds if build.live_slots == most]
    tuned = [build for build in alike if most and not build.is_portable]
    return (tuned or alike)[0].build_id


def build_for(uow: UnitOfWork, engine: str, scoring: str) -> str:
    """Return the build that a new job is pinned to; Conflict (``no_engine``) if there never was one that scores so."""
    build = choose_build(uow, engine, scoring)
    if build is None:
        raise Conflict(
            f"No worker has ever offered the engine {engine} with the scoring function {scoring}. Start a worker that "
            "has it, then submit again.",
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
    builds = uow.workers.engine_builds()
    offered = _BUNDLED | _offered_by(builds)
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
            scoring_refusal(f"The engine {protocol.engine}", protocol.scoring, scoring),
            code="scoring_unsupported",
            choices=list(scoring),
        )
    alike = (build for build in builds if build.engine == protocol.engine and build.offers(protocol.scoring))
    schema = next((build.parameter_schema for build in alike), {})
    if schema and (problem := first_unsupported(schema, protocol)):
        raise InvalidInput(problem.message, code="parameter_unsupported", field=problem.field)


def default_scoring(uow: UnitOfWork, engine: str, wished: str) -> str:
    """Return a scoring function if an engine offers it, else the engine's own default."""
    offered = (_BUNDLED | _offered_by(uow.workers.engine_builds())).get(engine, ())
    return wished if wished in offered else preferred_scoring(offered) or wished


def _offered_by(builds: Sequence[KnownBuild]) -> dict[str, tuple[str, ...]]:
    """Return the scoring functions of each engine: those of the builds that live workers have, else of all."""
    offered: dict[str, tuple[str, ...]] = {}
    alive = {build.engine for build in builds if build.live_slots}
    for build in builds:
        if build.live_slots or build.engine not in alive:
            told = build.scoring_functions or _BUNDLED.get(build.engine, ())
            offered[build.engine] = tuple(dict.fromkeys((*offered.get(build.engine, ()), *told)))
    return offered


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)
