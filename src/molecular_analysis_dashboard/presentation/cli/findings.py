"""What a person should look at before a screen runs: findings about the box, the receptor and the ligands."""

import math
import textwrap

from molecular_analysis_dashboard.client import BindingSite, Client, Library, Receptor
from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.presentation.cli.console import Console

_SHOWN_NOTES = 5
_SHOWN_REJECTIONS = 5
_SHOWN_REMOVED = 3
_SHOWN_CHARACTERS = 160


def tell_checks(console: Console, site: BindingSite) -> None:
    """Tell where the box is, and warn of what its checks found."""
    for warning in site.details.get("warnings", ()):
        console.warn(str(warning))
    center, size = ("  ".join(f"{value:.2f}" for value in values) for values in (site.center, site.size))
    console.say(f"Search box: centre {center}, size {size} Å.")
    for check in site.checks:
        if check["severity"] != "info":
            console.warn(str(check["message"]))


def tell_notes(client: Client, console: Console, receptor: Receptor) -> None:
    """Warn of what the preparation found, the nearest to the site first."""
    notes = [note for note in client.receptor_notes(receptor.id) if note.severity is not Severity.INFO]
    if not notes:
        return
    notes.sort(key=lambda note: math.inf if note.distance_angstrom is None else note.distance_angstrom)
    told = "residue of the receptor needs" if len(notes) == 1 else "residues of the receptor need"
    console.warn(f"{len(notes)} {told} a look; the nearest to the site:")
    for note in notes[:_SHOWN_NOTES]:
        away = "" if note.distance_angstrom is None else f" ({note.distance_angstrom:.1f} Å from the site's centre)"
        console.say(f"  {note.residue}{away}: {_short(note.message)}")
    console.say("  provenance.json and the page's tab “Receptor” list everything that the preparation changed.")


def tell_rejections(client: Client, console: Console, library: Library) -> None:
    """Warn of records that are no ligands, the first of them with their reasons."""
    console.warn(f"{library.n_rejected} of {library.n_records} records are no ligands; rejected.csv lists them all.")
    for item in client.library_rejections(library.id, _SHOWN_REJECTIONS):
        console.say(f"  line {item.line} {item.name}: {_short(item.message)} [{item.reason}]")


def tell_removed(client: Client, console: Console, library: Library) -> None:
    """Tell from how many ligands counter-ions and solvents were removed, and of the first of them which."""
    console.say(f"{library.n_noted} of {library.n_ligands} ligands came with counter-ions or solvent, now removed:")
    for ligand in client.noted_ligands(library.id, _SHOWN_REMOVED):
        console.say(f"  line {ligand.line} {ligand.name}: {_short(' '.join(ligand.notes))}")


def _short(message: str) -> str:
    return textwrap.shorten(message, _SHOWN_CHARACTERS, placeholder=" …")
