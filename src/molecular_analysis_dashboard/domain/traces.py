"""How much of a job its trace shows."""

from dataclasses import replace
from uuid import UUID

from molecular_analysis_dashboard.domain.jobs import Origin, TaskKind

# A ligand is about eight spans: no viewer shows, and few stores take, a trace of a million ligands.
TRACED_LIGANDS = 500
_OF_LIGANDS = frozenset({TaskKind.DOCK, TaskKind.ANALYSE, TaskKind.RESCORE})
_NOT_SAMPLED = "00"
_CHANCES = 1 << 32


def seen_by_task(origin: Origin, task_id: UUID, kind: TaskKind, n_ligands: int) -> Origin:
    """Return a job's origin as one of its tasks continues it.

    A job of up to `TRACED_LIGANDS` ligands is traced whole. Of a larger one a sample of docking, analysis and
    rescoring tasks is, so that its trace has about that many ligands; the others carry the flag that says "not
    sampled" (W3C Trace Context, 3.2.2.5). The choice depends on the task's id alone, so that whoever sends a task and
    whoever runs it choose alike.
    """
    if origin.traceparent is None or kind not in _OF_LIGANDS:
        return origin
    # The low bits of our ids are random.
    if task_id.int % _CHANCES * n_ligands < TRACED_LIGANDS * _CHANCES:
        return origin
    return replace(origin, traceparent=origin.traceparent[: -len(_NOT_SAMPLED)] + _NOT_SAMPLED)
