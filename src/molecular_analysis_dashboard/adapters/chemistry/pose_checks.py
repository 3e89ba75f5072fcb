"""PoseBusters' checks of a docked pose, by name (Buttenschoen 2024, doi:10.1039/D3SC04185A)."""

from collections.abc import Sequence

import numpy as np
from posebusters import PoseBusters
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import PdbResidue

# With a receptor and without a reference ligand; limits and names are PoseBusters' own.
_CONFIGURATION = "dock"


class PoseChecker:
    """Checks poses against one receptor.

    Parameters
    ----------
    residues : sequence of PdbResidue
        Those near the poses. PoseBusters looks 6 Å around a pose, so leaving out what is farther changes no check.
    """

    def __init__(self, residues: Sequence[PdbResidue]) -> None:
        text = "\n".join(line for residue in residues for line in residue.lines)
        # As PoseBusters itself reads a receptor: only elements, positions and residue names count.
        self._receptor = Chem.MolFromPDBBlock(text, sanitize=False, removeHs=False, proximityBonding=False)
        self._busters = PoseBusters(config=_CONFIGURATION)
        for module in self._busters.config["modules"]:
            if module["function"] == "energy_ratio":
                # The default is every core of the machine.
                module["parameters"]["num_threads"] = 1

    def checks(self, pose: Chem.Mol) -> dict[str, bool | None]:
        """Return whether each check passes; None where it could not be computed."""
        with silenced("posebusters", "rdkit"):
            table = self._busters.bust(pose, None, self._receptor)
        return {
            str(name): bool(value) if isinstance(value, bool | np.bool_) else None
            for name, value in table.iloc[0].items()
        }
