"""A receptor is prepared on a worker."""

from uuid import UUID

import structlog

from molecular_analysis_dashboard.domain.errors import MadError, PreparationFailed
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, PocketFindingProcess, ProcessEnded
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.heartbeat import Watch
from molecular_analysis_dashboard.use_cases.stored_files import keep_file

_LARGEST_FILE_BYTES = 1 << 30

log = structlog.get_logger(__name__)


class PrepareReceptor:
    """Handles tasks of kind ``prepare``."""

    def __init__(
        self, database: Database, uploads: BlobStore, results: BlobStore, process: PocketFindingProcess
    ) -> None:
        self._database = database
        self._uploads = uploads
        self._results = results
        self._process = process

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Prepare the receptor that the job names; the report, or the reason of the failure, is stored with it."""
        del watch
        scope = TenantScope(task.org_id)
        with self._database.begin(scope) as uow:
            receptor_id = UUID(str(uow.jobs.get(task.job_id).spec["receptor_id"]))
            receptor = uow.structures.get_receptor(receptor_id)
            structure = uow.structures.get(receptor.structure_id)
        with self._uploads.open(structure.sha256) as stream:
            data = stream.read()
        try:
            options = ReceptorOptions.from_json(receptor.options)
            prepared = self._prepare(data, structure.file_name, options)
            pockets = self._pockets(prepared)
        except MadError as error:
            if not (isinstance(error, ProcessEnded) and error.cause is ExitCause.STOPPED):
                self._fail(task, receptor_id, error)
            raise
        pdbqt = self._results.put([prepared.pdbqt.encode()], max_bytes=_LARGEST_FILE_BYTES)
        pdb = self._results.put([prepared.pdb.encode()], max_bytes=_LARGEST_FILE_BYTES)
        with self._database.begin(scope) as uow:
            uow.ledger.own(task)
            for made in (pdbqt, pdb):
                keep_file(uow, self._results, made.sha256)
            uow.structures.receptor_ready(
                receptor_id,
                pdbqt_sha256=pdbqt.sha256,
                pdb_sha256=pdb.sha256,
                content_hash=prepared.content_hash,
                report=prepared.report.as_json(),
                pockets=pockets,
            )
            uow.commit()

    def _prepare(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        """Prepare; a process that ended may have been ended from outside, so it gets a second chance."""
        try:
            return self._process.prepare_receptor(data, file_name, options)
        except ProcessEnded as first:
            if first.cause is ExitCause.STOPPED:
                raise
            self._process.restart()
            try:
                return self._process.prepare_receptor(data, file_name, options)
            except ProcessEnded as second:
                if second.cause is ExitCause.STOPPED:
                    raise
                self._process.restart()
                raise PreparationFailed(
                    f"Preparing this structure ended its process twice ({second.cause}). {second.message}",
                    code="preparation_process_ended",
                    **second.details,
                ) from second

    def _pockets(self, prepared: PreparedReceptor) -> tuple[Pocket, ...] | None:
        """Find the pockets; a receptor serves without them, so a process that ends over it costs nothing else."""
        try:
            return self._process.find_pockets(prepared.pdb)
        except ProcessEnded as error:
            if error.cause is ExitCause.STOPPED:
                raise
            self._process.restart()
            log.warning("pockets.failed", cause=error.cause, message=error.message)
            return None

    def _fail(self, task: ClaimedTask, receptor_id: UUID, error: MadError) -> None:
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.own(task)
            body = {"code": error.error_code, "message": error.message, "details": error.details}
            uow.structures.receptor_failed(receptor_id, body)
            uow.commit()
