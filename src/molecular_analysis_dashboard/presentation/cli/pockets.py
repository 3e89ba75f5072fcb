"""``mad pockets``: where a receptor could hold a ligand, when none is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.client import Pocket
from molecular_analysis_dashboard.domain.receptors import WaterPolicy
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.options import (
    AsJson,
    DataDir,
    Server,
    Token,
    chosen_data_dir,
    console_of,
)
from molecular_analysis_dashboard.presentation.cli.receptor_options import (
    DEFAULTS,
    Chains,
    Keep,
    Model,
    OverrideProblems,
    Remove,
    receptor_options,
)
from molecular_analysis_dashboard.presentation.cli.screening import input_file, receptor_with_pockets
from molecular_analysis_dashboard.presentation.cli.server import server_for_this

_SHOWN_RESIDUES = 6


def pockets(
    ctx: typer.Context,
    receptor: Annotated[Path, typer.Option(help="PDB, mmCIF or ready PDBQT; also .gz.")],
    chains: Chains = None,
    model: Model = DEFAULTS.model,
    keep: Keep = None,
    remove: Remove = None,
    override_problems: OverrideProblems = False,
    server: Server = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the pockets of a receptor, the most promising first.

    Ligands and waters of the file are no part of the receptor; cofactors are, unless removed by name. Dock into one
    with: mad dock --pocket RANK.
    """
    console = console_of(ctx, as_json)
    path = input_file(receptor, "receptor")
    options = receptor_options(
        chains=chains,
        model=model,
        waters=WaterPolicy.NONE,
        water_reach=DEFAULTS.water_reach_angstrom,
        keep=keep,
        remove=remove,
        keep_within=DEFAULTS.keep_within_angstrom,
        ph=DEFAULTS.ph,
        caps=DEFAULTS.caps,
        override_problems=override_problems,
    )
    with server_for_this(console, server, token, chosen_data_dir(data_dir)) as client:
        structure = client.upload_structure(path)
        prepared = receptor_with_pockets(client, console, structure, options)
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
