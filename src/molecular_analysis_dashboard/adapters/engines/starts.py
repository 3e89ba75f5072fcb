"""One search from several start conformers: its runs shared among them, their poses ranked together."""

from collections.abc import Callable, Sequence

from molecular_analysis_dashboard.adapters.engines.rounds import merged
from molecular_analysis_dashboard.domain.docking import DockingProtocol, Pose
from molecular_analysis_dashboard.domain.hashing import derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Searches from a PDBQT with a number of runs and a seed.
Search = Callable[[str, int, int], tuple[Pose, ...]]


def search_from_starts(state: LigandState, protocol: DockingProtocol, seed: int, search: Search) -> tuple[Pose, ...]:
    """Search from every start of a state with the protocol's exhaustiveness in all, so that no start costs extra.

    A state with one start is searched as if there were no others to think of.

    Raises
    ------
    LigandRejected
        If no start leads to a pose: the reason of the first.
    """
    shares = shared_runs(state.starts, protocol.effort.exhaustiveness)
    if len(shares) == 1:
        return search(*shares[0], seed)
    found: list[tuple[Pose, ...]] = []
    rejections: list[LigandRejected] = []
    for number, (start, runs) in enumerate(shares):
        try:
            found.append(search(start, runs, derive_seed(seed, "start", number) if number else seed))
        except LigandRejected as rejection:
            rejections.append(rejection)
    if not found:
        raise rejections[0] if rejections else LigandRejected(RejectionReason.NO_POSE)
    return merged(state, found, protocol)


def shared_runs(starts: Sequence[str], runs: int) -> list[tuple[str, int]]:
    """Share runs evenly among starts, what is left over to the first; each has one at least, so the last may go."""
    taken = starts[: max(runs, 1)]
    least, left = divmod(max(runs, 1), len(taken))
    return [(start, least + (number < left)) for number, start in enumerate(taken)]
