"""``mad check-worker`` and ``mad flower``: what runs in containers beside gunicorn, celery and alembic."""

from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.errors import MadError, ResourceLost
from molecular_analysis_dashboard.infrastructure.refusal import refusal_in_one_line
from molecular_analysis_dashboard.infrastructure.settings import load_settings
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.options import AsJson, console_of


def check_worker(
    ctx: typer.Context,
    node: Annotated[
        str | None, typer.Option(help="The worker's name in Celery [default: celery@HOST].", show_default=False)
    ] = None,
    forgive_outages: Annotated[
        bool,
        typer.Option(
            "--forgive-outages",
            help="Succeed while PostgreSQL or Redis is out of reach: restarting the worker would not help.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that the worker of this host consumes.

    For the health check of its container: one line, and exit status 0 or 1.
    """
    from molecular_analysis_dashboard.infrastructure.worker_check import check_worker as check

    console = console_of(ctx, as_json)
    try:
        console.result(sentence := check(load_settings(), node), {"ok": True, "message": sentence})
    except ResourceLost as error:
        console.result(error.message, {"ok": forgive_outages, "message": error.message})
        if not forgive_outages:
            raise typer.Exit(ExitCode.FAILED) from error
    except MadError as error:
        message = " ".join(error.message.split())
        console.result(message, {"ok": False, "message": message})
        raise typer.Exit(ExitCode.FAILED) from error


def flower() -> None:
    """Run Flower, the queue's monitor.

    It listens on FLOWER_PORT, behind the passwords of FLOWER_BASIC_AUTH.
    """
    from molecular_analysis_dashboard.infrastructure.flower_server import serve_flower

    with refusal_in_one_line():
        serve_flower(load_settings())
