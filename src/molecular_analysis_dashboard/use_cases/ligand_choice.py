"""Which hits of a screen a job is about: by rank, by rank among those that pass a filter, or by id."""

from collections.abc import Sequence
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import LigandChoice
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput
from molecular_analysis_dashboard.domain.jobs import Job
from molecular_analysis_dashboard.domain.results import HitFilter
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork


def chosen_ligands(
    uow: UnitOfWork, screen: Job, choice: LigandChoice, where: HitFilter, *, verb: str, limit: int
) -> Sequence[UUID]:
    """Return the ids of the chosen hits, best docking score first, or as they were named.

    Parameters
    ----------
    verb : str
        What is done with their poses, for the code and the sentences of refusals.

    Raises
    ------
    Conflict
        ``nothing_to_`` and the verb.
    InvalidInput
        ``too_many_ligands`` or ``hits_unknown``.
    """
    if choice.n_asked is not None and choice.n_asked > limit:
        raise _too_many(choice.n_asked, verb, limit)
    if choice.ids:
        return _known(uow, screen, choice.ids)
    # One more than may be tells "all" from too many.
    wanted = choice.n_asked or limit + 1
    ligand_ids = uow.results.best(screen.id, where, skip=choice.first_rank - 1, limit=wanted)
    if len(ligand_ids) > limit:
        raise _too_many(uow.results.count_hits(screen.id, where) - choice.first_rank + 1, verb, limit)
    if not ligand_ids:
        raise Conflict("No hit of this screen is among those ranks and filters.", code=f"nothing_to_{verb}")
    return ligand_ids


def _too_many(asked: int, verb: str, limit: int) -> InvalidInput:
    return InvalidInput(
        f"One job can {verb} at most {limit} ligands. Ask for the next ranks in another.",
        code="too_many_ligands",
        asked=asked,
        limit=limit,
    )


def _known(uow: UnitOfWork, screen: Job, asked: Sequence[UUID]) -> Sequence[UUID]:
    found = {pose.ligand_id for pose in uow.results.poses(screen.id, asked)}
    unknown = [str(one) for one in asked if one not in found]
    if unknown:
        raise InvalidInput(
            f"{len(unknown)} of these ligands are no hits of this screen.", code="hits_unknown", ids=unknown[:100]
        )
    return list(dict.fromkeys(asked))
