"""How to prepare a receptor, as several commands ask for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, WaterPolicy

_DEFAULTS = ReceptorOptions()
_LISTS = ("chains", "keep", "remove")
# Options are named for people, the interface's fields with their units.
_FIELDS = {"water_reach": "water_reach_angstrom", "keep_within": "keep_within_angstrom"}


@dataclass(frozen=True)
class SelectionOptions:
    """What of a structure is the receptor."""

    chains: Annotated[
        str | None, typer.Option(help="Chains of the receptor: A,B; by default all.", show_default=False)
    ] = None
    model: Annotated[int, typer.Option(min=1, help="Which model of the receptor's file.")] = _DEFAULTS.model
    keep: Annotated[
        str | None,
        typer.Option(
            help="Groups of the receptor to keep: NAME, NAME:CHAIN or NAME:CHAIN:NUMBER,...", show_default=False
        ),
    ] = None
    remove: Annotated[
        str | None, typer.Option(help="Groups of the receptor to remove, in the same form; wins.", show_default=False)
    ] = None
    override_problems: Annotated[
        bool, typer.Option("--override-problems", help="Go on although residues near the site have problems.")
    ] = False

    def as_json(self) -> Mapping[str, object]:
        """Return what differs from the default options, as the interface describes it."""
        given = {_FIELDS.get(name, name): value for name, value in asdict(self).items()}
        chosen = given | {name: _listed(given[name]) for name in _LISTS}
        defaults = _DEFAULTS.as_json()
        return {name: value for name, value in chosen.items() if value != defaults[name]}


@dataclass(frozen=True)
class PreparationOptions(SelectionOptions):
    """What of a structure is the receptor, and what is done to it."""

    waters: Annotated[WaterPolicy, typer.Option(help="Waters that stay in the receptor.")] = _DEFAULTS.waters
    water_reach: Annotated[
        float, typer.Option(min=0, max=50, help="How far from the site near and bridging waters may be, in Å.")
    ] = _DEFAULTS.water_reach_angstrom
    keep_within: Annotated[
        float, typer.Option(min=0, max=50, help="How far from the site ions, cofactors and glycans stay, in Å.")
    ] = _DEFAULTS.keep_within_angstrom
    ph: Annotated[float, typer.Option(min=0, max=14, help="pH at which the receptor is protonated.")] = _DEFAULTS.ph
    caps: Annotated[
        bool, typer.Option("--caps", help="Close breaks and unresolved ends of chains with ACE and NME.")
    ] = _DEFAULTS.caps


def _listed(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
