"""How hard to search, as options of a command."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.docking import EffortPreset


class NamedEffort(StrEnum):
    """Efforts that have a name."""

    QUICK = EffortPreset.QUICK
    STANDARD = EffortPreset.STANDARD
    THOROUGH = EffortPreset.THOROUGH


Effort = Annotated[NamedEffort | None, typer.Option(help="How hard to search [default: standard].", show_default=False)]
Exhaustiveness = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        help="Instead of --effort: so many full-length search runs, as the vina command does.",
        show_default=False,
    ),
]


def chosen_effort(effort: NamedEffort | None, exhaustiveness: int | None) -> Mapping[str, object]:
    """Return the effort as the interface describes it; BadParameter when it is chosen in two ways."""
    if exhaustiveness is None:
        return {"preset": effort or NamedEffort.STANDARD}
    if effort is not None:
        raise typer.BadParameter("choose --effort or --exhaustiveness, not both.")
    return {"exhaustiveness": exhaustiveness}
