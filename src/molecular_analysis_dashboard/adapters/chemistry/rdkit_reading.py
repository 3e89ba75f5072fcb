"""RDKit's readers with the types they have: they return None for what they cannot read."""

from rdkit import Chem


def read_smiles(smiles: str, *, sanitize: bool = True) -> Chem.Mol | None:
    """Return the molecule of a SMILES (or CXSMILES), None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromSmiles(smiles, sanitize=sanitize)
    return mol


def read_mol_block(block: str, *, sanitize: bool = True, remove_hydrogens: bool = True) -> Chem.Mol | None:
    """Return the molecule of a V2000 or V3000 mol block, None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromMolBlock(block, sanitize=sanitize, removeHs=remove_hydrogens)
    return mol


def read_mol2_block(block: str) -> Chem.Mol | None:
    """Return the molecule of a MOL2 block, None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromMol2Block(block)
    return mol
