"""A backup of the running deployment, restored into an empty one by the lines of the how-to, holds everything."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.deployment.report import Table
from tests.deployment.screens import Fingerprint, Screens
from tests.deployment.stack import ROOT, Stack
from tests.support.waiting import wait_until

HOW_TO = (ROOT / "docs" / "how-to" / "operate" / "back-up-and-restore.md").read_text(encoding="utf-8")
FOLDER, FILE = "/srv/mad-backups", "mad-20261124T023000Z.tar"
# What a restore changes, and what workers write all the time.
LIVING = {"leases", "workers"}
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
CONTENTS = "SELECT '{0}', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM public.{0} t"
# Tasks that are not over, and finished screens whose analysis is still to be written.
LEFT_TO_DO = (
    "SELECT (SELECT count(*) FROM tasks WHERE state IN ('pending', 'released', 'running'))"
    " + (SELECT count(*) FROM jobs WHERE analyse_top IS NOT NULL AND state = 'completed')"
)


def documented(stack: Stack, line: str, folder: Path, file_name: str = FILE) -> str:
    """Run a line of the how-to as it stands there, but for the names of folder and file."""
    assert re.search(rf"^    {re.escape(line)}$", HOW_TO, re.MULTILINE), f"not in the how-to: {line}"
    return stack.run("sh", "-c", line.replace(FOLDER, str(folder)).replace(FILE, file_name))


def ask(stack: Stack, query: str) -> list[str]:
    postgres = stack.containers("postgres")[0]
    return stack.execute(postgres, "psql", "-U", "lab", "-d", "screens", "-Atc", query).split()


def rows(stack: Stack) -> list[str]:
    """Every table: its name, how many rows, and a sum of their contents."""
    tables = [table for table in ask(stack, TABLES) if table not in LIVING]
    return sorted(ask(stack, " UNION ALL ".join(CONTENTS.format(table) for table in tables)))


def is_at_rest(stack: Stack) -> bool:
    """Whether nothing is left to do: the poses of a finished screen are still analysed for a while."""
    return ask(stack, LEFT_TO_DO) == ["0"]


def files(stack: Stack) -> list[str]:
    """Every stored file with its checksum."""
    found = "cd /data && find uploads results -type f -not -path '*/.*' -exec sha256sum {} + | sort -k 2"
    return stack.execute(stack.containers("api")[0], "sh", "-c", found).splitlines()


@pytest.fixture
def empty(stack: Stack) -> Iterator[Stack]:
    """Another project with volumes of its own, of which nothing runs yet."""
    other = Stack(stack.folder, stack.secrets)
    try:
        yield other
    finally:
        other.remove()


def test_a_backup_is_restored_into_an_empty_deployment(
    stack: Stack,
    empty: Stack,
    screens: Screens,
    undisturbed_job: str,
    undisturbed: Fingerprint,
    table: Table,
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o777)
    wait_until(lambda: is_at_rest(stack), 600, "the screen's analyses do not end", interval_s=0.5)
    began = time.monotonic()
    told = documented(stack, 'deploy/backup/compose-backup.sh "$PWD" /srv/mad-backups 14', tmp_path)
    (backup,) = tmp_path.glob("mad-*.tar")
    table.add("backup", f"{backup.stat().st_size / 1e6:.1f} MB in {time.monotonic() - began:.0f} s")
    assert str(Path("/backups") / backup.name) in told
    held, kept = rows(stack), files(stack)
    assert kept

    began = time.monotonic()
    documented(empty, "docker compose up -d --wait postgres redis", tmp_path)
    documented(
        empty,
        f"docker compose run --rm --no-deps -v {FOLDER}:/backups:ro api mad restore /backups/{FILE}",
        tmp_path,
        backup.name,
    )
    assert not empty.containers("proxy"), "a restore needs no proxy"
    assert rows(empty) == held
    documented(empty, "docker compose up -d", tmp_path)
    empty.wait_ready()
    table.add("restore into an empty deployment", f"ready after {time.monotonic() - began:.0f} s, all rows and files")
    assert files(empty) == kept
    with closing(empty.client()) as client:
        restored = screens.at(client)
        assert restored.fingerprint(undisturbed_job) == undisturbed
        again = restored.submit("after the restore")
        assert restored.wait_final(again.id).state == "completed"
        assert restored.fingerprint(again.id) == undisturbed


def test_a_deployment_with_contents_is_not_overwritten(stack: Stack, undisturbed_job: str, tmp_path: Path) -> None:
    assert undisturbed_job
    tmp_path.chmod(0o777)
    run = f"docker compose run --rm --no-deps -T -v {tmp_path}:/backups api mad"
    stack.run("sh", "-c", f"{run} backup /backups/{FILE}")
    refused = stack.run("sh", "-c", f"{run} restore /backups/{FILE} && exit 1 || test $? -eq 6")
    assert "Stop the API and all workers" in refused
