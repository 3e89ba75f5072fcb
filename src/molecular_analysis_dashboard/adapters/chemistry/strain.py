"""Strain of a pose: how far its conformation lies above the best one known of the ligand alone."""

from functools import lru_cache

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from rdkit.ForceField.rdForceField import ForceField

from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages

# Docking leaves bonds and angles of the start conformer and moves only torsions: without a little give, the strain
# would be that of a few close hydrogens. Heavy atoms may move freely by 0.3 Å (Sitzmann 2012,
# doi:10.1021/ci200595n, relaxes crystal ligands before comparing for the same reason), then by a spring.
_FREE_ANGSTROM, _SPRING_KCAL_MOL_A2 = 0.3, 100.0
_STEPS = 500
_CONFORMERS = 20
# Which conformers are made must depend on the ligand alone.
_SEED = 20_090


def strain(mol_block: str, pose: Chem.Mol) -> tuple[float | None, str]:
    """Return the strain in kcal/mol and how it was computed; None where no force field has the parameters.

    The pose is relaxed with its heavy atoms held within 0.3 Å. Its energy is compared with the lowest of up to 20
    ETKDGv3 conformers and of the pose itself, all fully relaxed. Energies are of MMFF94s (Halgren 1999,
    doi:10.1002/(SICI)1096-987X(199905)20:7<720::AID-JCC7>3.0.CO;2-X) in vacuum, where opposite charges attract each
    other too much: strains of zwitterions are upper bounds, and none is a free energy.

    Parameters
    ----------
    mol_block : str
        The ligand's state with all hydrogens; its conformers are kept for the next pose.
    """
    field = _force_field_name(pose)
    if field is None:
        return None, "no force field has this ligand's parameters"
    try:
        held, free = _relaxed(pose, field, hold=True), _relaxed(pose, field, hold=False)
        made, lowest = _best_conformer(mol_block, field)
    finally:
        take_messages()
    return round(held - min(free, lowest), 2), f"{field}, of {made} conformers"


def _force_field_name(mol: Chem.Mol) -> str | None:
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        return "MMFF94s"
    return "UFF" if rdForceFieldHelpers.UFFHasAllMoleculeParams(mol) else None


def _relaxed(pose: Chem.Mol, field: str, *, hold: bool) -> float:
    """Return the energy after relaxing a copy."""
    mol = Chem.Mol(pose)
    forces = _forces(mol, field)
    if hold:
        add = forces.MMFFAddPositionConstraint if field == "MMFF94s" else forces.UFFAddPositionConstraint
        for atom in mol.GetAtoms():
            if atom.GetAtomicNum() > 1:
                add(atom.GetIdx(), _FREE_ANGSTROM, _SPRING_KCAL_MOL_A2)
    forces.Minimize(maxIts=_STEPS)
    # Without what the springs hold.
    return float(_forces(mol, field).CalcEnergy())


def _forces(mol: Chem.Mol, field: str) -> ForceField:
    if field == "UFF":
        forces: ForceField = rdForceFieldHelpers.UFFGetMoleculeForceField(mol)
    else:
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, mmffVariant=field)
        forces = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
    forces.Initialize()
    return forces


@lru_cache(maxsize=1)
def _best_conformer(mol_block: str, field: str) -> tuple[int, float]:
    """Return how many conformers could be made, and the lowest energy of them; infinity without any."""
    mol = mol_from_block(mol_block)
    parameters = rdDistGeom.ETKDGv3()
    for name, value in {"randomSeed": _SEED, "numThreads": 1}.items():
        # RDKit's stubs give every field the type of the whole.
        setattr(parameters, name, value)
    try:
        made = len(rdDistGeom.EmbedMultipleConfs(mol, _CONFORMERS, parameters))
    except (RuntimeError, ValueError):
        made = 0
    if not made:
        return 0, float("inf")
    if field == "UFF":
        relaxed = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=_STEPS)
    else:
        relaxed = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=_STEPS, mmffVariant=field)
    return made, float(min(energy for _, energy in relaxed))
