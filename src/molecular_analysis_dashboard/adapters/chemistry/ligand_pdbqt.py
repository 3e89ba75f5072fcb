"""Typing ligands for AutoDock-family engines with Meeko."""

from dataclasses import dataclass
from functools import cache

from meeko import MoleculePreparation, PDBQTWriterLegacy
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import LIGAND_TYPES, PSEUDO_TYPES, atom_lines, atom_type
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason


@dataclass(frozen=True)
class MeekoLigand:
    """A typed ligand: PDBQT with Meeko's index map, and what was decided.

    Parameters
    ----------
    opened : tuple of pairs of int
        Bonds of large rings that are cut, so that the rings bend in the search.
    """

    pdbqt: str
    torsions: int
    steps: tuple[str, ...]
    opened: tuple[tuple[int, int], ...] = ()


def to_pdbqt(mol: Chem.Mol) -> MeekoLigand:
    """Write a molecule with hydrogens and one conformer as PDBQT; large rings are opened as Meeko does.

    Raises
    ------
    LigandRejected
        ``preparation_failed`` with Meeko's message, or ``unsupported_element``.
    """
    try:
        with silenced("meeko"):
            setups = _preparation().prepare(mol)
            text, is_ok, message = PDBQTWriterLegacy.write_string(setups[0], add_index_map=True)
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError, NotImplementedError) as cause:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, f"Meeko says: {_first_line(str(cause))}") from cause
    if not is_ok:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, f"Meeko says: {_first_line(message)}")
    types = [atom_type(line) for line in atom_lines(text)]
    if unknown := sorted(set(types) - LIGAND_TYPES):
        raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, f"Atom types: {', '.join(unknown)}.")
    n_closures = sum(1 for found in types if found in PSEUDO_TYPES) // 2
    steps = ["typed with Meeko"]
    if n_closures:
        steps.append(f"{n_closures} ring(s) made flexible (Meeko)")
    torsions = sum(1 for line in text.splitlines() if line.startswith("BRANCH"))
    opened = tuple((int(begin), int(end)) for begin, end in setups[0].ring_closure_info.bonds_removed)
    return MeekoLigand(text, torsions, tuple(steps), opened)


def typed_atoms(mol: Chem.Mol) -> list[tuple[str, float]]:
    """Return the atom type and charge (e) of every atom of a rigid molecule; merged hydrogens have no type.

    Raises
    ------
    LigandRejected
        ``preparation_failed`` with Meeko's message.
    """
    try:
        with silenced("meeko"):
            setup = _rigid_preparation().prepare(mol)[0]
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError, NotImplementedError) as cause:
        raise LigandRejected(RejectionReason.PREPARATION_FAILED, f"Meeko says: {_first_line(str(cause))}") from cause
    atoms = setup.atoms[: mol.GetNumAtoms()]
    return [("" if atom.is_ignore else str(atom.atom_type), float(atom.charge)) for atom in atoms]


@cache
def _preparation() -> MoleculePreparation:
    return MoleculePreparation()


@cache
def _rigid_preparation() -> MoleculePreparation:
    return MoleculePreparation(rigid_macrocycles=True)


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0][:300] if message.strip() else "no reason was given."
