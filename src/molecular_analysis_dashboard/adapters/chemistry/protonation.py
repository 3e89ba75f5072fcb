"""Protonation states of a ligand at a pH, by dimorphite-dl, without those that no chemist would draw."""

from collections import Counter
from dataclasses import dataclass

from dimorphite_dl import protonate_smiles
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_smiles
from molecular_analysis_dashboard.domain.ligands import LigandOptions

# Standard deviations around a site's mean pKa within which both forms count (dimorphite-dl's `precision`).
PKA_PRECISION = 0.5
_NITROGEN = 7
# A hydroxyl group on a positive atom: O- of a perchlorate, iodoso or N-oxide group, whose charges only stand for its
# bonds, taken for that of an acid.
_HYDROXYL_ON_CATION = Chem.MolFromSmarts("[OX2H1]-[+,+2,+3,+4]")


@dataclass(frozen=True)
class Protomers:
    """The forms of one molecule as SMILES, at least one, and how they came about."""

    smiles: tuple[str, ...]
    step: str


def protomers_of(smiles: str, options: LigandOptions) -> Protomers:
    """Return the protonation states to dock, at most `options.max_states`.

    A variant that changes the skeleton, loses stereo, protonates what carries its charge for its bonds or touches a
    radical is refused; where none is left the molecule stays as it came and the step says so.
    """
    if not options.protonate:
        return Protomers((smiles,), "charges and hydrogens as drawn")
    try:
        variants = protonate_smiles(
            smiles,
            ph_min=options.ph,
            ph_max=options.ph,
            precision=PKA_PRECISION,
            max_variants=max(options.max_states, 1),
        )
    except (ValueError, RuntimeError, AssertionError) as cause:
        take_messages()
        return Protomers((smiles,), f"hydrogens as given: protonation failed ({str(cause)[:200]})")
    given = Chem.MolFromSmiles(smiles)
    kept = [variant for variant in dict.fromkeys(variants) if _is_form_of(given, read_smiles(variant))]
    take_messages()
    if not kept:
        return Protomers((smiles,), "hydrogens as given: dimorphite-dl offers no possible protonation state")
    return Protomers(tuple(kept[: options.max_states]), f"protonated for pH {options.ph:g} (dimorphite-dl)")


def _is_form_of(given: Chem.Mol, variant: Chem.Mol | None) -> bool:
    return (
        variant is not None
        and _elements(variant) == _elements(given)
        and not _loses_stereo(given, variant)
        and _radical_sites(variant) == _radical_sites(given)
        and _n_hydroxyls_on_cations(variant) <= _n_hydroxyls_on_cations(given)
    )


def _elements(mol: Chem.Mol) -> Counter[int]:
    return Counter(atom.GetAtomicNum() for atom in mol.GetAtoms())


def _loses_stereo(given: Chem.Mol, variant: Chem.Mol) -> bool:
    """Whether a centre lost its hand; one that is no centre any more has none to lose, and a new one never had any."""
    before, after = _centres(given), _centres(variant)
    specified, unspecified = Chem.StereoSpecified.Specified, Chem.StereoSpecified.Unspecified
    return after[specified] < before[specified] and after[unspecified] > before[unspecified]


def _centres(mol: Chem.Mol) -> Counter[Chem.StereoSpecified]:
    """Count tetrahedral centres with and without a hand, but for nitrogen, which a proton may make one."""
    return Counter(
        centre.specified
        for centre in Chem.FindPotentialStereo(mol)
        if centre.type == Chem.StereoType.Atom_Tetrahedral
        and mol.GetAtomWithIdx(centre.centeredOn).GetAtomicNum() != _NITROGEN
    )


def _radical_sites(mol: Chem.Mol) -> Counter[tuple[object, ...]]:
    """Return each radical centre with its neighbours: charge and hydrogens of neither may change."""
    return Counter(
        (_form(atom), *sorted(_form(neighbour) for neighbour in atom.GetNeighbors()))
        for atom in mol.GetAtoms()
        if atom.GetNumRadicalElectrons()
    )


def _form(atom: Chem.Atom) -> tuple[int, int, int]:
    return atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetTotalNumHs()


def _n_hydroxyls_on_cations(mol: Chem.Mol) -> int:
    return len(mol.GetSubstructMatches(_HYDROXYL_ON_CATION))
