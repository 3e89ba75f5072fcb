"""A prepared receptor as ProLIF wants it: bonds, charges and hydrogens, one fragment per residue."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from prolif.molecule import Molecule
from prolif.residue import Residue
from prolif.utils import split_mol_by_residues
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.nearby_residues import PdbResidue
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages

_POLYMER_NAMES = frozenset(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL A C G U DA DC DG DT".split()
)
_OXYGEN_OR_SULFUR = (8, 16)
_HYDROGEN = 1
_NONMETALS = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 33, 34, 35, 36, 52, 53, 54})
_MAX_REPAIRS = 10


@dataclass(frozen=True)
class TypedReceptor:
    """The receptor's residues under running numbers.

    Parameters
    ----------
    labels : mapping
        Label of each residue by its running number: ProLIF's own names know no insertion codes.
    left_out : tuple of str
        Labels of residues whose bonds RDKit cannot make sense of.
    """

    molecule: Molecule
    labels: dict[int, str]
    left_out: tuple[str, ...] = field(default=())


def typed_receptor(residues: Sequence[PdbResidue]) -> TypedReceptor:
    """Read residues with bond orders, formal charges and their own hydrogens.

    What RDKit refuses is left out by residue, so that one odd cofactor does not cost all interactions.
    """
    labels = {number: residue.label for number, residue in enumerate(residues, 1)}
    lines = [line for number, residue in enumerate(residues, 1) for line in residue.numbered(number)]
    mol = Chem.MolFromPDBBlock("\n".join(lines), sanitize=False, removeHs=False)
    mol = _without_metal_bonds(mol)
    _charge_bare_acids(mol)
    mol, dropped = _sanitized(mol)
    take_messages()
    return TypedReceptor(_as_prolif(mol), labels, tuple(labels[number] for number in sorted(dropped)))


def _without_metal_bonds(mol: Chem.Mol) -> Chem.Mol:
    """Free metals from the atoms around them, whose valences they would break."""
    bare = Chem.RWMol(mol)
    for bond in mol.GetBonds():
        ends = (bond.GetBeginAtom(), bond.GetEndAtom())
        if any(end.GetAtomicNum() not in _NONMETALS for end in ends):
            bare.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    return bare.GetMol()


def _charge_bare_acids(mol: Chem.Mol) -> None:
    """Charge terminal O and S of the polymer that lack a hydrogen: the file has every hydrogen that there is."""
    mol.UpdatePropertyCache(strict=False)
    for atom in mol.GetAtoms():
        is_polymer = atom.GetPDBResidueInfo().GetResidueName().strip() in _POLYMER_NAMES
        if not is_polymer or atom.GetAtomicNum() not in _OXYGEN_OR_SULFUR or atom.GetDegree() != 1:
            continue
        if atom.GetNumImplicitHs() == 1 and atom.GetNeighbors()[0].GetAtomicNum() != _HYDROGEN:
            atom.SetFormalCharge(-1)
            atom.SetNoImplicit(True)


def _sanitized(mol: Chem.Mol) -> tuple[Chem.Mol, set[int]]:
    """Return the molecule without the residues that keep it from being sanitized, and their numbers."""
    dropped: set[int] = set()
    for _ in range(_MAX_REPAIRS):
        bad = {_number(mol.GetAtomWithIdx(index)) for index in _problem_atoms(mol)}
        if not bad:
            break
        dropped |= bad
        kept = Chem.RWMol(mol)
        kept.BeginBatchEdit()
        for atom in mol.GetAtoms():
            if _number(atom) in bad:
                kept.RemoveAtom(atom.GetIdx())
        kept.CommitBatchEdit()
        mol = kept.GetMol()
        mol.UpdatePropertyCache(strict=False)
    Chem.SanitizeMol(mol)
    return mol, dropped


def _problem_atoms(mol: Chem.Mol) -> list[int]:
    found: list[int] = []
    for problem in Chem.DetectChemistryProblems(mol):
        found += problem.GetAtomIndices() if hasattr(problem, "GetAtomIndices") else [problem.GetAtomIdx()]
    return found


def _number(atom: Chem.Atom) -> int:
    return int(atom.GetPDBResidueInfo().GetResidueNumber())


def _as_prolif(mol: Chem.Mol) -> Molecule:
    """Hand over residues; of one in several pieces, such as one with missing atoms, the largest counts."""
    for atom in mol.GetAtoms():
        # What ProLIF sets itself when it does the splitting.
        atom.SetUnsignedProp("mapindex", atom.GetIdx())
    largest: dict[int, Chem.Mol] = {}
    for piece in split_mol_by_residues(mol):
        number = _number(piece.GetAtomWithIdx(0))
        if number not in largest or largest[number].GetNumAtoms() < piece.GetNumAtoms():
            largest[number] = piece
    return Molecule(mol, residues=[Residue(largest[number]) for number in sorted(largest)])
