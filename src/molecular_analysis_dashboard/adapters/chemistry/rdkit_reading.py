"""RDKit's readers with the types they have: they return None for what they cannot read.

RDKit cuts texts at bytes when it complains about them, and a cut character breaks the way of the message into
Python; so everything beyond ASCII, which has no meaning in these formats, is replaced first.
"""

from rdkit import Chem


def read_smiles(smiles: str, *, sanitize: bool = True) -> Chem.Mol | None:
    """Return the molecule of a SMILES (or CXSMILES), None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromSmiles(_ascii(smiles), sanitize=sanitize)
    return mol


def read_mol_block(block: str, *, sanitize: bool = True, remove_hydrogens: bool = True) -> Chem.Mol | None:
    """Return the molecule of a V2000 or V3000 mol block, None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromMolBlock(_ascii(block), sanitize=sanitize, removeHs=remove_hydrogens)
    return mol


def read_mol2_block(block: str) -> Chem.Mol | None:
    """Return the molecule of a MOL2 block, None if RDKit refuses it."""
    mol: Chem.Mol | None = Chem.MolFromMol2Block(_ascii(block))
    return mol


def _ascii(text: str) -> str:
    return text if text.isascii() else text.encode("ascii", errors="replace").decode()
