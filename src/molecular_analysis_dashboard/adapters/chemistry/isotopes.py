"""Isotope labels: set aside for preparation, to which they mean nothing, and put back on what was prepared."""

from collections.abc import Mapping

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.poses import with_perceived_stereo

# Symmetric molecules have many atom mappings, equally good unless labels alone make a centre chiral.
_MAX_MAPPINGS = 64


def without_labels(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule without isotopes and atom maps; heavy atoms keep their order."""
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    plain = Chem.RemoveHs(plain)
    Chem.AssignStereochemistry(plain, cleanIt=True, force=True)
    return plain


def n_labels(mol: Chem.Mol) -> int:
    """Return how many atoms carry an isotope label."""
    return sum(1 for atom in mol.GetAtoms() if atom.GetIsotope())


def with_labels(state: Chem.Mol, parent: Chem.Mol) -> Chem.Mol:
    """Return a copy of a prepared state, all hydrogens and a conformer included, with the labels of its parent.

    A labelled hydrogen that the state has given away is missing from it. Where a label alone makes a centre chiral,
    as in CHD, it goes where it gives the parent's hand.
    """
    wanted = _hands_by_label(parent)
    first: Chem.Mol | None = None
    for mapping in _mappings(parent, state):
        copy = _labelled(state, parent, mapping)
        hands = _hands(with_perceived_stereo(copy))
        for index, hand in wanted.items():
            if hands.get(mapping[index]) != hand:
                _swap_hydrogens(copy.GetAtomWithIdx(mapping[index]))
        hands = _hands(with_perceived_stereo(copy))
        if all(hands.get(mapping[index]) == hand for index, hand in wanted.items()):
            return copy
        first = first or copy
    return first or Chem.Mol(state)


def _mappings(parent: Chem.Mol, state: Chem.Mol) -> list[Mapping[int, int]]:
    """Return the ways to lay the parent's heavy atoms on the state's, forms and stereo respected where possible."""
    plain = without_labels(parent)
    matches = state.GetSubstructMatches(plain, useChirality=True, uniquify=False, maxMatches=_MAX_MAPPINGS)
    if not matches:
        matches = state.GetSubstructMatches(_skeleton(plain), uniquify=False, maxMatches=_MAX_MAPPINGS)
    heavy = [atom.GetIdx() for atom in parent.GetAtoms() if atom.GetAtomicNum() > 1]
    return [dict(zip(heavy, match, strict=True)) for match in matches]


def _skeleton(mol: Chem.Mol) -> Chem.Mol:
    """Return a query for the elements and that they are bonded, whatever the charges and bond orders."""
    bare = Chem.Mol(mol)
    for atom in bare.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetNumRadicalElectrons(0)
    parameters = Chem.AdjustQueryParameters.NoAdjustments()
    # RDKit's stubs give every field the type of the whole.
    setattr(parameters, "makeBondsGeneric", True)  # noqa: B010
    return Chem.AdjustQueryProperties(bare, parameters)


def _labelled(state: Chem.Mol, parent: Chem.Mol, mapping: Mapping[int, int]) -> Chem.Mol:
    copy = Chem.Mol(state)
    for old, new in mapping.items():
        atom = parent.GetAtomWithIdx(old)
        copy.GetAtomWithIdx(new).SetIsotope(atom.GetIsotope())
        labels = [n.GetIsotope() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1 and n.GetIsotope()]
        for hydrogen, label in zip(_hydrogens(copy.GetAtomWithIdx(new)), labels, strict=False):
            hydrogen.SetIsotope(label)
    return copy


def _swap_hydrogens(atom: Chem.Atom) -> None:
    """Exchange the labels of a CH2 group."""
    hydrogens = _hydrogens(atom)
    labels = [hydrogen.GetIsotope() for hydrogen in hydrogens]
    for hydrogen, label in zip(hydrogens, reversed(labels), strict=True):
        hydrogen.SetIsotope(label)


def _hydrogens(atom: Chem.Atom) -> list[Chem.Atom]:
    return [neighbour for neighbour in atom.GetNeighbors() if neighbour.GetAtomicNum() == 1]


def _hands_by_label(parent: Chem.Mol) -> dict[int, str]:
    """Return the centres (R or S by index) that only the labels make chiral."""
    labelled = Chem.Mol(parent)
    Chem.AssignStereochemistry(labelled, cleanIt=True, force=True)
    heavy = [atom.GetIdx() for atom in parent.GetAtoms() if atom.GetAtomicNum() > 1]
    chiral_anyway = {heavy[index] for index in _hands(without_labels(parent))}
    return {index: hand for index, hand in _hands(labelled).items() if index not in chiral_anyway}


def _hands(mol: Chem.Mol) -> dict[int, str]:
    return {atom.GetIdx(): atom.GetProp("_CIPCode") for atom in mol.GetAtoms() if atom.HasProp("_CIPCode")}
