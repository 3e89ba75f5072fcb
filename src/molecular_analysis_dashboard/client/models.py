"""What the server answers, as far as callers use it; fields that this release does not know are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from molecular_analysis_dashboard.domain.jobs import FINAL_JOB_STATES, JobKind, JobState
from molecular_analysis_dashboard.domain.receptors import Severity

Json = Mapping[str, Any]


class _Answer:
    """Builds a dataclass out of the fields it names."""

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read the fields by name; those that the class has no default for must be there."""
        names = {item.name for item in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in body.items() if name in names})


@dataclass(frozen=True)
class EngineBuild(_Answer):
    """One engine at one version, as a worker has it; its default scoring function comes first."""

    engine: str
    build_id: str
    scoring_functions: Sequence[str] = ()
    parameter_schema: Json = field(default_factory=dict)


@dataclass(frozen=True)
class JobCounts(_Answer):
    """Where a job's records are; all but `input` sum to `input`."""

    input: int = 0
    scored: int = 0
    rejected: int = 0
    rejected_at_reading: int = 0
    cancelled: int = 0
    read: int = 0
    waiting: int = 0

    @property
    def to_dock(self) -> int:
        """Records that are ligands, and so are to be docked."""
        return self.input - self.rejected_at_reading

    @property
    def docked(self) -> int:
        """Ligands that were docked, whether that gave a score or a rejection."""
        return self.scored + self.rejected

    @property
    def all_rejected(self) -> int:
        """Records without a score, wherever they were rejected."""
        return self.rejected + self.rejected_at_reading


@dataclass(frozen=True)
class Job(_Answer):
    """What a user asked for, as it stands; `body` is the whole answer."""

    id: str
    kind: JobKind
    state: JobState
    name: str
    created_at: str
    counts: JobCounts
    body: Json = field(repr=False)
    reason: str | None = None
    error: Json | None = None
    engine_build: str | None = None
    finished_at: str | None = None

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a job."""
        read = {
            **body,
            "kind": JobKind(body["kind"]),
            "state": JobState(body["state"]),
            "counts": JobCounts.from_json(body["counts"]),
            "body": body,
        }
        return super().from_json(read)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL_JOB_STATES


@dataclass(frozen=True)
class Structure(_Answer):
    """An uploaded macromolecule."""

    id: str
    name: str


@dataclass(frozen=True)
class Receptor(_Answer):
    """A structure prepared for docking, or being prepared."""

    id: str
    name: str
    state: str
    error: Json | None = None


@dataclass(frozen=True)
class ResidueNote(_Answer):
    """What was changed in, or is wrong with, one residue; the distance to the site's centre is in Å."""

    residue: str
    message: str
    severity: Severity
    distance_angstrom: float | None = None

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a note."""
        return super().from_json({**body, "severity": Severity(body["severity"])})


@dataclass(frozen=True)
class Pocket(_Answer):
    """A hollow of a receptor, lengths in Å; `body` is the whole answer, with the box proposed."""

    rank: int
    center: tuple[float, float, float]
    volume_angstrom3: float
    score: float
    residues: tuple[str, ...]
    body: Json = field(repr=False)

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a pocket."""
        return super().from_json({**body, **{key: tuple(body[key]) for key in ("center", "residues")}, "body": body})


@dataclass(frozen=True)
class Waiting(_Answer):
    """Why a job is not further: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class BindingSite(_Answer):
    """A search box, edges and centre in Å, with the findings about it."""

    id: str
    center: tuple[float, float, float]
    size: tuple[float, float, float]
    checks: tuple[Json, ...] = ()
    details: Json = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a site."""
        return super().from_json({**body, **{key: tuple(body[key]) for key in ("center", "size", "checks")}})


@dataclass(frozen=True)
class Library(_Answer):
    """A set of ligands, read or being read."""

    id: str
    name: str
    state: str
    n_records: int = 0
    n_ligands: int = 0
    n_rejected: int = 0
    n_noted: int = 0
    error: Json | None = None


@dataclass(frozen=True)
class Ligand(_Answer):
    """One molecule of a library."""

    line: int
    name: str
    smiles: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rejected(_Answer):
    """A record that is no ligand, and why."""

    line: int
    name: str
    reason: str
    message: str


@dataclass(frozen=True)
class Hit(_Answer):
    """One scored ligand; the docking score is in kcal/mol, lower is better.

    `converged` and `score_spread_kcal_mol` are None where a single search round cannot tell.
    """

    ligand_id: str
    name: str
    smiles: str
    heavy_atoms: int
    molecular_weight: float
    score_kcal_mol: float
    ligand_efficiency: float
    body: Json = field(repr=False)
    converged: bool | None = None
    score_spread_kcal_mol: float | None = None

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a hit."""
        return super().from_json({**body, "body": body})


@dataclass(frozen=True)
class RescoredLigand(_Answer):
    """One ligand of a rescoring, scores in kcal/mol; without a new one `reason` and `message` say why.

    `rank_change` are the places gained, negative when lost.
    """

    ligand_id: str
    name: str
    smiles: str
    docked_score_kcal_mol: float
    body: Json = field(repr=False)
    score_kcal_mol: float | None = None
    rank: int | None = None
    docked_rank: int | None = None
    rank_change: int | None = None
    pose: int | None = None
    reason: str | None = None
    message: str | None = None

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a ligand."""
        return super().from_json({**body, "body": body})

    @property
    def moved_angstrom(self) -> float | None:
        """How far relaxing moved the pose that scores best now; None in place."""
        moved: Mapping[int, float | None] = {pose["rank"]: pose["moved_angstrom"] for pose in self.body["poses"]}
        return None if self.pose is None else moved[self.pose]
