"""Bond orders of a placed ligand from a template of the same molecule."""

from collections.abc import Sequence

from rdkit import Chem
from rdkit.Chem import AllChem, rdDetermineBonds

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol_block, read_smiles
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom
from molecular_analysis_dashboard.domain.errors import InvalidInput


def read_template(text: str, *, is_block: bool = False) -> Chem.Mol:
    """Read a template from a SMILES or an SDF record, told by content unless `is_block` settles it.

    Raises
    ------
    InvalidInput
        ``template_unreadable``.
    """
    words = text.split()
    if is_block or "V2000" in text or "V3000" in text:
        mol = read_mol_block(text)
    else:
        mol = read_smiles(words[0]) if words else None
    if mol is None or mol.GetNumAtoms() == 0:
        raise InvalidInput(
            f"The template cannot be read as SMILES or SDF. {take_messages()}".strip(), code="template_unreadable"
        )
    return Chem.RemoveHs(mol)


def with_bond_orders(placed: Chem.Mol, template: Chem.Mol, label: str) -> Chem.Mol:
    """Return the heavy atoms of a placed molecule with the template's bond orders and the stereo they show.

    Raises
    ------
    InvalidInput
        ``template_mismatch`` if the heavy atoms or their bonds differ.
    """
    mismatch = InvalidInput(
        f"The template does not describe {label}: its heavy atoms or bonds differ. Check that it is the same molecule.",
        code="template_mismatch",
        selector=label,
    )
    if template.GetNumHeavyAtoms() != placed.GetNumHeavyAtoms():
        raise mismatch
    try:
        mol: Chem.Mol = AllChem.AssignBondOrdersFromTemplate(  # type: ignore[no-untyped-call]  # RDKit leaves it so
            template, Chem.RemoveHs(placed)
        )
    except (ValueError, RuntimeError) as cause:
        raise mismatch from cause
    Chem.AssignStereochemistryFrom3D(mol)
    return mol


def connected_mol(atoms: Sequence[ReceptorAtom]) -> Chem.Mol:
    """Return the atoms with single bonds by distance, which is all that a template of bond orders needs."""
    mol = Chem.RWMol()
    for atom in atoms:
        added = Chem.Atom(atom.element)
        added.SetNoImplicit(True)
        mol.AddAtom(added)
    mol.AddConformer(conformer_of(atoms), assignId=True)
    rdDetermineBonds.DetermineConnectivity(mol)
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(False)
        atom.SetNumRadicalElectrons(0)
    return mol.GetMol()


def conformer_of(atoms: Sequence[ReceptorAtom]) -> Chem.Conformer:
    """Return the atoms' positions as a conformer."""
    conformer = Chem.Conformer(len(atoms))
    for index, atom in enumerate(atoms):
        conformer.SetAtomPosition(index, atom.position)
    return conformer
