"""``mad demo``: a real screen of known drugs at a real receptor, from nothing to a ranked hit list."""

import importlib.util
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.client import Client
from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.domain.redocking import RMSD_LIMIT_ANGSTROM
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import read_stack_state
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.docking import Docking
from molecular_analysis_dashboard.presentation.cli.option_groups import grouped
from molecular_analysis_dashboard.presentation.cli.options import AsJson, chosen_data_dir, console_of
from molecular_analysis_dashboard.presentation.cli.protocol_options import EffortOptions
from molecular_analysis_dashboard.presentation.cli.results_folder import ResultsFolder, next_free, write_exports
from molecular_analysis_dashboard.presentation.cli.screening import report_hits, run_screen
from molecular_analysis_dashboard.presentation.cli.server import ServerOptions

_DATA = "molecular_analysis_dashboard.presentation.cli.demo_data"
_NATIVE = "ergotamine"
_FOLDER = Path("demo-results")
_SEED = 42
_SHOWN_HITS = 100


@grouped
def demo(
    ctx: typer.Context,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results; by default demo-results, or the next free name.", show_default=False
        ),
    ] = None,
    effort: EffortOptions,
    server: ServerOptions,
    as_json: AsJson = False,
) -> None:
    """Dock known drugs to see it work.

    Fourteen drugs at the serotonin receptor 5-HT1B, its native ergotamine among them. Two records are wrong on
    purpose: a screen goes on, and says which ones it left out.
    """
    console = console_of(ctx, as_json)
    folder = ResultsFolder(out or next_free(_FOLDER))
    folder.check()
    complex_folder = _complex()
    with (
        as_file(files(_DATA) / "drugs.smi") as drugs,
        server.or_started(console) as client,
    ):
        screen = Docking(
            name="demo: drugs at 5-HT1B",
            receptor=complex_folder / "rec.pdb",
            ligands=[drugs],
            origin={
                "type": "native_ligand",
                "file": {"file_name": "lig.pdb", "content": (complex_folder / "lig.pdb").read_text()},
                "template": _first_record(complex_folder / "vina_output.sdf"),
            },
            protocol=effort.as_json() | {"seed": _SEED, "analyses": {"top": 0}},
        )
        _run(console, client, screen, folder)
        url = client.base_url
    if server.server is None and read_stack_state(chosen_data_dir(server.data_dir)) is None:
        console.say(f"Keep the dashboard running with: make up (or mad up). It then listens at {url}.")
    else:
        console.say(f"The dashboard listens at {url}.")


def _run(console: Console, client: Client, screen: Docking, folder: ResultsFolder) -> None:
    from molecular_analysis_dashboard.infrastructure.redocking import rmsd_to_native

    job = run_screen(client, console, screen)
    written = write_exports(client, job, folder)
    native = (screen.receptor.parent / "lig.pdb").read_text()
    rmsd_angstrom = rmsd_to_native(native, written["poses.sdf"], _NATIVE)
    report_hits(
        console,
        client.hits(job.id, _SHOWN_HITS),
        {
            "job": dict(job.body),
            "files": {name: str(path) for name, path in written.items()},
            "native": _NATIVE,
            "native_rmsd_angstrom": round(rmsd_angstrom, 3),
        },
    )
    verdict = "found again" if rmsd_angstrom <= RMSD_LIMIT_ANGSTROM else "not found again"
    console.say(
        f"Redocking: the best pose of {_NATIVE} lies {rmsd_angstrom:.2f} Å (RMSD) from its native place, so that was "
        f"{verdict} ({RMSD_LIMIT_ANGSTROM:g} Å is the usual limit)."
    )
    counts = job.counts
    console.say(f"{counts.scored} drugs scored, {counts.all_rejected} records rejected (rejected.csv says why).")
    console.say(f"Results: {folder.path}")


def _complex() -> Path:
    """The folder of the complex that ProLIF carries; found without importing ProLIF."""
    spec = importlib.util.find_spec("prolif")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "data" / "vina"
        if (folder / "rec.pdb").is_file():
            return folder
    raise Misconfigured(
        "The demo uses a structure out of the package prolif, which is not installed. Install the extra worker: "
        "pip install 'molecular-analysis-dashboard[worker]'",
        code="demo_data_missing",
    )


def _first_record(path: Path) -> str:
    return path.read_text().partition("$$$$")[0]
