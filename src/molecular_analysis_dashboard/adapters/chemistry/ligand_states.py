"""Enumerating what a ligand is at a pH: protomers and stereoisomers, on the graph."""

from dataclasses import dataclass

from dimorphite_dl import protonate_smiles
from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers, StereoEnumerationOptions

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_smiles
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Standard deviations around a site's mean pKa within which both forms count (dimorphite-dl's `precision`).
PKA_PRECISION = 0.5
# Which isomers are taken when there are more than the cap must not depend on the docking seed.
_ISOMER_CHOICE_SEED = 20_090


@dataclass(frozen=True)
class GraphState:
    """One protomer and stereoisomer as a SMILES, and how it came about.

    Parameters
    ----------
    protomer : str
        The same before stereoisomers were enumerated.
    """

    smiles: str
    steps: tuple[str, ...]
    protomer: str


def graph_states(mol: Chem.Mol, options: LigandOptions) -> tuple[GraphState, ...]:
    """Return the states to dock, protomers first, at most `options.max_states`.

    Raises
    ------
    LigandRejected
        ``undefined_stereo`` if the options refuse it, ``preparation_failed`` if protonation fails.
    """
    smiles = Chem.MolToSmiles(mol)
    protomers = _protomers(smiles, options) if options.protonate else [smiles]
    protonation = f"protonated for pH {options.ph:g} (dimorphite-dl)" if options.protonate else "hydrogens as given"
    states: dict[str, GraphState] = {}
    per_protomer = max(1, options.max_states // len(protomers))
    for protomer in protomers:
        for isomer, step in _isomers(protomer, options, per_protomer):
            states.setdefault(isomer, GraphState(isomer, (protonation, *step), protomer))
    return tuple(states.values())[: options.max_states]


def _protomers(smiles: str, options: LigandOptions) -> list[str]:
    try:
        variants = protonate_smiles(
            smiles,
            ph_min=options.ph,
            ph_max=options.ph,
            precision=PKA_PRECISION,
            max_variants=max(options.max_states, 1),
        )
    except (ValueError, RuntimeError, AssertionError) as cause:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, f"Protonation failed: {cause}.") from cause
    expected = _skeleton(smiles)
    kept = [variant for variant in dict.fromkeys(variants) if _skeleton(variant) == expected]
    if not kept:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, "Protonation changed the heavy-atom skeleton.")
    return kept[: options.max_states]


def _skeleton(smiles: str) -> tuple[int, ...]:
    """Return the sorted elements of the heavy atoms, nothing for a SMILES that cannot be read."""
    mol = read_smiles(smiles)
    if mol is None:
        return ()
    return tuple(sorted(atom.GetAtomicNum() for atom in mol.GetAtoms()))


def _isomers(smiles: str, options: LigandOptions, most: int) -> list[tuple[str, tuple[str, ...]]]:
    mol = Chem.MolFromSmiles(smiles)
    undefined = _undefined_stereo(mol)
    if undefined and not options.enumerate_stereo:
        raise LigandRejected(RejectionReason.UNDEFINED_STEREO, f"Undefined: {', '.join(undefined)}.")
    enumeration = StereoEnumerationOptions(  # type: ignore[no-untyped-call]  # RDKit leaves it untyped
        onlyUnassigned=True, unique=True, maxIsomers=most, rand=_ISOMER_CHOICE_SEED
    )
    found = EnumerateStereoisomers(mol, options=enumeration)  # type: ignore[no-untyped-call]  # as above
    isomers = [Chem.MolToSmiles(isomer) for isomer in found]
    take_messages()
    if len(isomers) == 1 and not undefined:
        return [(isomers[0], ())]
    step = (f"stereoisomer of {len(undefined)} undefined centre(s), at most {most} taken",)
    return [(isomer, step) for isomer in sorted(isomers)]


def _undefined_stereo(mol: Chem.Mol) -> list[str]:
    """Name tetrahedral centres and double bonds whose stereo is possible and not given."""
    return [
        f"{str(info.type).removeprefix('Atom_').removeprefix('Bond_').lower()} at atom {info.centeredOn + 1}"
        for info in Chem.FindPotentialStereo(mol)
        if info.specified == Chem.StereoSpecified.Unspecified
        and info.type in (Chem.StereoType.Atom_Tetrahedral, Chem.StereoType.Bond_Double)
    ]
