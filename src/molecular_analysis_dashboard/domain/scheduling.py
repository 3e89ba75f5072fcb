"""How work is cut, ordered and shared out. Pure arithmetic; times are CPU seconds."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.engine_commands import AD4
from molecular_analysis_dashboard.domain.ligands import LigandOptions

# CPU seconds of one Monte-Carlo run of Vina 1.2.7, fitted to measurements: R²(log) 0.88 over 16 drugs on
# two receptors, worst relative error 67 %. Good enough for "longest first" and for chunks; a quote fits its own.
_SCALE, _HEAVY_EXPONENT, _TORSION_EXPONENT, _TORSION_OFFSET = math.exp(-8.0), 2.07, 1.02, 6
# Handing a ligand to Vina again costs 1.7e-4 s times the square of its atoms: a twentieth of a run of drug-like ones.
_ROUND_COST_RUNS = 0.05
# What a run costs with another scoring function than Vina's own: with ad4 1.8, 2.3, 2.7 and 3.8 times as much for
# ligands of 7, 17, 23 and 37 heavy atoms at one receptor (PDB 1IEP).
_SCORING_COST = {AD4: 2.6}
# What each flexible residue multiplies that by: one 1.4 times, three 4.6 times for a ligand of 17 heavy atoms (1IEP).
_FLEXIBLE_COST = 1.6
# Part of its most rounds that a search ended by agreement takes, on the average.
_SEARCHED_PART = 0.75
# Reading, embedding, typing and storing one ligand, whatever the search effort.
PREPARATION_COST_S = 0.1
# Mean number of docked states by the cap, over 743 molecules in equal parts of approved drugs (ChEMBL), drug-like ZINC
# and a vendor's set, at pH 7.4; for (protonate, enumerate_stereo). Single molecules have one state to the cap.
_MEAN_STATES: dict[tuple[bool, bool], dict[int, float]] = {
    (True, True): {1: 1.0, 2: 1.6, 4: 2.0, 8: 2.2, 16: 2.4, 32: 2.5},
    (True, False): {1: 1.0, 2: 1.4, 4: 1.6, 8: 1.6, 16: 1.7, 32: 1.7},
    (False, True): {1: 1.0, 2: 1.2, 4: 1.4, 8: 1.4, 16: 1.4, 32: 1.5},
    (False, False): {1: 1.0},
}

QUEUE_PREPARE = "prepare"
QUEUE_MAINTENANCE = "maintenance"
QUEUE_ANALYSE = "analyse"


def dock_queue(build_id: str) -> str:
    """Return the queue of one engine build."""
    return f"dock.{build_id}"


def base_cost_s(heavy_atoms: int, torsions: int) -> float:
    """CPU seconds of one search run of a ligand."""
    return _SCALE * math.pow(heavy_atoms, _HEAVY_EXPONENT) * math.pow(torsions + _TORSION_OFFSET, _TORSION_EXPONENT)


def states_per_ligand(options: LigandOptions) -> float:
    """Return how many states (protomers and stereoisomers) are docked per ligand on the average, at most the cap."""
    by_cap = _MEAN_STATES[options.protonate, options.enumerate_stereo]
    return next((mean for cap, mean in by_cap.items() if cap >= options.max_states), by_cap[max(by_cap)])


def effort_runs(effort: SearchEffort) -> float:
    """Return what an effort costs per state, in full-length search runs, on the average."""
    round_runs = effort.exhaustiveness * effort.run_length
    if effort.max_rounds == 1:
        return round_runs
    part = _SEARCHED_PART if effort.agreeing_rounds else 1.0
    return effort.max_rounds * part * (round_runs + _ROUND_COST_RUNS)


def search_runs(protocol: DockingProtocol) -> float:
    """Return what a protocol costs per ligand, in search runs of Vina's scoring: all of all states, on the average."""
    runs = effort_runs(protocol.effort) * states_per_ligand(protocol.ligands)
    moved = _FLEXIBLE_COST ** len(protocol.flexible_residues)
    return runs * _SCORING_COST.get(protocol.scoring, 1.0) * moved


def docking_cost_s(base_s: float, runs: float) -> float:
    """CPU seconds to prepare and dock a ligand whose single run costs `base_s`."""
    return PREPARATION_COST_S + base_s * runs


@dataclass(frozen=True)
class CostedLigand:
    """A ligand to be planned, with the cost of one search run."""

    id: UUID
    base_cost_s: float


@dataclass(frozen=True)
class Chunk:
    """The ligands of one task."""

    ligand_ids: tuple[UUID, ...]
    cost_s: float


def cut_into_chunks(
    ligands: Iterable[CostedLigand], *, runs: float, remaining_cost_s: float, slots: int, target_s: float
) -> Iterator[Chunk]:
    """Cut ligands (longest first) into chunks by guided self-scheduling.

    Each chunk costs about min(`target_s`, remaining / (4 x slots)), and holds at least one ligand: a small job uses
    every core and the end of a large one has no tail.
    """
    remaining = remaining_cost_s
    ids: list[UUID] = []
    cost = 0.0
    for ligand in ligands:
        limit = min(target_s, remaining / (4 * max(slots, 1)))
        ligand_cost = docking_cost_s(ligand.base_cost_s, runs)
        if ids and cost + ligand_cost > limit:
            yield Chunk(tuple(ids), cost)
            remaining = max(remaining - cost, 0.0)
            ids, cost = [], 0.0
        ids.append(ligand.id)
        cost += ligand_cost
    if ids:
        yield Chunk(tuple(ids), cost)


@dataclass(frozen=True)
class Demand:
    """What one job has on one queue."""

    job_id: UUID
    owner_id: UUID
    priority: int
    in_flight: int
    pending: int


def share_out(capacity: int, demands: Sequence[Demand]) -> list[UUID]:
    """Choose whose tasks are released next: one job id per task, in order.

    Higher priority goes first; within a priority the user with the fewest tasks in flight, then that user's job with
    the fewest; `demands` comes oldest job first, which breaks ties.
    """
    in_flight = {demand.job_id: demand.in_flight for demand in demands}
    pending = {demand.job_id: demand.pending for demand in demands}
    of_owner: dict[UUID, int] = {}
    for demand in demands:
        of_owner[demand.owner_id] = of_owner.get(demand.owner_id, 0) + demand.in_flight
    chosen: list[UUID] = []
    while len(chosen) < capacity:
        waiting = [demand for demand in demands if pending[demand.job_id] > 0]
        if not waiting:
            break
        best = min(waiting, key=lambda d: (-d.priority, of_owner[d.owner_id], in_flight[d.job_id]))
        chosen.append(best.job_id)
        pending[best.job_id] -= 1
        in_flight[best.job_id] += 1
        of_owner[best.owner_id] += 1
    return chosen


def richest(demands: Sequence[Demand]) -> UUID:
    """Choose who gives up a place to a job that has none: lowest priority, most in flight."""
    return max(demands, key=lambda demand: (-demand.priority, demand.in_flight)).job_id
