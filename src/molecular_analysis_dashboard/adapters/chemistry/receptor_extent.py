"""Keeping very large structures to what surrounds the site, or refusing them by size."""

from collections.abc import Mapping, Sequence

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import Notebook, ReceptorResidue
from molecular_analysis_dashboard.domain.errors import PreparationFailed
from molecular_analysis_dashboard.domain.receptors import Severity

# Protonation takes minutes beyond this, and what is farther from the site than this has no part in docking: engines
# look 8 Å beyond the box, PROPKA 15 to 20 Å around a group (doi:10.1021/ct100578z).
CROP_RESIDUES = 1200
CHAIN_ANGSTROM = 20.0
CROP_ANGSTROM = 30.0
# Half a ribosome; a worker would be busy for an hour.
MAX_RESIDUES = 8000

Chains = Mapping[str, Sequence[ReceptorResidue]]


def around_site(chains: Chains, book: Notebook, *, may_leave_chains: bool) -> dict[str, list[ReceptorResidue]]:
    """Return the chains of a structure of usual size as they are, and what surrounds the site of a larger one.

    Whole chains that stay away from the site go first; if that is not enough, residues far from it. What is left out
    is written down.

    Parameters
    ----------
    may_leave_chains : bool
        False when the user named the chains; then all of them stay.

    Raises
    ------
    PreparationFailed
        ``too_large`` when more residues are left than can be prepared.
    """
    kept = {name: list(residues) for name, residues in chains.items()}
    if may_leave_chains and book.site.center is not None:
        if _size(kept) > CROP_RESIDUES:
            kept = _near_chains(kept, book)
        if _size(kept) > CROP_RESIDUES:
            kept = _near_residues(kept, book)
    if _size(kept) > MAX_RESIDUES:
        raise PreparationFailed(
            f"The structure has {_size(kept)} residues; {MAX_RESIDUES} can be prepared. Give a site, so that what "
            "surrounds it is prepared, or choose chains.",
            code="too_large",
            n_residues=_size(kept),
        )
    return kept


def _near_chains(chains: dict[str, list[ReceptorResidue]], book: Notebook) -> dict[str, list[ReceptorResidue]]:
    near = {
        name: residues
        for name, residues in chains.items()
        if any(book.site.is_within(residue, CHAIN_ANGSTROM) for residue in residues)
    }
    if not near or len(near) == len(chains):
        return chains
    left_out = ", ".join(name for name in chains if name not in near)
    book.whole(
        "chains_left_out",
        f"The structure is large, so the chains farther than {CHAIN_ANGSTROM:g} Å from the site were left out: "
        f"{left_out}. Name the chains to keep them.",
        Severity.INFO,
    )
    return near


def _near_residues(chains: dict[str, list[ReceptorResidue]], book: Notebook) -> dict[str, list[ReceptorResidue]]:
    near = {
        name: [residue for residue in residues if book.site.is_within(residue, CROP_ANGSTROM)]
        for name, residues in chains.items()
    }
    n_left_out = _size(chains) - _size(near)
    if not n_left_out or not _size(near):
        return chains
    book.whole(
        "residues_left_out",
        f"The structure is large, so {n_left_out} residues farther than {CROP_ANGSTROM:g} Å from the site were left "
        "out. Name the chains to keep all of them.",
        Severity.INFO,
    )
    return {name: residues for name, residues in near.items() if residues}


def _size(chains: Chains) -> int:
    return sum(len(residues) for residues in chains.values())
