"""From a ligand's SMILES to states with start conformers and PDBQT."""

from dataclasses import dataclass, replace

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.conformers import embed, relax
from molecular_analysis_dashboard.adapters.chemistry.isotopes import n_labels, with_labels, without_labels
from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import MeekoLigand, to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.ligand_states import GraphState, graph_states, open_state
from molecular_analysis_dashboard.adapters.chemistry.poses import perceived_smiles, with_perceived_stereo
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages, take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol_block, read_smiles
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
    states: list[LigandState] = []
    failures: list[_Failure] = []
    graphs = graph_states(mol, options)
    for graph in graphs:
        try:
            states.append(_prepare(graph, parent, options, seed))
        except LigandRejected as rejection:
            failures.append(_Failure(graph.smiles, rejection))
    if not states:
        _raise_unless_stereo_failed(graphs[0], failures[0])
        return (_prepare(_free_stereo(mol, options), parent, options, seed),)
    return _distinct(states, failures)


def _raise_unless_stereo_failed(graph: GraphState, failure: _Failure) -> None:
    if not graph.enumerated or failure.rejection.reason is not RejectionReason.EMBEDDING_FAILED:
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


def _prepare(graph: GraphState, parent: Chem.Mol, options: LigandOptions, seed: int) -> LigandState:
    mol = Chem.AddHs(Chem.MolFromSmiles(graph.smiles))
    mol.SetProp("_Name", "")
    embed_step = embed(mol, seed)
    relax_step = relax(mol)
    rounded = _rounded(with_perceived_stereo(mol))
    _check_identity(graph.smiles, perceived_smiles(rounded))
    typed = _typed(rounded, options)
    labelled = with_labels(rounded, parent) if n_labels(parent) else rounded
    return LigandState(
        smiles=perceived_smiles(labelled),
        mol_block=_block(labelled),
        pdbqt=typed.pdbqt,
        heavy_atoms=rounded.GetNumHeavyAtoms(),
        torsions=typed.torsions,
        formal_charge=Chem.GetFormalCharge(rounded),
        steps=(*graph.steps, embed_step, relax_step, *typed.steps, *_label_steps(parent, labelled)),
    )


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
    """Refuse a conformer that shows another molecule than the state; more stereo than asked for is fine."""
    if wanted == made:
        return
    template, found = (_without_hydrogens(smiles) for smiles in (wanted, made))
    same_graph = Chem.MolToSmiles(template, isomericSmiles=False) == Chem.MolToSmiles(found, isomericSmiles=False)
    if not same_graph or not found.HasSubstructMatch(template, useChirality=True):
        raise LigandRejected(RejectionReason.EMBEDDING_FAILED, f"The conformer of {wanted} came out as {made}.")


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
        unique.setdefault(
            state.smiles,
            LigandState(
                smiles=state.smiles,
                mol_block=state.mol_block,
                pdbqt=state.pdbqt,
                heavy_atoms=state.heavy_atoms,
                torsions=state.torsions,
                formal_charge=state.formal_charge,
                steps=(*state.steps, *note),
            ),
        )
    return tuple(unique.values())
