"""The native ligand of a complex, with bond orders from a stated source and never guessed."""

from dataclasses import dataclass, replace

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.bond_order_template import (
    connected_mol,
    read_template,
    with_bond_orders,
)
from molecular_analysis_dashboard.adapters.chemistry.ccd import component, heavy_mol
from molecular_analysis_dashboard.adapters.chemistry.cif_components import component_of_file
from molecular_analysis_dashboard.adapters.chemistry.compressed_input import decode, decompress, plain_name
from molecular_analysis_dashboard.adapters.chemistry.native_placement import (
    choose_native,
    heavy_coordinates,
    more_records,
    read_placed_ligand,
)
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import forget_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorResidue
from molecular_analysis_dashboard.adapters.chemistry.structures import (
    MAX_STRUCTURE_BYTES,
    read_structure,
    structure_text,
)
from molecular_analysis_dashboard.domain.redocking import BondOrderSource, NativeMolecule


@dataclass(frozen=True)
class NativeLigand:
    """The native ligand at its crystal position.

    Parameters
    ----------
    selector : str
        ``NAME:CHAIN:NUMBER`` in the structure, empty for a ligand file.
    mol_block : str or None
        All atoms with bond orders; None when no source gives them, and only `coordinates` can be used.
    coordinates : tuple
        Heavy atoms, in Å.
    """

    name: str
    selector: str
    mol_block: str | None
    smiles: str
    bond_order_source: BondOrderSource
    coordinates: tuple[tuple[float, float, float], ...]
    warnings: tuple[str, ...] = ()


def extract_native_ligand(
    data: bytes,
    file_name: str,
    selector: str | None,
    *,
    template: bytes | None = None,
    template_name: str = "",
) -> NativeLigand:
    """Take one ligand out of a structure.

    Parameters
    ----------
    selector : str, optional
        ``NAME``, ``NAME:CHAIN`` or ``NAME:CHAIN:NUMBER``; without it the structure must hold one kind of ligand.
    template : bytes, optional
        SMILES or SDF of the same molecule, for its bond orders.

    Raises
    ------
    InvalidInput
        ``native_not_found`` or ``native_ambiguous`` with the choices, ``template_mismatch``; see `read_structure`.
    """
    forget_messages()
    structure = read_structure(data, file_name)
    residue, warnings = choose_native(structure[0], selector)
    positions = {atom.name: atom.position for atom in residue.atoms}
    ligand = NativeLigand(
        name=residue.name,
        selector=residue.selectors[2],
        mol_block=None,
        smiles="",
        bond_order_source=BondOrderSource.NONE,
        coordinates=tuple(positions.values()),
        warnings=warnings,
    )
    if template is not None:
        return _with_mol(ligand, _by_template(residue, template, template_name), BondOrderSource.TEMPLATE)
    for source, found in (
        (BondOrderSource.STRUCTURE_FILE, component_of_file(structure_text(data), residue.name)),
        (BondOrderSource.DICTIONARY, component(residue.name)),
    ):
        built = heavy_mol(found, residue.atoms) if found is not None else None
        if built is not None and found is not None:
            return _with_mol(_noting_missing(ligand, found.atoms, positions), built[0], source)
    return replace(
        ligand,
        warnings=(
            *ligand.warnings,
            f"No source gives the bond orders of {residue.name}, so it only places the search box. Upload its "
            "SMILES or SDF to redock it.",
        ),
    )


def native_molecule(data: bytes, file_name: str, selector: str | None) -> NativeMolecule:
    """Take one ligand out of a structure as a redocking needs it; see `extract_native_ligand`."""
    found = extract_native_ligand(data, file_name, selector)
    return NativeMolecule(found.name, found.mol_block, found.bond_order_source, found.warnings)


def read_ligand_file(data: bytes, file_name: str) -> NativeLigand:
    """Read a native ligand given on its own as SDF, MOL2 or PDB, at its coordinates in the receptor's frame.

    Raises
    ------
    InvalidInput
        ``ligand_unreadable`` or ``ligand_not_3d``; a PDB file gets its bond orders as in a structure.
    """
    forget_messages()
    raw = decompress(data, max_bytes=MAX_STRUCTURE_BYTES)
    name = plain_name(file_name)
    text = decode(raw)
    if name.endswith((".pdb", ".ent", ".cif", ".mmcif")):
        return extract_native_ligand(raw, name, None)
    mol = read_placed_ligand(text)
    title = mol.GetProp("_Name") if mol.HasProp("_Name") else ""
    ligand = NativeLigand(
        name=title or file_name,
        selector="",
        mol_block=None,
        smiles="",
        bond_order_source=BondOrderSource.NONE,
        coordinates=heavy_coordinates(mol),
        warnings=more_records(text),
    )
    return _with_mol(ligand, mol, BondOrderSource.LIGAND_FILE)


def _with_mol(ligand: NativeLigand, mol: Chem.Mol, source: BondOrderSource) -> NativeLigand:
    complete = Chem.AddHs(mol, addCoords=True)
    complete.SetProp("_Name", ligand.name)
    return replace(
        ligand,
        mol_block=Chem.MolToMolBlock(complete, forceV3000=complete.GetNumAtoms() > 999),
        smiles=Chem.MolToSmiles(Chem.RemoveHs(complete)),
        bond_order_source=source,
        coordinates=heavy_coordinates(mol),
    )


def _noting_missing(
    ligand: NativeLigand, atoms: dict[str, tuple[str, int]], positions: dict[str, tuple[float, float, float]]
) -> NativeLigand:
    missing = [name for name, (element, _) in atoms.items() if element not in ("H", "D") and name not in positions]
    if not missing:
        return ligand
    note = (
        f"{len(missing)} atom(s) of {ligand.name} are not in the structure: {', '.join(missing[:10])}. "
        "The ligand is taken without them."
    )
    return replace(ligand, warnings=(*ligand.warnings, note))


def _by_template(residue: ReceptorResidue, template: bytes, template_name: str) -> Chem.Mol:
    text = decode(decompress(template, max_bytes=MAX_STRUCTURE_BYTES))
    reference = read_template(text, is_block=plain_name(template_name).endswith((".sdf", ".mol")))
    return with_bond_orders(connected_mol(residue.atoms), reference, residue.selectors[2])
