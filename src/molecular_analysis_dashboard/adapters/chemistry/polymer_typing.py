"""Typing chains with Meeko: one residue at a time, with bonds that we decide."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from meeko import MoleculePreparation, Polymer
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds

from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import RECEPTOR_TYPES
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)
from molecular_analysis_dashboard.adapters.chemistry.residue_templates import (
    add_modified_residue,
    form_of,
    residue_templates,
)
from molecular_analysis_dashboard.domain.errors import PreparationFailed

# Longest bonds between residues that are taken for real: C-N and O3'-P up to a distorted 2.0 Å, S-S of 2.05 Å.
_CHAIN_BOND_ANGSTROM = 2.0
_DISULFIDE_ANGSTROM = 2.5
_CHAIN_BONDS = (("C", "N"), ("O3'", "P"))

Chains = Sequence[Sequence[ReceptorResidue]]


@dataclass(frozen=True)
class _Entry:
    """One residue under the key by which Meeko knows it."""

    key: str
    residue: ReceptorResidue

    @property
    def chain(self) -> str:
        """The part of the key that tells chains apart."""
        return self.key.split(":")[0]


def type_chains(chains: Chains, book: Notebook) -> list[ReceptorResidue]:
    """Return the residues that could be typed, complete with hydrogens, atom types and charges.

    A residue that no template describes is left out and noted as a problem.

    Raises
    ------
    PreparationFailed
        ``typing_failed`` if Meeko gives up on all of it.
    """
    entries = [
        _Entry(f"{i}:{j}", residue) for i, chain in enumerate(chains, start=1) for j, residue in enumerate(chain)
    ]
    disulfides = list(_disulfides(entries))
    typed: list[ReceptorResidue] = []
    for joined in _joined_chains(entries, disulfides):
        within = [pair for pair in disulfides if pair[0] in joined]
        typed += _type_joined(joined, within, book)
    return typed


def _joined_chains(entries: Sequence[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> Iterator[list[_Entry]]:
    """Yield chains apart unless a disulfide joins them: Meeko's time grows with the square of the residues."""
    root = {entry.chain: entry.chain for entry in entries}
    for first, second in disulfides:
        old, new = root[second.chain], root[first.chain]
        root = {chain: new if known == old else known for chain, known in root.items()}
    for name in dict.fromkeys(root.values()):
        yield [entry for entry in entries if root[entry.chain] == name]


def _type_joined(
    entries: list[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]], book: Notebook
) -> list[ReceptorResidue]:
    try:
        return _type_together(entries, disulfides, book)
    except PreparationFailed as failure:
        if len(entries) == 1:
            book.problem(entries[0].residue, "left_out", f"It is left out of the receptor. {failure.message}")
            return []
    # One residue can spoil its whole chain in Meeko; halving finds it, and only the cut loses its neighbour.
    middle = len(entries) // 2
    halves = entries[:middle], entries[middle:]
    return [
        residue
        for half in halves
        for residue in _type_joined(half, [p for p in disulfides if p[0] in half and p[1] in half], book)
    ]


def _type_together(
    entries: list[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]], book: Notebook
) -> list[ReceptorResidue]:
    polymer = _polymer(entries, disulfides)
    unmatched = _unmatched(polymer, entries)
    if any(atom.is_hydrogen for entry in unmatched for atom in entry.residue.atoms):
        # Hydrogens placed around bad geometry are the usual obstacle; Meeko then adds its own.
        bad = {entry.key for entry in unmatched}
        entries = [_bare(entry) if entry.key in bad else entry for entry in entries]
        polymer = _polymer(entries, disulfides)
        unmatched = _unmatched(polymer, entries)
    for entry in unmatched:
        book.problem(entry.residue, "left_out", _why_unmatched(entry.residue))
    missing = {entry.key for entry in unmatched}
    return [_typed(entry.residue, polymer.monomers[entry.key]) for entry in entries if entry.key not in missing]


def _polymer(entries: Sequence[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> Polymer:
    templates = residue_templates()
    bridged = {entry.key for pair in disulfides for entry in pair}
    raw: dict[str, tuple[Chem.Mol, str]] = {}
    for entry in entries:
        name = form_of(entry.residue, has_disulfide=entry.key in bridged)
        known = name in templates.ambiguous or name in templates.residue_templates
        mol = _raw_mol(entry.residue) if known or add_modified_residue(templates, name) else None
        if mol is not None:
            raw[entry.key] = (mol, name)
    bonds = {
        (first.key, second.key): [(_index(first.residue, a), _index(second.residue, b))]
        for first, a, second, b in _bonds(entries, disulfides)
        if first.key in raw and second.key in raw
    }
    try:
        with silenced("meeko"):
            return Polymer(raw, bonds, templates, _preparation())
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as cause:
        take_messages()
        raise PreparationFailed(
            f"Meeko says: {str(cause).strip().splitlines()[0][:300] if str(cause) else repr(cause)}",
            code="typing_failed",
        ) from cause


def _raw_mol(residue: ReceptorResidue) -> Chem.Mol | None:
    """Return the residue with single bonds by distance, None when its elements or geometry make no molecule."""
    mol = Chem.RWMol()
    conformer = Chem.Conformer(len(residue.atoms))
    try:
        for index, atom in enumerate(residue.atoms):
            mol.AddAtom(Chem.Atom(atom.element))
            conformer.SetAtomPosition(index, atom.position)
        mol.AddConformer(conformer)
        rdDetermineBonds.DetermineConnectivity(mol)
        for added in mol.GetAtoms():
            if added.GetAtomicNum() == 7 and added.GetDegree() == 4:
                added.SetFormalCharge(1)
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError):
        take_messages()
        return None
    return mol.GetMol()


def _bonds(
    entries: Sequence[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]
) -> Iterator[tuple[_Entry, str, _Entry, str]]:
    for first, second in pairwise(entries):
        if first.chain != second.chain:
            continue
        for a, b in _CHAIN_BONDS:
            if _within(first.residue, a, second.residue, b, _CHAIN_BOND_ANGSTROM):
                yield first, a, second, b
    for first, second in disulfides:
        yield first, "SG", second, "SG"


def _disulfides(entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, _Entry]]:
    """Yield pairs of cysteines whose sulphurs are bonded, each cysteine at most once."""
    free = [entry for entry in entries if entry.residue.name == "CYS" and entry.residue.atom("SG") is not None]
    while free:
        first = free.pop(0)
        partner = next((e for e in free if _within(first.residue, "SG", e.residue, "SG", _DISULFIDE_ANGSTROM)), None)
        if partner is not None:
            free.remove(partner)
            yield first, partner


def _within(first: ReceptorResidue, a: str, second: ReceptorResidue, b: str, limit: float) -> bool:
    one, other = first.atom(a), second.atom(b)
    return one is not None and other is not None and math.dist(one.position, other.position) <= limit


def _index(residue: ReceptorResidue, name: str) -> int:
    return next(index for index, atom in enumerate(residue.atoms) if atom.name == name)


def _bare(entry: _Entry) -> _Entry:
    heavy = tuple(atom for atom in entry.residue.atoms if not atom.is_hydrogen)
    return replace(entry, residue=replace(entry.residue, atoms=heavy))


def _unmatched(polymer: Polymer, entries: Sequence[_Entry]) -> list[_Entry]:
    return [
        entry for entry in entries if entry.key not in polymer.monomers or polymer.monomers[entry.key].rdkit_mol is None
    ]


def _why_unmatched(residue: ReceptorResidue) -> str:
    heavy = sum(1 for atom in residue.atoms if not atom.is_hydrogen)
    return (
        f"Its {heavy} atoms match no known form of {residue.name}, for example because atoms are missing or "
        "overlap; it is left out of the receptor."
    )


def _typed(residue: ReceptorResidue, monomer: object) -> ReceptorResidue:
    """Return the residue as Meeko completed it, under the file's atom names where there are any."""
    mol: Chem.Mol = monomer.rdkit_mol  # type: ignore[attr-defined]  # Meeko has no types
    names = _names(residue, monomer)
    types = {}
    for padded, own in monomer.molsetup_mapidx.items():  # type: ignore[attr-defined]
        atom = monomer.molsetup.atoms[padded]  # type: ignore[attr-defined]
        types[own] = ("" if atom.is_ignore else str(atom.atom_type), float(atom.charge))
    positions = mol.GetConformer().GetPositions().tolist()
    atoms = []
    for index, atom in enumerate(mol.GetAtoms()):
        x, y, z = positions[index]
        atom_type, charge = types.get(index, ("", 0.0))
        if atom_type and atom_type not in RECEPTOR_TYPES:
            raise PreparationFailed(
                f"Vina has no atom type {atom_type}, needed by {residue.label}. Remove that residue's group.",
                code="typing_failed",
                residues=[residue.label],
            )
        atoms.append(ReceptorAtom(names[index], atom.GetSymbol(), (x, y, z), atom_type, charge))
    return replace(residue, atoms=tuple(atoms))


def _names(residue: ReceptorResidue, monomer: object) -> list[str]:
    mapping: dict[int, int] = monomer.mapidx_to_raw  # type: ignore[attr-defined]
    template: list[str] = monomer.atom_names  # type: ignore[attr-defined]
    return [residue.atoms[mapping[index]].name if index in mapping else name for index, name in enumerate(template)]


@cache
def _preparation() -> MoleculePreparation:
    return MoleculePreparation()
