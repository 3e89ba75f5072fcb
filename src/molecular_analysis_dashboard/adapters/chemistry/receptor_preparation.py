"""Preparing a receptor for docking by stated options, with a report on every residue."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind
from molecular_analysis_dashboard.adapters.chemistry.hetero_typing import Untypable, missing_atoms, typed_group
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import Link, note_overlaps
from molecular_analysis_dashboard.adapters.chemistry.metal_contacts import metals_of, settle_metal_contacts
from molecular_analysis_dashboard.adapters.chemistry.polymer_typing import type_chains
from molecular_analysis_dashboard.adapters.chemistry.protein_protonation import can_protonate, protonate_chains
from molecular_analysis_dashboard.adapters.chemistry.ready_pdbqt import accept_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.receptor_files import receptor_pdb, receptor_pdbqt
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorResidue,
    Site,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_selection import Selection, select
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure_and_format, structure_text
from molecular_analysis_dashboard.domain.errors import PreparationFailed
from molecular_analysis_dashboard.domain.receptors import (
    PreparationReport,
    PreparedReceptor,
    ReceptorOptions,
    Severity,
    StructureFormat,
)

_TOLD_PROBLEMS = 3


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
    selection = select(structure, options, book)
    return _finished(_prepared_residues(selection, options, book), options, book)


def _prepared_residues(selection: Selection, options: ReceptorOptions, book: Notebook) -> list[ReceptorResidue]:
    seen = [group for group, kind in selection.groups if kind is not GroupKind.WATER] + list(selection.removed)
    surroundings = [atom for group in seen for atom in group.atoms]
    chains = protonate_chains(selection.chains, surroundings, options.ph, selection.starts, book)
    book.steps.append(f"rebuilt side chains and protonated for pH {options.ph:g} (PDB2PQR, PROPKA)")
    metals = metals_of(seen)
    chains = [[settle_metal_contacts(residue, metals, book) for residue in chain] for chain in chains]
    whole = [[residue for residue in chain if _has_backbone(residue, book)] for chain in chains]
    residues = type_chains(whole, selection.links, book)
    book.steps.append("typed with Meeko")
    if not residues and not (options.keep and selection.groups):
        raise _nothing_left(selection.chains, book)
    for residue, kind in selection.groups:
        residues += _typed_or_noted(residue, kind, selection.links.get(residue.label, ()), book)
    note_overlaps(residues, selection.links, book)
    return residues


def _nothing_left(chains: Sequence[Sequence[ReceptorResidue]], book: Notebook) -> PreparationFailed:
    """Say why no residue of a chain is left."""
    residues = [residue for chain in chains for residue in chain]
    report = PreparationReport(notes=tuple(book.notes), steps=tuple(book.steps), versions=versions()).as_json()
    if not residues:
        return PreparationFailed(
            "The chosen chains hold no protein or nucleic acid. Give a structure with one, or keep a group by name.",
            code="nothing_left",
            report=report,
        )
    return PreparationFailed(
        f"None of the {len(residues)} residues could be prepared, beginning with {residues[0].label}, which has only "
        f"{', '.join(atom.name for atom in residues[0].atoms[:6])}. Give a structure with all atoms, not a trace.",
        code="backbone_missing",
        residues=[residue.label for residue in residues[:200]],
        report=report,
    )


def _typed_or_noted(
    residue: ReceptorResidue, kind: GroupKind, links: Sequence[Link], book: Notebook
) -> list[ReceptorResidue]:
    try:
        typed = typed_group(residue, kind, links)
    except Untypable as cause:
        book.problem(residue, "left_out", f"It cannot be typed and is left out: {cause}")
        return []
    if kind is not GroupKind.WATER and (absent := missing_atoms(residue, links)):
        book.problem(residue, "atoms_missing", f"It lacks {', '.join(absent)}; the rest of it is kept.")
    return [typed]


def _has_backbone(residue: ReceptorResidue, book: Notebook) -> bool:
    """Whether a chain member can be typed at all; a trace of single atoms is noted and dropped here."""
    info = gemmi.find_tabulated_residue(residue.name)
    if info.found() and info.is_standard() and info.is_amino_acid() and not can_protonate(residue):
        book.problem(residue, "left_out", "Backbone atoms are missing; it is left out of the receptor.")
        return False
    return True


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
            f"{_problems(len(blocking))} near the binding site. "
            f"{' '.join(f'{note.residue}: {note.message}' for note in blocking[:_TOLD_PROBLEMS])} "
            "Repair the structure, or override the problems.",
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
    return PreparedReceptor(receptor_pdbqt(residues), receptor_pdb(residues), report)


def _problems(count: int) -> str:
    return "One residue has a problem" if count == 1 else f"{count} residues have problems"


@cache
def versions() -> dict[str, str]:
    """Return the versions of what prepares receptors, for the report."""
    return {name: version(name) for name in ("gemmi", "pdb2pqr", "propka", "meeko", "rdkit", "biotite")}
