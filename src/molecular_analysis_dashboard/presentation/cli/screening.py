"""A screen, as `mad dock` and `mad demo` run and report it."""

from collections.abc import Mapping, Sequence
from typing import Any

from molecular_analysis_dashboard.client import Client, Hit, Job, Library
from molecular_analysis_dashboard.presentation.cli.console import Column, Console
from molecular_analysis_dashboard.presentation.cli.docking import Docking, Request, run_docking

_CONVERGED = {True: "yes", False: "no", None: ""}


def run_screen(client: Client, console: Console, screen: Docking) -> Job:
    """Screen the ligands of one file; see `run_docking`."""

    def request(libraries: Sequence[Library]) -> Request:
        (library,) = libraries
        ligands = "ligand" if library.n_ligands == 1 else "ligands"
        return Request({"library_id": library.id}, f"docking {library.n_ligands} {ligands}")

    return run_docking(client, console, screen, request)


def report_hits(console: Console, hits: Sequence[Hit], facts: Mapping[str, Any]) -> None:
    """Write the ranked hits as the command's result; `facts` go with them as JSON."""
    columns = [
        Column("rank", right=True),
        Column("name"),
        Column("score kcal/mol", right=True),
        Column("per heavy atom", right=True),
        Column("weight g/mol", right=True),
        Column("spread kcal/mol", right=True),
        Column("converged"),
    ]
    rows = [
        (
            rank,
            hit.name,
            f"{hit.score_kcal_mol:.2f}",
            f"{hit.ligand_efficiency:.2f}",
            f"{hit.molecular_weight:.1f}",
            _spread(hit),
            _CONVERGED[hit.converged],
        )
        for rank, hit in enumerate(hits, start=1)
    ]
    console.table(columns, rows, {**facts, "hits": [dict(hit.body) for hit in hits]})


def _spread(hit: Hit) -> str:
    return "" if hit.score_spread_kcal_mol is None else f"{hit.score_spread_kcal_mol:.2f}"
