"""``mad pockets``: where a receptor could hold a ligand, when none is known."""

from collections.abc import Sequence

import typer

from molecular_analysis_dashboard.client import Pocket
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.input_files import input_file
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, ReceptorFile, console_of
from molecular_analysis_dashboard.presentation.cli.receptor_options import SelectionOptions
from molecular_analysis_dashboard.presentation.cli.receptors import receptor_with_pockets
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions

_SHOWN_RESIDUES = 6


@grouped
def pockets(
    ctx: typer.Context,
    *,
    receptor: ReceptorFile,
    selection: SelectionOptions,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """List the pockets of a receptor, the most promising first.

    Ligands and waters of the file are no part of the receptor; cofactors are, unless removed by name. Dock into one
    with: mad dock --pocket RANK.
    """
    console = console_of(ctx, as_json)
    path = input_file(receptor, "receptor")
    with server.or_started(console) as client:
        structure = client.upload_structure(path)
        prepared = receptor_with_pockets(client, console, structure, selection.as_json())
        found = client.receptor_pockets(prepared.id)
    _show(console, found, prepared.id)
    if not found:
        console.warn("The receptor has no pocket that could hold a ligand.")


def _show(console: Console, found: Sequence[Pocket], receptor_id: str) -> None:
    columns = [
        Column("rank", right=True),
        Column("score", right=True),
        Column("volume Å³", right=True),
        Column("centre Å"),
        Column("box Å"),
        Column("residues"),
    ]
    rows = [
        (
            pocket.rank,
            f"{pocket.score:.1f}",
            f"{pocket.volume_angstrom3:.0f}",
            _numbers(pocket.center),
            _numbers(pocket.body["box"]["size"]),
            _residues(pocket),
        )
        for pocket in found
    ]
    console.table(columns, rows, {"receptor_id": receptor_id, "pockets": [dict(pocket.body) for pocket in found]})


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.1f}" for value in values)


def _residues(pocket: Pocket) -> str:
    rest = len(pocket.residues) - _SHOWN_RESIDUES
    return " ".join(pocket.residues[:_SHOWN_RESIDUES]) + (f" and {rest} more" if rest > 0 else "")
