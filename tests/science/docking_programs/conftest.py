import os

import pytest

from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine
from molecular_analysis_dashboard.domain.engine_commands import parse_engine_commands

VARIABLE = "MAD_TEST_ENGINE_COMMANDS"
COMMANDS = parse_engine_commands(os.environ.get(VARIABLE, ""))

# These tests belong to `make test-engines`; without programs they are not part of the suite at all.
if not COMMANDS:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session", params=sorted(COMMANDS))
def engine(request: pytest.FixtureRequest) -> VinaCommandEngine:
    """One of the programs that the environment names as settings would."""
    return VinaCommandEngine(request.param, COMMANDS[request.param])
