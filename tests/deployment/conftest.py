"""One deployment for the whole run; without a Docker engine the run fails at once and says so."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.deployment.report import Table
from tests.deployment.screens import N_RECORDS, Fingerprint, Screens
from tests.deployment.stack import Stack, clean_copy, write_secrets

_TABLE = pytest.StashKey[Table]()
# One screen or one start may take many minutes where others use the machine too.
_PATIENCE_S = 3600


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLE] = Table()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in (item for item in items if Path(__file__).parent in item.path.parents):
        item.add_marker(pytest.mark.timeout(_PATIENCE_S))


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    for command in (["docker", "version", "--format", "{{.Server.Version}}"], ["docker", "compose", "version"]):
        try:
            asked = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.exit("The deployment tests need Docker with Compose; there is no program `docker`.", 1)
        if asked.returncode:
            pytest.exit(f"The deployment tests need a Docker engine: {asked.stderr.strip()}", 1)
        session.config.stash[_TABLE].add(" ".join(command[:2]), asked.stdout.strip())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("deployment")
    for line in config.stash[_TABLE].lines():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Table:
    return pytestconfig.stash[_TABLE]


@pytest.fixture(scope="session")
def stack(table: Table) -> Iterator[Stack]:
    # A folder of its own: that of pytest goes before fixtures end when a run is interrupted.
    with tempfile.TemporaryDirectory(prefix="mad-deployment-") as folder:
        stack = Stack(clean_copy(Path(folder) / "a clean clone"), write_secrets(Path(folder) / "secrets"))
        try:
            stack.start()
            for line, seconds in stack.seconds.items():
                table.add(line, f"{seconds:.0f} s")
            yield stack
        finally:
            stack.remove()
            stack.remove_images()


@pytest.fixture(scope="session")
def screens(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    with closing(stack.client()) as client:
        yield Screens(client, tmp_path_factory.mktemp("screens"))


@pytest.fixture(scope="session")
def undisturbed_job(screens: Screens, table: Table) -> str:
    began = time.monotonic()
    job = screens.submit("undisturbed")
    assert screens.wait_final(job.id).state == "completed"
    table.add("undisturbed screen", f"{N_RECORDS} records in {time.monotonic() - began:.0f} s")
    return job.id


@pytest.fixture(scope="session")
def undisturbed(screens: Screens, undisturbed_job: str) -> Fingerprint:
    found = screens.fingerprint(undisturbed_job)
    assert len(found) == N_RECORDS, "scored and rejected sum to the input"
    return found
