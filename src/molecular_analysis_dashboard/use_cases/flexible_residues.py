"""Looking at the side chains that a protocol lets move, before a job is written that could not move them."""

from uuid import UUID

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork
from molecular_analysis_dashboard.use_cases.docking_request import DockingInputs, docking_inputs

_FIELD = "flexible_residues"


class FlexibleResiduesCheck:
    """Refuses, where a protocol names flexible residues, what the engine process would refuse on every worker."""

    def __init__(self, database: Database, results: BlobStore, chemistry: RequestChemistry) -> None:
        self._database = database
        self._results = results
        self._chemistry = chemistry

    def __call__(self, principal: Principal, receptor_id: UUID, site_id: UUID, protocol_id: UUID) -> None:
        """Look at the receptor's file; no connection is held meanwhile.

        Raises
        ------
        NotFound, Conflict
            As `docking_inputs` does.
        InvalidInput
            ``parameter_unsupported``, or as `RequestChemistry.check_flexible_residues` does.
        """
        with self._database.begin(principal.scope) as uow:
            residues = uow.protocols.get(protocol_id).protocol.flexible_residues
            if not residues:
                return
            inputs = docking_inputs(uow, receptor_id, site_id, protocol_id)
            _check_engine(uow, inputs)
        with self._results.open(inputs.receptor.pdbqt_sha256 or "") as stream:
            pdbqt = stream.read().decode()
        self._chemistry.check_flexible_residues(pdbqt, residues, inputs.site.box)


def _check_engine(uow: UnitOfWork, inputs: DockingInputs) -> None:
    """Refuse an engine build that does not say that it moves side chains: it would dock into a rigid receptor."""
    builds = (build for build in uow.workers.engine_builds() if build.build_id == inputs.engine_build)
    if not any(_FIELD in build.parameter_schema.get("properties", {}) for build in builds):
        protocol = inputs.protocol.protocol
        raise InvalidInput(
            f"The engine {protocol.engine} with the scoring function {protocol.scoring} cannot move side chains. Leave "
            "flexible_residues empty, or choose the engine vina with vina or vinardo.",
            code="parameter_unsupported",
            field=_FIELD,
            engine_build=inputs.engine_build,
        )
