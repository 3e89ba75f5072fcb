"""Enumerating what a ligand is at a pH: stereoisomers and protomers, on the graph."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers, StereoEnumerationOptions

from molecular_analysis_dashboard.adapters.chemistry.open_stereo import (
    centre_is,
    inverts,
    is_acid_group,
    open_centres,
    undefined_stereo,
    without_feigned_stereo,
)
from molecular_analysis_dashboard.adapters.chemistry.protonation import protomers_of
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Which isomers are taken when there are more than the cap must not depend on the docking seed.
_ISOMER_CHOICE_SEED = 20_090


@dataclass(frozen=True)
class GraphState:
    """One protomer and stereoisomer as a SMILES, and how it came about.

    Parameters
    ----------
    enumerated : bool
        Whether stereo was chosen that the ligand leaves open.
    """

    smiles: str
    steps: tuple[str, ...]
    enumerated: bool


def graph_states(mol: Chem.Mol, options: LigandOptions) -> tuple[GraphState, ...]:
    """Return the states to dock, at most `options.max_states`.

    Each stereoisomer comes once before any comes in a second protonation state, and neighbours in the list differ in
    theirs, so that a small cap still covers both. Nitrogen that inverts freely is never enumerated; in rings, where
    its hydrogen decides between axial and equatorial, only with the places that are left.

    Raises
    ------
    LigandRejected
        ``undefined_stereo`` if the options refuse it.
    """
    mol = without_feigned_stereo(mol, protonate=options.protonate)
    undefined = undefined_stereo(mol)
    if undefined and not options.enumerate_stereo:
        raise LigandRejected(RejectionReason.UNDEFINED_STEREO, f"Undefined: {', '.join(undefined)}.")
    isomers = _isomers(mol, options.max_states, leaving=inverts)
    forms = [protomers_of(isomer, options) for isomer in isomers]
    note = f"stereoisomer of {len(undefined)} undefined centre(s), at most {options.max_states} taken"
    steps = (forms[0].step, note) if undefined else (forms[0].step,)
    pairs = list(_diagonally([form.smiles for form in forms]))[: options.max_states]
    inversions = [_ring_inversions(pair, options.max_states) for pair in pairs]
    found = list(dict.fromkeys(_diagonally(inversions)))[: options.max_states]
    return tuple(GraphState(smiles, steps, bool(undefined) or smiles not in pairs) for smiles in found)


def open_state(mol: Chem.Mol, options: LigandOptions) -> GraphState:
    """Return the ligand protonated with its open centres left open."""
    form = protomers_of(Chem.MolToSmiles(without_feigned_stereo(mol, protonate=options.protonate)), options)
    return GraphState(form.smiles[0], (form.step,), enumerated=False)


def _diagonally(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield one item of each row, then another of each: the first of the first, the second of the second and so on."""
    for turn in range(max(len(row) for row in rows)):
        for number, row in enumerate(rows):
            if turn < len(row):
                yield row[(number + turn) % len(row)]


def _isomers(mol: Chem.Mol, most: int, *, leaving: Callable[[Chem.Atom], bool]) -> list[str]:
    """Return the stereoisomers as sorted SMILES, the open centres of atoms that are `leaving` left open."""
    fixed = Chem.Mol(mol)
    left = [
        centre.centeredOn
        for centre in open_centres(mol)
        if centre_is(mol, centre, leaving) or centre_is(mol, centre, is_acid_group)
    ]
    for index in left:
        fixed.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_TETRAHEDRAL_CW)
    enumeration = StereoEnumerationOptions(  # type: ignore[no-untyped-call]  # RDKit leaves it untyped
        onlyUnassigned=True, unique=True, maxIsomers=most, rand=_ISOMER_CHOICE_SEED
    )
    found = EnumerateStereoisomers(fixed, options=enumeration)  # type: ignore[no-untyped-call]  # as above
    isomers = {_reopened(isomer, left) for isomer in found}
    take_messages()
    return sorted(isomers)


def _ring_inversions(smiles: str, most: int) -> list[str]:
    """Return the isomers by open nitrogens in rings and by what is a centre with them, as C4 of piperidine is."""
    mol = Chem.MolFromSmiles(smiles)
    open_nitrogens = {centre.centeredOn for centre in open_centres(mol) if centre_is(mol, centre, inverts)}
    ring_atoms = {index for ring in mol.GetRingInfo().AtomRings() if open_nitrogens & set(ring) for index in ring}
    if not ring_atoms:
        return [smiles]
    return _isomers(mol, most, leaving=lambda atom: atom.GetIdx() not in ring_atoms)


def _reopened(isomer: Chem.Mol, indices: Iterable[int]) -> str:
    for index in indices:
        isomer.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    Chem.AssignStereochemistry(isomer, cleanIt=True, force=True)
    return str(Chem.MolToSmiles(isomer))
