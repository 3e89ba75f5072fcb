"""``mad doctor``: what is in order, what is not, and what to do."""

import os
from dataclasses import asdict

import typer

from molecular_analysis_dashboard.presentation.cli.console import Column
from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    Server,
    Token,
    chosen_data_dir,
    console_of,
)


def doctor(
    ctx: typer.Context,
    server: Server = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation and say what to do.

    Looks at programs, engines, data folder, ports, servers and versions. With a problem the exit status is 9.
    """
    from molecular_analysis_dashboard.infrastructure.diagnosis import Finding, Verdict, diagnose

    console = console_of(ctx, as_json)
    findings: list[Finding] = []
    with console.busy("Checking …"):
        findings += diagnose(chosen_data_dir(data_dir), os.environ, server=server, token=token)
    rows = [(finding.verdict, finding.check, f"{finding.message} {finding.advice}".strip()) for finding in findings]
    columns = [Column("verdict"), Column("check"), Column("found")]
    console.table(columns, rows, {"findings": [asdict(finding) for finding in findings]})
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise typer.Exit(ExitCode.NOT_IN_ORDER)
