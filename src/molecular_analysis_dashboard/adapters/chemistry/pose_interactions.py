"""Interactions of a pose with the receptor by ProLIF (Bouysset and Fiorucci 2021, doi:10.1186/s13321-021-00548-6).

ProLIF is Apache-2.0; importing it imports MDAnalysis (LGPL), of which nothing else is used: molecules come from RDKit.
"""

from collections.abc import Sequence

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import PdbResidue
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.domain.analyses import Interaction, InteractionType

with silenced():
    # MDAnalysis warns of its own old names while it is imported.
    from prolif.fingerprint import Fingerprint
    from prolif.molecule import Molecule

    from molecular_analysis_dashboard.adapters.chemistry.receptor_residues import typed_receptor


class InteractionFinder:
    """Finds interactions with one receptor, whose residues near the poses are given."""

    def __init__(self, residues: Sequence[PdbResidue]) -> None:
        with silenced():
            self._receptor = typed_receptor(residues)
            # `count` because only then every occurrence is seen and the closest can be chosen.
            self._fingerprint = Fingerprint([str(kind) for kind in InteractionType], count=True)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Residues without interactions, because their bonds make no sense."""
        return self._receptor.left_out

    def interactions(self, pose: Chem.Mol) -> tuple[Interaction, ...]:
        """Return the closest interaction of each type with each residue, by residue in the file's order."""
        with silenced():
            found = self._fingerprint.generate(Molecule.from_rdkit(pose), self._receptor.molecule, metadata=True)
        take_messages()
        closest = [
            (residue.number, Interaction(InteractionType(name), self._receptor.labels[residue.number], _least(all_)))
            for (_, residue), by_type in found.items()
            for name, all_ in by_type.items()
        ]
        return tuple(one for _, one in sorted(closest, key=lambda pair: (pair[0], pair[1].type)))


def _least(occurrences: Sequence[dict[str, float]]) -> float:
    return round(min(float(one["distance"]) for one in occurrences), 3)
