"""The rules that the tests themselves are held to."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.environment import strip_settings
from tests.support.reviewed_skips import read_reviewed
from tests.support.waiting import wait_until

TESTS = Path(__file__).parents[1]

CONFTEST = """
from support.reviewed_skips import ReviewedSkips

def pytest_configure(config):
    config.pluginmanager.register(ReviewedSkips({REVIEWED}))
"""
SKIPPING = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="no engine")
@pytest.mark.parametrize("number", [1, 2])
def test_skips(number):
    pass
"""


def sleeps(source: str) -> Iterator[int]:
    """Lines that sleep a fixed time, or import a function that does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "asyncio", "anyio"):
            if any(alias.name == "sleep" for alias in node.names):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr == "sleep":
            yield node.lineno


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_sleeps(path: Path) -> None:
    assert list(sleeps(path.read_text(encoding="utf-8"))) == [], "poll with tests.support.waiting.wait_until"


@pytest.mark.parametrize(
    "source", ["import time\ntime.sleep(1)", "from time import sleep", "import asyncio\nawait asyncio.sleep(0.1)"]
)
def test_sleeping_is_noticed(source: str) -> None:
    assert list(sleeps(source))


class TestWaitUntil:
    def test_returns_the_first_true_answer(self) -> None:
        answers = iter([0, "", "ready", "later"])
        assert wait_until(lambda: next(answers), 10, "never", interval_s=0) == "ready"

    def test_fails_with_the_state_at_the_end(self) -> None:
        asked: list[int] = []
        with pytest.raises(AssertionError, match=r"after 0.05 s: asked \d+ times"):
            wait_until(lambda: asked.append(1), 0.05, lambda: f"asked {len(asked)} times")
        assert len(asked) >= 2

    def test_asks_at_least_once(self) -> None:
        assert wait_until(lambda: True, 0, "never")


def test_settings_of_the_caller_do_not_reach_the_tests() -> None:
    environ = {
        "MAD_LEASE_S": "1",
        "MAD_NEW": "1",
        "SECRET_KEY_FILE": "/x",
        "PORT": "1",
        "PGHOST": "db",
        "AWS_REGION": "eu-central-1",
        "MAD_BENCHMARK_DATA": "/data",
        "MAD_TEST_ENGINE": "1",
        "PATH": "/bin",
    }
    strip_settings(environ)
    assert environ == {"MAD_BENCHMARK_DATA": "/data", "MAD_TEST_ENGINE": "1", "PATH": "/bin"}


def run(folder: Path, source: str, reviewed: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.replace("{REVIEWED}", repr(reviewed)))
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class TestReviewedSkips:
    def test_an_unreviewed_skip_fails_the_run(self, tmp_path: Path) -> None:
        result = run(tmp_path, SKIPPING, {})
        assert result.returncode == pytest.ExitCode.TESTS_FAILED
        assert "passed 1, failed 0, skipped 2" in result.stdout
        assert "SKIPPED WITHOUT REVIEW: test_it.py::test_skips[1]" in result.stdout

    @pytest.mark.parametrize(
        "reviewed", [("test_it.py::test_skips",), ("test_it.py::test_skips[1]", "test_it.py::test_skips[2]")]
    )
    def test_a_reviewed_skip_does_not(self, tmp_path: Path, reviewed: tuple[str, ...]) -> None:
        result = run(tmp_path, SKIPPING, dict.fromkeys(reviewed, "agreed"))
        assert result.returncode == pytest.ExitCode.OK
        assert "passed 1, failed 0, skipped 2" in result.stdout

    @pytest.mark.parametrize(
        "source",
        [
            "import pytest\npytest.importorskip('no_such_module')\n",
            "import pytest\n\n@pytest.mark.xfail\ndef test_fails():\n    assert False\n",
            "import pytest\n\n@pytest.fixture\ndef vina():\n    pytest.skip('none')\n\ndef test_it(vina):\n    pass\n",
        ],
    )
    def test_no_way_of_skipping_goes_unnoticed(self, tmp_path: Path, source: str) -> None:
        result = run(tmp_path, source, {})
        assert result.returncode == pytest.ExitCode.TESTS_FAILED
        assert "passed 0, failed 0, skipped 1" in result.stdout

    def test_two_processes_count_each_test_once(self, tmp_path: Path) -> None:
        module_skips = "import pytest\npytest.importorskip('no_such_module')\n"
        (tmp_path / "test_other.py").write_text(SKIPPING)
        result = run(tmp_path, module_skips, {"test_other.py::test_skips": "agreed"}, "-n", "2")
        assert result.returncode == pytest.ExitCode.TESTS_FAILED
        assert "passed 1, failed 0, skipped 3" in result.stdout
        assert "SKIPPED WITHOUT REVIEW: test_it.py" in result.stdout

    def test_failures_are_counted(self, tmp_path: Path) -> None:
        result = run(tmp_path, "def test_a():\n    assert 0\n\ndef test_b():\n    pass\n", {})
        assert result.returncode == pytest.ExitCode.TESTS_FAILED
        assert "passed 1, failed 1, skipped 0" in result.stdout

    def test_every_entry_of_the_list_needs_a_reason(self, tmp_path: Path) -> None:
        path = tmp_path / "reviewed_skips.txt"
        path.write_text("# comment\n\ntests/a.py::test_x[a::b]: needs a GPU\n")
        assert read_reviewed(path) == {"tests/a.py::test_x[a::b]": "needs a GPU"}
        path.write_text("tests/a.py::test_x\n")
        with pytest.raises(pytest.UsageError, match="line 1"):
            read_reviewed(path)
