"""Entry of the `mad` command: the commands it has, and how each way of failing is told."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.infrastructure.logging import configure_logging
from molecular_analysis_dashboard.infrastructure.redaction import redact_text
from molecular_analysis_dashboard.infrastructure.settings import unknown_settings
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.presentation.cli import (
    analyse,
    backup,
    containers,
    demo,
    dock,
    doctor,
    engines,
    jobs,
    migrate,
    pockets,
    prepare,
    redock,
    rescore,
    stack,
    validate,
)
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode, exit_code_of
from molecular_analysis_dashboard.presentation.cli.options import console_of

app = typer.Typer(
    name="mad",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Dock and screen molecules, and run the dashboard that shows what came out.",
)
app.command()(stack.up)
app.command()(stack.down)
app.command()(stack.status)
app.command()(demo.demo)
app.command()(dock.dock)
app.command()(prepare.prepare)
app.command()(pockets.pockets)
app.command()(redock.redock)
app.command()(validate.validate)
app.add_typer(jobs.app, name="jobs")
app.add_typer(engines.app, name="engines")
app.command()(analyse.analyse)
app.command()(rescore.rescore)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(migrate.migrate)
app.command()(doctor.doctor)
app.command("check-worker")(containers.check_worker)
app.command()(containers.flower)


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"{package_version()}\n")
        raise typer.Exit


# Their settings, if they read any, are those of the server; the others refuse unknown ones themselves.
_TALK_TO_A_SERVER = frozenset(
    {"status", "down", "jobs", "analyse", "dock", "pockets", "prepare", "redock", "rescore", "validate", "demo"}
)


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    del version
    if ctx.invoked_subcommand in _TALK_TO_A_SERVER:
        for sentence in unknown_settings(os.environ):
            console_of(ctx, as_json=False).warn(sentence)


def main() -> NoReturn:
    """Run the command of this process and end it with one of `ExitCode`."""
    configure_logging("warning", json=False, stream="stderr")
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; every failure has been told by then."""
    console = Console()
    try:
        status = app(arguments, prog_name="mad", obj=console, standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    except TyperException as error:
        return _wrong_line(console, error, arguments)
    except MadError as error:
        console.fail(error.error_code, error.message, error.details)
        return exit_code_of(error)
    except Exception as error:
        console.fail("internal_error", _kept(error, arguments), {})
        return ExitCode.FAILED
    return int(status or ExitCode.OK)


def _wrong_line(console: Console, error: TyperException, arguments: Sequence[str]) -> int:
    """Tell what is wrong with a command line; it was not understood, so whether it asks for JSON is read off it."""
    error.show()  # type: ignore[attr-defined]  # all that a command line can raise have it
    console.json = "--json" in arguments
    console.fail_as_json("usage", error.format_message(), {})
    return ExitCode.USAGE


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Leave on SIGTERM as on Ctrl-C."""
    raise KeyboardInterrupt


def _kept(error: Exception, arguments: Sequence[str]) -> str:
    """Keep the traceback of a bug in a file, and say in one line where."""
    descriptor, path = tempfile.mkstemp(prefix="mad-error-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        # The command alone: what follows may be a token.
        log.write(f"mad {package_version()}: {list(arguments[:1])}\n")
        log.write(redact_text("".join(traceback.format_exception(error))))
    reason = " ".join(str(error).split())[:200]
    return f"This is a bug in the program ({type(error).__name__}: {reason}). Please report it with the file {path}."
