"""``mad migrate``: the database's schema."""

import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.options import AsJson, DataDir, console_of

Check = Annotated[bool, typer.Option("--check", help="Only tell whether this release may work on the database.")]


def migrate(ctx: typer.Context, check: Check = False, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this release.

    With --check the exit status is 0 if this release may work on the database as it is, else 1.
    """
    from molecular_analysis_dashboard.infrastructure import migrations
    from molecular_analysis_dashboard.infrastructure.installations import chosen_installation

    console = console_of(ctx, as_json)
    with chosen_installation(data_dir, os.environ) as installation:
        if check:
            _check(console, installation.settings)
            return
        before = migrations.status_of(installation.settings)
        migrations.migrate(installation.settings)
        after = migrations.status_of(installation.settings)
    done = list(before.pending)
    text = f"Applied {', '.join(done)}. {after.sentence}" if done else after.sentence
    console.result(text, {"applied": done, **asdict(after)})


def _check(console: Console, settings: Any) -> None:  # noqa: ANN401
    from molecular_analysis_dashboard.infrastructure import migrations

    try:
        status = migrations.status_of(settings)
    except ResourceLost as error:
        console.result(error.message, {"state": "unreachable", "usable": False, "message": error.message})
        raise typer.Exit(ExitCode.FAILED) from error
    pending = f" Missing: {', '.join(status.pending)}." if status.pending else ""
    facts = {"usable": status.usable, "message": status.sentence, **asdict(status)}
    console.result(status.sentence + pending, facts)
    if not status.usable:
        raise typer.Exit(ExitCode.FAILED)
