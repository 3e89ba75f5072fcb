"""A screen with AutoDock 4 goes to the workers that have AutoGrid, and to no others."""

from pathlib import Path

from tests.support.autogrid_scripts import write_autogrid
from tests.support.family_programs import RECEPTOR
from tests.support.ledger_stack import ledger_stack

from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.use_cases.engines import choose_build, known_engines

CHARGED = RECEPTOR.replace("+0.000 C ", "+0.250 C ")
BOX = SearchBox((0.0, 0.0, 0.0), (12.0, 12.0, 12.0))
WHO_DOCKED = (
    "SELECT array_agg(DISTINCT w.pid) FROM attempts a JOIN workers w ON w.id = a.worker_id "
    "JOIN tasks t ON t.id = a.task_id WHERE t.job_id = :job_id AND t.kind = 'dock'"
)


def test_screen_with_ad4_is_docked_by_the_worker_that_has_autogrid(tmp_path: Path) -> None:
    with ledger_stack() as stack:
        stack.start_worker(slots=1)
        with stack.database.begin(SystemScope()) as uow:
            assert choose_build(uow, "vina", "ad4") is None
        able = stack.start_worker(slots=1, MAD_AUTOGRID_COMMAND=write_autogrid(tmp_path / "autogrid4"))
        with stack.database.begin(SystemScope()) as uow:
            build_id = choose_build(uow, "vina", "ad4")
            assert choose_build(uow, "vina", "vina") == "vina-1.2.7-portable"
        assert build_id is not None

        job_id = stack.submit(
            {"ethanol": "CCO", "benzene": "c1ccccc1"},
            engine="vina",
            scoring="ad4",
            receptor_pdbqt=CHARGED,
            box=BOX,
            build_id=build_id,
        )
        stack.wait_completed(job_id)

        assert stack.scalar(WHO_DOCKED, job_id=job_id) == [able.pid]
        offered = {build.build_id: build for build in known_engines(stack.database)}
        assert offered[build_id].parameter_schema["properties"]["scoring"]["enum"] == ["ad4"]
