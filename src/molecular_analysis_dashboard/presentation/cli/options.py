"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, cast

import typer

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.infrastructure.embedded.paths import default_data_dir
from molecular_analysis_dashboard.presentation.cli.console import Console

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MAD_DATA_DIR",
        help="Data folder of the embedded stack; by default one of the present user.",
        show_default=False,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="MAD_SERVER",
        help="Address of a server, such as http://host:8000; by default the embedded stack.",
        show_default=False,
    ),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="MAD_TOKEN", help="Bearer token for the server.", show_default=False),
]
ReceptorFile = Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")]
Out = Annotated[Path, typer.Option(help="Folder for the results; absent or empty.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the results in the folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON to standard output.")]


def console_of(ctx: typer.Context, as_json: bool) -> Console:
    """The console of this run, told whether results are JSON."""
    console = cast(Console, ctx.find_root().obj)
    console.json = as_json
    return console


def chosen_data_dir(given: Path | None) -> Path:
    """The absolute data folder: the given one, else the user's."""
    return (expanded(given) if given else default_data_dir()).absolute()


def expanded(path: Path) -> Path:
    """The path with ``~`` replaced by a home folder.

    Raises
    ------
    InvalidInput
        ``path_invalid`` when there is no such user.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InvalidInput(
            f"{path} names the home folder of a user whom this machine does not know. Write the path in full.",
            code="path_invalid",
            path=str(path),
        ) from error
