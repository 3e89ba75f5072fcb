"""``mad engines``: the docking engines of this machine, and builds made for its processor."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

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
    from molecular_analysis_dashboard.infrastructure.engine_builds import offered_builds

    rows = offered_builds(_folder(builds_dir, data_dir))
    columns = [Column("build"), Column("engine"), Column("scoring functions"), Column("usable"), Column("folder")]
    shown = [
        (row.build_id, row.engine, ", ".join(row.scoring_functions), row.refusal or "yes", row.folder) for row in rows
    ]
    console_of(ctx, as_json).table(columns, shown, {"builds": [row.as_json() for row in rows]})


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
    """Compile Vina for this machine's processor.

    Fetches the source distribution of the installed version by pip, checks its hash, and builds it in a folder of its
    own. Needs g++, swig and the headers of Boost, and a few minutes. Workers started afterwards offer the build.
    """
    from molecular_analysis_dashboard.infrastructure.engine_builds import build_vina

    console = console_of(ctx, as_json)
    with console.busy("Compiling Vina; this takes a few minutes …"):
        made = build_vina(_folder(builds_dir, data_dir), processor)
    console.say(f"Built {made.build_id} in {made.folder}. Restart the workers: new jobs then use it.")
    body: dict[str, Any] = made.as_json()
    console.table([Column("build"), Column("folder")], [(made.build_id, made.folder)], body)


def _folder(builds_dir: Path | None, data_dir: Path | None) -> Path:
    if builds_dir is not None:
        return Path(os.path.abspath(expanded(builds_dir)))  # noqa: PTH100 - links stay as they are named
    return DataLayout(chosen_data_dir(data_dir)).engines
