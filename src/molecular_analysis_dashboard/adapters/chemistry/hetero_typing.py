"""Typing what is not polymer: ions, waters, cofactors and other groups that stay in the receptor."""

from dataclasses import replace

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ccd import component, heavy_mol
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind
from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import typed_atoms
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import METAL_TYPES, RECEPTOR_TYPES
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue
from molecular_analysis_dashboard.domain.rejections import LigandRejected

# Usual oxidation states in proteins; charges are for the record, Vina does not read them.
_ION_CHARGES = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2, "Mn": 2, "Fe": 2, "Co": 2, "Ni": 2, "Cu": 2, "Zn": 2,
                "Cd": 2, "Hg": 2, "F": -1, "Cl": -1, "Br": -1, "I": -1}  # fmt: skip
# An atom that only metals held: what Meeko would call it in a molecule.
_LONE_TYPES = {"S": "SA", "O": "OA", "N": "NA"}
# Acids that are anions at any pH of interest, and that the dictionary lists with their proton.
_ACIDIC_OXYGEN = Chem.MolFromSmarts("[OX2H1,OX1H1][C,P,S,V,As](=O)")


class Untypable(Exception):
    """A group for which no atom types can be given, and why."""


def typed_group(residue: ReceptorResidue, kind: GroupKind) -> ReceptorResidue:
    """Return the group with hydrogens, atom types and charges.

    Raises
    ------
    Untypable
        With a sentence for the report.
    """
    if len(residue.atoms) == 1 and kind is GroupKind.ION:
        return replace(residue, atoms=(_ion(residue.atoms[0]),), is_hetero=True)
    if kind is GroupKind.WATER:
        return _water(residue)
    return _component(residue)


def _ion(atom: ReceptorAtom) -> ReceptorAtom:
    if atom.element not in RECEPTOR_TYPES:
        raise Untypable(f"Vina has no atom type for {atom.element}.")
    return replace(atom, atom_type=atom.element, charge=float(_ION_CHARGES.get(atom.element, 0)))


def _water(residue: ReceptorResidue) -> ReceptorResidue:
    oxygen = next((atom for atom in residue.atoms if atom.element == "O"), None)
    if oxygen is None:
        raise Untypable("It has no oxygen.")
    mol = Chem.RWMol()
    mol.AddAtom(Chem.Atom("O"))
    conformer = Chem.Conformer(1)
    conformer.SetAtomPosition(0, oxygen.position)
    mol.AddConformer(conformer)
    Chem.SanitizeMol(mol)
    return _typed(residue, mol.GetMol(), (oxygen.name,), ())


def _component(residue: ReceptorResidue) -> ReceptorResidue:
    found = component(residue.name)
    if found is None:
        raise Untypable(f"The Chemical Component Dictionary has no entry {residue.name}.")
    metals = frozenset(atom.element for atom in residue.atoms if atom.element in METAL_TYPES)
    built = heavy_mol(found, residue.atoms, without=metals)
    if built is None:
        raise Untypable(f"Its atoms do not agree with the dictionary's entry {residue.name}.")
    mol, names = built
    ions = tuple(_ion(atom) for atom in residue.atoms if atom.element in metals)
    return _typed(residue, mol, names, ions)


def _typed(
    residue: ReceptorResidue, mol: Chem.Mol, names: tuple[str, ...], ions: tuple[ReceptorAtom, ...]
) -> ReceptorResidue:
    if mol.GetNumAtoms() == 0:
        return replace(residue, atoms=ions, is_hetero=True)
    complete = Chem.AddHs(_deprotonated(mol), addCoords=True)
    types = _types(complete)
    positions = complete.GetConformer().GetPositions().tolist()
    n_hydrogens = 0
    atoms = []
    for atom, (atom_type, charge), position in zip(complete.GetAtoms(), types, positions, strict=True):
        if atom.GetIdx() < len(names):
            name = names[atom.GetIdx()]
        else:
            n_hydrogens += 1
            name = f"H{n_hydrogens}"
        x, y, z = position
        atoms.append(ReceptorAtom(name, atom.GetSymbol(), (x, y, z), atom_type, charge))
    if unknown := sorted({a.atom_type for a in atoms if a.atom_type} - RECEPTOR_TYPES):
        raise Untypable(f"Vina has no atom types {', '.join(unknown)}.")
    return replace(residue, atoms=(*atoms, *ions), is_hetero=True)


def _types(mol: Chem.Mol) -> list[tuple[str, float]]:
    """Return type and charge of each atom; without its metals a cluster falls into several molecules."""
    types: list[tuple[str, float]] = [("", 0.0)] * mol.GetNumAtoms()
    for indices in Chem.GetMolFrags(mol):
        if len(indices) == 1:
            atom = mol.GetAtomWithIdx(indices[0])
            types[indices[0]] = (_LONE_TYPES.get(atom.GetSymbol(), atom.GetSymbol()), float(atom.GetFormalCharge()))
            continue
        try:
            found = typed_atoms(_fragment(mol, indices))
        except LigandRejected as cause:
            raise Untypable(cause.message) from cause
        for index, one in zip(indices, found, strict=True):
            types[index] = one
    return types


def _fragment(mol: Chem.Mol, indices: tuple[int, ...]) -> Chem.Mol:
    others = set(range(mol.GetNumAtoms())) - set(indices)
    fragment = Chem.RWMol(mol)
    for index in sorted(others, reverse=True):
        fragment.RemoveAtom(index)
    return fragment.GetMol()


def _deprotonated(mol: Chem.Mol) -> Chem.Mol:
    copy = Chem.RWMol(mol)
    for match in copy.GetSubstructMatches(_ACIDIC_OXYGEN):
        atom = copy.GetAtomWithIdx(match[0])
        atom.SetFormalCharge(-1)
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
    Chem.SanitizeMol(copy)
    return copy.GetMol()
