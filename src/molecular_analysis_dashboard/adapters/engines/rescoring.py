"""One pose scored in place or from the nearest minimum, as the engine process does it."""

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.placed_states import state_in_place
from molecular_analysis_dashboard.adapters.chemistry.poses import perceived_smiles, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.engines.ligand_docking import cpu_s
from molecular_analysis_dashboard.domain.analyses import PosedLigand
from molecular_analysis_dashboard.domain.docking import RejectedLigand
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.rescoring import PoseOutcome, RescoredPose
from molecular_analysis_dashboard.ports.engine import DockingSite, RelaxingSite


def rescore_pose(site: DockingSite, posed: PosedLigand, *, relax: bool) -> PoseOutcome:
    """Score a pose where it lies, or lead it to the nearest minimum of the site's score first.

    Atoms are typed anew from the pose's own molecule, so that an engine sees nothing of the one that docked it.

    Raises
    ------
    EngineFailed
        ``relaxing_unsupported``: it is the engine that cannot, not this pose.
    """
    started = cpu_s()
    try:
        mol = pose_mol(posed.mol_block, posed.coordinates)
        found = _relaxed(site, mol, posed) if relax else (site.score(state_in_place(mol)), None, None)
    except LigandRejected as rejection:
        return RejectedLigand(rejection.reason, rejection.message, cpu_s() - started)
    except InvalidInput as unreadable:
        return RejectedLigand(RejectionReason.PREPARATION_FAILED, unreadable.message, cpu_s() - started)
    score, moved, coordinates = found
    return RescoredPose(score, cpu_s() - started, moved, coordinates)


def _relaxed(site: DockingSite, mol: Chem.Mol, posed: PosedLigand) -> tuple[float, float, bytes]:
    """Return score, RMSD to where the pose was, and coordinates of the nearest minimum."""
    if not isinstance(site, RelaxingSite):
        raise EngineFailed(
            "This engine cannot relax poses. Rescore them in place, or with another engine.",
            code="relaxing_unsupported",
        )
    state = state_in_place(mol)
    pose = site.relax(state)
    there = pose_mol(posed.mol_block, pose.coordinates)
    if perceived_smiles(there) != state.smiles:
        raise LigandRejected(RejectionReason.NO_POSE, "Relaxing led to the coordinates of another molecule.")
    return pose.score_kcal_mol, symmetry_rmsd(mol, there), pose.coordinates
