"""Typing what Meeko has no template for: ions, waters, cofactors, glycans and modified residues."""

from collections.abc import Sequence
from dataclasses import replace

from rdkit import Chem
from rdkit.Geometry import Point3D

from molecular_analysis_dashboard.adapters.chemistry.ccd import component, heavy_mol
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import Link
from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import typed_atoms
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import METAL_TYPES, RECEPTOR_TYPES
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue
from molecular_analysis_dashboard.domain.rejections import LigandRejected

# Usual oxidation states in proteins; charges are for the record, Vina does not read them.
_ION_CHARGES = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2, "Mn": 2, "Fe": 2, "Co": 2, "Ni": 2, "Cu": 2, "Zn": 2,
                "Cd": 2, "Hg": 2, "F": -1, "Cl": -1, "Br": -1, "I": -1}  # fmt: skip
# An atom that only metals held: what Meeko would call it in a molecule.
_LONE_TYPES = {"S": "SA", "O": "OA", "N": "NA"}
# Acids that are anions at any pH of interest, and that the dictionary lists with their proton.
_ACIDIC_OXYGEN = Chem.MolFromSmarts("[OX2H1,OX1H1][C,P,S,V,As](=O)")
# Amines and guanidines that are cations at any pH of interest, and that the dictionary lists without their proton.
_BASIC_NITROGEN = (
    Chem.MolFromSmarts("[NX3;+0;$(N-[CX4]);!$(N~[!#6]);!$(N-[#6;!X4])]"),
    Chem.MolFromSmarts("[$([NX2;+0;H1]=C(N)N)]"),
)


class Untypable(Exception):
    """A group for which no atom types can be given, and why."""


def typed_group(residue: ReceptorResidue, kind: GroupKind, links: Sequence[Link] = ()) -> ReceptorResidue:
    """Return the group with hydrogens, atom types and charges.

    Parameters
    ----------
    links : sequence of Link
        Bonds to other residues; the atoms at their ends get no hydrogen in the bond's place.

    Raises
    ------
    Untypable
        With a sentence for the report.
    """
    if len(residue.atoms) == 1 and kind is GroupKind.ION:
        return replace(residue, atoms=(_ion(residue.atoms[0]),), is_hetero=True)
    if kind is GroupKind.WATER:
        return _water(residue)
    return replace(typed_component(residue, links), is_hetero=True)


def typed_component(residue: ReceptorResidue, links: Sequence[Link]) -> ReceptorResidue:
    """Return the residue typed by its entry in the Chemical Component Dictionary; see `typed_group`."""
    found = component(residue.name)
    if found is None:
        raise Untypable(f"The Chemical Component Dictionary has no entry {residue.name}.")
    metals = frozenset(atom.element for atom in residue.atoms if atom.element in METAL_TYPES)
    built = heavy_mol(found, residue.atoms, without=metals)
    if built is None:
        raise Untypable(f"Its atoms do not agree with the dictionary's entry {residue.name}.")
    mol, names = built
    ions = tuple(_ion(atom) for atom in residue.atoms if atom.element in metals)
    try:
        return _typed(residue, mol, names, ions, links)
    except (ValueError, RuntimeError) as cause:  # RDKit's errors of valence and of elements
        take_messages()
        raise Untypable(f"RDKit says: {str(cause).strip().splitlines()[0][:200]}") from cause


def missing_atoms(residue: ReceptorResidue, links: Sequence[Link], *, begins_strand: bool = True) -> tuple[str, ...]:
    """Return the heavy atoms of the dictionary's entry that the residue lacks, but for those that chains leave out.

    An atom that gave way to a bond, such as the hydroxyl of a linked sugar, is not missing, nor is the phosphate with
    which a strand need not begin.
    """
    found = component(residue.name)
    present = {atom.name for atom in residue.atoms}
    if found is None or not present <= set(found.atoms):
        return ()
    absent = {name for name, (element, _) in found.atoms.items() if element not in ("H", "D")} - present
    absent -= {"OXT", "OP3"}
    if begins_strand and not {"P", "OP1", "OP2"} & present:
        absent -= {"P", "OP1", "OP2"}
    linked = {link.atom for link in links}
    heavy_bonds: dict[str, set[str]] = {}
    for first, second, _ in found.bonds:
        heavy_bonds.setdefault(first, set()).add(second)
        heavy_bonds.setdefault(second, set()).add(first)
    return tuple(sorted(name for name in absent if not heavy_bonds.get(name, set()) & linked))


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
    return replace(_typed(residue, mol.GetMol(), (oxygen.name,), (), ()), is_hetero=True)


def _typed(
    residue: ReceptorResidue,
    mol: Chem.Mol,
    names: tuple[str, ...],
    ions: tuple[ReceptorAtom, ...],
    links: Sequence[Link],
) -> ReceptorResidue:
    if mol.GetNumAtoms() == 0:
        return replace(residue, atoms=ions)
    padded, linked = _padded(mol, names, links)
    complete = Chem.AddHs(_ionized(padded), addCoords=True)
    own = _own_atoms(complete, len(names))
    formal = sum(complete.GetAtomWithIdx(index).GetFormalCharge() for index in own)
    types = _types(complete)
    # What the padding took or gave belongs to the atoms that it stands at.
    residual = (formal - sum(types[index][1] for index in own)) / max(len(linked), 1)
    positions = complete.GetConformer().GetPositions().tolist()
    n_hydrogens = 0
    atoms = []
    for index in own:
        name = names[index] if index < len(names) else f"H{(n_hydrogens := n_hydrogens + 1)}"
        atom_type, charge = types[index]
        x, y, z = positions[index]
        symbol = complete.GetAtomWithIdx(index).GetSymbol()
        shift = residual if index in linked else 0.0
        atoms.append(ReceptorAtom(name, symbol, (x, y, z), atom_type, charge + shift))
    if unknown := sorted({a.atom_type for a in atoms if a.atom_type} - RECEPTOR_TYPES):
        raise Untypable(f"Vina has no atom types {', '.join(unknown)}.")
    return replace(residue, atoms=(*atoms, *ions))


def _padded(mol: Chem.Mol, names: tuple[str, ...], links: Sequence[Link]) -> tuple[Chem.Mol, set[int]]:
    """Return the molecule with the partner's atom at every bond to another residue, and the atoms so bonded."""
    padded = Chem.RWMol(mol)
    conformer = padded.GetConformer()
    linked: set[int] = set()
    for link in links:
        index = names.index(link.atom) if link.atom in names else None
        if index is None or padded.GetAtomWithIdx(index).GetTotalNumHs() == 0:
            continue
        linked.add(index)
        partner = padded.AddAtom(Chem.Atom(link.partner_atom.element))
        conformer.SetAtomPosition(partner, Point3D(*link.partner_atom.position))
        padded.AddBond(index, partner, Chem.BondType.SINGLE)
        carbonyl = link.partner.atom("O") if link.partner_atom.name == "C" else None
        if carbonyl is not None:
            # It makes the nitrogen at this end that of an amide.
            oxygen = padded.AddAtom(Chem.Atom("O"))
            conformer.SetAtomPosition(oxygen, Point3D(*carbonyl.position))
            padded.AddBond(partner, oxygen, Chem.BondType.DOUBLE)
        Chem.SanitizeMol(padded)
    return padded.GetMol(), linked


def _own_atoms(mol: Chem.Mol, n_heavy: int) -> list[int]:
    """Return the residue's heavy atoms and the hydrogens on them, without the padding."""
    return [
        atom.GetIdx()
        for atom in mol.GetAtoms()
        if atom.GetIdx() < n_heavy or (atom.GetAtomicNum() == 1 and atom.GetNeighbors()[0].GetIdx() < n_heavy)
    ]


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


def _ionized(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule with acids as anions, and amines and guanidines as cations."""
    copy = Chem.RWMol(mol)
    for match in copy.GetSubstructMatches(_ACIDIC_OXYGEN):
        _charge(copy.GetAtomWithIdx(match[0]), -1)
    for pattern in _BASIC_NITROGEN:
        for (index,) in copy.GetSubstructMatches(pattern):
            # What lost its bond to a metal has been settled already.
            if not copy.GetAtomWithIdx(index).GetNoImplicit():
                _charge(copy.GetAtomWithIdx(index), 1)
    Chem.SanitizeMol(copy)
    return copy.GetMol()


def _charge(atom: Chem.Atom, charge: int) -> None:
    atom.SetFormalCharge(charge)
    atom.SetNoImplicit(False)
    atom.SetNumExplicitHs(0)
