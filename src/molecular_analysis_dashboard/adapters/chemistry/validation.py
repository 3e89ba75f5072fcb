"""Turning a record into a validated molecule, or saying why it is none."""

from collections.abc import Iterable
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.MolStandardize import rdMolStandardize

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages, one_line, take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol2_block, read_mol_block, read_smiles
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

DISPLAY_CHARACTERS = 200
# The elements for which both Meeko and the bundled Vina have atom types (see `pdbqt`).
DOCKABLE_ELEMENTS = frozenset({"H", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I"})
# Far above what a protocol admits (100 by default); canonicalization and InChI stay fast below it.
MAX_LIBRARY_HEAVY_ATOMS = 500
_MAX_SMILES_CHARACTERS = 10_000
_UNDOCKABLE = Chem.MolFromSmarts("[" + "".join(f"!#{n};" for n in (1, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53))[:-1] + "]")
_CARBON = Chem.MolFromSmarts("[#6]")
_CHOOSER = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)


@dataclass(frozen=True)
class _Parent:
    mol: Chem.Mol
    notes: tuple[str, ...]


def validate_batch(records: Iterable[LigandRecord | RejectedRecord]) -> list[ValidatedLigand | RejectedRecord]:
    """Validate records in order; each ends as a ligand or as a rejection."""
    results: list[ValidatedLigand | RejectedRecord] = []
    for record in records:
        if isinstance(record, RejectedRecord):
            results.append(record)
            continue
        try:
            results.append(validate_record(record))
        except LigandRejected as rejection:
            shown = record.text[:DISPLAY_CHARACTERS]
            results.append(RejectedRecord(record.line, record.name, shown, rejection.reason, rejection.message))
    return results


def validate_record(record: LigandRecord) -> ValidatedLigand:
    """Parse a record and describe its parent, the largest organic fragment.

    Raises
    ------
    LigandRejected
        With the reason; RDKit's own message is part of the detail.
    """
    forget_messages()
    mol = _parse(record)
    parent = _Parent(mol, ()) if _is_one_smiles(record) else _parent(mol)
    if not parent.mol.HasSubstructMatch(_CARBON):
        raise LigandRejected(RejectionReason.NO_ORGANIC_FRAGMENT)
    _refuse_undockable(parent.mol)
    smiles = Chem.MolToSmiles(parent.mol)
    inchikey: str = Chem.MolToInchiKey(parent.mol)  # type: ignore[no-untyped-call]  # RDKit leaves it untyped
    if not inchikey:
        raise LigandRejected(RejectionReason.UNREADABLE_RECORD, f"No InChIKey can be made. {take_messages()}")
    return ValidatedLigand(
        line=record.line,
        name=record.name,
        smiles=smiles,
        inchikey=inchikey,
        heavy_atoms=parent.mol.GetNumHeavyAtoms(),
        torsions=rdMolDescriptors.CalcNumRotatableBonds(parent.mol, rdMolDescriptors.NumRotatableBondsOptions.Strict),
        molecular_weight=round(rdMolDescriptors._CalcMolWt(parent.mol), 3),
        mol_block=_three_dimensional_block(parent.mol),
        notes=parent.notes,
    )


def _parse(record: LigandRecord) -> Chem.Mol:
    text = record.text
    if not text.strip():
        raise LigandRejected(RejectionReason.EMPTY)
    if record.format == "smiles":
        mol = _parse_smiles(text)
    elif record.format == "sdf":
        mol = _parse_mol_block(text)
    else:
        mol = read_mol2_block(text)
    if mol is None:
        raise _parse_failure(take_messages())
    if mol.GetNumAtoms() == 0:
        raise LigandRejected(RejectionReason.EMPTY)
    _refuse_large(mol)
    return mol


def _parse_smiles(text: str) -> Chem.Mol | None:
    if len(text) > _MAX_SMILES_CHARACTERS:
        raise LigandRejected(
            RejectionReason.TOO_LARGE, f"The SMILES is longer than {_MAX_SMILES_CHARACTERS:,} characters."
        )
    return read_smiles(text)


def _parse_mol_block(text: str) -> Chem.Mol | None:
    """Read a mol block; its size is looked at first, because sanitizing a protein takes minutes."""
    try:
        mol = read_mol_block(text, sanitize=False, remove_hydrogens=False)
    except (ValueError, RuntimeError) as cause:
        raise LigandRejected(RejectionReason.UNREADABLE_RECORD, _sentence(str(cause))) from cause
    if mol is None:
        raise _parse_failure(take_messages())
    _refuse_large(mol)
    return read_mol_block(text)


def _parse_failure(message: str) -> LigandRejected:
    reason = RejectionReason.VALENCE if "greater than permitted" in message else RejectionReason.UNREADABLE_RECORD
    return LigandRejected(reason, _sentence(message))


def _sentence(message: str) -> str:
    shown = one_line(message)
    return f"RDKit says: {shown}" if shown else ""


def _refuse_large(mol: Chem.Mol) -> None:
    if mol.GetNumHeavyAtoms() > MAX_LIBRARY_HEAVY_ATOMS:
        raise LigandRejected(
            RejectionReason.TOO_LARGE,
            f"It has {mol.GetNumHeavyAtoms()} heavy atoms; the limit of a library is {MAX_LIBRARY_HEAVY_ATOMS}.",
        )


def _is_one_smiles(record: LigandRecord) -> bool:
    """Whether the record is a SMILES without the dot that parts molecules, the usual case by far."""
    return record.format == "smiles" and "." not in record.text


def _parent(mol: Chem.Mol) -> _Parent:
    """Choose the largest organic fragment; most molecules are a single one already."""
    n_fragments = len(Chem.GetMolFrags(mol))
    parent = mol if n_fragments == 1 else _CHOOSER.choose(mol)
    notes: tuple[str, ...] = ()
    if n_fragments > 1:
        notes = (f"{n_fragments - 1} smaller fragment(s), such as counter-ions and solvent, were removed.",)
    return _Parent(parent, notes)


def _refuse_undockable(mol: Chem.Mol) -> None:
    match = mol.GetSubstructMatch(_UNDOCKABLE)
    if match:
        atom = mol.GetAtomWithIdx(match[0])
        detail = (
            "It contains an attachment point or query atom."
            if atom.GetAtomicNum() == 0
            else f"It contains {atom.GetSymbol()}."
        )
        raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, detail)


def _three_dimensional_block(mol: Chem.Mol) -> str | None:
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        return None
    force_v3000 = mol.GetNumAtoms() > 999
    return str(Chem.MolToMolBlock(mol, forceV3000=force_v3000))
