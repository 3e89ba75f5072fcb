"""Typing chains with Meeko: one residue at a time, with bonds that we decide."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from meeko import MoleculePreparation, Polymer
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds

from molecular_analysis_dashboard.adapters.chemistry.chain_gaps import CHAIN_BOND_ANGSTROM, CHAIN_BONDS
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import is_standard_residue
from molecular_analysis_dashboard.adapters.chemistry.hetero_typing import Untypable, missing_atoms, typed_component
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import Link, Links
from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import RECEPTOR_TYPES
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)
from molecular_analysis_dashboard.adapters.chemistry.residue_templates import form_of, residue_templates
from molecular_analysis_dashboard.domain.errors import PreparationFailed

# Longest disulfide bond that is taken for real; good models have 2.05 Å.
_DISULFIDE_ANGSTROM = 2.5
# S-H is the longest bond to hydrogen here, 1.34 Å.
_LONGEST_HYDROGEN_BOND_ANGSTROM = 1.5
# Bonds that Meeko's templates know of; each other bond costs a hydrogen at either end.
_TEMPLATE_BONDS = {"C": "N", "N": "C", "O3'": "P", "P": "O3'", "SG": "SG"}

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


def type_chains(chains: Chains, links: Links, book: Notebook) -> list[ReceptorResidue]:
    """Return the residues that could be typed, complete with hydrogens, atom types and charges.

    Meeko's templates type the standard residues; the Chemical Component Dictionary types the others, and what no
    template matches. A residue that neither describes, or that lacks atoms, is noted as a problem.

    Parameters
    ----------
    links : Links
        Bonds between residues, by label.
    """
    entries = [
        _Entry(f"{i}:{j}", residue) for i, chain in enumerate(chains, start=1) for j, residue in enumerate(chain)
    ]
    standard = [entry for entry in entries if is_standard_residue(entry.residue.name)]
    disulfides = list(_disulfides(standard))
    typed: dict[str, ReceptorResidue] = {}
    for joined in _joined_chains(standard, disulfides):
        within = [pair for pair in disulfides if pair[0] in joined]
        for key, residue in _type_joined(joined, within).items():
            typed[key] = _without_linked_hydrogens(residue, links.get(residue.label, ()))
    numbers = {(entry.chain, entry.residue.number) for entry in entries}
    for entry in entries:
        if entry.key not in typed:
            is_first = (entry.chain, entry.residue.number - 1) not in numbers
            own_links = links.get(entry.residue.label, ())
            typed |= _from_dictionary(entry.key, _bare(entry).residue, own_links, book, is_first=is_first)
    return [typed[entry.key] for entry in entries if entry.key in typed]


def _from_dictionary(
    key: str, residue: ReceptorResidue, links: Sequence[Link], book: Notebook, *, is_first: bool
) -> dict[str, ReceptorResidue]:
    """Type by the dictionary, and say so where that is unusual."""
    try:
        typed = typed_component(residue, links)
    except Untypable as cause:
        book.problem(residue, "left_out", f"It matches no known form and is left out: {cause}")
        return {}
    if absent := missing_atoms(residue, links, begins_strand=is_first):
        book.problem(
            residue, "atoms_missing", f"It lacks {', '.join(absent)}, which cannot be rebuilt; the rest of it is kept."
        )
    elif is_standard_residue(residue.name):
        book.change(
            residue,
            "typed_from_dictionary",
            "An unusual end, bond or geometry: no template of Meeko fits, so it has the dictionary's usual state.",
        )
    else:
        book.note(residue, "typed_from_dictionary", "Modified residue, typed by its entry in the dictionary.")
    return {key: typed}


def _without_linked_hydrogens(residue: ReceptorResidue, links: Sequence[Link]) -> ReceptorResidue:
    """Return the residue without the hydrogens whose place a bond to another residue takes."""
    for link in links:
        own = residue.atom(link.atom)
        if own is None or _TEMPLATE_BONDS.get(link.atom) == link.partner_atom.name:
            continue
        hydrogens = [
            atom
            for atom in residue.atoms
            if atom.is_hydrogen and math.dist(atom.position, own.position) < _LONGEST_HYDROGEN_BOND_ANGSTROM
        ]
        if not hydrogens:
            continue
        lost = min(hydrogens, key=lambda atom: math.dist(atom.position, link.partner_atom.position))
        atoms = (
            replace(atom, charge=atom.charge + lost.charge) if atom is own else atom
            for atom in residue.atoms
            if atom is not lost
        )
        residue = replace(residue, atoms=tuple(atoms))
    return residue


def _joined_chains(entries: Sequence[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> Iterator[list[_Entry]]:
    """Yield chains apart unless a disulfide joins them: Meeko's time grows with the square of the residues."""
    root = {entry.chain: entry.chain for entry in entries}
    for first, second in disulfides:
        old, new = root[second.chain], root[first.chain]
        root = {chain: new if known == old else known for chain, known in root.items()}
    for name in dict.fromkeys(root.values()):
        yield [entry for entry in entries if root[entry.chain] == name]


def _type_joined(entries: list[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> dict[str, ReceptorResidue]:
    """Return by key what Meeko types; one residue can spoil its whole chain, and halving finds it."""
    try:
        return _type_together(entries, disulfides)
    except PreparationFailed:
        if len(entries) == 1:
            return {}
    middle = len(entries) // 2
    typed: dict[str, ReceptorResidue] = {}
    for half in (entries[:middle], entries[middle:]):
        typed |= _type_joined(half, [pair for pair in disulfides if pair[0] in half and pair[1] in half])
    return typed


def _type_together(entries: list[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> dict[str, ReceptorResidue]:
    polymer = _polymer(entries, disulfides)
    unmatched = _unmatched(polymer, entries)
    if any(atom.is_hydrogen for entry in unmatched for atom in entry.residue.atoms):
        # Hydrogens placed around bad geometry are the usual obstacle; Meeko then adds its own.
        bad = {entry.key for entry in unmatched}
        entries = [_bare(entry) if entry.key in bad else entry for entry in entries]
        polymer = _polymer(entries, disulfides)
        unmatched = _unmatched(polymer, entries)
    missing = {entry.key for entry in unmatched}
    return {
        entry.key: _typed(entry.residue, polymer.monomers[entry.key]) for entry in entries if entry.key not in missing
    }


def _polymer(entries: Sequence[_Entry], disulfides: Sequence[tuple[_Entry, _Entry]]) -> Polymer:
    templates = residue_templates()
    bridged = {entry.key for pair in disulfides for entry in pair}
    raw: dict[str, tuple[Chem.Mol, str]] = {}
    for entry in entries:
        name = form_of(entry.residue, has_disulfide=entry.key in bridged)
        mol = _raw_mol(entry.residue) if name in templates.ambiguous or name in templates.residue_templates else None
        if mol is not None:
            raw[entry.key] = (mol, name)
    # Neighbours in a chain may be joined by a disulfide too.
    bonds: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for first, a, second, b in _bonds(entries, disulfides):
        if first.key in raw and second.key in raw:
            ends = _index(first.residue, a), _index(second.residue, b)
            bonds.setdefault((first.key, second.key), []).append(ends)
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
        for a, b in CHAIN_BONDS:
            if _within(first.residue, a, second.residue, b, CHAIN_BOND_ANGSTROM):
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
