"""``mad engines``: the docking engines of this machine, and builds made for its processor."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout
from molecular_analysis_dashboard.presentation.cli.console import Column
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    chosen_data_dir,
    console_of,
    expanded,
)

app = typer.Typer(no_args_is_help=True, help="Docking engines of this machine.")

_PROGRAM = "molecular_analysis_dashboard.infrastructure.engine_builds"
BuildsDir = Annotated[
    Path | None,
    typer.Option(
        "--builds-dir",
        envvar="MAD_ENGINE_BUILDS_DIR",
        help="Folder of the builds; by default engines in the data folder.",
        show_default=False,
    ),
]


@app.command("list")
def list_builds(
    ctx: typer.Context, builds_dir: BuildsDir = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the engine builds that a worker here would offer."""
    console = console_of(ctx, as_json)
    with console.busy("Looking …"):
        builds = _ask("list", str(_folder(builds_dir, data_dir)))
    columns = [Column("build"), Column("scoring functions"), Column("usable"), Column("folder")]
    rows = [
        (build["build_id"], ", ".join(build["scoring_functions"]), build["refusal"] or "yes", build["folder"])
        for build in builds
    ]
    console.table(columns, rows, {"builds": builds})


@app.command()
def build(
    ctx: typer.Context,
    processor: Annotated[
        str, typer.Option("--for", help="native (this very processor), x86-64-v3 or x86-64-v4.")
    ] = "native",
    builds_dir: BuildsDir = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compile Vina for a processor.

    Fetches the source distribution of the installed version by pip, checks its hash, and builds it in a folder of its
    own. Needs g++, swig and the headers of Boost, and a few minutes. Workers started afterwards offer the build.
    """
    console = console_of(ctx, as_json)
    with console.busy("Compiling Vina; this takes a few minutes …"):
        (made,) = _ask("build", str(_folder(builds_dir, data_dir)), processor)
    console.table([Column("build"), Column("folder")], [(made["build_id"], made["folder"])], made)
    console.say("Restart the workers; jobs submitted after that use it.")


def _ask(*arguments: str) -> Sequence[Mapping[str, Any]]:
    run = subprocess.run([sys.executable, "-m", _PROGRAM, *arguments], capture_output=True, text=True, check=False)
    if run.returncode != 0 or not run.stdout:
        raise EngineFailed(f"The engines cannot be loaded: {run.stderr.strip()[-500:]}", code="engine_unusable")
    body = json.loads(run.stdout)
    if "error" in body:
        raise EngineFailed(body["error"]["message"], code=body["error"]["code"])
    builds: list[dict[str, Any]] = body["builds"]
    return builds


def _folder(builds_dir: Path | None, data_dir: Path | None) -> Path:
    if builds_dir is not None:
        return Path(os.path.abspath(expanded(builds_dir)))  # noqa: PTH100 - links stay as they are named
    return DataLayout(chosen_data_dir(data_dir)).engines
