"""The parent of a record: what is left without counter-ions and solvent, as drawn and neutral."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molecular_analysis_dashboard.adapters.chemistry.counter_ions import counter_ion_name
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.domain.readable_text import shortened
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Moves protons only: permanent charges stay, and so does as much of the opposite charge as balances them.
_UNCHARGER = rdMolStandardize.Uncharger(canonicalOrder=True, force=False, protonationOnly=True)
_CHARGED = re.compile(r"\[[^]]*[+-]")
# Inorganic ions that carry no compound: other metals are the centre of a complex, which cannot be docked.
_INORGANIC = frozenset(
    "H Li Na K Rb Cs Be Mg Ca Sr Ba Zn Al Ag Bi B Si N P As O S Se F Cl Br I".split()
)  # fmt: skip
_SHOWN_SMILES = 60


@dataclass(frozen=True)
class Parent:
    """One compound.

    Parameters
    ----------
    mol, smiles
        Neutral but for permanent charges: the identity.
    drawn_smiles : str or None
        In the charge state of the input, where that is another.
    """

    mol: Chem.Mol
    smiles: str
    drawn_smiles: str | None
    notes: tuple[str, ...] = ()


def parent_of(mol: Chem.Mol) -> Parent:
    """Return the one compound of a record; most records hold nothing else.

    Raises
    ------
    LigandRejected
        ``no_organic_fragment``, ``unsupported_element`` for a metal complex, or ``mixture`` where more than one
        compound is neither a known counter-ion nor a solvent.
    """
    fragments = Chem.GetMolFrags(mol, asMols=True)
    if len(fragments) == 1:
        return neutral_parent(mol)
    organic = [fragment for fragment in fragments if _has_carbon(fragment)]
    inorganic = [fragment for fragment in fragments if not _has_carbon(fragment)]
    _refuse_complexes(inorganic)
    copies: dict[str, list[Parent]] = {}
    for fragment in organic:
        found = neutral_parent(fragment)
        copies.setdefault(found.smiles, []).append(found)
    removed = Counter(_formula(fragment) for fragment in inorganic)
    chosen, named = _choice(copies)
    for name, count in named:
        removed[name] += count
    removed["further copy of the compound"] += len(copies[chosen.smiles]) - 1
    return Parent(chosen.mol, chosen.smiles, chosen.drawn_smiles, (_note(removed),))


def neutral_parent(mol: Chem.Mol) -> Parent:
    """Return one fragment with its neutral form; only what is charged pays for that."""
    drawn = str(Chem.MolToSmiles(mol))
    if not _CHARGED.search(drawn):
        return Parent(mol, drawn, None)
    neutral = Chem.MolFromSmiles(Chem.MolToSmiles(_UNCHARGER.uncharge(mol)))
    take_messages()
    if neutral is None:
        return Parent(mol, drawn, None)
    smiles = str(Chem.MolToSmiles(neutral))
    return Parent(mol, drawn, None) if smiles == drawn else Parent(neutral, smiles, drawn)


def _choice(copies: dict[str, list[Parent]]) -> tuple[Parent, list[tuple[str, int]]]:
    """Return the compound, and the names and numbers of its organic counter-ions and solvents."""
    known = {smiles: name for smiles, same in copies.items() if (name := counter_ion_name(same[0].mol))}
    candidates = [smiles for smiles in copies if smiles not in known] or list(known)
    if not candidates:
        raise LigandRejected(RejectionReason.NO_ORGANIC_FRAGMENT)
    if len(candidates) > 1:
        shown = " and ".join(shortened(smiles, _SHOWN_SMILES) for smiles in candidates[:3])
        raise LigandRejected(RejectionReason.MIXTURE, f"It holds {shown}; leave one, or give each a record of its own.")
    (chosen,) = candidates
    return copies[chosen][0], [(name, len(copies[smiles])) for smiles, name in known.items() if smiles != chosen]


def _refuse_complexes(inorganic: Sequence[Chem.Mol]) -> None:
    for fragment in inorganic:
        for atom in fragment.GetAtoms():
            if atom.GetSymbol() not in _INORGANIC:
                what = "an attachment point or query atom" if atom.GetAtomicNum() == 0 else atom.GetSymbol()
                raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, f"It contains {what}.")


def _note(removed: Counter[str]) -> str:
    parts = [name if count == 1 else f"{count} {name}" for name, count in removed.items() if count]
    return f"Removed: {', '.join(parts)}."


def _formula(fragment: Chem.Mol) -> str:
    formula = str(CalcMolFormula(fragment))
    return {"H2O": "water", "Cl-": "chloride", "Na+": "sodium", "K+": "potassium", "ClH": "HCl"}.get(formula, formula)


def _has_carbon(mol: Chem.Mol) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())
