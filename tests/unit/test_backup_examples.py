"""The examples of deploy/backup are well-formed, and they and the how-tos name only what exists."""

import configparser
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from molecular_analysis_dashboard.presentation.cli.main import app

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "deploy" / "backup"
CRON_JOB = REPOSITORY / "deploy" / "kubernetes" / "components" / "backup" / "cronjob.yaml"
TEXTS = [*sorted(EXAMPLES.iterdir()), CRON_JOB, *sorted((REPOSITORY / "docs" / "how-to" / "operate").glob("*.md"))]
CALL = re.compile(r"\bmad(?: |, )(backup|restore|migrate|doctor|up|down)\b([^`#\n|]*)")


def test_script_is_executable_and_can_be_parsed() -> None:
    script = EXAMPLES / "compose-backup.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", script], check=True)
    for name in ("mad-backup.cron", "mad-backup.service"):
        assert f"deploy/backup/{script.name} /opt/mad /srv/mad-backups 14" in (EXAMPLES / name).read_text()


@pytest.mark.parametrize("name", ["mad-backup.service", "mad-backup.timer"])
def test_units_can_be_parsed(name: str) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(EXAMPLES / name)
    assert "Unit" in unit


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_commands_and_options_exist(path: Path) -> None:
    commands: Any = get_command(app)
    for name, rest in CALL.findall(path.read_text()):
        known = {option for parameter in commands.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, (name, rest)
