"""The redocking preflight: is the native ligand found again, and if not, why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from molecular_analysis_dashboard.domain.docking import DockedLigand, Pose, RejectedLigand
from molecular_analysis_dashboard.domain.hashing import MAX_SEED
from molecular_analysis_dashboard.domain.rejections import RejectionReason

# The customary limit of a redocking success (Cole 2005, doi:10.1002/prot.20497; PoseBusters, doi:10.1039/D3SC04185A).
RMSD_LIMIT_ANGSTROM = 2.0
DEFAULT_RUNS = 3
MAX_RUNS = 20
# Scores nearer to each other than this do not tell which is better: rounding and refinement may decide it.
_SAME_SCORE_KCAL_MOL = 0.1

RULE = (
    f"green: the best-scored pose lies within {RMSD_LIMIT_ANGSTROM:g} Å of the native one in every run; "
    "amber: it does in some run, or another kept pose does in some run; red: no kept pose of any run does."
)


class Verdict(StrEnum):
    """What the runs say of receptor, box and protocol; see `RULE`."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class MissCause(StrEnum):
    """Why the best-scored pose of a run is not the native one."""

    SEARCH = "search"  # the native pose scores better than what was found: the search missed it
    SCORING = "scoring"  # another placement scores better than the native one: more search will not help
    UNDECIDED = "undecided"  # the native pose has no score, or one too near to tell
    NOT_DOCKED = "not_docked"  # the run has no pose


class BondOrderSource(StrEnum):
    """Where the bond orders of a native ligand came from."""

    TEMPLATE = "template"
    STRUCTURE_FILE = "chem_comp_bond"
    DICTIONARY = "chemical_component_dictionary"
    LIGAND_FILE = "ligand_file"
    NONE = "none"


@dataclass(frozen=True)
class NativeMolecule:
    """A native ligand where the crystal has it.

    Parameters
    ----------
    mol_block : str or None
        With bond orders; None where no source gives them.
    bond_order_source : BondOrderSource or None
        None until the bond orders are known.
    """

    name: str
    mol_block: str | None = None
    bond_order_source: BondOrderSource | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NativeScore:
    """The native pose as the scoring function sees it.

    Parameters
    ----------
    in_place_kcal_mol : float or None
        Where the crystal has it; small clashes of the model weigh heavily here.
    relaxed_kcal_mol : float or None
        After a local optimization by the engine's own scoring function, where the engine offers one.
    relaxed_rmsd_angstrom : float or None
        How far that led from the crystal.
    message : str
        Why there is no score.
    """

    in_place_kcal_mol: float | None = None
    relaxed_kcal_mol: float | None = None
    relaxed_rmsd_angstrom: float | None = None
    message: str = ""

    @property
    def best_kcal_mol(self) -> float | None:
        """The better of the scores that still belong to the native placement."""
        scores = [self.in_place_kcal_mol]
        if self.relaxed_rmsd_angstrom is not None and self.relaxed_rmsd_angstrom <= RMSD_LIMIT_ANGSTROM:
            scores.append(self.relaxed_kcal_mol)
        return min((score for score in scores if score is not None), default=None)


@dataclass(frozen=True)
class Redocked:
    """One run that has poses: the native ligand docked from a conformer made anew.

    Parameters
    ----------
    rmsds_angstrom : tuple of float
        Of each pose to the native one: heavy atoms, symmetry-aware, not superposed.
    """

    docked: DockedLigand
    rmsds_angstrom: tuple[float, ...]
    native: NativeScore


RedockOutcome = Redocked | RejectedLigand


@dataclass(frozen=True)
class Redocking:
    """A redocking as it is stored.

    Parameters
    ----------
    native_selector : str or None
        Which ligand of the structure it is, where it came from there.
    native : NativeMolecule
        Without a mol block until a worker has found the bond orders.
    checks : tuple of mappings
        What the check of the box says, as a site keeps it.
    """

    job_id: UUID
    native_selector: str | None
    native: NativeMolecule
    checks: tuple[Mapping[str, object], ...] = ()
    verdict: "RedockingVerdict | None" = None
    judged_at: datetime | None = None


@dataclass(frozen=True)
class NewRun:
    """A run about to be written; its task names its id."""

    id: UUID
    run_no: int
    seed: int


@dataclass(frozen=True)
class PoseMeasure:
    """Score and RMSD of one pose; rank 1 has the best score."""

    rank: int
    score_kcal_mol: float
    rmsd_angstrom: float


@dataclass(frozen=True)
class RedockingRun:
    """One run as it is stored and judged; without poses while it waits, or when it was rejected."""

    run_no: int
    seed: int
    poses: tuple[PoseMeasure, ...] = ()
    native: NativeScore = field(default_factory=NativeScore)
    state_smiles: str | None = None
    reason: RejectionReason | None = None
    message: str = ""
    seconds_cpu: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether the run has an outcome."""
        return bool(self.poses) or self.reason is not None

    @property
    def top_score_kcal_mol(self) -> float | None:
        """Score of the best-scored pose."""
        return self.poses[0].score_kcal_mol if self.poses else None

    @property
    def top_rmsd_angstrom(self) -> float | None:
        """RMSD of the best-scored pose."""
        return self.poses[0].rmsd_angstrom if self.poses else None

    @property
    def best_rmsd_angstrom(self) -> float | None:
        """Least RMSD of the kept poses."""
        return min((pose.rmsd_angstrom for pose in self.poses), default=None)

    @property
    def miss(self) -> MissCause | None:
        """Why the best-scored pose is not the native one, None when it is or when the run has no outcome."""
        if not self.is_done or _near(self.top_rmsd_angstrom):
            return None
        if self.top_score_kcal_mol is None:
            return MissCause.NOT_DOCKED
        native = self.native.best_kcal_mol
        if native is None:
            return MissCause.UNDECIDED
        if native < self.top_score_kcal_mol - _SAME_SCORE_KCAL_MOL:
            return MissCause.SEARCH
        only_in_place = self.native.relaxed_kcal_mol is None
        same = native <= self.top_score_kcal_mol + _SAME_SCORE_KCAL_MOL
        return MissCause.UNDECIDED if only_in_place or same else MissCause.SCORING


@dataclass(frozen=True)
class RedockingVerdict:
    """The conclusion from all runs of a redocking."""

    verdict: Verdict
    sentence: str
    rule: str = RULE

    @classmethod
    def of(cls, runs: Sequence[RedockingRun]) -> Self:
        """Judge finished runs."""
        tops = sum(_near(run.top_rmsd_angstrom) for run in runs)
        some = sum(_near(run.best_rmsd_angstrom) for run in runs)
        if runs and tops == len(runs):
            return cls(Verdict.GREEN, f"The native pose came first in {_of(tops, runs)}.")
        verdict = Verdict.AMBER if some else Verdict.RED
        found = (
            f"The native pose came first in {_of(tops, runs)} and is among the kept poses of {some}."
            if some
            else "No kept pose of any run is the native one."
        )
        return cls(verdict, " ".join([found, *_explained(runs)]))


def run_seeds(seed: int, runs: int) -> tuple[int, ...]:
    """Return the seeds of `runs` runs: the protocol's own and those that follow it, within 1 to 2**31-1."""
    return tuple((seed - 1 + number) % MAX_SEED + 1 for number in range(runs))


def measures(poses: Sequence[Pose], rmsds_angstrom: Sequence[float]) -> tuple[PoseMeasure, ...]:
    """Join poses with their RMSD."""
    return tuple(
        PoseMeasure(pose.rank, pose.score_kcal_mol, rmsd) for pose, rmsd in zip(poses, rmsds_angstrom, strict=True)
    )


def _near(rmsd_angstrom: float | None) -> bool:
    return rmsd_angstrom is not None and rmsd_angstrom <= RMSD_LIMIT_ANGSTROM


def _of(number: int, runs: Sequence[RedockingRun]) -> str:
    return f"{number} of {len(runs)} run{'s' if len(runs) != 1 else ''}"


_EXPLAINED = {
    MissCause.SEARCH: "the native pose scores better than what was found, so the search missed it: raise the effort",
    MissCause.SCORING: "another placement scores better than the native one: more effort will not help",
    MissCause.UNDECIDED: "the scores do not tell whether search or scoring is to blame",
}


def _explained(runs: Sequence[RedockingRun]) -> list[str]:
    sentences = []
    for cause, meaning in _EXPLAINED.items():
        if missed := [run for run in runs if run.miss is cause]:
            sentences.append(f"In {_of(len(missed), runs)} {meaning}.")
    if rejected := [run for run in runs if run.miss is MissCause.NOT_DOCKED]:
        sentences.append(f"{_of(len(rejected), runs)} gave no pose: {rejected[0].message}")
    return sentences
