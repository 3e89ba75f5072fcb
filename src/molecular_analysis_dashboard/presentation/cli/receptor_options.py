"""Options of receptor preparation that several commands share; they belong to the run and have no twins."""

from collections.abc import Mapping
from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, WaterPolicy

DEFAULTS = ReceptorOptions()

Chains = Annotated[str | None, typer.Option(help="Chains of the receptor: A,B; by default all.", show_default=False)]
Model = Annotated[int, typer.Option(min=1, help="Which model of the receptor's file.")]
Waters = Annotated[WaterPolicy, typer.Option(help="Waters that stay in the receptor.")]
WaterReach = Annotated[
    float, typer.Option(min=0, max=50, help="How far from the site near and bridging waters may be, in Å.")
]
Keep = Annotated[
    str | None,
    typer.Option(help="Groups of the receptor to keep: NAME, NAME:CHAIN or NAME:CHAIN:NUMBER,...", show_default=False),
]
Remove = Annotated[
    str | None, typer.Option(help="Groups of the receptor to remove, in the same form; wins.", show_default=False)
]
KeepWithin = Annotated[
    float, typer.Option(min=0, max=50, help="How far from the site ions, cofactors and glycans stay, in Å.")
]
Ph = Annotated[float, typer.Option(min=0, max=14, help="pH at which the receptor is protonated.")]
Caps = Annotated[bool, typer.Option("--caps", help="Close breaks and unresolved ends of chains with ACE and NME.")]
OverrideProblems = Annotated[
    bool, typer.Option("--override-problems", help="Go on although residues near the site have problems.")
]


def receptor_options(
    *,
    chains: str | None,
    model: int,
    waters: WaterPolicy,
    water_reach: float,
    keep: str | None,
    remove: str | None,
    keep_within: float,
    ph: float,
    caps: bool,
    override_problems: bool,
) -> Mapping[str, object]:
    """What differs from the default options, as the interface describes it."""
    chosen = {
        "chains": _listed(chains),
        "model": model,
        "waters": waters.value,
        "water_reach_angstrom": water_reach,
        "keep": _listed(keep),
        "remove": _listed(remove),
        "keep_within_angstrom": keep_within,
        "ph": ph,
        "caps": caps,
        "override_problems": override_problems,
    }
    defaults = DEFAULTS.as_json()
    return {name: value for name, value in chosen.items() if value != defaults[name]}


def _listed(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
