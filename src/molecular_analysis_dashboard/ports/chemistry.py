"""The chemistry that a request may wait for: reading files and measuring boxes, never preparing or docking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from molecular_analysis_dashboard.domain.receptors import Severity, StructureSummary
from molecular_analysis_dashboard.domain.results import StoredPose
from molecular_analysis_dashboard.domain.sites import SearchBox, Vector


@dataclass(frozen=True)
class BoxCheck:
    """One finding about a search box: a stable code, how much it matters and a sentence."""

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class NativePlace:
    """Where a native ligand lies.

    Parameters
    ----------
    selector : str
        ``NAME:CHAIN:NUMBER`` in the structure, empty for a file of its own.
    coordinates : tuple of Vector
        Heavy atoms, in Å.
    mol_block : str or None
        With bond orders, where a file of its own or a template gives them.
    """

    name: str
    selector: str
    coordinates: tuple[Vector, ...]
    mol_block: str | None = None
    warnings: tuple[str, ...] = ()


class RequestChemistry(Protocol):
    """Every method raises `InvalidInput` with a code of its own when a file or a name in it cannot be used."""

    def summarize(self, data: bytes, file_name: str) -> StructureSummary:
        """Say what a structure file holds; TooLarge beyond the limit after decompression."""

    def native_of_structure(
        self, data: bytes, file_name: str, selector: str | None, template: str | None
    ) -> NativePlace:
        """Find a ligand of a structure: the named one, or the only one there is; a template must describe it."""

    def native_of_file(self, content: str, file_name: str, template: str | None) -> NativePlace:
        """Read a ligand from the text of an SDF, MOL2, PDB or mmCIF file; a template must describe it."""

    def box_around(self, coordinates: Sequence[Vector], padding_angstrom: float) -> SearchBox:
        """Return the box around coordinates (Å), widened on every side."""

    def box_around_residues(
        self, data: bytes, file_name: str, residues: Sequence[str], padding_angstrom: float
    ) -> SearchBox:
        """Return the box around residues named ``CHAIN:NUMBER``."""

    def check_box(
        self, data: bytes, file_name: str, box: SearchBox, native: Sequence[Vector] | None
    ) -> tuple[BoxCheck, ...]:
        """Check a box against a structure's polymer atoms; InvalidInput when it lies off them."""

    def check_flexible_residues(self, receptor_pdbqt: str, residues: Sequence[str], box: SearchBox) -> None:
        """Refuse side chains, named ``CHAIN:NAMENUMBER``, that cannot be searched in a prepared receptor and a box."""

    def morgan_fingerprints(self, smiles: Sequence[str]) -> list[int]:
        """Return the Morgan fingerprint of each molecule as a set of bits; one that cannot be read has none."""

    def pose_sdf(self, pose: StoredPose, properties: Mapping[str, str | float | int]) -> str:
        """Return one SDF record of a pose, with bond orders and data fields."""
