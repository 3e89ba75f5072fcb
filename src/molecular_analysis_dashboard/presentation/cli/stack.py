"""``mad up``, ``mad down`` and ``mad status``: the embedded stack."""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molecular_analysis_dashboard.client import Client
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import (
    StackState,
    read_stack_state,
    recorded_state,
    request_stop,
)
from molecular_analysis_dashboard.infrastructure.logging import configure_logging
from molecular_analysis_dashboard.infrastructure.stack_users import call_when_unused
from molecular_analysis_dashboard.infrastructure.tcp_ports import choose_port
from molecular_analysis_dashboard.presentation.cli.background import start_in_background
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.options import AsJson, DataDir, Token, chosen_data_dir, console_of

if TYPE_CHECKING:
    from molecular_analysis_dashboard.infrastructure.embedded_stack import StackOptions

# A draining worker may finish its ligands, then the servers write what they hold.
_STOP_TIMEOUT_S = 120.0

Port = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        envvar="PORT",
        help="Port on 127.0.0.1; by default 8000 or the next free one.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="CELERY_WORKER_CONCURRENCY",
        help="Docking slots, one process each; by default one per core.",
        show_default=False,
    ),
]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Go to the background once everything is ready.")]
WhileUsed = Annotated[bool, typer.Option("--while-used", hidden=True)]


def up(
    ctx: typer.Context,
    data_dir: DataDir = None,
    port: Port = None,
    workers: Workers = None,
    detach: Detach = False,
    while_used: WhileUsed = False,
    as_json: AsJson = False,
) -> None:
    """Start everything on this machine.

    That is the database, the queue, the dashboard and the docking slots; Ctrl-C stops all of it.
    """
    console = console_of(ctx, as_json)
    folder = chosen_data_dir(data_dir)
    if detach:
        _check(folder, port, workers)
        console.say(f"Starting on {folder} …")
        _report_ready(console, start_in_background(folder, _arguments(port, workers)))
        return
    _run(console, folder, port, workers, while_used)


def down(ctx: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Stop what mad up started.

    Nothing that was done is lost, and the next start goes on with the rest.
    """
    console = console_of(ctx, as_json)
    folder = chosen_data_dir(data_dir)
    with console.busy("Stopping; ligands that are being docked may be finished first …"):
        stopped = request_stop(folder, _STOP_TIMEOUT_S)
    text = f"Stopped the stack of {folder}." if stopped else f"Nothing runs on {folder}."
    console.result(text, {"stopped": stopped, "data_dir": str(folder)})


def status(ctx: typer.Context, data_dir: DataDir = None, token: Token = None, as_json: AsJson = False) -> None:
    """Tell whether it runs and is ready.

    If not, the exit status is 4.
    """
    console = console_of(ctx, as_json)
    folder = chosen_data_dir(data_dir)
    state = read_stack_state(folder)
    if state is None:
        console.result(f"Nothing runs on {folder}. Start it with mad up.", {"running": False, "data_dir": str(folder)})
        raise typer.Exit(ExitCode.NOT_REACHABLE)
    ready, reason = _asked(state, token)
    readiness = "" if state.phase != "running" else ", ready" if ready else ", not ready"
    lines = [f"{state.url or folder}: {state.phase}{readiness}", *([reason] if reason else [])]
    lines += [f"data folder {folder}, process {state.supervisor_pid}, since {state.started_at}"]
    lines += [
        f"{process.name}: process {process.pid or 'none'}, {_restarts(process.deaths)}, log {process.log_file}"
        for process in state.processes
    ]
    console.result("\n".join(lines), {"running": True, "ready": ready, "reason": reason, **_facts(state)})
    if not ready:
        raise typer.Exit(ExitCode.NOT_REACHABLE)


def _run(console: Console, folder: Path, port: int | None, workers: int | None, while_used: bool) -> None:
    from molecular_analysis_dashboard.infrastructure.embedded_stack import embedded_stack

    configure_logging("warning", json=False, stream="stderr")
    options = _options(folder, port, workers)
    console.say(f"Starting on {folder} …")
    supervisor = embedded_stack(
        options,
        os.environ,
        on_servers=lambda: console.say("PostgreSQL and Redis answer; starting the dashboard and the worker …"),
        on_ready=lambda state: _report_ready(console, state),
        on_stop=lambda grace_s: _report_stop(console, grace_s),
        on_trouble=console.warn,
    )
    if while_used:
        call_when_unused(folder, supervisor.request_stop)
    supervisor.run()
    console.say("Stopped.")


def _options(folder: Path, port: int | None, workers: int | None) -> "StackOptions":
    from molecular_analysis_dashboard.infrastructure.embedded_stack import StackOptions, usable_cores

    return StackOptions(folder, _port(folder, port), workers or usable_cores())


def _check(folder: Path, port: int | None, workers: int | None) -> None:
    """Refuse here what the start in the background would, before there is a folder for its log."""
    from molecular_analysis_dashboard.infrastructure.embedded_stack import check_settings

    check_settings(_options(folder, port, workers), os.environ)


def _port(folder: Path, asked: int | None) -> int:
    """Choose the port; one that a killed stack of this folder may still hold is freed by the start itself."""
    recorded = recorded_state(DataLayout(folder))
    held = recorded.ports.get("api") if recorded else None
    if held is not None and asked in (None, held):
        return held
    return choose_port(asked)


def _arguments(port: int | None, workers: int | None) -> list[str]:
    arguments = ["--port", str(port)] if port else []
    return [*arguments, "--workers", str(workers)] if workers else arguments


def _report_ready(console: Console, state: StackState) -> None:
    console.result(f"The dashboard listens at {state.url} (data in {state.data_dir}).", _facts(state))
    stop = "Stop it with mad down." if state.supervisor_pid != os.getpid() else "Ctrl-C stops everything."
    console.say(stop)


def _report_stop(console: Console, grace_s: float) -> None:
    with suppress(OSError):  # the terminal may be gone
        console.say(f"Stopping; ligands that are being docked get up to {grace_s:g} s. Ctrl-C again to hurry.")


def _restarts(deaths: int) -> str:
    return {0: "never restarted", 1: "restarted once"}.get(deaths, f"restarted {deaths} times")


def _facts(state: StackState) -> dict[str, Any]:
    kept = ("name", "pid", "deaths", "log_file")
    return {
        "url": state.url,
        "phase": state.phase,
        "data_dir": state.data_dir,
        "pid": state.supervisor_pid,
        "started_at": state.started_at,
        "processes": [{key: asdict(process)[key] for key in kept} for process in state.processes],
    }


def _asked(state: StackState, token: str | None) -> tuple[bool, str]:
    """Whether the API says that it is ready, and why not."""
    if state.url is None or state.phase != "running":
        # The API may answer before the worker is there, and after it has gone.
        return False, ""
    try:
        with Client(state.url, token) as client:
            client.ready()
    except MadError as error:
        return False, error.message
    return True, ""
