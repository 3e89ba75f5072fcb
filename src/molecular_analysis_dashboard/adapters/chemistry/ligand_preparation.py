"""From a ligand's SMILES to states with start conformers and PDBQT."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.conformers import embed, relax
from molecular_analysis_dashboard.adapters.chemistry.isotopes import n_labels, with_labels, without_labels
from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import MeekoLigand, to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.ligand_states import GraphState, graph_states, open_state
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import placed_at
from molecular_analysis_dashboard.adapters.chemistry.poses import (
    perceived_smiles,
    with_perceived_stereo,
    with_positions,
)
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages, take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol_block, read_smiles
from molecular_analysis_dashboard.adapters.chemistry.ring_conformers import ring_conformers
from molecular_analysis_dashboard.adapters.chemistry.validation import DOCKABLE_ELEMENTS
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

_MAX_V2000_ATOMS = 999


@dataclass(frozen=True)
class _Failure:
    smiles: str
    rejection: LigandRejected


def prepare_states(ligand: LigandInput, options: LigandOptions, seed: int) -> tuple[LigandState, ...]:
    """Prepare the states of a ligand for docking; equal input and seed give equal states.

    Parameters
    ----------
    seed : int
        1 to 2**31-1, for the start conformers.

    Raises
    ------
    LigandRejected
        If no state can be prepared; a state that fails beside others that do not is left out and the steps of
        the others say so.
    """
    forget_messages()
    parent = _parse(ligand.smiles if options.protonate else ligand.drawn_smiles or ligand.smiles)
    mol = without_labels(parent)
    _check_size(mol, options)
    graphs = graph_states(mol, options)
    # Many combinations of open centres cannot exist: one that is not embedded at once counts only if no other does.
    states, failures = _prepared(graphs, parent, options, seed, patiently=False)
    if not states and any(graph.enumerated for graph in graphs) and any(map(_is_stereo_trouble, failures)):
        states, failures = _prepared(graphs, parent, options, seed, patiently=True)
    if not states:
        _raise_unless_stereo_failed(graphs[0], failures[0])
        return (_prepare(_free_stereo(mol, options), parent, options, seed),)
    return _distinct(states, failures)


def _prepared(
    graphs: Sequence[GraphState], parent: Chem.Mol, options: LigandOptions, seed: int, *, patiently: bool
) -> tuple[list[LigandState], list[_Failure]]:
    """Prepare each state; one whose stereo was not chosen by us always with patience."""
    states: list[LigandState] = []
    failures: list[_Failure] = []
    for graph in graphs:
        try:
            states.append(_prepare(graph, parent, options, seed, patiently=patiently or not graph.enumerated))
        except LigandRejected as rejection:
            failures.append(_Failure(graph.smiles, rejection))
    return states, failures


def _is_stereo_trouble(failure: _Failure) -> bool:
    return failure.rejection.reason is RejectionReason.EMBEDDING_FAILED


def _raise_unless_stereo_failed(graph: GraphState, failure: _Failure) -> None:
    if not (graph.enumerated and _is_stereo_trouble(failure)):
        raise failure.rejection


def _free_stereo(mol: Chem.Mol, options: LigandOptions) -> GraphState:
    """Return the ligand with its open centres left open, for cages where most combinations cannot exist."""
    state = open_state(mol, options)
    step = "no enumerated stereoisomer could be embedded; the open centres are as the conformer shows them"
    return replace(state, steps=(*state.steps, step))


def _parse(smiles: str) -> Chem.Mol:
    mol = read_smiles(smiles)
    if mol is None:
        raise LigandRejected(RejectionReason.UNREADABLE_RECORD, take_messages())
    if mol.GetNumAtoms() == 0:
        raise LigandRejected(RejectionReason.EMPTY)
    if len(Chem.GetMolFrags(mol)) > 1:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, "It consists of several molecules.")
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
        if atom.GetSymbol() not in DOCKABLE_ELEMENTS:
            name = "an attachment point" if atom.GetAtomicNum() == 0 else atom.GetSymbol()
            raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, f"It contains {name}.")
    return Chem.MolFromSmiles(Chem.MolToSmiles(mol))


def _check_size(mol: Chem.Mol, options: LigandOptions) -> None:
    heavy = mol.GetNumHeavyAtoms()
    if heavy > options.max_heavy_atoms:
        raise LigandRejected(
            RejectionReason.TOO_LARGE, f"It has {heavy}; the protocol allows {options.max_heavy_atoms}."
        )


def _prepare(
    graph: GraphState, parent: Chem.Mol, options: LigandOptions, seed: int, *, patiently: bool = True
) -> LigandState:
    mol = Chem.AddHs(Chem.MolFromSmiles(graph.smiles))
    mol.SetProp("_Name", "")
    embed_step = embed(mol, seed, patiently=patiently)
    rounded, relax_step = _relaxed(mol, graph.smiles)
    typed = _typed(rounded, options)
    starts = _starts(rounded, typed, options)
    pdbqts = [placed_at(typed.pdbqt, start.GetConformer().GetPositions()) for start in starts]
    first = _rounded(starts[0]) if starts else rounded
    labelled = with_labels(first, parent) if n_labels(parent) else first
    return LigandState(
        smiles=perceived_smiles(labelled),
        mol_block=_block(labelled),
        pdbqt=pdbqts[0] if pdbqts else typed.pdbqt,
        heavy_atoms=first.GetNumHeavyAtoms(),
        torsions=typed.torsions,
        formal_charge=Chem.GetFormalCharge(first),
        steps=(
            *graph.steps,
            embed_step,
            relax_step,
            *typed.steps,
            *_ring_steps(starts),
            *_label_steps(parent, labelled),
        ),
        ring_conformers=tuple(pdbqts[1:]),
    )


def _relaxed(embedded: Chem.Mol, wanted: str) -> tuple[Chem.Mol, str]:
    """Return the molecule relaxed and rounded, or unrelaxed where the force field makes another stereoisomer of it."""
    mol = Chem.Mol(embedded)
    step = relax(mol)
    rounded = _rounded(with_perceived_stereo(mol))
    if not _shows(wanted, perceived_smiles(rounded)):
        rounded, step = _rounded(with_perceived_stereo(embedded)), "not relaxed: the force field changes its stereo"
        _check_identity(wanted, perceived_smiles(rounded))
    return rounded, step


def _starts(mol: Chem.Mol, typed: MeekoLigand, options: LigandOptions) -> tuple[Chem.Mol, ...]:
    """Return the molecule in the ring conformations to dock, those that show it and no other; none if no ring bends."""
    if options.ring_conformers == 0:
        return ()
    wanted = perceived_smiles(mol)
    bent = [with_positions(mol, found) for found in ring_conformers(mol, typed.opened, options.ring_conformers)]
    return tuple(one for one in bent if perceived_smiles(one) == wanted)


def _ring_steps(starts: Sequence[Chem.Mol]) -> tuple[str, ...]:
    if not starts:
        return ()
    return (f"{len(starts)} conformation(s) of saturated rings docked, the least strained first",)


def _rounded(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule as its mol block tells it, coordinates rounded: what everybody after this sees."""
    rounded = read_mol_block(_block(mol), remove_hydrogens=False)
    if rounded is None:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, take_messages())
    return rounded


def _block(mol: Chem.Mol) -> str:
    return str(Chem.MolToMolBlock(mol, forceV3000=mol.GetNumAtoms() > _MAX_V2000_ATOMS))


def _label_steps(parent: Chem.Mol, labelled: Chem.Mol) -> tuple[str, ...]:
    if not n_labels(parent):
        return ()
    lost = n_labels(parent) - n_labels(labelled)
    kept = f"{n_labels(labelled)} isotope label(s) kept; docking ignores them"
    return (kept + (f"; {lost} left with hydrogens that the state gives away" if lost else ""),)


def _check_identity(wanted: str, made: str) -> None:
    if not _shows(wanted, made):
        raise LigandRejected(RejectionReason.EMBEDDING_FAILED, f"The conformer of {wanted} came out as {made}.")


def _shows(wanted: str, made: str) -> bool:
    """Whether a conformer shows the state that was asked for; more stereo than that is fine."""
    if wanted == made:
        return True
    template, found = (_without_hydrogens(smiles) for smiles in (wanted, made))
    same_graph = Chem.MolToSmiles(template, isomericSmiles=False) == Chem.MolToSmiles(found, isomericSmiles=False)
    return bool(same_graph and found.HasSubstructMatch(template, useChirality=True))


def _without_hydrogens(smiles: str) -> Chem.Mol:
    """Read a SMILES without any explicit hydrogen, which otherwise stays where it shows E or Z of C=NH."""
    parameters = Chem.RemoveHsParameters()
    # RDKit's stubs give every field the type of the whole.
    setattr(parameters, "removeDefiningBondStereo", True)  # noqa: B010
    return Chem.RemoveHs(Chem.MolFromSmiles(smiles), parameters)


def _typed(mol: Chem.Mol, options: LigandOptions) -> MeekoLigand:
    typed = to_pdbqt(mol)
    if typed.torsions > options.max_torsions:
        raise LigandRejected(
            RejectionReason.TOO_MANY_TORSIONS, f"It has {typed.torsions}; the limit is {options.max_torsions}."
        )
    return typed


def _distinct(states: list[LigandState], failures: list[_Failure]) -> tuple[LigandState, ...]:
    note = tuple(f"left out {failure.smiles}: {failure.rejection.message}" for failure in failures)
    unique: dict[str, LigandState] = {}
    for state in states:
        unique.setdefault(state.smiles, replace(state, steps=(*state.steps, *note)))
    return tuple(unique.values())
