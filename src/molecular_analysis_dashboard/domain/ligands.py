"""Ligands: records as they came, validated molecules, and states ready for docking."""

from dataclasses import asdict, dataclass

from molecular_analysis_dashboard.domain.rejections import RejectionReason


@dataclass(frozen=True)
class LigandRecord:
    """One input record, not yet parsed.

    Parameters
    ----------
    line : int
        Line of the file on which the record starts, counted from 1.
    text : str
        The record: a SMILES, or a mol block with its data fields.
    format : str
        ``smiles``, ``sdf`` or ``mol2``.
    name : str
        Name as given, empty when there is none.
    """

    line: int
    text: str
    format: str
    name: str = ""


@dataclass(frozen=True)
class RejectedRecord:
    """An input record that is no ligand, and why; `input_text` is shortened for display."""

    line: int
    name: str
    input_text: str
    reason: RejectionReason
    message: str


@dataclass(frozen=True)
class ValidatedLigand:
    """One molecule of a library.

    Parameters
    ----------
    smiles : str
        Canonical isomeric SMILES of the parent: without counter-ions and solvent, and neutral but for permanent
        charges. Equal compounds have equal ones, whatever salt or charge state they were drawn as.
    drawn_smiles : str or None
        The parent in the charge state of the input, where that is another.
    inchikey : str
        Of the neutral parent, as registries list it.
    torsions : int
        Rotatable bonds as docking counts them: outside rings, between inner atoms, no amides.
    molecular_weight : float
        In g/mol, of the neutral parent.
    notes : tuple of str
        What was left out of the record, a sentence each.
    """

    line: int
    name: str
    smiles: str
    inchikey: str
    heavy_atoms: int
    torsions: int
    molecular_weight: float
    drawn_smiles: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LigandOptions:
    """Stated choices of ligand preparation, part of a protocol.

    Parameters
    ----------
    protonate : bool
        Set protonation states for `ph` (dimorphite-dl); otherwise the charge state of the input is docked.
    max_states : int
        Most states (protomers and stereoisomers) docked per ligand.
    enumerate_stereo : bool
        Dock every stereoisomer of undefined centres, up to `max_states`; if False, undefined stereo is refused.
    ring_conformers : int
        Most conformations of saturated rings from which a state is docked; they share its search. 0 leaves the one
        that the start conformer happens to have.
    """

    protonate: bool = True
    ph: float = 7.4
    enumerate_stereo: bool = True
    max_states: int = 8
    ring_conformers: int = 4
    max_heavy_atoms: int = 100
    max_torsions: int = 32

    def as_json(self) -> dict[str, object]:
        """Return the options as JSON-compatible values."""
        return asdict(self)


@dataclass(frozen=True)
class LigandInput:
    """What the docking of one ligand starts from.

    Parameters
    ----------
    smiles : str
        The neutral parent.
    drawn_smiles : str or None
        The parent in the charge state of the input, where that is another.
    """

    ligand_id: str
    name: str
    smiles: str
    drawn_smiles: str | None = None


@dataclass(frozen=True)
class LigandState:
    """One protomer or stereoisomer with a start conformer, typed for docking.

    Parameters
    ----------
    smiles : str
        Canonical isomeric SMILES of exactly this state.
    mol_block : str
        All atoms, hydrogens included, with bond orders and a three-dimensional start conformer (V2000 or V3000);
        its atom order is the order of pose coordinates.
    pdbqt : str
        The same state as the engine reads it.
    ring_conformers : tuple of str
        The same PDBQT with other conformations of the rings that docking keeps rigid, the least strained first.
    steps : tuple of str
        What was done, in order.
    """

    smiles: str
    mol_block: str
    pdbqt: str
    heavy_atoms: int
    torsions: int
    formal_charge: int
    steps: tuple[str, ...] = ()
    ring_conformers: tuple[str, ...] = ()

    @property
    def starts(self) -> tuple[str, ...]:
        """Every PDBQT from which to search, the least strained first."""
        return (self.pdbqt, *self.ring_conformers)
