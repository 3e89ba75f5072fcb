"""Poses as molecules: coordinates put back on the state's topology, checked, compared and written."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolAlign

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol_block
from molecular_analysis_dashboard.domain.errors import InvalidInput

# Symmetric molecules have factorially many atom mappings; beyond this the RMSD is an upper bound.
MAX_SYMMETRY_MATCHES = 20_000
MAX_V2000_ATOMS = 999


def mol_from_block(mol_block: str) -> Chem.Mol:
    """Read a mol block with every hydrogen kept.

    Raises
    ------
    InvalidInput
        With code ``mol_block_unreadable``.
    """
    forget_messages()
    mol = read_mol_block(mol_block, remove_hydrogens=False)
    if mol is None:
        raise InvalidInput("The stored molecule cannot be read. Prepare it again.", code="mol_block_unreadable")
    return mol


def pack_coordinates(coordinates: NDArray[np.float64]) -> bytes:
    """Return coordinates of shape (n, 3) in Å as little-endian float32 bytes."""
    return np.ascontiguousarray(coordinates, dtype="<f4").tobytes()


def unpack_coordinates(coordinates: bytes) -> NDArray[np.float64]:
    """Return coordinates of shape (n, 3) in Å from little-endian float32 bytes."""
    return np.frombuffer(coordinates, dtype="<f4").astype(np.float64).reshape(-1, 3)


def pose_mol(state_mol_block: str, coordinates: bytes) -> Chem.Mol:
    """Return the state's molecule, bond orders and hydrogens included, at the coordinates of a pose.

    Raises
    ------
    InvalidInput
        If the numbers of atoms differ (``pose_atom_count``) or the mol block is unreadable.
    """
    mol = mol_from_block(state_mol_block)
    positions = unpack_coordinates(coordinates)
    if len(positions) != mol.GetNumAtoms():
        raise InvalidInput(
            f"The pose has {len(positions)} atoms but its molecule has {mol.GetNumAtoms()}.", code="pose_atom_count"
        )
    return with_positions(mol, positions)


def with_positions(mol: Chem.Mol, positions: NDArray[np.float64]) -> Chem.Mol:
    """Return a copy with one conformer at positions of shape (n_atoms, 3) in Å."""
    copy = Chem.Mol(mol)
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.Set3D(True)
    conformer.SetPositions(np.ascontiguousarray(positions))
    copy.RemoveAllConformers()
    copy.AddConformer(conformer, assignId=True)
    return copy


def pose_sdf(state_mol_block: str, coordinates: bytes, properties: Mapping[str, str | float | int], name: str) -> str:
    """Return one SDF record of a pose with data fields, V3000 beyond 999 atoms."""
    mol = pose_mol(state_mol_block, coordinates)
    mol.SetProp("_Name", _title(name))
    block = Chem.MolToMolBlock(mol, forceV3000=mol.GetNumAtoms() > MAX_V2000_ATOMS)
    fields = "".join(f">  <{_field_name(key)}>\n{_field_text(value)}\n\n" for key, value in properties.items())
    return f"{block}{fields}$$$$\n"


def perceived_smiles(mol: Chem.Mol) -> str:
    """Return the canonical SMILES with the stereo that the three-dimensional coordinates show."""
    return str(Chem.MolToSmiles(Chem.RemoveHs(with_perceived_stereo(mol))))


def with_perceived_stereo(mol: Chem.Mol) -> Chem.Mol:
    """Return a copy whose stereo is what the coordinates show, also where the graph left it open."""
    copy = Chem.Mol(mol)
    for bond in copy.GetBonds():
        if bond.GetStereo() == Chem.BondStereo.STEREOANY:
            bond.SetStereo(Chem.BondStereo.STEREONONE)
        if bond.GetBondDir() == Chem.BondDir.EITHERDOUBLE:
            bond.SetBondDir(Chem.BondDir.NONE)
    Chem.AssignStereochemistryFrom3D(copy, replaceExistingTags=True)
    _perceive_pyramids(copy)
    return copy


def _perceive_pyramids(mol: Chem.Mol) -> None:
    """Add the stereo of pyramidal P and N, which RDKit writes and embeds but does not see in coordinates.

    It does see it for the sulfonium ion of the same shape, which therefore stands in for them.
    """
    indices = [atom.GetIdx() for atom in mol.GetAtoms() if _is_stable_pyramid(atom)]
    if not indices:
        return
    twin = Chem.RWMol(mol)
    for index in indices:
        twin.GetAtomWithIdx(index).SetAtomicNum(16)
        twin.GetAtomWithIdx(index).SetFormalCharge(1)
    twin.UpdatePropertyCache(strict=False)
    Chem.AssignAtomChiralTagsFromStructure(twin, replaceExistingTags=True)
    for index in indices:
        mol.GetAtomWithIdx(index).SetChiralTag(twin.GetAtomWithIdx(index).GetChiralTag())
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


def _is_stable_pyramid(atom: Chem.Atom) -> bool:
    """Whether it is three-bonded phosphorus, or nitrogen that a ring of three or a bridge keeps from inverting."""
    if atom.GetTotalDegree() != 3 or atom.GetFormalCharge() != 0:
        return False
    if atom.GetAtomicNum() == 15:
        return True
    rings = atom.GetOwningMol().GetRingInfo()
    in_cage = atom.IsInRingSize(3) or rings.NumAtomRings(atom.GetIdx()) > 1
    return bool(atom.GetAtomicNum() == 7 and in_cage and not atom.GetIsAromatic())


def matches_state(state_mol_block: str, coordinates: bytes, state_smiles: str) -> bool:
    """Whether the pose's coordinates show exactly the state's molecule, stereo included."""
    return perceived_smiles(pose_mol(state_mol_block, coordinates)) == state_smiles


def symmetry_rmsd(reference: Chem.Mol, pose: Chem.Mol) -> float:
    """Return the heavy-atom RMSD (Å) under the best atom mapping, without superposition.

    Protonation states may differ. Both molecules need a conformer in the same frame.

    Raises
    ------
    InvalidInput
        If the heavy-atom skeletons differ (``rmsd_different_molecules``).
    """
    first, second = skeleton(reference), skeleton(pose)
    different = InvalidInput(
        "The RMSD needs two poses of the same molecule; these differ in their atoms or bonds.",
        code="rmsd_different_molecules",
    )
    if first.GetNumAtoms() != second.GetNumAtoms():
        raise different
    try:
        return float(rdMolAlign.CalcRMS(second, first, maxMatches=MAX_SYMMETRY_MATCHES))
    except RuntimeError as cause:
        raise different from cause


def skeleton(mol: Chem.Mol) -> Chem.Mol:
    """Return placed heavy atoms joined by single bonds, so that charges and resonance forms match each other."""
    editable = Chem.RWMol()
    positions = mol.GetConformer().GetPositions()
    kept = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    index = {old: editable.AddAtom(_bare(mol.GetAtomWithIdx(old))) for old in kept}
    for bond in mol.GetBonds():
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if begin in index and end in index:
            editable.AddBond(index[begin], index[end], Chem.BondType.SINGLE)
    conformer = Chem.Conformer(len(kept))
    conformer.SetPositions(np.ascontiguousarray(positions[kept]))
    bare = editable.GetMol()
    bare.AddConformer(conformer, assignId=True)
    Chem.FastFindRings(bare)
    return bare


def _bare(atom: Chem.Atom) -> Chem.Atom:
    bare = Chem.Atom(atom.GetAtomicNum())
    bare.SetNoImplicit(True)
    return bare


def _title(name: str) -> str:
    """Return a name as the title of a record; readers would take one that begins like the delimiter for its end."""
    title = " ".join(name.split())
    return f" {title}" if title.startswith("$$$$") else title


def _field_name(key: str) -> str:
    return "".join(character if character not in "<>\r\n" else "_" for character in key)


def _field_text(value: str | float | int) -> str:
    """Return a data field's text; blank lines would end the field early."""
    lines = [line for line in str(value).splitlines() if line.strip()]
    return "\n".join(line if not line.startswith("$$$$") else f" {line}" for line in lines)
