"""Which build of an engine a new job is pinned to."""

from types import SimpleNamespace
from typing import cast

import pytest

from molecular_analysis_dashboard.domain.docking import KnownBuild
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork
from molecular_analysis_dashboard.use_cases.engines import choose_build

PORTABLE, NATIVE, OLD = "vina-1.2.7-portable", "vina-1.2.7-native", "vina-1.2.5-portable"


@pytest.mark.parametrize(
    ("builds", "chosen"),
    [
        ([], None),
        ([("smina-2020-portable", 4)], None),
        ([(PORTABLE, 2)], PORTABLE),
        ([(PORTABLE, 2), (NATIVE, 2)], NATIVE),
        ([(NATIVE, 2), (PORTABLE, 2)], NATIVE),
        # One of two workers has it: the job would leave the other idle.
        ([(PORTABLE, 4), (NATIVE, 2)], PORTABLE),
        # No worker lives: the build that was seen last.
        ([(PORTABLE, 0), (NATIVE, 0)], PORTABLE),
        ([(NATIVE, 0), (PORTABLE, 0)], NATIVE),
        ([(PORTABLE, 2), (OLD, 2)], PORTABLE),
    ],
)
def test_job_takes_the_build_that_most_slots_run_and_the_faster_of_equals(
    builds: list[tuple[str, int]], chosen: str | None
) -> None:
    known = [KnownBuild(build_id, slots) for build_id, slots in builds]
    uow = cast(UnitOfWork, SimpleNamespace(workers=SimpleNamespace(engine_builds=lambda: known)))

    assert choose_build(uow, "vina", "vina") == chosen


AUTOGRID = "vina-1.2.7-autogrid4.2.6-12345678-portable"


@pytest.mark.parametrize(
    ("scoring", "builds", "chosen"),
    [
        ("ad4", [], None),
        ("ad4", [KnownBuild(PORTABLE, 8, ("vina", "vinardo"))], None),
        ("ad4", [KnownBuild(PORTABLE, 8, ("vina",)), KnownBuild(AUTOGRID, 2, ("ad4",))], AUTOGRID),
        ("vina", [KnownBuild(AUTOGRID, 8, ("ad4",)), KnownBuild(PORTABLE, 2, ("vina",))], PORTABLE),
        ("vina", [KnownBuild(AUTOGRID, 8, ("ad4",))], None),
    ],
)
def test_job_takes_a_build_that_scores_as_it_asks(scoring: str, builds: list[KnownBuild], chosen: str | None) -> None:
    uow = cast(UnitOfWork, SimpleNamespace(workers=SimpleNamespace(engine_builds=lambda: builds)))

    assert choose_build(uow, "vina", scoring) == chosen
