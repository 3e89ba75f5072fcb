"""Everything that is found out about one pose; what is made of the receptor stays warm."""

import time
from collections.abc import Callable
from typing import TypeVar

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import residues_near_box
from molecular_analysis_dashboard.adapters.chemistry.pose_checks import PoseChecker
from molecular_analysis_dashboard.adapters.chemistry.pose_interactions import InteractionFinder
from molecular_analysis_dashboard.adapters.chemistry.poses import pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.chemistry.strain import strain
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, Interaction, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.errors import EngineFailed, MadError

# PoseBusters and ProLIF look at most 6 Å around a pose, which lies in the box; chains need some neighbours more, so
# that no residue that counts has lost a bond.
_MARGIN_ANGSTROM = 12.0
T = TypeVar("T")


class PoseAnalyser:
    """Analyses poses at one site."""

    def __init__(self, site: AnalysisSite) -> None:
        residues = residues_near_box(site.receptor_pdb, site.box, _MARGIN_ANGSTROM)
        if not residues:
            raise EngineFailed(
                "The stored receptor has no atom near the search box. Prepare it again.", code="receptor_not_near_box"
            )
        self._checker = PoseChecker(residues)
        self._unfit = ""
        self._finder: InteractionFinder | None = None
        try:
            self._finder = InteractionFinder(residues)
        except Exception as error:
            # ProLIF and RDKit raise what they like; the checks do not depend on them.
            self._unfit = f"ProLIF cannot read this receptor: {_first_line(error)}"

    def analyse(self, posed: PosedLigand) -> PoseAnalysis:
        """Return what could be found out; a part that fails is named among the problems.

        Raises
        ------
        InvalidInput
            If the pose cannot be read.
        """
        started = time.process_time()
        pose = pose_mol(posed.mol_block, posed.coordinates)
        problems: dict[str, str] = {}
        checks = _part(problems, "checks", lambda: self._checker.checks(pose)) or {}
        interactions = _part(problems, "interactions", lambda: self._interactions(pose, problems)) or ()
        strained, method = _part(problems, "strain", lambda: strain(posed.mol_block, pose)) or (None, "")
        rmsd = _part(problems, "rmsd", lambda: _rmsd_to_better(posed, pose)) or ()
        return PoseAnalysis(
            checks=checks,
            interactions=interactions,
            strain_kcal_mol=strained,
            strain_method=method,
            rmsd_angstrom=rmsd,
            problems=problems,
            seconds_cpu=round(time.process_time() - started, 4),
        )

    def _interactions(self, pose: Chem.Mol, problems: dict[str, str]) -> tuple[Interaction, ...]:
        if self._finder is None:
            problems["interactions"] = self._unfit
            return ()
        if self._finder.left_out:
            residues = ", ".join(self._finder.left_out)
            problems["interactions"] = f"Not looked at, as their bonds make no sense: {residues}."
        return self._finder.interactions(pose)


def _rmsd_to_better(posed: PosedLigand, pose: Chem.Mol) -> tuple[float, ...]:
    return tuple(round(symmetry_rmsd(pose_mol(posed.mol_block, other), pose), 3) for other in posed.better)


def _part(problems: dict[str, str], name: str, work: Callable[[], T]) -> T | None:
    """Do one part; None if it fails. Libraries raise what they like, and the other parts do not depend on it."""
    try:
        return work()
    except MemoryError:
        raise
    except Exception as error:
        problems[name] = _first_line(error)
        return None


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, MadError) else str(error)
    return f"{type(error).__name__}: {text.strip().splitlines()[0][:300] if text.strip() else 'no message'}"
