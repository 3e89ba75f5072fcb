"""Preparing a receptor for docking by stated options, with a report on every residue."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind
from molecular_analysis_dashboard.adapters.chemistry.hetero_typing import Untypable, typed_group
from molecular_analysis_dashboard.adapters.chemistry.metal_contacts import metals_of, settle_metal_contacts
from molecular_analysis_dashboard.adapters.chemistry.polymer_typing import type_chains
from molecular_analysis_dashboard.adapters.chemistry.protein_protonation import (
    ProtonationFailed,
    can_protonate,
    protonate_chains,
)
from molecular_analysis_dashboard.adapters.chemistry.ready_pdbqt import accept_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.receptor_files import receptor_pdb, receptor_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
    Site,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_selection import Selection, select
from molecular_analysis_dashboard.adapters.chemistry.residue_names import standardized
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure_and_format, structure_text
from molecular_analysis_dashboard.domain.errors import PreparationFailed
from molecular_analysis_dashboard.domain.receptors import (
    PreparationReport,
    PreparedReceptor,
    ReceptorOptions,
    Severity,
    StructureFormat,
)


def prepare_receptor(data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
    """Prepare an uploaded structure; a ready PDBQT is checked and passes through.

    Raises
    ------
    InvalidInput
        If the file cannot be read or the options name what it does not have.
    PreparationFailed
        ``problems_near_site`` with the residues and the report, unless the options override it;
        ``nothing_left`` or ``typing_failed``.
    """
    structure, found = read_structure_and_format(data, file_name)
    book = Notebook(Site.of(options))
    if found is StructureFormat.PDBQT:
        return accept_pdbqt(structure_text(data), structure, options, versions())
    if any(len(chain.name) > 1 for chain in structure[0]):
        structure.shorten_chain_names()
        book.steps.append("shortened chain names to one letter, as PDB files need")
    selection = select(structure, options, book)
    residues = _prepared_residues(selection, _removed_atoms(structure, selection, options), options, book)
    return _finished(residues, options, book)


def _prepared_residues(
    selection: Selection, surroundings: Sequence[ReceptorAtom], options: ReceptorOptions, book: Notebook
) -> list[ReceptorResidue]:
    chains = [[standardized(residue, book) for residue in chain] for chain in selection.chains]
    try:
        chains = protonate_chains(chains, surroundings, options.ph, book)
        book.steps.append(f"rebuilt side chains and protonated for pH {options.ph:g} (PDB2PQR, PROPKA)")
    except ProtonationFailed as cause:
        book.steps.append("typed without PDB2PQR, which failed")
        book.whole(
            "protonation_failed",
            f"PDB2PQR failed ({str(cause)[:200]}), so every residue has its usual protonation state, no side chain was "
            "rebuilt and no hydrogen bond optimized. Look at the residues of the site.",
        )
    metals = metals_of([residue for residue, _ in selection.groups])
    chains = [[settle_metal_contacts(residue, metals, book) for residue in chain] for chain in chains]
    residues = type_chains([[r for r in chain if _has_backbone(r, book)] for chain in chains], book)
    book.steps.append("typed with Meeko")
    for residue, kind in selection.groups:
        residues += _typed_or_noted(residue, kind, book)
    return residues


def _typed_or_noted(residue: ReceptorResidue, kind: GroupKind, book: Notebook) -> list[ReceptorResidue]:
    try:
        return [typed_group(residue, kind)]
    except Untypable as cause:
        book.problem(residue, "left_out", f"It cannot be typed and is left out: {cause}")
        return []


def _has_backbone(residue: ReceptorResidue, book: Notebook) -> bool:
    """Whether a chain member can be typed at all; a trace of single atoms is noted and dropped here."""
    info = gemmi.find_tabulated_residue(residue.name)
    if info.found() and info.is_standard() and info.is_amino_acid() and not can_protonate(residue):
        book.problem(residue, "left_out", "Backbone atoms are missing; it is left out of the receptor.")
        return False
    return True


def _removed_atoms(structure: gemmi.Structure, selection: Selection, options: ReceptorOptions) -> list[ReceptorAtom]:
    """Return the heavy atoms of all hetero groups but waters, which side chains may touch, kept or not."""
    model = structure[options.model - 1]
    chains = {residue.chain for chain in selection.chains for residue in chain}
    return [
        ReceptorAtom(atom.name, atom.element.name, (atom.pos.x, atom.pos.y, atom.pos.z))
        for chain in model
        if chain.name in chains or not options.chains
        for residue in chain
        if residue.entity_type is not gemmi.EntityType.Polymer and not residue.is_water()
        for atom in residue
        if not atom.is_hydrogen()
    ]


def _finished(residues: list[ReceptorResidue], options: ReceptorOptions, book: Notebook) -> PreparedReceptor:
    report = PreparationReport(
        notes=tuple(book.notes),
        steps=tuple(book.steps),
        n_residues=len(residues),
        n_atoms=sum(1 for residue in residues for atom in residue.atoms if atom.atom_type),
        versions=versions(),
    )
    blocking = [note for note in report.notes if note.severity is Severity.BLOCKING]
    if blocking and not options.override_problems:
        raise PreparationFailed(
            f"{len(blocking)} residue(s) near the binding site have problems: "
            f"{', '.join(note.residue for note in blocking[:10])}. Repair the structure, or override the problems.",
            code="problems_near_site",
            residues=[note.residue for note in blocking],
            report=report.as_json(),
        )
    left_out = sum(1 for note in report.notes if note.action == "left_out")
    if left_out > len(residues) > 0 and not options.override_problems:
        raise PreparationFailed(
            f"{left_out} residues could not be prepared and only {len(residues)} could. The report says what is "
            "wrong with each; repair the structure, or override the problems.",
            code="mostly_left_out",
            n_left_out=left_out,
            report=report.as_json(),
        )
    if not residues:
        raise PreparationFailed(
            "Nothing is left for the receptor. Give a structure with a protein or nucleic acid, or keep more of it.",
            code="nothing_left",
            report=report.as_json(),
        )
    return PreparedReceptor(receptor_pdbqt(residues), receptor_pdb(residues), report)


@cache
def versions() -> dict[str, str]:
    """Return the versions of what prepares receptors, for the report."""
    return {name: version(name) for name in ("gemmi", "pdb2pqr", "propka", "meeko", "rdkit", "biotite")}
