"""How to dock, as several commands ask for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.docking import DockingProtocol, EffortPreset

_DEFAULTS = DockingProtocol()


class NamedEffort(StrEnum):
    """Efforts that have a name."""

    QUICK = EffortPreset.QUICK
    STANDARD = EffortPreset.STANDARD
    THOROUGH = EffortPreset.THOROUGH


@dataclass(frozen=True)
class EffortOptions:
    """How hard to search."""

    effort: Annotated[
        NamedEffort | None, typer.Option(help="How hard to search [default: standard].", show_default=False)
    ] = None
    exhaustiveness: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="Instead of --effort: so many full-length search runs, as the vina command does.",
            show_default=False,
        ),
    ] = None

    def as_json(self) -> dict[str, object]:
        """Return the part of a protocol that these options are; BadParameter when the effort is named in two ways."""
        if self.exhaustiveness is None:
            return {"effort": {"preset": self.effort or NamedEffort.STANDARD}}
        if self.effort is not None:
            raise typer.BadParameter("choose --effort or --exhaustiveness, not both.")
        return {"effort": {"exhaustiveness": self.exhaustiveness}}


@dataclass(frozen=True)
class ProtocolOptions(EffortOptions):
    """How hard to search, with what, from which seed."""

    seed: Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Equal seeds give equal results.")] = _DEFAULTS.seed
    poses: Annotated[int, typer.Option(min=1, max=100, help="Most poses kept per ligand.")] = _DEFAULTS.n_poses
    engine: Annotated[str, typer.Option(help="Docking engine of the server.")] = _DEFAULTS.engine
    scoring: Annotated[
        str | None, typer.Option(help="Scoring function of the engine; by default its own.", show_default=False)
    ] = None
    flexible: Annotated[
        str | None,
        typer.Option(help="Search the side chains of these residues, too: A:GLU80,A:THR315.", show_default=False),
    ] = None

    def as_json(self) -> dict[str, object]:
        """Return a protocol; a scoring function of None is the engine's own. BadParameter as `EffortOptions` has it."""
        chosen = {"engine": self.engine, "scoring": self.scoring, "seed": self.seed, "n_poses": self.poses}
        return super().as_json() | chosen | self._flexible_residues()

    def _flexible_residues(self) -> dict[str, object]:
        if self.flexible is None:
            return {}
        residues = [name.strip() for name in self.flexible.split(",") if name.strip()]
        if not residues:
            raise typer.BadParameter("--flexible names none; write CHAIN:NAMENUMBER, for example A:GLU80,A:THR315.")
        return {"flexible_residues": residues}
