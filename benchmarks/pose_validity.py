"""PoseBusters' verdict on one pose (Buttenschoen 2024, doi:10.1039/D3SC04185A), without its RMSD check."""

import tempfile
from functools import cache
from pathlib import Path

from posebusters import PoseBusters
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pose_mol

_RMSD_CHECK = "rmsd_≤_2å"


def failed_checks(
    state_mol_block: str, coordinates: bytes, native_mol_block: str, receptor_pdb: str
) -> tuple[str, ...]:
    """Return the names of the checks of PoseBusters' ``redock`` mode that a pose does not pass.

    As in the paper, a check that could not be made counts as passed.
    """
    pose = pose_mol(state_mol_block, coordinates)
    native = mol_from_block(native_mol_block)
    with tempfile.TemporaryDirectory() as folder:
        receptor = Path(folder, "receptor.pdb")
        receptor.write_text(receptor_pdb)
        table = _busters().bust([pose], Chem.RemoveHs(native), receptor)
    checks = table.iloc[0].to_dict()
    return tuple(sorted(str(name) for name, passed in checks.items() if passed is False and name != _RMSD_CHECK))


@cache
def _busters() -> PoseBusters:
    return PoseBusters(config="redock", max_workers=0)
