"""The chemistry that a request may wait for, on gemmi and RDKit alone."""

from collections.abc import Mapping, Sequence

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molecular_analysis_dashboard.adapters.chemistry.bond_order_template import (
    connected_mol,
    read_template,
    with_bond_orders,
)
from molecular_analysis_dashboard.adapters.chemistry.compressed_input import decompress, plain_name
from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import split_off
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import is_polymer_like
from molecular_analysis_dashboard.adapters.chemistry.native_placement import (
    choose_native,
    heavy_coordinates,
    more_records,
    read_placed_ligand,
)
from molecular_analysis_dashboard.adapters.chemistry.poses import pose_sdf
from molecular_analysis_dashboard.adapters.chemistry.rdkit_reading import read_smiles
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorResidue
from molecular_analysis_dashboard.adapters.chemistry.sites import box_around, box_from_residues, check_box_on
from molecular_analysis_dashboard.adapters.chemistry.structures import read_structure, summarize_structure
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import StructureSummary
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.domain.sites import SearchBox, Vector
from molecular_analysis_dashboard.ports.chemistry import BoxCheck, NativePlace

# With its hydrogens a larger molecule may exceed the 999 atoms of V2000.
_MAX_V2000_HEAVY = 300
_STRUCTURE_ENDINGS = (".pdb", ".ent", ".cif", ".mmcif", ".pdbqt")


class GemmiRdkitChemistry:
    """Implements `ports.chemistry.RequestChemistry`.

    Parameters
    ----------
    max_structure_bytes : int
        Largest structure after decompression.
    """

    def __init__(self, *, max_structure_bytes: int) -> None:
        self._max_structure_bytes = max_structure_bytes

    def summarize(self, data: bytes, file_name: str) -> StructureSummary:
        """See `RequestChemistry.summarize`."""
        summary = summarize_structure(self._unpacked(data), file_name)
        names = [*summary.chains, *(name for group in summary.hetero_groups for name in (group.name, group.number))]
        if not all(name.isprintable() for name in names):
            raise InvalidInput(
                "The file holds bytes that are no text where names should be. Upload it as it was published.",
                code="unknown_format",
            )
        return summary

    def native_of_structure(
        self, data: bytes, file_name: str, selector: str | None, template: str | None
    ) -> NativePlace:
        """See `RequestChemistry.native_of_structure`."""
        return _from_residue(choose_native(read_structure(self._unpacked(data), file_name)[0], selector), template)

    def native_of_file(self, content: str, file_name: str, template: str | None) -> NativePlace:
        """See `RequestChemistry.native_of_file`."""
        if plain_name(file_name).endswith(_STRUCTURE_ENDINGS):
            return _from_residue(choose_native(read_structure(content.encode(), file_name)[0], None), template)
        return _from_small_molecule(content, file_name, template)

    def box_around(self, coordinates: Sequence[Vector], padding_angstrom: float) -> SearchBox:
        """See `RequestChemistry.box_around`."""
        return box_around(coordinates, padding_angstrom)

    def box_around_residues(
        self, data: bytes, file_name: str, residues: Sequence[str], padding_angstrom: float
    ) -> SearchBox:
        """See `RequestChemistry.box_around_residues`."""
        return box_from_residues(self._unpacked(data), file_name, residues, padding_angstrom)

    def check_box(
        self, data: bytes, file_name: str, box: SearchBox, native: Sequence[Vector] | None
    ) -> tuple[BoxCheck, ...]:
        """See `RequestChemistry.check_box`."""
        model = read_structure(self._unpacked(data), file_name)[0]
        polymer = [
            atom.pos.tolist()
            for chain in model
            for residue in chain
            if is_polymer_like(residue)
            for atom in residue
            if not atom.is_hydrogen()
        ]
        return tuple(BoxCheck(note.code, note.severity, note.message) for note in check_box_on(polymer, box, native))

    def check_flexible_residues(self, receptor_pdbqt: str, residues: Sequence[str], box: SearchBox) -> None:
        """See `RequestChemistry.check_flexible_residues` and, for the codes, `split_off`."""
        split_off(receptor_pdbqt, residues, box)

    def morgan_fingerprints(self, smiles: Sequence[str]) -> list[int]:
        """See `RequestChemistry.morgan_fingerprints`; radius 2 and 2048 bits (Rogers and Hahn 2010)."""
        generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
        mols = (read_smiles(text) for text in smiles)
        return [0 if mol is None else int(generator.GetFingerprint(mol).ToBitString(), 2) for mol in mols]

    def pose_sdf(self, pose: StoredPose, properties: Mapping[str, str | float | int]) -> str:
        """See `RequestChemistry.pose_sdf`."""
        moved = {"flexible_residues_pdb": pose.side_chains_pdb} if pose.side_chains_pdb else {}
        return pose_sdf(pose.mol_block, pose.coordinates, {**properties, **moved}, pose.name)

    def _unpacked(self, data: bytes) -> bytes:
        return decompress(data, max_bytes=self._max_structure_bytes)


def _from_residue(chosen: tuple[ReceptorResidue, tuple[str, ...]], template: str | None) -> NativePlace:
    residue, warnings = chosen
    selector = residue.selectors[2]
    block = None
    if template is not None:
        mol = with_bond_orders(connected_mol(residue.atoms), read_template(template), selector)
        block = _complete_block(mol)
    return NativePlace(residue.name, selector, tuple(atom.position for atom in residue.atoms), block, warnings)


def _from_small_molecule(content: str, file_name: str, template: str | None) -> NativePlace:
    mol = read_placed_ligand(content)
    name = (mol.GetProp("_Name").strip() if mol.HasProp("_Name") else "") or file_name
    if template is not None:
        mol = with_bond_orders(mol, read_template(template), name)
    return NativePlace(name, "", heavy_coordinates(mol), _complete_block(mol), more_records(content))


def _complete_block(mol: Chem.Mol) -> str:
    return str(Chem.MolToMolBlock(Chem.AddHs(mol, addCoords=True), forceV3000=mol.GetNumAtoms() > _MAX_V2000_HEAVY))
