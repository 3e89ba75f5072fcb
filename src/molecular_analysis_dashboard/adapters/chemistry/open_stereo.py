"""Which centres of a ligand are really open: neither given, nor inverting, nor feigned by a mobile proton."""

from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages

_NITROGEN, _OXYGEN, _PHOSPHORUS, _SULFUR = 7, 8, 15, 16
_UNCHARGER = rdMolStandardize.Uncharger()


def without_feigned_stereo(mol: Chem.Mol, *, protonate: bool) -> Chem.Mol:
    """Return the ligand without stereo that depends on where a mobile proton is drawn.

    At C=NH and PO(OH)O- there is none. Where protonation states are set anyway, the neutral form is taken instead of a
    salt's if fewer centres are open in it, as in half-ionized bisphosphonates and barbiturates.
    """
    free = Chem.Mol(mol)
    for bond in free.GetBonds():
        if _is_free_imine(bond):
            bond.SetStereo(Chem.BondStereo.STEREONONE)
    for atom in free.GetAtoms():
        if is_acid_group(atom):
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    free = Chem.MolFromSmiles(Chem.MolToSmiles(free))
    n_open = len(undefined_stereo(free))
    if not protonate or n_open == 0:
        return free
    neutral = Chem.MolFromSmiles(Chem.MolToSmiles(_UNCHARGER.uncharge(free)))
    take_messages()
    return neutral if len(undefined_stereo(neutral)) < n_open else free


def undefined_stereo(mol: Chem.Mol) -> list[str]:
    """Name centres and double bonds whose stereo is possible and not given; nitrogen that inverts does not count."""
    return [
        _name(mol, centre)
        for centre in open_centres(mol)
        if not centre_is(mol, centre, inverts) and not centre_is(mol, centre, is_acid_group)
    ]


def open_centres(mol: Chem.Mol) -> list[Chem.StereoInfo]:
    """Return tetrahedral centres and double bonds that RDKit would give stereo, C=NH left out."""
    return [
        centre
        for centre in Chem.FindPotentialStereo(mol)
        if centre.specified == Chem.StereoSpecified.Unspecified
        and (
            centre.type == Chem.StereoType.Atom_Tetrahedral
            or (_is_bond(centre) and not _is_free_imine(mol.GetBondWithIdx(centre.centeredOn)))
        )
    ]


def centre_is(mol: Chem.Mol, centre: Chem.StereoInfo, test: Callable[[Chem.Atom], bool]) -> bool:
    """Whether it is a tetrahedral centre whose atom passes the test."""
    tetrahedral = centre.type == Chem.StereoType.Atom_Tetrahedral
    return bool(tetrahedral and test(mol.GetAtomWithIdx(centre.centeredOn)))


def inverts(atom: Chem.Atom) -> bool:
    """Whether it is a nitrogen that a lone pair or the exchange of a proton lets invert."""
    return bool(atom.GetAtomicNum() == _NITROGEN and (atom.GetFormalCharge() < 1 or atom.GetTotalNumHs() > 0))


def is_acid_group(atom: Chem.Atom) -> bool:
    """Whether it is phosphorus or sulfur with several terminal oxygens, which are one and the same."""
    oxygens = [other for other in atom.GetNeighbors() if other.GetAtomicNum() == _OXYGEN and other.GetDegree() == 1]
    return bool(atom.GetAtomicNum() in (_PHOSPHORUS, _SULFUR) and len(oxygens) > 1)


def _is_free_imine(bond: Chem.Bond) -> bool:
    """Whether it is C=NH, whose proton comes and goes."""
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    return bond.GetBondType() == Chem.BondType.DOUBLE and any(
        end.GetAtomicNum() == _NITROGEN and sum(other.GetAtomicNum() > 1 for other in end.GetNeighbors()) == 1
        for end in ends
    )


def _is_bond(centre: Chem.StereoInfo) -> bool:
    return bool(centre.type == Chem.StereoType.Bond_Double)


def _name(mol: Chem.Mol, centre: Chem.StereoInfo) -> str:
    if not _is_bond(centre):
        return f"tetrahedral at atom {centre.centeredOn + 1}"
    bond = mol.GetBondWithIdx(centre.centeredOn)
    return f"double bond of atoms {bond.GetBeginAtomIdx() + 1} and {bond.GetEndAtomIdx() + 1}"
