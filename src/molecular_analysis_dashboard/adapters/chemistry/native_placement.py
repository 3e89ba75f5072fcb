"""Where a native ligand lies: chosen from a structure or read from a file of its own, without its bond orders.

Bond orders need the Chemical Component Dictionary, which the API does not carry; see `native_ligand`.
"""

from collections.abc import Iterator, Sequence

import gemmi
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.covalent_bonds import covalent_bonds
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import GroupKind, classified
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages, take_messages
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_mol2_block, read_mol_block
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import Notebook, ReceptorResidue, Site
from molecular_analysis_dashboard.adapters.chemistry.receptor_selection import residue_of
from molecular_analysis_dashboard.domain.errors import InvalidInput

# Fewer heavy atoms than this is a solvent or buffer molecule that no table knows.
_MIN_HEAVY_ATOMS = 5


def choose_native(model: gemmi.Model, selector: str | None) -> tuple[ReceptorResidue, tuple[str, ...]]:
    """Return the ligand that the selector names, or the only kind there is, and warnings.

    Cofactors are never taken unasked. Warnings tell of other copies and of a bond to the receptor.

    Raises
    ------
    InvalidInput
        ``native_not_found`` or ``native_ambiguous``, with the choices.
    """
    groups = list(_groups(model))
    if selector is not None:
        found = [(residue, kind) for residue, kind in groups if selector.strip() in residue.selectors]
        if not found:
            raise _not_found(f"The structure has no group {selector}.", groups)
    else:
        found = [
            (residue, kind)
            for residue, kind in groups
            if kind is GroupKind.LIGAND and len(residue.atoms) >= _MIN_HEAVY_ATOMS
        ]
        if not found:
            raise _no_ligand(groups)
    names = {residue.name for residue, _ in found}
    if len(names) > 1:
        raise InvalidInput(
            f"The structure holds several ligands. Choose one: {_listing([r for r, _ in found])}.",
            code="native_ambiguous",
            choices=[residue.selectors[2] for residue, _ in found],
        )
    chosen = max(found, key=lambda pair: len(pair[0].atoms))[0]
    warnings = covalent_bonds(model, chosen)
    others = [residue for residue, _ in found if residue is not chosen]
    if others:
        warnings = (f"{chosen.selectors[2]} was taken; there are other copies: {_listing(others)}.", *warnings)
    return chosen, warnings


def read_placed_ligand(text: str) -> Chem.Mol:
    """Read a ligand from SDF or MOL2 at its coordinates in the receptor's frame.

    Raises
    ------
    InvalidInput
        ``ligand_unreadable`` or ``ligand_not_3d``.
    """
    forget_messages()
    mol = read_mol2_block(text) if "@<TRIPOS>" in text else read_mol_block(text)
    if mol is None or mol.GetNumAtoms() == 0:
        raise InvalidInput(
            f"The ligand file cannot be read as SDF or MOL2. {take_messages()}".strip(), code="ligand_unreadable"
        )
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise InvalidInput(
            "The ligand file has no three-dimensional coordinates. Upload the ligand as it lies in the receptor.",
            code="ligand_not_3d",
        )
    return mol


def more_records(text: str) -> tuple[str, ...]:
    """Return a warning if an SDF or MOL2 text holds further records than the one that is read."""
    separator = "@<TRIPOS>MOLECULE" if "@<TRIPOS>" in text else "$$$$"
    records = [part for part in text.split(separator) if part.strip()]
    if len(records) < 2:
        return ()
    return (f"The ligand file holds {len(records)} records; the first was taken.",)


def heavy_coordinates(mol: Chem.Mol) -> tuple[tuple[float, float, float], ...]:
    """Return the positions of the heavy atoms, in Å."""
    positions = mol.GetConformer().GetPositions().tolist()
    return tuple(
        (x, y, z) for atom, (x, y, z) in zip(mol.GetAtoms(), positions, strict=True) if atom.GetAtomicNum() > 1
    )


def _groups(model: gemmi.Model) -> Iterator[tuple[ReceptorResidue, GroupKind]]:
    book = Notebook(Site(None, 0.0))
    for chain in model:
        for residue, kind in classified(chain):
            if kind not in (GroupKind.POLYMER, GroupKind.WATER, GroupKind.ION):
                found = residue_of(residue, chain.name, book)
                if found.atoms:
                    yield found, kind


def _no_ligand(groups: Sequence[tuple[ReceptorResidue, GroupKind]]) -> InvalidInput:
    cofactors = [residue for residue, kind in groups if kind is GroupKind.COFACTOR]
    if not cofactors:
        return _not_found("The structure holds no ligand.", groups)
    return InvalidInput(
        f"The structure holds no ligand, only cofactors: {_listing(cofactors)}. Name the one to take, or send the "
        "ligand in a file of its own.",
        code="native_ambiguous",
        choices=[residue.selectors[2] for residue in cofactors],
    )


def _not_found(what: str, groups: Sequence[tuple[ReceptorResidue, GroupKind]]) -> InvalidInput:
    present = [residue for residue, _ in groups]
    return InvalidInput(
        f"{what} It has: {_listing(present) or 'none'}.",
        code="native_not_found",
        choices=[residue.selectors[2] for residue in present],
    )


def _listing(residues: Sequence[ReceptorResidue]) -> str:
    return ", ".join(residue.selectors[2] for residue in residues[:20])
