"""A ligand state laid on another molecule of the same skeleton, whose place is known."""

import numpy as np
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.poses import skeleton
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Of equal atoms any order will do; among so many mappings the one that keeps most bond orders is found nearly always.
_MAX_MATCHES = 1000


def state_at(state: Chem.Mol, reference: Chem.Mol) -> Chem.Mol:
    """Return the state with its heavy atoms where the reference has them, hydrogens placed by the usual geometry.

    The reference may be another protonation state. Where a symmetric skeleton allows several mappings, the one that
    keeps most bond orders is taken.

    Raises
    ------
    LigandRejected
        ``preparation_failed`` if the skeletons differ.
    """
    bare = Chem.RemoveAllHs(state)
    target = Chem.RemoveAllHs(reference)
    matches = skeleton(target).GetSubstructMatches(skeleton(bare), uniquify=False, maxMatches=_MAX_MATCHES)
    if not matches or bare.GetNumAtoms() != target.GetNumAtoms():
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, "It is not the molecule of the native pose.")
    best = max(matches, key=lambda match: _kept_bond_orders(bare, target, match))
    positions = target.GetConformer().GetPositions()[list(best)]
    bare.GetConformer().SetPositions(np.ascontiguousarray(positions))
    return Chem.AddHs(bare, addCoords=True)


def _kept_bond_orders(state: Chem.Mol, reference: Chem.Mol, match: tuple[int, ...]) -> int:
    ends = ((bond, bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in state.GetBonds())
    return sum(
        reference.GetBondBetweenAtoms(match[begin], match[end]).GetBondType() == bond.GetBondType()
        for bond, begin, end in ends
    )
