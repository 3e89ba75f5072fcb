"""From a ligand's SMILES to states with start conformers and PDBQT."""

from dataclasses import dataclass
from functools import cache

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molecular_analysis_dashboard.adapters.chemistry.ligand_pdbqt import MeekoLigand, to_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.ligand_states import GraphState, graph_states
from molecular_analysis_dashboard.adapters.chemistry.poses import perceived_smiles, with_perceived_stereo
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages, take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol_block, read_smiles
from molecular_analysis_dashboard.adapters.chemistry.validation import DOCKABLE_ELEMENTS
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# RDKit counts attempts per atom; the seconds only stop what would never end.
_EMBED_ATTEMPTS = 20
_EMBED_TIMEOUT_S = 60
_FORCE_FIELD_STEPS = 1000
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
    mol = _parse(ligand.smiles)
    _check_size(mol, options)
    states: list[LigandState] = []
    failures: list[_Failure] = []
    graphs = graph_states(mol, options)
    for graph in graphs:
        try:
            states.append(_prepare(graph, options, seed))
        except LigandRejected as rejection:
            failures.append(_Failure(graph.smiles, rejection))
    if not states:
        return (_prepare(_free_stereo(graphs[0], failures[0]), options, seed),)
    return _distinct(states, failures)


def _free_stereo(graph: GraphState, failure: _Failure) -> GraphState:
    """Return the protomer with its open centres left open, for cages where most combinations cannot exist.

    Raises
    ------
    LigandRejected
        The failure itself, if stereo was not what it failed on.
    """
    if graph.smiles == graph.protomer or failure.rejection.reason is not RejectionReason.EMBEDDING_FAILED:
        raise failure.rejection
    step = "no enumerated stereoisomer could be embedded; the open centres are as the conformer shows them"
    return GraphState(graph.protomer, (graph.steps[0], step), graph.protomer)


def _parse(smiles: str) -> Chem.Mol:
    mol = read_smiles(smiles)
    if mol is None:
        raise LigandRejected(RejectionReason.UNREADABLE_RECORD, take_messages())
    if mol.GetNumAtoms() == 0:
        raise LigandRejected(RejectionReason.EMPTY)
    if len(Chem.GetMolFrags(mol)) > 1:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, "It consists of several molecules.")
    for atom in mol.GetAtoms():
        # Isotopes and atom maps mean nothing to a scoring function but would make states look different.
        atom.SetIsotope(0)
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


def _prepare(graph: GraphState, options: LigandOptions, seed: int) -> LigandState:
    mol = Chem.AddHs(Chem.MolFromSmiles(graph.smiles))
    mol.SetProp("_Name", "")
    embed_step = _embed(mol, seed)
    relax_step = _relax(mol)
    mol = with_perceived_stereo(mol)
    block = Chem.MolToMolBlock(mol, forceV3000=mol.GetNumAtoms() > _MAX_V2000_ATOMS)
    rounded = read_mol_block(block, remove_hydrogens=False)
    if rounded is None:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, take_messages())
    smiles = perceived_smiles(rounded)
    _check_identity(graph.smiles, smiles)
    typed = _typed(rounded, options)
    return LigandState(
        smiles=smiles,
        mol_block=block,
        pdbqt=typed.pdbqt,
        heavy_atoms=rounded.GetNumHeavyAtoms(),
        torsions=typed.torsions,
        formal_charge=Chem.GetFormalCharge(rounded),
        steps=(*graph.steps, embed_step, relax_step, *typed.steps),
    )


def _embed(mol: Chem.Mol, seed: int) -> str:
    """Give the molecule a conformer in place and say how; a second try starts from random coordinates."""
    if _try_embedding(mol, _embedding(seed)):
        return "conformer by ETKDGv3"
    if _try_embedding(mol, _embedding(seed, useRandomCoords=True)):
        return "conformer by ETKDGv3 from random coordinates"
    raise LigandRejected(RejectionReason.EMBEDDING_FAILED, f"Tried for {Chem.MolToSmiles(Chem.RemoveHs(mol))}.")


def _try_embedding(mol: Chem.Mol, parameters: rdDistGeom.EmbedParameters) -> bool:
    try:
        return bool(rdDistGeom.EmbedMolecule(mol, parameters) == 0)
    except (RuntimeError, ValueError):
        # RDKit's minimizer gives up on some strained systems with a violated invariant.
        return False
    finally:
        take_messages()


def _embedding(seed: int, **more: bool) -> rdDistGeom.EmbedParameters:
    """Return ETKDGv3 parameters (Wang 2020, doi:10.1021/acs.jcim.0c00025)."""
    parameters = rdDistGeom.ETKDGv3()
    settings = {
        "randomSeed": seed,
        "maxIterations": _EMBED_ATTEMPTS,
        "timeout": _EMBED_TIMEOUT_S,
        "useSmallRingTorsions": True,
        **more,
    }
    for name, value in settings.items():
        # RDKit's stubs give every field the type of the whole.
        setattr(parameters, name, value)
    return parameters


def _relax(mol: Chem.Mol) -> str:
    """Relax the conformer in place; MMFF94s where it has parameters, else UFF, and say which."""
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        name, minimize = "MMFF94s", _minimize_mmff
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        name, minimize = "UFF (MMFF94s lacks parameters)", _minimize_uff
    else:
        take_messages()
        return "not relaxed: no force field has its parameters"
    before = mol.GetConformer().GetPositions()
    try:
        status = minimize(mol)
    except (RuntimeError, ValueError):
        mol.GetConformer().SetPositions(before)
        return f"not relaxed: {name} failed"
    finally:
        take_messages()
    return f"relaxed with {name}" + (f", not converged in {_FORCE_FIELD_STEPS} steps" if status == 1 else "")


def _minimize_mmff(mol: Chem.Mol) -> int:
    return int(rdForceFieldHelpers.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=_FORCE_FIELD_STEPS))


def _minimize_uff(mol: Chem.Mol) -> int:
    return int(rdForceFieldHelpers.UFFOptimizeMolecule(mol, maxIters=_FORCE_FIELD_STEPS))


def _check_identity(wanted: str, made: str) -> None:
    """Refuse a conformer that shows another molecule than the state; more stereo than asked for is fine."""
    if wanted == made:
        return
    template, found = Chem.MolFromSmiles(wanted), Chem.MolFromSmiles(made)
    same_graph = Chem.MolToSmiles(template, isomericSmiles=False) == Chem.MolToSmiles(found, isomericSmiles=False)
    if not same_graph or not found.HasSubstructMatch(template, useChirality=True):
        raise LigandRejected(RejectionReason.EMBEDDING_FAILED, f"The conformer of {wanted} came out as {made}.")


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


@cache
def preparation_versions() -> dict[str, str]:
    """Return the versions of what prepares ligands, for provenance."""
    from importlib.metadata import version

    return {name: version(name) for name in ("rdkit", "meeko", "dimorphite_dl")}
