import os
from pathlib import Path

import pytest
from tests.support.environment import strip_settings
from tests.support.reviewed_skips import ReviewedSkips, read_reviewed

REVIEWED = Path(__file__).with_name("reviewed_skips.txt")


def pytest_configure(config: pytest.Config) -> None:
    strip_settings(os.environ)
    config.pluginmanager.register(ReviewedSkips(read_reviewed(REVIEWED)), "reviewed-skips")
