"""Docking: engines, poses and outcomes."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from molecular_analysis_dashboard.domain.analyses import AnalysisOptions, LigandProperties
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.rejections import RejectionReason


@dataclass(frozen=True)
class EngineBuild:
    """One engine at one version, compiled one way; results of two builds never mix within a job.

    Parameters
    ----------
    build_id : str
        Name for queues, provenance and reuse: ``<engine>-<version>-<variant>``, lower case.
    sha256 : str
        Of the engine's program or compiled module, empty where there is none to hash.
    """

    engine: str
    version: str
    build_id: str
    scoring_functions: tuple[str, ...]
    sha256: str = ""


# Builds are named <engine>-<version>-<variant>, and versions begin with a digit.
_BUILD = re.compile(r"(?P<engine>.+?)-\d.*")


@dataclass(frozen=True)
class KnownBuild:
    """An engine build as workers registered it, and the slots of live workers that can run it.

    `scoring_functions` and `parameter_schema` are empty where the worker did not tell.
    """

    build_id: str
    live_slots: int
    scoring_functions: tuple[str, ...] = ()
    parameter_schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        """Name of the engine."""
        match = _BUILD.fullmatch(self.build_id)
        return match["engine"] if match else self.build_id

    def offers(self, scoring: str) -> bool:
        """Whether it scores so, as far as it is known."""
        return not self.scoring_functions or scoring in self.scoring_functions

    @property
    def is_portable(self) -> bool:
        """Whether it runs on any processor of its architecture."""
        return self.build_id.endswith("-portable")


class EffortPreset(StrEnum):
    """Names of search efforts; see docs/reference/search-effort.md."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"
    CUSTOM = "custom"


@dataclass(frozen=True)
class SearchEffort:
    """How hard to search for the poses of one ligand state: rounds of Monte-Carlo runs, merged as if they were one.

    Parameters
    ----------
    exhaustiveness : int
        Independent Monte-Carlo runs of each round (Vina's default is 8).
    run_length : float
        Length of a run as a fraction of what Vina gives this ligand by itself; 1 leaves it to Vina.
    max_rounds : int
        Most rounds; each starts from another orientation of the ligand, which is as good as another seed.
    agreeing_rounds : int
        The search ends early when so many rounds found the best pose; 0 never ends it early.
    """

    exhaustiveness: int = 8
    run_length: float = 1.0
    max_rounds: int = 1
    agreeing_rounds: int = 0

    @property
    def preset(self) -> EffortPreset:
        """The preset that has these numbers."""
        return next((name for name, effort in PRESETS.items() if effort == self), EffortPreset.CUSTOM)

    def as_json(self) -> dict[str, object]:
        """Return the numbers; what has its plain value is left out, as protocols before it was known were stored."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name == "exhaustiveness" or value != getattr(_PLAIN_EFFORT, name)
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild an effort from its numbers; the name of a preset beside them adds nothing."""
        return cls(**{name: value for name, value in body.items() if name != "preset"})


_PLAIN_EFFORT = SearchEffort()
# docs/reference/search-effort.md says where the numbers come from. A stored protocol holds them, not the name.
PRESETS: Mapping[EffortPreset, SearchEffort] = {
    EffortPreset.QUICK: SearchEffort(exhaustiveness=4, run_length=0.1, max_rounds=5, agreeing_rounds=2),
    EffortPreset.STANDARD: SearchEffort(exhaustiveness=4, run_length=0.15, max_rounds=4, agreeing_rounds=2),
    EffortPreset.THOROUGH: SearchEffort(exhaustiveness=8, run_length=0.25, max_rounds=4),
}


# Each turns about one bond at least, and side chains may turn about 16 in all.
MAX_FLEXIBLE_RESIDUES = 16


@dataclass(frozen=True)
class DockingProtocol:
    """Immutable recipe of a screen, identified by its content hash.

    Parameters
    ----------
    n_poses : int
        Most poses kept per ligand.
    min_rmsd_angstrom : float
        Least RMSD between kept poses, in Å.
    energy_range_kcal_mol : float
        Poses worse than the best by more are dropped.
    seed : int
        1 to 2**31-1; each ligand's own seed derives from it.
    flexible_residues : tuple of str
        Residues whose side chains the engine may turn, ``CHAIN:NAMENUMBER[insertion code]``, sorted.
    """

    engine: str = "vina"
    scoring: str = "vina"
    effort: SearchEffort = PRESETS[EffortPreset.STANDARD]
    n_poses: int = 3
    min_rmsd_angstrom: float = 1.0
    energy_range_kcal_mol: float = 3.0
    seed: int = 42
    ligands: LigandOptions = field(default_factory=LigandOptions)
    analyses: AnalysisOptions = field(default_factory=AnalysisOptions)
    flexible_residues: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the protocol as JSON-compatible values.

        The default analyses and an empty list of residues are left out, so that protocols that were stored before
        there were any keep their hash.
        """
        values = asdict(self) | {"effort": self.effort.as_json()}
        if self.analyses == AnalysisOptions():
            del values["analyses"]
        if not self.flexible_residues:
            del values["flexible_residues"]
        return values

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild a protocol from what `as_json` returned."""
        values = dict(body)
        effort = SearchEffort.from_json(values.pop("effort", {}))
        ligands = LigandOptions(**values.pop("ligands", {}))
        analyses = AnalysisOptions(**values.pop("analyses", {}))
        residues = tuple(sorted(set(values.pop("flexible_residues", ()))))
        return cls(effort=effort, ligands=ligands, analyses=analyses, flexible_residues=residues, **values)

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything that changes a result."""
        return content_hash(self.as_json())


@dataclass(frozen=True)
class Pose:
    """One docked placement.

    Parameters
    ----------
    rank : int
        1 is best.
    score_kcal_mol : float
        Docking score as the engine reports it.
    coordinates : bytes
        Little-endian float32, shape (n_atoms, 3) in C order, Å, in the atom order of the state's mol block.
    objective_kcal_mol : float or None
        What the search minimises, on the scale of the score; None where that is the score itself. Scores of one
        search differ from it by a constant (Vina subtracts the best pose's internal energy), those of two do not.
    side_chains_pdb : str
        The residues whose side chains were searched too, as this pose has them; empty where there are none.
    """

    rank: int
    score_kcal_mol: float
    coordinates: bytes
    objective_kcal_mol: float | None = None
    side_chains_pdb: str = ""

    @property
    def objective(self) -> float:
        """What poses of several searches are ranked by."""
        return self.score_kcal_mol if self.objective_kcal_mol is None else self.objective_kcal_mol


@dataclass(frozen=True)
class SearchSummary:
    """How sure a search is of its best pose.

    Parameters
    ----------
    rounds : int
        Rounds that were searched.
    converged : bool or None
        Whether enough rounds found the best pose; None where a single round cannot tell.
    score_spread_kcal_mol : float or None
        Worst less best of the rounds' best scores; None where there is one round.
    """

    rounds: int = 1
    converged: bool | None = None
    score_spread_kcal_mol: float | None = None


@dataclass(frozen=True)
class StateScore:
    """Best score of one state of a ligand; every docked state stays visible."""

    smiles: str
    score_kcal_mol: float | None
    message: str = ""


@dataclass(frozen=True)
class DockedLigand:
    """A scored ligand: its best state's poses, best first, and what the other states reached.

    Parameters
    ----------
    state_mol_block : str
        Topology of the best state (see `LigandState.mol_block`).
    seconds_cpu : float
        Processor time of preparation and docking in the engine process, in seconds.
    search : SearchSummary
        Of the best state.
    properties : LigandProperties, optional
        Of the ligand's neutral parent.
    """

    state_smiles: str
    state_mol_block: str
    poses: tuple[Pose, ...]
    heavy_atoms: int
    states: tuple[StateScore, ...]
    steps: tuple[str, ...]
    seed: int
    seconds_cpu: float
    search: SearchSummary = field(default_factory=SearchSummary)
    properties: LigandProperties | None = None

    @property
    def score_kcal_mol(self) -> float:
        """Best docking score."""
        return self.poses[0].score_kcal_mol

    @property
    def ligand_efficiency(self) -> float:
        """Score per heavy atom, sign reversed so that more is better, in kcal/mol (Hopkins 2004)."""
        return -self.score_kcal_mol / self.heavy_atoms


@dataclass(frozen=True)
class RejectedLigand:
    """A ligand without a score, and why."""

    reason: RejectionReason
    message: str
    seconds_cpu: float = 0.0


LigandOutcome = DockedLigand | RejectedLigand
