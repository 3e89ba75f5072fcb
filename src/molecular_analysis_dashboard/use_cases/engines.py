"""Which engine builds there are: as workers registered them."""

import re
from dataclasses import dataclass

from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork

# Builds are named <engine>-<version>-<variant>, and versions begin with a digit.
_BUILD = re.compile(r"(?P<engine>.+?)-\d.*")


@dataclass(frozen=True)
class KnownBuild:
    """An engine build, and the slots of live workers that can run it."""

    build_id: str
    live_slots: int

    @property
    def engine(self) -> str:
        """Name of the engine."""
        match = _BUILD.fullmatch(self.build_id)
        return match["engine"] if match else self.build_id


def known_engines(database: Database) -> list[KnownBuild]:
    """Return all builds that workers have or had: those of live workers first, then the latest seen."""
    with database.begin(SystemScope()) as uow:
        return _known(uow)


def choose_build(uow: UnitOfWork, engine: str) -> str | None:
    """Return the build that a new job of this engine is pinned to, or None if no worker ever had one."""
    return next((build.build_id for build in _known(uow) if build.engine == engine), None)


def _known(uow: UnitOfWork) -> list[KnownBuild]:
    return [KnownBuild(build_id, slots) for build_id, slots in uow.control.engine_builds()]
