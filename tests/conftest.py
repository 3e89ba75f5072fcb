import os
import signal
from pathlib import Path

import pytest
from tests.support.environment import strip_settings
from tests.support.reviewed_skips import ReviewedSkips, read_reviewed

REVIEWED = Path(__file__).with_name("reviewed_skips.txt")


def pytest_configure(config: pytest.Config) -> None:
    strip_settings(os.environ)
    # Every machine has the same engines, whatever is installed.
    os.environ["MAD_AUTOGRID_COMMAND"] = "off"
    # Run in the background of a shell or by nohup, pytest ignores these, and so would every program that the tests end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.pluginmanager.register(ReviewedSkips(read_reviewed(REVIEWED)), "reviewed-skips")
