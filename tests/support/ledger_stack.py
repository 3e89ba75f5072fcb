"""A whole stack for tests: embedded servers, real migrations, real Celery workers, and jobs written to it.

Jobs enter through the repositories, so that tests of the ledger need no API; their engine is `tests/plugins`.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from alembic import command
from alembic.config import Config
from mad_test_engine import BUILD_ID
from redis import Redis
from sqlalchemy import insert, text
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.chemistry.validation import validate_record
from molecular_analysis_dashboard.adapters.persistence.tables import organizations, users
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.queue.wake import RedisWake
from molecular_analysis_dashboard.domain.catalog import (
    BindingSite,
    Library,
    Ligand,
    ProtocolVersion,
    ReadyState,
    Receptor,
    Structure,
)
from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.identity import SystemScope, TenantScope, new_id
from molecular_analysis_dashboard.domain.jobs import FINAL_JOB_STATES, Job, JobKind, JobState, NewTask, TaskKind
from molecular_analysis_dashboard.domain.ligands import LigandOptions, LigandRecord
from molecular_analysis_dashboard.domain.receptors import PreparationReport, ResidueNote, Severity
from molecular_analysis_dashboard.domain.redocking import BondOrderSource, NativeMolecule, NewRun, Redocking
from molecular_analysis_dashboard.domain.scheduling import (
    QUEUE_MAINTENANCE,
    base_cost_s,
    dock_queue,
    docking_cost_s,
    search_runs,
)
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.ports.blobs import BlobStore

PLUGINS = Path(__file__).parents[1] / "plugins"
NOW = datetime.now(UTC)

REPORT = PreparationReport(
    notes=(
        ResidueNote("A:SER 9", "kept", "Nothing to do.", Severity.INFO, 2.0),
        ResidueNote("A:HIS 57", "side_chain_rebuilt", "Two atoms were missing.", Severity.WARNING, 4.2),
    ),
    steps=("made up for tests",),
    n_residues=2,
    n_atoms=20,
)

# Every setting keeps its default: recovery is tested as it is shipped.
Fingerprint = dict[str, tuple[Any, ...]]


@dataclass
class WorkerProcess:
    """One `celery worker` with its slots, engine processes and companion."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> list[dict[str, Any]]:
        """What its processes have logged, below the banner that Celery prints."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def slots(self) -> list[psutil.Process]:
        """The prefork children."""
        return [child for child in self._children() if "celery" in " ".join(_command(child))]

    def engines(self) -> list[psutil.Process]:
        """Engine processes of all slots."""
        own = psutil.Process(self.pid).children(recursive=True)
        return [child for child in own if "engines.host" in " ".join(_command(child))]

    def companion(self) -> psutil.Process:
        """The companion process."""
        return next(child for child in self._children() if "companion" in " ".join(_command(child)))

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children()

    def kill(self) -> None:
        """SIGKILL the main process and its slots at once, as a lost machine would."""
        victims = [psutil.Process(self.pid), *self._children()]
        for victim in victims:
            victim.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


@dataclass(frozen=True)
class Inputs:
    """What a screen is made of, as stored."""

    structure_id: UUID
    receptor_id: UUID
    site_id: UUID
    library_id: UUID
    protocol_id: UUID
    n_ligands: int
    cost_s: float


@dataclass
class LedgerStack:
    """Servers, a database and the workers started on it."""

    servers: EmbeddedServers
    folder: Path
    database: SqlDatabase
    environment: dict[str, str]
    org_id: UUID
    user_id: UUID
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.org_id)

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)

    @cached_property
    def results_store(self) -> BlobStore:
        return build_blobs(self.settings).results

    @property
    def uploads_store(self) -> BlobStore:
        return build_blobs(self.settings).uploads

    def start_worker(self, *, slots: int = 2, **settings: str) -> WorkerProcess:
        """Start a worker and wait until it is registered."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        app, name = "molecular_analysis_dashboard.infrastructure.celery_app", f"w{len(self.workers)}@%h"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", app, "worker", "-c", str(slots), "-l", "info", "-n", name],
                env=self.environment | settings,
                cwd=self.folder,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = WorkerProcess(process, log)
        self.workers.append(worker)
        registered = "SELECT count(*) FROM workers WHERE pid = :pid AND ended_at IS NULL"
        wait_until(
            lambda: self.scalar(registered, pid=process.pid) and "ready." in log.read_text(),
            60,
            lambda: f"the worker is not ready: {log.read_text()[-2000:]}",
        )
        return worker

    def write_inputs(
        self,
        ligands: Mapping[str, str],
        *,
        exhaustiveness: int = 1,
        engine: str = "test",
        scoring: str | None = None,
        receptor_pdbqt: str = "REMARK any receptor will do",
        box: SearchBox | None = None,
        user_id: UUID | None = None,
        **protocol: Any,
    ) -> Inputs:
        """Write all that a screen of ligands (name to SMILES) needs."""
        options = LigandOptions(protonate=False, enumerate_stereo=True)
        recipe = DockingProtocol(
            engine=engine,
            scoring=scoring or engine,
            effort=SearchEffort(exhaustiveness),
            ligands=options,
            **{"n_poses": 2, "seed": 7} | protocol,
        )
        box = box or SearchBox((0.0, 0.0, 0.0), (20.0, 20.0, 20.0))
        owner = user_id or self.user_id
        structure_id, receptor_id, site_id, library_id, protocol_id = (new_id() for _ in range(5))
        blob = self.results_store.put([receptor_pdbqt.encode()], max_bytes=10**9)
        upload = self.uploads_store.put([b"what was uploaded"], max_bytes=10**9)
        rows = [_ligand(library_id, number, name, smiles) for number, (name, smiles) in enumerate(ligands.items(), 1)]
        cost = sum(docking_cost_s(row.base_cost_s, search_runs(recipe)) for row in rows)
        with self.database.begin(self.scope) as uow:
            uow.structures.add(Structure(structure_id, "s", "s.pdb", upload.sha256, 1, {}, owner, NOW))
            uow.structures.add_receptor(Receptor(receptor_id, structure_id, "r", {}, ReadyState.PREPARING, owner, NOW))
            uow.structures.receptor_ready(
                receptor_id,
                pdbqt_sha256=blob.sha256,
                pdb_sha256=blob.sha256,
                content_hash=content_hash({"pdbqt": receptor_pdbqt}),
                report=REPORT.as_json(),
            )
            uow.structures.add_site(BindingSite(site_id, structure_id, "b", SiteOrigin.MANUAL, box, owner, NOW))
            uow.libraries.add(Library(library_id, "l", "l.smi", upload.sha256, 1, ReadyState.PREPARING, owner, NOW))
            uow.libraries.add_batch(library_id, rows, [])
            uow.libraries.finish(library_id)
            version = uow.protocols.next_version("p")
            hash_ = recipe.content_hash
            known = uow.protocols.find("p", hash_)
            if known is None:
                uow.protocols.add(ProtocolVersion(protocol_id, "p", version, recipe, hash_, owner, NOW))
            uow.commit()
        protocol_id = known.id if known else protocol_id
        return Inputs(structure_id, receptor_id, site_id, library_id, protocol_id, len(rows), cost)

    def submit(
        self,
        ligands: Mapping[str, str],
        *,
        build_id: str = BUILD_ID,
        user_id: UUID | None = None,
        analyse_top: int | None = None,
        **inputs: Any,
    ) -> UUID:
        """Write a screen of ligands (name to SMILES), ready to be planned; the rest as `write_inputs` has it."""
        written, owner, job_id = (
            self.write_inputs(ligands, user_id=user_id, **inputs),
            user_id or self.user_id,
            new_id(),
        )
        with self.database.begin(self.scope) as uow:
            uow.jobs.add(
                Job(
                    id=job_id,
                    org_id=self.org_id,
                    kind=JobKind.SCREEN,
                    state=JobState.PLANNING,
                    name="screen",
                    created_by=owner,
                    created_at=NOW,
                    receptor_id=written.receptor_id,
                    structure_id=written.structure_id,
                    site_id=written.site_id,
                    library_id=written.library_id,
                    protocol_id=written.protocol_id,
                    analyse_top=analyse_top,
                    engine_build=build_id,
                    n_ligands=written.n_ligands,
                    cost_s=written.cost_s,
                ),
                [NewTask(new_id(), job_id, TaskKind.PLAN, QUEUE_MAINTENANCE)],
            )
            uow.commit()
        return job_id

    def submit_redocking(self, native_mol_block: str, runs: int, **inputs: Any) -> UUID:
        """Write a redocking of a native ligand, ready to be run; the rest as `write_inputs` has it."""
        written, job_id = self.write_inputs({"any": "CCO"}, **inputs), new_id()
        found = [NewRun(new_id(), number, 40 + number) for number in range(1, runs + 1)]
        with self.database.begin(self.scope) as uow:
            uow.jobs.add(
                Job(
                    id=job_id,
                    org_id=self.org_id,
                    kind=JobKind.REDOCK,
                    state=JobState.PLANNING,
                    name="redocking",
                    created_by=self.user_id,
                    created_at=NOW,
                    receptor_id=written.receptor_id,
                    structure_id=written.structure_id,
                    site_id=written.site_id,
                    protocol_id=written.protocol_id,
                    engine_build=BUILD_ID,
                    n_ligands=runs,
                    planning_complete=True,
                ),
                [NewTask(new_id(), job_id, TaskKind.REDOCK, dock_queue(BUILD_ID), (run.id,)) for run in found],
            )
            native = NativeMolecule("native", native_mol_block, BondOrderSource.LIGAND_FILE)
            uow.redockings.add(Redocking(job_id, None, native), found)
            uow.commit()
        return job_id

    def job(self, job_id: UUID) -> Job:
        with self.database.begin(self.scope) as uow:
            return uow.jobs.get(job_id)

    def change(self, job_id: UUID, target: JobState) -> None:
        """Change a job's state as the API does."""
        with self.database.begin(self.scope) as uow:
            assert uow.jobs.change_state(job_id, target)
            if target is JobState.CANCELLING:
                uow.jobs.cancel_waiting_tasks(job_id)
            uow.commit()

    def wake(self) -> None:
        """Wake heartbeats as the API does after a cancel."""
        RedisWake(Redis.from_url(self.environment["REDIS_URL"])).send()

    def wait_final(self, job_id: UUID, timeout_s: float = 60) -> Job:
        wait_until(lambda: self.job(job_id).state in FINAL_JOB_STATES, timeout_s, lambda: self.explain(job_id))
        return self.job(job_id)

    def wait_completed(self, job_id: UUID, timeout_s: float = 60) -> None:
        job = self.wait_final(job_id, timeout_s)
        assert job.state is JobState.COMPLETED, self.explain(job_id)

    def wait_results(self, job_id: UUID, count: int, timeout_s: float = 60) -> None:
        """Wait until at least `count` ligands have a result."""
        recorded = "SELECT count(*) FROM results WHERE job_id = :job_id"
        wait_until(lambda: self.scalar(recorded, job_id=job_id) >= count, timeout_s, lambda: self.explain(job_id))

    def fingerprint(self, job_id: UUID) -> Fingerprint:
        """Everything about a job's results that must not depend on what happened on the way."""
        query = (
            "SELECT r.name, r.outcome, r.reason, r.score_kcal_mol, "
            "array_agg(p.coordinates_zlib ORDER BY p.rank) AS poses "
            "FROM results r LEFT JOIN poses p USING (job_id, ligand_id) WHERE r.job_id = :job_id "
            "GROUP BY r.job_id, r.ligand_id, r.name, r.outcome, r.reason, r.score_kcal_mol"
        )
        found: Fingerprint = {}
        for row in self.rows(query, job_id=job_id):
            digests = [hashlib.sha256(pose).hexdigest() for pose in row.poses if pose is not None]
            assert row.name not in found, "a ligand has two results"
            found[row.name] = (row.outcome, row.reason, row.score_kcal_mol, *digests)
        return found

    def rows(self, query: str, **parameters: Any) -> Sequence[Any]:
        with self.database.begin(SystemScope()) as uow:
            return uow.connection.execute(text(query), parameters).all()

    def scalar(self, query: str, **parameters: Any) -> Any:
        (row,) = self.rows(query, **parameters)
        return row[0]

    def explain(self, job_id: UUID) -> str:
        """What there is to know about a job that does not end."""
        tasks = self.rows(
            "SELECT kind, state, attempt_no, cardinality(ligand_ids) AS n, n_scored, n_rejected, error FROM tasks "
            "WHERE job_id = :job_id",
            job_id=job_id,
        )
        logs = "\n".join(worker.log.read_text()[-3000:] for worker in self.workers)
        workers = self.rows("SELECT pid, state, concurrency, queues, heartbeat_at, ended_at, now() FROM workers")
        return f"{self.job(job_id)}\n{tasks}\n{workers}\n{logs}"

    def cancel_open_jobs(self) -> None:
        """Leave nothing behind that would keep the next test's slots busy."""
        for row in self.rows("SELECT id FROM jobs WHERE finished_at IS NULL AND state <> 'cancelling'"):
            self.change(row.id, JobState.CANCELLING)
        self.wake()
        if any(worker.process.poll() is None for worker in self.workers):
            unfinished = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
            wait_until(lambda: self.scalar(unfinished) == 0, 60, "jobs do not end although they were cancelled")

    def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
            worker.stop()
        self.workers.clear()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _ligand(library_id: UUID, number: int, name: str, smiles: str) -> Ligand:
    validated = validate_record(LigandRecord(number, smiles, "smiles", name))
    return Ligand(
        id=new_id(),
        library_id=library_id,
        record=number,
        line=number,
        name=name,
        smiles=validated.smiles,
        inchikey=validated.inchikey,
        heavy_atoms=validated.heavy_atoms,
        torsions=validated.torsions,
        molecular_weight=validated.molecular_weight,
        base_cost_s=base_cost_s(validated.heavy_atoms, validated.torsions),
    )


def migrate(database_url: str) -> None:
    """Bring a database to head by the real migrations."""
    database = SqlDatabase(database_url)
    config = Config()
    config.set_main_option("script_location", "molecular_analysis_dashboard.adapters.persistence:migrations")
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    database.close()


@contextmanager
def ledger_stack(**settings: str) -> Iterator[LedgerStack]:
    """A migrated stack without workers, with further settings; whatever a test starts on it ends with it."""
    with ExitStack() as exits:
        servers = exits.enter_context(temporary_servers())
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="mad-stack-")))
        addresses = servers.addresses
        assert addresses is not None
        migrate(addresses.database_url)
        database = SqlDatabase(addresses.database_url)
        exits.callback(database.close)
        org_id, user_id = new_id(), new_id()
        with database.begin(SystemScope()) as uow:
            uow.connection.execute(insert(organizations).values(id=org_id, name="laboratory"))
            uow.connection.execute(insert(users).values(id=user_id, email="a@example.org", display_name="A"))
            uow.commit()
        environment = {
            "MAD_AUTOGRID_COMMAND": "off",
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "PYTHONPATH": str(PLUGINS),
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "UPLOADS_DIR": str(folder / "uploads"),
            "RESULTS_DIR": str(folder / "results"),
            **settings,
        }
        stack = LedgerStack(servers, folder, database, environment, org_id, user_id)
        exits.callback(stack.stop_workers)
        yield stack
