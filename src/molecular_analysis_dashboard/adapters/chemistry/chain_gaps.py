"""Naming the residues that a chain lacks, with their distance to the site."""

import math
from collections.abc import Iterable, Sequence, Set
from itertools import pairwise

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import Notebook, ReceptorResidue

# A C-N or O3'-P bond up to this long is taken for real (1.33 and 1.61 Å in good models).
CHAIN_BOND_ANGSTROM = 2.0
CHAIN_BONDS = (("C", "N"), ("O3'", "P"))


def note_gaps(chains: Iterable[Sequence[ReceptorResidue]], kept: Set[str], book: Notebook) -> None:
    """Note each break of a chain on the two residues at its ends, and how many residues the numbers say are missing.

    Parameters
    ----------
    chains : iterable of sequences of ReceptorResidue
        The chains as the file has them, before any of it is left out.
    kept : set of str
        Labels of the residues whose breaks matter.
    """
    for chain in chains:
        for before, after in pairwise(chain):
            if is_joined(before, after) or not (_has_tail(before) and _has_head(after)):
                continue
            if not {before.label, after.label} & kept:
                continue
            n_missing = after.number - before.number - 1
            missing = f"{n_missing} residues are" if n_missing > 1 else "One residue is" if n_missing == 1 else ""
            what = f"{missing} missing" if missing else "The chain is broken"
            book.change(before, "chain_break", f"{what} after it, before {after.label}.")
            book.change(after, "chain_break", f"{what} before it, after {before.label}.")


def is_joined(before: ReceptorResidue, after: ReceptorResidue) -> bool:
    """Whether a peptide or phosphodiester bond leads from one residue to the next."""
    return any(_within(before, tail, after, head) for tail, head in CHAIN_BONDS)


def _within(before: ReceptorResidue, tail: str, after: ReceptorResidue, head: str) -> bool:
    start, end = before.atom(tail), after.atom(head)
    return start is not None and end is not None and math.dist(start.position, end.position) <= CHAIN_BOND_ANGSTROM


def _has_tail(residue: ReceptorResidue) -> bool:
    return any(residue.atom(tail) is not None for tail, _ in CHAIN_BONDS)


def _has_head(residue: ReceptorResidue) -> bool:
    return any(residue.atom(head) is not None for _, head in CHAIN_BONDS)
