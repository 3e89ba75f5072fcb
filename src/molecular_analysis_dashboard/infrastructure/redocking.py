"""How far a screen's pose lies from the native one.

For the demo, whose screen docks the native ligand among others: a `redock` job would dock it a second time.
"""

from pathlib import Path

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.poses import symmetry_rmsd
from molecular_analysis_dashboard.domain.errors import InvalidInput, NotFound


def rmsd_to_native(native_pdb: str, poses_sdf: Path, name: str) -> float:
    """The symmetry-aware heavy-atom RMSD of a ligand's best pose to the native one, not superposed, in Å.

    Parameters
    ----------
    native_pdb : str
        The ligand alone in PDB format; only elements, positions and connectivity count.
    poses_sdf : Path
        Poses of a screen, best first within each ligand.
    name : str
        Title of the ligand's records.

    Raises
    ------
    InvalidInput
        When the native ligand cannot be read, or is another molecule.
    NotFound
        When there is no pose of that name.
    """
    native = Chem.MolFromPDBBlock(native_pdb, sanitize=False, removeHs=False)
    if native is None:
        raise InvalidInput("The native ligand cannot be read as PDB.", code="ligand_unreadable")
    with Chem.SDMolSupplier(str(poses_sdf), removeHs=False) as poses:
        best = next((pose for pose in poses if pose.GetProp("_Name") == name), None)
    if best is None:
        raise NotFound(f"There is no pose of {name} in {poses_sdf}.", code="pose_not_found", name=name)
    return symmetry_rmsd(native, best)
