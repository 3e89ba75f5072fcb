"""Receptors: how a structure is prepared for docking, and the report on each residue."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.sites import Vector


class StructureFormat(StrEnum):
    """Formats of an uploaded macromolecule."""

    PDB = "pdb"
    MMCIF = "mmcif"
    PDBQT = "pdbqt"


class WaterPolicy(StrEnum):
    """Which waters stay in the receptor."""

    NONE = "none"
    ALL = "all"
    NEAR = "near"
    BRIDGING = "bridging"


class Severity(StrEnum):
    """How much a note in a preparation report matters."""

    INFO = "info"
    WARNING = "warning"
    BLOCKING = "blocking"


@dataclass(frozen=True)
class ReceptorOptions:
    """Stated choices of one receptor preparation.

    Parameters
    ----------
    model : int
        Number of the model to use, counted from 1.
    chains : tuple of str
        Author chain names to keep; empty keeps all.
    waters : WaterPolicy
        Which waters stay: none, all, those within `water_reach_angstrom` of the site, or of these only those that
        bridge between the ligand of the file and the receptor.
    water_reach_angstrom : float
        How far from the site a water may be to count as near it, in Å.
    keep : tuple of str
        Hetero groups to keep, as ``NAME``, ``NAME:CHAIN`` or ``NAME:CHAIN:NUMBER``.
    remove : tuple of str
        Hetero groups to remove, in the same form; wins over `keep`.
    keep_within_angstrom : float
        How far from the site ions, cofactors and glycans stay by default, in Å.
    ph : float
        pH of the protonation.
    caps : bool
        Close chain breaks and unresolved ends with acetyl and N-methyl groups; else they end neutral, without atoms.
    override_problems : bool
        Prepare although the report names blocking problems near the site.
    site_center : tuple of three floats, optional
        Centre of the site in Å; problems within 8 Å of the site block. Without it every ion, cofactor and glycan
        stays and every problem warns.
    site_radius_angstrom : float
        Radius around `site_center` that counts as the site itself, in Å.
    """

    model: int = 1
    chains: tuple[str, ...] = ()
    waters: WaterPolicy = WaterPolicy.NONE
    water_reach_angstrom: float = 5.0
    keep: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    keep_within_angstrom: float = 6.0
    ph: float = 7.4
    caps: bool = False
    override_problems: bool = False
    site_center: Vector | None = None
    site_radius_angstrom: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return the options as JSON-compatible values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Rebuild options from what `as_json` returned."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in body.items()
        }
        return cls(**values | {"waters": WaterPolicy(values.get("waters", WaterPolicy.NONE))})


@dataclass(frozen=True)
class ResidueNote:
    """What was changed in, or is wrong with, one residue.

    Parameters
    ----------
    residue : str
        ``CHAIN:NAME NUMBER[insertion code]``, for example ``A:HIS 57``, or ``whole structure``.
    action : str
        A stable code, for example ``removed``, ``kept``, ``altloc_chosen``, ``side_chain_rebuilt``.
    message : str
        A sentence.
    distance_angstrom : float or None
        Distance to the site's centre, where one is known.
    """

    residue: str
    action: str
    message: str
    severity: Severity = Severity.INFO
    distance_angstrom: float | None = None


@dataclass(frozen=True)
class PreparationReport:
    """Every residue that was changed or is a problem, and totals."""

    notes: tuple[ResidueNote, ...] = ()
    steps: tuple[str, ...] = ()
    n_residues: int = 0
    n_atoms: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the report as JSON-compatible values."""
        return {
            "notes": [asdict(note) for note in self.notes],
            "steps": list(self.steps),
            "n_residues": self.n_residues,
            "n_atoms": self.n_atoms,
            "versions": dict(self.versions),
        }


@dataclass(frozen=True)
class HeteroGroup:
    """A non-polymer residue of a structure: water, ion, cofactor or ligand."""

    name: str
    chain: str
    number: str
    kind: str
    n_heavy_atoms: int
    center: Vector

    @property
    def selector(self) -> str:
        """``NAME:CHAIN:NUMBER``, as options and sites accept it."""
        return f"{self.name}:{self.chain}:{self.number}"


@dataclass(frozen=True)
class StructureSummary:
    """What a structure file holds, before any preparation."""

    format: StructureFormat
    n_models: int
    chains: tuple[str, ...]
    n_residues: int
    n_atoms: int
    hetero_groups: tuple[HeteroGroup, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedReceptor:
    """A receptor ready for docking.

    Parameters
    ----------
    pdbqt : str
        Typed and charged atoms with polar hydrogens, for the engine.
    pdb : str
        The same atoms with every hydrogen, for viewing and interaction analysis.
    """

    pdbqt: str
    pdb: str
    report: PreparationReport

    @property
    def content_hash(self) -> str:
        """SHA-256 of the PDBQT: what docking results depend on."""
        return content_hash({"pdbqt": self.pdbqt})
