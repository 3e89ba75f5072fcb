"""Fails the run on a skipped (or expectedly failing) test that is not on the reviewed list."""

from pathlib import Path

import pytest


def read_reviewed(path: Path) -> dict[str, str]:
    """Read lines of the form `test id: reason`; an id without its `[parameters]` stands for all of them."""
    reviewed: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        test, separator, reason = line.rpartition(": ")
        if not (separator and test.strip() and reason.strip()):
            raise pytest.UsageError(f"{path.name}, line {number}: expected `test id: reason`")
        reviewed[test.strip()] = reason.strip()
    return reviewed


class ReviewedSkips:
    """Pytest plugin; prints the counts of every run."""

    def __init__(self, reviewed: dict[str, str]) -> None:
        self._reviewed = reviewed
        # Ordered; each of several processes tells of the same module.
        self._skipped: dict[str, None] = {}
        self._failed: set[str] = set()
        self._passed: set[str] = set()

    @property
    def unreviewed(self) -> list[str]:
        """Ids of the skipped tests that nobody has agreed to."""
        return [test for test in self._skipped if not {test, test.partition("[")[0]} & self._reviewed.keys()]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once, whatever its phases say."""
        if report.skipped:
            self._skipped[report.nodeid] = None
        elif report.failed:
            self._failed.add(report.nodeid)
        elif report.when == "call":
            self._passed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a module that skips or fails as a whole."""
        if report.skipped:
            self._skipped[report.nodeid] = None
        elif report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn an unreviewed skip into a failure of the run."""
        if self.unreviewed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the counts, and the skips that nobody has agreed to."""
        passed = len(self._passed - self._failed)
        terminalreporter.write_line(f"passed {passed}, failed {len(self._failed)}, skipped {len(self._skipped)}")
        for test in self.unreviewed:
            terminalreporter.write_line(f"SKIPPED WITHOUT REVIEW: {test} (tests/reviewed_skips.txt)", red=True)
