from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from tests.integration.ledger.bench import NOW, SCORED, Bench

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.catalog import ReadyState, Receptor, Structure
from molecular_analysis_dashboard.domain.identity import SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import EndCause, Worker
from molecular_analysis_dashboard.infrastructure.backups import back_up
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.use_cases.sign_in import ensure_local_principal

MakeSettings = Callable[..., Settings]


def silent(_phase: str, _done: int, _total: int) -> None:
    """Nobody looks how far it is."""


@pytest.fixture(scope="module")
def make_settings(shared_servers: EmbeddedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSettings]:
    """Make installations, each with a database of its own: an empty one, or a copy of a template."""
    address = make_url(shared_servers.addresses.database_url)
    administrator = address.set(drivername="postgresql", database="postgres").render_as_string(False)

    def administer(statement: str) -> None:
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(statement.encode())

    with ExitStack() as exits:

        def make(template: str = "template1", **replaced: str) -> Settings:
            name = f"backup_{new_id().hex}"
            administer(f"CREATE DATABASE {name} TEMPLATE {template}")
            exits.callback(administer, f"DROP DATABASE {name} WITH (FORCE)")
            files = tmp_path_factory.mktemp("files")
            return load_settings(
                {
                    "ENV": "test",
                    "DATABASE_URL": address.set(database=name).render_as_string(False),
                    "REDIS_URL": shared_servers.addresses.redis_url,
                    "UPLOADS_DIR": str(files / "uploads"),
                    "RESULTS_DIR": str(files / "results"),
                    **replaced,
                }
            )

        yield make


@pytest.fixture(scope="module")
def source(make_settings: MakeSettings, migrated_template: str) -> Settings:
    """An installation with a structure, a receptor, and a job half done by a worker that is gone."""
    settings = make_settings(migrated_template)
    database = SqlDatabase(settings.database.sqlalchemy_url)
    fill(settings, database)
    database.close()
    return settings


@pytest.fixture(scope="module")
def backup(source: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    path = tmp_path_factory.mktemp("backups") / "backup.tar"
    back_up(source, path, silent)
    return path


@pytest.fixture
def target(make_settings: MakeSettings) -> Settings:
    """An installation without even a schema."""
    return make_settings()


@pytest.fixture(scope="module")
def untouched(make_settings: MakeSettings) -> Settings:
    """An installation into which nothing is ever restored."""
    return make_settings()


def fill(settings: Settings, database: SqlDatabase) -> None:
    principal = ensure_local_principal(database)
    bench = Bench(database, principal, Worker(new_id(), "host", 1, "0", ("q",), ("test-1.0",), 2, 2.0))
    with database.begin(SystemScope()) as uow:
        uow.workers.register(bench.worker)
        uow.commit()
    add_structure(settings, database, b"ATOM of a structure\n" * 5000)
    job_id = bench.job(3, 2)
    bench.release(job_id, 2)
    task = bench.take(bench.tasks(job_id)[0])
    bench.record(task, task.ligand_ids[0], SCORED)
    bench.end(task, EndCause.COMPLETED)
    with database.begin(SystemScope()) as uow:
        uow.connection.execute(text("UPDATE libraries SET sha256 = (SELECT sha256 FROM structures)"))
        uow.connection.execute(text("UPDATE workers SET heartbeat_at = now() - interval '1 hour'"))
        uow.commit()


def add_structure(settings: Settings, database: SqlDatabase, content: bytes) -> str:
    """Store a structure and a receptor made of it; return the name of its file."""
    principal, blobs = ensure_local_principal(database), build_blobs(settings)
    uploaded = blobs.uploads.put([content], max_bytes=10**9)
    prepared = [blobs.results.put([kind, content], max_bytes=10**9) for kind in (b"PDBQT\n", b"PDB\n")]
    structure_id, receptor_id = new_id(), new_id()
    with database.begin(principal.scope) as uow:
        owner = principal.user_id
        uow.structures.add(Structure(structure_id, "s", "s.pdb", uploaded.sha256, 1, {}, owner, NOW))
        uow.structures.add_receptor(Receptor(receptor_id, structure_id, "r", {}, ReadyState.PREPARING, owner, NOW))
        uow.structures.receptor_ready(
            receptor_id,
            pdbqt_sha256=prepared[0].sha256,
            pdb_sha256=prepared[1].sha256,
            content_hash=prepared[0].sha256,
            report={},
        )
        uow.commit()
    return uploaded.sha256
