"""What every job that docks names, checked: receptor, site, protocol and the engine build it is pinned to."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import BindingSite, Library, ProtocolVersion, ReadyState, Receptor
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput
from molecular_analysis_dashboard.domain.jobs import Job
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork
from molecular_analysis_dashboard.use_cases.engines import build_for
from molecular_analysis_dashboard.use_cases.receptors import require_ready


@dataclass(frozen=True)
class DockingInputs:
    """Where and how a job docks."""

    receptor: Receptor
    site: BindingSite
    protocol: ProtocolVersion
    engine_build: str

    def on(self, job: Job) -> Job:
        """Return the job with all of this written into it."""
        return replace(
            job,
            spec={
                "receptor_hash": self.receptor.content_hash,
                "box": asdict(self.site.box),
                "protocol_hash": self.protocol.content_hash,
                "seed": self.protocol.protocol.seed,
                **job.spec,
            },
            structure_id=self.receptor.structure_id,
            receptor_id=self.receptor.id,
            site_id=self.site.id,
            protocol_id=self.protocol.id,
            engine_build=self.engine_build,
        )


def docking_inputs(uow: UnitOfWork, receptor_id: UUID, site_id: UUID, protocol_id: UUID) -> DockingInputs:
    """Read and check them.

    Raises
    ------
    Conflict
        ``receptor_not_ready``, ``no_engine``.
    InvalidInput
        ``site_of_other_structure``.
    """
    receptor = require_ready(uow.structures.get_receptor(receptor_id))
    site = _of_same_structure(uow.structures.get_site(site_id), receptor)
    protocol = uow.protocols.get(protocol_id)
    return DockingInputs(receptor, site, protocol, build_for(uow, protocol.protocol.engine, protocol.protocol.scoring))


def with_ligands(library: Library) -> Library:
    """Return a library that can be docked, else raise Conflict (``library_not_ready``, ``library_empty``)."""
    if library.state is not ReadyState.READY:
        what = "is still being read" if library.state is ReadyState.PREPARING else "could not be read"
        raise Conflict(
            f"The library {library.name} {what}.",
            code="library_not_ready",
            library_id=str(library.id),
            state=library.state,
            error=library.error,
        )
    if library.n_ligands == 0:
        raise Conflict(
            f"The library {library.name} holds no ligand: all {library.n_records} records were rejected.",
            code="library_empty",
            library_id=str(library.id),
        )
    return library


def _of_same_structure(site: BindingSite, receptor: Receptor) -> BindingSite:
    if site.structure_id != receptor.structure_id:
        raise InvalidInput(
            "The binding site and the receptor belong to different structures. Choose a site of the receptor's.",
            code="site_of_other_structure",
            site_structure_id=str(site.structure_id),
            receptor_structure_id=str(receptor.structure_id),
        )
    return site
