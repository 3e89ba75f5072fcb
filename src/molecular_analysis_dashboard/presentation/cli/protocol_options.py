"""How to dock, as several commands ask for it; what is not given is left to the server's defaults."""

from typing import Annotated

import typer

from molecular_analysis_dashboard.presentation.cli.effort import NamedEffort, chosen_effort

Seed = Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Equal seeds give equal results.")]
Poses = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="Most poses kept; by default the server's number.", show_default=False),
]
Engine = Annotated[str, typer.Option(help="Docking engine of the server.")]
Scoring = Annotated[
    str | None, typer.Option(help="Scoring function of the engine; by default its own.", show_default=False)
]


def protocol(
    engine: str,
    scoring: str | None,
    effort: NamedEffort | None,
    exhaustiveness: int | None,
    seed: int,
    poses: int | None,
) -> dict[str, object]:
    """Return a protocol as `recipe` completes it."""
    body: dict[str, object] = {
        "engine": engine,
        "scoring": scoring,
        "effort": chosen_effort(effort, exhaustiveness),
        "seed": seed,
    }
    return body if poses is None else body | {"n_poses": poses}
