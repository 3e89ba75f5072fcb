"""Immutable recipes of screens."""

import re
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from molecular_analysis_dashboard.domain import docking
from molecular_analysis_dashboard.domain.analyses import MAX_LIGANDS
from molecular_analysis_dashboard.domain.docking import MAX_FLEXIBLE_RESIDUES, PRESETS, EffortPreset
from molecular_analysis_dashboard.domain.hashing import MAX_SEED
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Flag, Name, Real, View, Whole

_STANDARD = PRESETS[EffortPreset.STANDARD]
_RESIDUE = re.compile(r"[A-Za-z0-9]?:[A-Z]{1,3}-?[0-9]{1,5}[A-Za-z]?")
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]


class SearchEffort(Body):
    """How hard to search: a preset by name, or numbers of one's own; answers show both."""

    preset: EffortPreset = Field(
        default=EffortPreset.STANDARD,
        description="Stands for the numbers below. Numbers given without a preset are `custom`.",
    )
    exhaustiveness: Whole = Field(
        default=_STANDARD.exhaustiveness, ge=1, le=1024, description="Independent Monte-Carlo runs of each round."
    )
    run_length: Real = Field(
        default=_STANDARD.run_length,
        gt=0,
        le=1,
        description="Length of a run as a fraction of the engine's own for the ligand. `custom`: 1.",
    )
    max_rounds: Whole = Field(
        default=_STANDARD.max_rounds,
        ge=1,
        le=64,
        description="Most rounds, each from another start orientation. `custom`: 1.",
    )
    agreeing_rounds: Whole = Field(
        default=_STANDARD.agreeing_rounds,
        ge=0,
        le=64,
        description="End early when so many rounds found the best pose; 0 never does. `custom`: 0.",
    )

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, given: object) -> object:
        """Put a preset's numbers, or the plain ones, where none are given."""
        if not isinstance(given, dict):
            return given
        preset = given.get("preset", EffortPreset.CUSTOM if given else EffortPreset.STANDARD)
        numbers = next((effort for name, effort in PRESETS.items() if name == preset), docking.SearchEffort())
        return asdict(numbers) | {"preset": preset} | given

    @model_validator(mode="after")
    def _check(self) -> Self:
        effort = docking.SearchEffort.from_json(dict(self))
        if self.preset is not EffortPreset.CUSTOM and effort != PRESETS[self.preset]:
            raise ValueError(f"the preset “{self.preset}” has other numbers; leave them out or choose “custom”")
        if effort.agreeing_rounds == 1 or effort.agreeing_rounds > effort.max_rounds:
            raise ValueError("agreeing_rounds must be 0, or 2 to max_rounds")
        self.preset = effort.preset
        return self


def _named_residue(name: str) -> str:
    if not _RESIDUE.fullmatch(name):
        raise ValueError("name residues by chain, name and number, for example A:GLU80")
    return name


FlexibleResidue = Annotated[str, AfterValidator(_named_residue)]


class LigandOptions(Body):
    """Stated choices of ligand preparation."""

    protonate: Flag = Field(
        default=True, description="Set protonation states for `ph`; otherwise the input's hydrogens count."
    )
    ph: Real = Field(default=7.4, ge=0, le=14)
    enumerate_stereo: Flag = Field(
        default=True, description="Dock every stereoisomer of undefined centres; if false, undefined stereo is refused."
    )
    max_states: Whole = Field(default=8, ge=1, le=64, description="Most protomers and stereoisomers docked per ligand.")
    ring_conformers: Whole = Field(
        default=4,
        ge=0,
        le=16,
        description="Most conformations of saturated rings docked per state, which share its search; "
        "0 leaves the one that the start conformer has.",
    )
    max_heavy_atoms: Whole = Field(default=100, ge=1, le=500)
    max_torsions: Whole = Field(default=32, ge=0, le=100)


class AnalysisOptions(Body):
    """What is analysed by itself when a screen completes; the screen does not wait for it."""

    top: Whole = Field(default=100, ge=0, le=MAX_LIGANDS, description="The best ligands by score; 0 analyses none.")
    max_poses: Whole = Field(default=3, ge=1, le=100, description="Most poses of each ligand, the best first.")


class DockingProtocol(Body):
    """Everything that changes a result besides receptor, box and ligand."""

    engine: Word = "vina"
    scoring: Word = Field(default="vina", examples=["vina", "vinardo"])
    effort: SearchEffort = Field(default_factory=SearchEffort)
    n_poses: Whole = Field(default=3, ge=1, le=100, description="Most poses kept per ligand.")
    min_rmsd_angstrom: Real = Field(default=1.0, gt=0, le=10, description="Least RMSD between kept poses, in Å.")
    energy_range_kcal_mol: Real = Field(
        default=3.0, gt=0, le=100, description="Poses worse than the best by more are dropped."
    )
    seed: Whole = Field(default=42, ge=1, le=MAX_SEED, description="Each ligand's own seed derives from it.")
    flexible_residues: list[FlexibleResidue] = Field(
        default_factory=list,
        max_length=MAX_FLEXIBLE_RESIDUES,
        description="Residues whose side chains are searched with the ligand: chain, residue and number.",
        examples=[["A:GLU80"]],
    )
    ligands: LigandOptions = Field(default_factory=LigandOptions)
    analyses: AnalysisOptions = Field(default_factory=AnalysisOptions)


class ProtocolCreate(Body):
    """A recipe under a name; the same name and content give the version that is there already."""

    name: Name
    protocol: DockingProtocol = Field(default_factory=DockingProtocol)


class Protocol(View):
    """One immutable version."""

    id: UUID
    name: str
    version: int
    content_hash: str
    protocol: DockingProtocol
    created_by: UUID
    created_at: datetime


class ProtocolPage(View):
    """Protocols, newest first."""

    items: list[Protocol]
    next_cursor: str | None = None
