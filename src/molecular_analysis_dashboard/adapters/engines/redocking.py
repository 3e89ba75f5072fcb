"""One redocking run as the engine process does it: the native ligand from its SMILES, and back against the crystal."""

from collections.abc import Sequence

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.placed_states import state_in_place
from molecular_analysis_dashboard.adapters.chemistry.poses import (
    mol_from_block,
    perceived_smiles,
    pose_mol,
    symmetry_rmsd,
)
from molecular_analysis_dashboard.adapters.chemistry.superposed_states import state_at
from molecular_analysis_dashboard.adapters.chemistry.validation import validate_record
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.domain.docking import DockingProtocol, RejectedLigand
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, LigandState
from molecular_analysis_dashboard.domain.redocking import NativeScore, Redocked, RedockOutcome
from molecular_analysis_dashboard.domain.rejections import LigandRejected
from molecular_analysis_dashboard.ports.engine import DockingSite, RelaxingSite


def redock_native(
    site: DockingSite, native_mol_block: str, protocol: DockingProtocol, seed_parts: Sequence[str]
) -> RedockOutcome:
    """Dock a native ligand as a screen docks the same SMILES, and measure every kept pose against the crystal.

    Nothing of the crystal's conformation reaches the search: bonds, angles and torsions are embedded anew from the
    SMILES with the stereo that the crystal shows.

    Parameters
    ----------
    native_mol_block : str
        The native ligand with bond orders where the crystal has it.
    seed_parts : sequence of str
        As for `dock_ligand`.

    Raises
    ------
    InvalidInput
        ``rmsd_different_molecules`` when what is docked is not the native molecule (a salt's counter-ion, say).
    """
    native = mol_from_block(native_mol_block)
    try:
        ligand = _as_input(native)
    except LigandRejected as rejection:
        return RejectedLigand(rejection.reason, rejection.message)
    outcome = dock_ligand(site, ligand, protocol, seed_parts)
    if isinstance(outcome, RejectedLigand):
        return outcome
    poses = [pose_mol(outcome.state_mol_block, pose.coordinates) for pose in outcome.poses]
    rmsds = tuple(symmetry_rmsd(native, pose) for pose in poses)
    return Redocked(outcome, rmsds, score_native(site, native, outcome.state_mol_block))


def score_native(site: DockingSite, native: Chem.Mol, state_mol_block: str) -> NativeScore:
    """Score the docked state where the crystal has the native ligand, as it lies and after a local optimization."""
    try:
        state = _placed(native, state_mol_block)
        in_place = site.score(state)
    except LigandRejected as rejection:
        return NativeScore(message=rejection.message)
    if not isinstance(site, RelaxingSite):
        return NativeScore(in_place)
    try:
        relaxed = site.relax(state)
    except LigandRejected as rejection:
        return NativeScore(in_place, message=rejection.message)
    led_to = symmetry_rmsd(native, pose_mol(state.mol_block, relaxed.coordinates))
    return NativeScore(in_place, relaxed.score_kcal_mol, led_to)


def _as_input(native: Chem.Mol) -> LigandInput:
    name = native.GetProp("_Name") if native.HasProp("_Name") else ""
    found = validate_record(LigandRecord(1, perceived_smiles(native), "smiles", name))
    return LigandInput("native", found.name, found.smiles, found.drawn_smiles)


def _placed(native: Chem.Mol, state_mol_block: str) -> LigandState:
    return state_in_place(state_at(mol_from_block(state_mol_block), native))
