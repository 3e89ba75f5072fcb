import os

import pytest

from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, read_autogrid
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine
from molecular_analysis_dashboard.domain.engine_commands import parse_engine_commands

COMMANDS = parse_engine_commands(os.environ.get("MAD_TEST_ENGINE_COMMANDS", ""))
AUTOGRID = os.environ.get("MAD_TEST_AUTOGRID", "")

# These tests belong to `make test-engines`; what is not named there is not part of the suite at all.
collect_ignore = [
    *(() if COMMANDS else ("test_programs.py",)),
    *(() if AUTOGRID else ("test_ad4.py",)),
    *(() if AUTOGRID and "MAD_BENCHMARK_DATA" in os.environ else ("test_ad4_published_complex.py",)),
]


@pytest.fixture(scope="session", params=sorted(COMMANDS))
def engine(request: pytest.FixtureRequest) -> VinaCommandEngine:
    """One of the programs that the environment names as settings would."""
    return VinaCommandEngine(request.param, COMMANDS[request.param])


@pytest.fixture(scope="session")
def autogrid() -> AutoGrid:
    """The AutoGrid that the environment names."""
    return read_autogrid(AUTOGRID)
