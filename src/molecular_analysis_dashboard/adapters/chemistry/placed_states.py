"""A molecule that lies where it is to be scored, as engines take it."""

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.poses import MAX_V2000_ATOMS, perceived_smiles
from molecular_analysis_dashboard.domain.ligands import LigandState


def state_in_place(mol: Chem.Mol) -> LigandState:
    """Type a molecule with all hydrogens and one conformer, which stays where it is.

    Raises
    ------
    LigandRejected
        ``preparation_failed`` or ``unsupported_element``.
    """
    typed = to_pdbqt(mol)
    return LigandState(
        smiles=perceived_smiles(mol),
        mol_block=Chem.MolToMolBlock(mol, forceV3000=mol.GetNumAtoms() > MAX_V2000_ATOMS),
        pdbqt=typed.pdbqt,
        heavy_atoms=mol.GetNumHeavyAtoms(),
        torsions=typed.torsions,
        formal_charge=Chem.GetFormalCharge(mol),
    )
