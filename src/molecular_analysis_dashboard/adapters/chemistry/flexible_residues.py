"""Splitting side chains off a prepared receptor, so that an engine may turn them, and putting them back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molecular_analysis_dashboard.adapters.chemistry.pdbqt import (
    METAL_TYPES,
    atom_lines,
    atom_type,
    element_of,
    position,
)
from molecular_analysis_dashboard.adapters.chemistry.side_chains import BOND_ANGSTROM, SideChain, side_chain_of
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.sites import SearchBox

# AutoDock 4 allows 32 torsions in all (`MAX_TORS` of its autocomm.h); the ligand keeps half of them.
MAX_SIDE_CHAIN_TORSIONS = 16
# A disulfide, and what holds a metal.
_DISULFIDE_ANGSTROM, _TO_METAL_ANGSTROM = 2.3, 2.8


@dataclass(frozen=True)
class FlexibleReceptor:
    """A receptor in two parts.

    Parameters
    ----------
    rigid_pdbqt : str
        Everything that does not move.
    flexible_pdbqt : str
        The side chains, one block each with its torsion tree.
    """

    rigid_pdbqt: str
    flexible_pdbqt: str
    _side_chains: tuple[SideChain, ...]

    @property
    def torsions(self) -> int:
        """Bonds that the side chains turn about."""
        return sum(chain.torsions for chain in self._side_chains)

    @property
    def movable_atoms(self) -> int:
        """Atoms that move with them."""
        return sum(len(chain.order) - 1 for chain in self._side_chains)

    def placed(self, model: str) -> str:
        """Return the residues as PDB as a pose has them: side chains where the model's blocks place them.

        Raises
        ------
        ValueError
            If the model holds other side chains.
        """
        blocks = [text.partition("END_RES")[0] for text in model.split("BEGIN_RES")[1:]]
        lines: list[str] = []
        for chain, block in zip(self._side_chains, blocks, strict=True):
            lines += chain.placed([position(line) for line in atom_lines(block)])
        return "\n".join([*lines, "END", ""])


class _Receptor:
    """The atom lines of a receptor by residue, and where they are."""

    def __init__(self, pdbqt: str) -> None:
        self.lines = list(atom_lines(pdbqt))
        self.labels = [label_of(line) for line in self.lines]
        self._points: NDArray[np.float64] = np.array([position(line) for line in self.lines]).reshape(-1, 3)

    def residue(self, label: str) -> list[str]:
        return [line for line, own in zip(self.lines, self.labels, strict=True) if own == label]

    def bound_to(self, label: str, side_chain: Sequence[str]) -> str | None:
        """Return the label of another residue, or of a metal, that holds a side chain; None if nothing does."""
        for line in side_chain:
            distances = np.linalg.norm(self._points - np.array(position(line)), axis=1)
            for index in np.flatnonzero(distances <= _TO_METAL_ANGSTROM).tolist():
                types = atom_type(line), atom_type(self.lines[index])
                if self.labels[index] != label and distances[index] <= _reach(*types):
                    return self.labels[index]
        return None


def split_off(receptor_pdbqt: str, labels: Sequence[str], box: SearchBox) -> FlexibleReceptor:
    """Split the side chains of residues off a receptor.

    Parameters
    ----------
    labels : sequence of str
        ``CHAIN:NAMENUMBER[insertion code]``, as interactions name residues; each once.

    Raises
    ------
    InvalidInput
        ``flexible_residue_unknown``, ``flexible_residue_rigid``, ``flexible_residue_bonded``,
        ``flexible_residue_outside`` or ``flexible_torsions``, with the ``residues``.
    """
    receptor = _Receptor(receptor_pdbqt)
    if missing := [label for label in labels if label not in receptor.labels]:
        raise _unknown(missing, receptor.labels)
    chains = tuple(_side_chain(label, receptor, box) for label in labels)
    n_torsions = sum(chain.torsions for chain in chains)
    if n_torsions > MAX_SIDE_CHAIN_TORSIONS:
        raise _refused(
            f"These side chains turn about {n_torsions} bonds; at most {MAX_SIDE_CHAIN_TORSIONS} can be searched. "
            "Name fewer residues.",
            "flexible_torsions",
            labels,
        )
    gone = {line for chain in chains for line in chain.lines}
    rigid = "\n".join(line for line in receptor.lines if line not in gone) + "\n"
    return FlexibleReceptor(rigid, _numbered(chains), chains)


def label_of(line: str) -> str:
    """Return the label of an atom line's residue."""
    return f"{line[21].strip()}:{line[17:20].strip()}{line[22:26].strip()}{line[26].strip()}"


def _side_chain(label: str, receptor: _Receptor, box: SearchBox) -> SideChain:
    found = side_chain_of(receptor.residue(label))
    if found is None:
        raise _refused(
            f"{label} has no side chain that turns, or one whose atoms are not those of its residue. Leave it out.",
            "flexible_residue_rigid",
            [label],
        )
    if partner := receptor.bound_to(label, found.lines[1:]):
        raise _refused(
            f"The side chain of {label} is bound to {partner} and cannot move. Leave it out.",
            "flexible_residue_bonded",
            [label],
        )
    if not all(box.contains(position(line)) for line in found.lines):
        raise _refused(
            f"The side chain of {label} reaches beyond the search box, where no atom may move. Widen the box, or leave "
            "it out.",
            "flexible_residue_outside",
            [label],
        )
    return found


def _reach(own_type: str, partner_type: str) -> float:
    """Return the distance (Å) within which an atom of a side chain is bound to one of another residue."""
    elements = {element_of(own_type), element_of(partner_type)}
    if "H" in elements:
        return 0.0
    if partner_type in METAL_TYPES:
        return _TO_METAL_ANGSTROM
    return _DISULFIDE_ANGSTROM if elements == {"S"} else BOND_ANGSTROM


def _numbered(chains: Sequence[SideChain]) -> str:
    """Write side chains one after the other, their atoms numbered through."""
    blocks: list[str] = []
    serial = 0
    for chain in chains:
        blocks.append(chain.block(serial))
        serial += len(chain.order)
    return "".join(blocks)


def _unknown(missing: Sequence[str], known: Sequence[str]) -> InvalidInput:
    """Refuse residues that are not there; one that has another name at the same place is told."""
    by_place = {_place(label): label for label in known}
    meant = [by_place[_place(label)] for label in missing if _place(label) in by_place]
    advice = f"Do you mean {' and '.join(meant)}?" if meant else "Name chain, residue and number: A:GLU80."
    return _refused(
        f"The prepared receptor has no residue {', '.join(missing)}. {advice}", "flexible_residue_unknown", missing
    )


def _place(label: str) -> tuple[str, str]:
    chain, _, residue = label.partition(":")
    return chain, residue.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _refused(sentence: str, code: str, labels: Sequence[str]) -> InvalidInput:
    return InvalidInput(sentence, code=code, residues=list(labels))
