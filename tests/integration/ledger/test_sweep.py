"""What is deleted goes for good: all of it, nothing else, in small steps that may be cut short."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from tests.integration.ledger.bench import NOW, Bench, at_once, rejected

from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.domain.catalog import BindingSite, ReadyState, Receptor, Rejection, Structure
from molecular_analysis_dashboard.domain.errors import Conflict, Superseded
from molecular_analysis_dashboard.domain.identity import Principal, SystemScope, new_id
from molecular_analysis_dashboard.domain.jobs import EndCause, Job, JobKind, JobState, NewTask, TaskKind
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin
from molecular_analysis_dashboard.use_cases.sweep import SweepRows

OF_A_JOB = sorted(table.name for table in metadata.sorted_tables if "job_id" in table.columns)
EVERY_TABLE = sorted(table.name for table in metadata.sorted_tables if "org_id" in table.columns)
ERROR = {"code": "cancelled", "message": "Not wanted."}

_FOLLOW_UPS = (
    "INSERT INTO pose_analyses (job_id, ligand_id, state_no, rank, org_id, task_id, attempt_no, checks, "
    "strain_method, rmsd_angstrom, problems, seconds_cpu) "
    "SELECT p.job_id, p.ligand_id, p.state_no, p.rank, p.org_id, r.task_id, 1, '{}', '', '{}', '[]', 0 "
    "FROM poses p JOIN results r USING (job_id, ligand_id) WHERE p.job_id = :id",
    "INSERT INTO rescorings (job_id, org_id, engine, scoring, relax, docked_engine, docked_scoring, max_poses) "
    "SELECT id, org_id, 'vina', 'vinardo', false, 'vina', 'vina', 3 FROM jobs WHERE id = :id",
    "INSERT INTO rescored_ligands (job_id, ligand_id, org_id, task_id, attempt_no, docked_score_kcal_mol, "
    "score_kcal_mol, pose, seconds_cpu) "
    "SELECT job_id, ligand_id, org_id, task_id, 1, -7, -5, 1, 0 FROM results WHERE job_id = :id",
    "INSERT INTO rescored_poses (job_id, ligand_id, state_no, rank, org_id, docked_score_kcal_mol, score_kcal_mol) "
    "SELECT job_id, ligand_id, 1, 1, org_id, -7, -5 FROM rescored_ligands WHERE job_id = :id",
    "INSERT INTO redockings (job_id, org_id, native_name, checks) "
    "SELECT id, org_id, 'LIG', '[]' FROM jobs WHERE id = :id",
    "INSERT INTO redocking_runs (id, org_id, job_id, run_no, seed) "
    "SELECT gen_random_uuid(), org_id, id, 1, 42 FROM jobs WHERE id = :id",
    "INSERT INTO redocking_poses (org_id, run_id, rank, score_kcal_mol, rmsd_angstrom, coordinates_zlib) "
    "SELECT org_id, id, 1, -7, 1, '' FROM redocking_runs WHERE job_id = :id",
    "INSERT INTO validations (job_id, org_id, decoy_library_id) SELECT id, org_id, library_id FROM jobs WHERE id = :id",
)


def sweep(bench: Bench, *, older_than_s: float = 0.0, batch_rows: int = 1000) -> SweepRows:
    return SweepRows(bench.database, older_than_s=older_than_s, batch_rows=batch_rows)


def finished_job(bench: Bench, *sizes: int) -> UUID:
    """A job that left rows in every table that knows jobs; the first ligand of each task is rejected."""
    job_id = bench.job(*sizes)
    for task_id in bench.tasks(job_id):
        task = bench.take(task_id)
        for position, ligand_id in enumerate(task.ligand_ids):
            assert bench.record(task, ligand_id) if position else bench.record(task, ligand_id, rejected())
        bench.end(task)
    bench.finish_jobs()
    bench.execute(
        "INSERT INTO interactions (job_id, ligand_id, state_no, rank, residue, type, org_id) "
        "SELECT job_id, ligand_id, 1, 1, 'ASP129', 'ionic', org_id FROM poses WHERE job_id = :id",
        id=job_id,
    )
    bench.execute(
        "INSERT INTO docking_cache (org_id, work_key, job_id, ligand_id) "
        "SELECT org_id, sha256(ligand_id::text::bytea), job_id, ligand_id FROM results WHERE job_id = :id",
        id=job_id,
    )
    for statement in _FOLLOW_UPS:
        bench.execute(statement, id=job_id)
    assert min(rows_of_job(bench, job_id).values()) > 0
    return job_id


def rows_of_job(bench: Bench, job_id: UUID) -> dict[str, int]:
    """How many rows of each table a job has."""
    return {table: bench.scalar(f"SELECT count(*) FROM {table} WHERE job_id = :id", id=job_id) for table in OF_A_JOB}


def rows_of_organization(bench: Bench) -> dict[str, int]:
    org_id = bench.principal.org_id
    return {table: bench.scalar(f"SELECT count(*) FROM {table} WHERE org_id = :id", id=org_id) for table in EVERY_TABLE}


def delete_job(bench: Bench, job_id: UUID) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.jobs.delete(job_id)
        uow.commit()


def delete_library(bench: Bench, library_id: UUID) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.libraries.delete(library_id)
        uow.commit()


def exists(bench: Bench, table: str, id_: UUID) -> bool:
    return bool(bench.scalar(f"SELECT count(*) FROM {table} WHERE id = :id", id=id_))


def neighbour(bench: Bench) -> Bench:
    """The view of another organization on the same ledger."""
    other = Principal(new_id(), new_id())
    with bench.database.begin(SystemScope()) as uow:
        uow.identities.ensure_member(other, organization="other", email="b@example.org", display_name="B")
        uow.commit()
    return Bench(bench.database, other, bench.worker)


class TestJobs:
    def test_every_row_of_a_deleted_job_goes_and_no_other(self, bench: Bench) -> None:
        other = neighbour(bench)
        kept, foreign, gone = finished_job(bench, 3), finished_job(other, 2, 2), finished_job(bench, 3, 2)
        before = rows_of_job(bench, kept), rows_of_organization(other)
        delete_job(bench, gone)
        sweep(bench)()
        assert rows_of_job(bench, gone) == dict.fromkeys(OF_A_JOB, 0)
        assert not exists(bench, "jobs", gone)
        assert (rows_of_job(bench, kept), rows_of_organization(other)) == before
        assert rows_of_job(bench, foreign)["results"] == 4

    def test_a_job_that_nobody_deleted_stays(self, bench: Bench) -> None:
        finished_job(bench, 2)
        before = rows_of_organization(bench)
        sweep(bench)()
        assert rows_of_organization(bench) == before

    def test_a_job_deleted_a_moment_ago_can_still_be_brought_back(self, bench: Bench) -> None:
        job_id = finished_job(bench, 2)
        delete_job(bench, job_id)
        before = rows_of_job(bench, job_id)
        sweep(bench, older_than_s=60)()
        assert rows_of_job(bench, job_id) == before
        bench.execute("UPDATE jobs SET deleted_at = now() - interval '61 s' WHERE id = :id", id=job_id)
        sweep(bench, older_than_s=60)()
        assert not exists(bench, "jobs", job_id)

    def test_a_running_job_is_cancelled_before_it_can_be_deleted_and_swept(self, bench: Bench) -> None:
        job_id = bench.job(2, 1)
        task = bench.take(bench.tasks(job_id)[0])
        bench.record(task, task.ligand_ids[0])
        with pytest.raises(Conflict):
            delete_job(bench, job_id)
        bench.change(job_id, JobState.CANCELLING)
        with pytest.raises(Conflict):
            delete_job(bench, job_id)
        bench.end(task, EndCause.CANCELLED)
        bench.finish_jobs()
        delete_job(bench, job_id)
        sweep(bench)()
        assert not exists(bench, "jobs", job_id)
        with pytest.raises(Superseded):
            bench.record(task, task.ligand_ids[1])

    @pytest.mark.parametrize("state", [JobState.PLANNING, JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING])
    def test_a_job_that_has_not_ended_is_never_swept(self, bench: Bench, state: JobState) -> None:
        job_id = bench.job(2, state=state)
        bench.execute("UPDATE jobs SET deleted_at = now() - interval '1 h' WHERE id = :id", id=job_id)
        sweep(bench)()
        assert len(bench.tasks(job_id)) == 1

    def test_a_failed_job_waits_for_what_still_runs_and_then_refuses_it(self, bench: Bench) -> None:
        job_id = bench.job(1, 2)
        broken, running = (bench.take(id_) for id_ in bench.tasks(job_id))
        bench.end(broken, EndCause.FAILED, **ERROR)
        bench.finish_jobs()
        delete_job(bench, job_id)
        sweep(bench)()
        assert bench.record(running, running.ligand_ids[0])
        bench.end(running, EndCause.CANCELLED)
        sweep(bench)()
        assert not exists(bench, "jobs", job_id)
        with pytest.raises(Superseded):
            bench.record(running, running.ligand_ids[1])
        assert bench.claim(running.id) is None

    def test_a_batch_takes_so_many_ligands_and_a_sweep_cut_short_goes_on(self, bench: Bench) -> None:
        job_id = finished_job(bench, 5, 4)
        delete_job(bench, job_id)
        left: list[Mapping[str, int]] = []

        def watched() -> bool:
            left.append(rows_of_job(bench, job_id))
            return len(left) < 9

        one = sweep(bench, batch_rows=2)
        one(watched)
        assert exists(bench, "jobs", job_id)
        for before, after in pairwise(left):
            assert 0 <= before["results"] - after["results"] <= 2
        assert left[-1]["results"] < left[0]["results"]
        # Poses are never without their result, and so never out of the next sweep's sight.
        orphans = "SELECT count(*) FROM poses LEFT JOIN results r USING (job_id, ligand_id) WHERE r.job_id IS NULL"
        assert bench.scalar(orphans) == 0
        sweep(bench, batch_rows=2)()
        assert rows_of_job(bench, job_id) == dict.fromkeys(OF_A_JOB, 0)
        assert not exists(bench, "jobs", job_id)

    def test_several_leaders_at_once_do_no_harm(self, bench: Bench) -> None:
        gone = [finished_job(bench, 3) for _ in range(3)]
        kept = finished_job(bench, 3)
        before = rows_of_job(bench, kept)
        for job_id in gone:
            delete_job(bench, job_id)
        at_once(4, lambda _: sweep(bench, batch_rows=2)())
        sweep(bench)()
        assert not any(exists(bench, "jobs", job_id) for job_id in gone)
        assert rows_of_job(bench, kept) == before

    def test_a_key_of_a_swept_job_may_be_used_again(self, bench: Bench) -> None:
        job_id = finished_job(bench, 2)
        bench.execute("UPDATE jobs SET idempotency_key = 'once' WHERE id = :id", id=job_id)
        delete_job(bench, job_id)
        with bench.database.begin(bench.scope) as uow:
            assert uow.jobs.find_by_key("once") is not None
        sweep(bench)()
        with bench.database.begin(bench.scope) as uow:
            assert uow.jobs.find_by_key("once") is None


class TestLibraries:
    def test_a_deleted_library_goes_with_the_job_that_read_it(self, bench: Bench) -> None:
        library_id, reader = read_library(bench, 5)
        other_id, other_reader = read_library(bench, 2)
        delete_library(bench, library_id)
        sweep(bench, batch_rows=2)()
        assert not exists(bench, "libraries", library_id)
        assert not exists(bench, "jobs", reader)
        assert rows_of_library(bench, library_id) == (0, 0)
        assert exists(bench, "libraries", other_id)
        assert exists(bench, "jobs", other_reader)
        assert rows_of_library(bench, other_id) == (2, 1)

    def test_a_screen_keeps_its_deleted_library_until_it_is_deleted_itself(self, bench: Bench) -> None:
        job_id = finished_job(bench, 3)
        library_id = bench.scalar("SELECT library_id FROM jobs WHERE id = :id", id=job_id)
        delete_library(bench, library_id)
        sweep(bench)()
        assert rows_of_library(bench, library_id) == (3, 0)
        delete_job(bench, job_id)
        sweep(bench)()
        assert not exists(bench, "libraries", library_id)
        assert rows_of_library(bench, library_id) == (0, 0)

    def test_a_validation_keeps_its_deleted_decoys_until_it_is_deleted_itself(self, bench: Bench) -> None:
        job_id, decoys = bench.job(2), bench.library(3)
        with bench.database.begin(bench.scope) as uow:
            uow.validations.add(job_id, decoys)
            uow.commit()
        with pytest.raises(Conflict, match="unfinished job"):
            delete_library(bench, decoys)
        bench.change(job_id, JobState.FAILED)
        bench.execute("UPDATE tasks SET state = 'cancelled' WHERE job_id = :id", id=job_id)
        delete_library(bench, decoys)
        sweep(bench)()
        assert exists(bench, "libraries", decoys)

        delete_job(bench, job_id)
        sweep(bench)()

        assert not exists(bench, "libraries", decoys)

    def test_a_young_deletion_and_a_living_library_stay(self, bench: Bench) -> None:
        living, _ = read_library(bench, 2)
        young, reader = read_library(bench, 2)
        delete_library(bench, young)
        sweep(bench, older_than_s=60)()
        assert rows_of_library(bench, living) == rows_of_library(bench, young) == (2, 1)
        assert bench.scalar("SELECT deleted_at FROM jobs WHERE id = :id", id=reader) is None

    def test_what_a_failed_library_held_is_hidden_at_once_and_swept(self, bench: Bench) -> None:
        library_id, _ = read_library(bench, 5, state=ReadyState.PREPARING)
        living, _ = read_library(bench, 5)
        with bench.database.begin(bench.scope) as uow:
            uow.libraries.fail(library_id, ERROR)
            uow.commit()
        with bench.database.begin(bench.scope) as uow:
            assert uow.libraries.ligand_page(library_id, after_record=0, limit=10) == []
            assert uow.libraries.rejection_page(library_id, after_record=0, limit=10) == []
            assert len(uow.libraries.ligand_page(living, after_record=0, limit=10)) == 5
            assert len(uow.libraries.rejection_page(living, after_record=0, limit=10)) == 1
        assert rows_of_library(bench, library_id) == (5, 1)
        sweep(bench, older_than_s=3600, batch_rows=2)()
        assert rows_of_library(bench, library_id) == (0, 0)
        assert bench.scalar("SELECT error ->> 'code' FROM libraries WHERE id = :id", id=library_id) == "cancelled"
        assert rows_of_library(bench, living) == (5, 1)


class TestStructures:
    def test_a_deleted_structure_goes_with_all_that_was_made_of_it(self, bench: Bench) -> None:
        gone, kept = prepared_structure(bench), prepared_structure(bench)
        delete_structure(bench, gone["structures"])
        sweep(bench)()
        assert not any(exists(bench, table, id_) for table, id_ in gone.items())
        assert all(exists(bench, table, id_) for table, id_ in kept.items())

    def test_a_screen_keeps_its_deleted_structure_until_it_is_deleted_itself(self, bench: Bench) -> None:
        made = prepared_structure(bench)
        job_id = finished_job(bench, 2)
        bench.execute(
            "UPDATE jobs SET structure_id = :structures, receptor_id = :receptors, site_id = :binding_sites "
            "WHERE id = :id",
            id=job_id,
            **{table: id_ for table, id_ in made.items() if table != "jobs"},
        )
        delete_structure(bench, made["structures"])
        sweep(bench)()
        assert all(exists(bench, table, id_) for table, id_ in made.items())
        delete_job(bench, job_id)
        sweep(bench)()
        assert not any(exists(bench, table, id_) for table, id_ in made.items())


def read_library(bench: Bench, count: int, *, state: ReadyState = ReadyState.READY) -> tuple[UUID, UUID]:
    """Write a library with a rejection, and the finished job that read it."""
    library_id = bench.library(count, state=state)
    refused = Rejection(count + 1, count + 1, "x", "x", RejectionReason.VALENCE, "A sentence.")
    job_id = new_id()
    with bench.database.begin(bench.scope) as uow:
        uow.libraries.add_batch(library_id, [], [refused])
        uow.jobs.add(product_job(bench, job_id, JobKind.INGEST, library_id=library_id), [])
        uow.commit()
    bench.finish_jobs()
    return library_id, job_id


def prepared_structure(bench: Bench) -> dict[str, UUID]:
    """Write a structure with a receptor, a site and the finished job that prepared; return ids by table."""
    owner = bench.principal.user_id
    ids = {table: new_id() for table in ("structures", "receptors", "binding_sites", "jobs")}
    structure_id = ids["structures"]
    box = SearchBox((0.0, 0.0, 0.0), (20.0, 20.0, 20.0))
    with bench.database.begin(bench.scope) as uow:
        uow.structures.add(Structure(structure_id, "s", "s.pdb", "0" * 64, 1, {}, owner, NOW))
        uow.structures.add_receptor(Receptor(ids["receptors"], structure_id, "r", {}, ReadyState.PREPARING, owner, NOW))
        uow.structures.add_site(
            BindingSite(ids["binding_sites"], structure_id, "b", SiteOrigin.MANUAL, box, owner, NOW)
        )
        job = product_job(bench, ids["jobs"], JobKind.PREPARE, structure_id=structure_id, receptor_id=ids["receptors"])
        uow.jobs.add(job, [NewTask(new_id(), job.id, TaskKind.PREPARE, "prepare")])
        uow.commit()
    bench.end(bench.take(bench.tasks(ids["jobs"])[0]))
    bench.finish_jobs()
    return ids


def product_job(bench: Bench, job_id: UUID, kind: JobKind, **products: Any) -> Job:
    return Job(
        id=job_id,
        org_id=bench.principal.org_id,
        kind=kind,
        state=JobState.RUNNING,
        name="product",
        created_by=bench.principal.user_id,
        created_at=NOW,
        planning_complete=True,
        **products,
    )


def delete_structure(bench: Bench, structure_id: UUID) -> None:
    with bench.database.begin(bench.scope) as uow:
        uow.structures.delete(structure_id)
        uow.commit()


def rows_of_library(bench: Bench, library_id: UUID) -> tuple[int, int]:
    """How many ligands and rejections a library has, visible or not."""
    ligands, rejections = (
        bench.scalar(f"SELECT count(*) FROM {table} WHERE library_id = :id", id=library_id)
        for table in ("ligands", "rejections")
    )
    return ligands, rejections
