import os
from pathlib import Path

import pytest

VARIABLE = "MAD_BENCHMARK_DATA"

# These tests belong to runs that have the benchmark data; without it they are not part of the suite at all.
if VARIABLE not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def benchmark_data() -> Path:
    return Path(os.environ[VARIABLE])
