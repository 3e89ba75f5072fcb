"""Whatever is killed, a screen ends with the very results of an undisturbed run. All allowances are the defaults."""

import signal
from collections.abc import Iterator
from itertools import product

import psutil
import pytest
from mad_test_engine import CRASHER, MEMORY_EATER, SLEEPER
from redis import Redis
from tests.support.ledger_stack import Fingerprint, LedgerStack, WorkerProcess, ledger_stack
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.jobs import JobState
from molecular_analysis_dashboard.domain.rejections import RejectionReason

SERIES = {
    f"{acid}-{amine}": f"{acid}C(=O)N{amine}"
    for acid, amine in product(("CC", "CCC", "CCCC", "c1ccccc1", "C1CC1", "CC(C)"), ("C", "CC", "C1CC1", "Cc1ccccc1"))
}
# One of them ends its engine process, so that rejections are compared as well.
LIGANDS = SERIES | {"crasher": f"{CRASHER}CCCCO"}
# Four times as many, so that a starved test still finds the job unfinished.
MANY = LIGANDS | {f"{name}-{end}": f"{smiles}{end}" for name, smiles in SERIES.items() for end in ("F", "Cl", "Br")}
# 0.3 s of locked search per ligand: long enough to be hit in the middle.
EFFORT = 30
# Two slots never get past these: whatever a starved test does late, the job is not over before.
NEVER_DONE = {f"sleeper-{n}": f"{SLEEPER}{'C' * n}O" for n in range(1, 4)}


@pytest.fixture(scope="module")
def busy() -> Iterator[LedgerStack]:
    with ledger_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def undisturbed(busy: LedgerStack) -> Fingerprint:
    busy.start_worker()
    job_id = busy.submit(LIGANDS, exhaustiveness=EFFORT)
    busy.wait_completed(job_id)
    busy.stop_workers()
    found = busy.fingerprint(job_id)
    assert found.keys() == LIGANDS.keys()
    assert found["crasher"][:2] == ("rejected", RejectionReason.ENGINE_CRASH)
    return found


@pytest.fixture
def stack(busy: LedgerStack, undisturbed: Fingerprint) -> Iterator[LedgerStack]:
    del undisturbed
    yield busy
    busy.cancel_open_jobs()
    busy.stop_workers()


def wait_for_engines(worker: WorkerProcess, count: int) -> list[psutil.Process]:
    return wait_until(
        lambda: engines if len(engines := worker.engines()) >= count else [], 30, "the engines did not start"
    )


def wait_gone(processes: list[psutil.Process], timeout_s: float) -> None:
    """Wait until processes have ended; one that nobody has reaped yet has ended too."""

    def alive() -> list[psutil.Process]:
        return [process for process in processes if not _ended(process)]

    wait_until(lambda: not alive(), timeout_s, lambda: f"still there: {alive()}")


def _ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_killed_engine_costs_nothing(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    worker = stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    for engine in wait_for_engines(worker, 1):
        engine.kill()
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed


def test_killed_slot_is_replaced_and_its_engine_is_gone(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    worker = stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    slot = worker.slots()[0]
    engines = [child for child in slot.children() if "engines.host" in " ".join(child.cmdline())]
    slot.kill()
    wait_gone(engines, 2)
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed


def test_killed_worker_leaves_no_engine_and_another_one_finishes(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    doomed = stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    remains = [*wait_for_engines(doomed, 2), doomed.companion()]
    doomed.kill()
    wait_gone(remains, 2)
    stack.start_worker()
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed
    assert stack.scalar("SELECT count(*) FROM attempts WHERE job_id = :id AND end_cause = 'lost'", id=job_id) >= 1


def test_killed_main_process_takes_its_slots_and_engines_along(stack: LedgerStack) -> None:
    doomed = stack.start_worker()
    stack.submit({"sleeper": f"{SLEEPER}CCO", "other": f"{SLEEPER}CCN"})
    family = [*wait_for_engines(doomed, 2), *doomed.slots(), doomed.companion()]
    psutil.Process(doomed.pid).kill()
    doomed.process.wait()
    wait_gone(family, 2)


def test_tasks_of_a_dead_worker_run_elsewhere_within_30_seconds(stack: LedgerStack) -> None:
    doomed = stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    stack.start_worker()
    held = stack.rows("SELECT id, attempt_no FROM tasks WHERE job_id = :id AND state = 'running'", id=job_id)
    doomed.kill()

    def all_taken_over() -> bool:
        done = "SELECT attempt_no > :n OR state = 'done' FROM tasks WHERE id = :id"
        return all(stack.scalar(done, id=row.id, n=row.attempt_no) for row in held)

    wait_until(all_taken_over, 30, lambda: stack.explain(job_id))
    stack.wait_final(job_id)


def test_flushed_redis_costs_seconds(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    Redis.from_url(stack.environment["REDIS_URL"]).flushall()
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed


def test_restarted_redis_loses_nothing(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    stack.servers.restart_redis()
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed


def test_restarted_postgres_loses_nothing(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    stack.start_worker()
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    stack.servers.restart_postgres()
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed


def test_late_write_of_a_worker_that_was_frozen_is_refused(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    frozen = stack.start_worker()
    job_id = stack.submit(MANY, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    wait_for_engines(frozen, 2)
    victims = [psutil.Process(frozen.pid), *frozen.slots(), frozen.companion()]
    docking = "SELECT count(*) FROM attempts WHERE job_id = :id AND ended_at IS NULL AND current_ligand_id IS NOT NULL"

    def frozen_while_docking() -> bool:
        for victim in victims:
            victim.suspend()
        if stack.scalar(docking, id=job_id) == 2:
            return True
        for victim in victims:
            victim.resume()
        return False

    wait_until(frozen_while_docking, 10, lambda: stack.explain(job_id))
    stack.start_worker()
    stack.wait_completed(job_id, 120)
    for victim in victims:
        victim.resume()
    refused = "SELECT coalesce(sum(n_refused_writes), 0) FROM attempts WHERE job_id = :id"
    wait_until(lambda: stack.scalar(refused, id=job_id) >= 1, 30, "no late write was refused")
    found = stack.fingerprint(job_id)
    assert found.keys() == MANY.keys()
    assert {name: found[name] for name in LIGANDS} == undisturbed


def test_stopped_worker_hands_its_tasks_back(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    # One slot and a high target: the first task holds several ligands when it is interrupted.
    leaving = stack.start_worker(slots=1, MAD_TASK_TARGET_S="600")
    job_id = stack.submit(MANY, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 1)
    leaving.stop()
    causes = {row.end_cause for row in stack.rows("SELECT end_cause FROM attempts WHERE job_id = :id", id=job_id)}
    assert causes == {"completed", "drained"}, stack.explain(job_id)
    stack.start_worker()
    stack.wait_completed(job_id, 120)
    found = stack.fingerprint(job_id)
    assert found.keys() == MANY.keys()
    assert {name: found[name] for name in LIGANDS} == undisturbed


def test_stopping_worker_kills_an_engine_that_outlasts_its_grace(stack: LedgerStack) -> None:
    worker = stack.start_worker(slots=1, MAD_DRAIN_GRACE_S="2")
    job_id = stack.submit({"sleeper": f"{SLEEPER}CCO"})
    engines = wait_for_engines(worker, 1)
    worker.stop()
    wait_gone(engines, 2)
    assert (
        stack.scalar("SELECT end_cause FROM attempts WHERE job_id = :id AND current_ligand_id IS NOT NULL", id=job_id)
        == "drained"
    )
    assert stack.fingerprint(job_id) == {}


@pytest.mark.parametrize(
    ("label", "reason", "timeout_s"),
    [
        (CRASHER, RejectionReason.ENGINE_CRASH, "60"),
        (SLEEPER, RejectionReason.TIMEOUT, "4"),
        (MEMORY_EATER, RejectionReason.OUT_OF_MEMORY, "60"),
    ],
)
def test_vicious_ligand_is_rejected_and_its_neighbours_are_scored(
    stack: LedgerStack, label: str, reason: RejectionReason, timeout_s: str
) -> None:
    stack.start_worker(MAD_LIGAND_TIMEOUT_S=timeout_s, MAD_ENGINE_MEMORY_BYTES="2GiB")
    neighbours = dict(list(SERIES.items())[:6])
    job_id = stack.submit({"vicious": f"{label}CCCCCCCCO", **neighbours})
    stack.wait_completed(job_id)
    found = stack.fingerprint(job_id)
    assert found["vicious"][:2] == ("rejected", reason)
    assert {name for name, row in found.items() if row[0] == "scored"} == neighbours.keys()


def test_cancel_ends_engines_within_two_seconds_and_keeps_finished_poses(stack: LedgerStack) -> None:
    worker = stack.start_worker()
    job_id = stack.submit(SERIES | NEVER_DONE, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 4)
    # An engine between two ligands does nothing that a cancel would have to end.
    at_work = (
        "SELECT count(*) FROM attempts a JOIN ligands l ON l.id = a.current_ligand_id "
        "WHERE a.job_id = :id AND a.ended_at IS NULL AND l.name LIKE 'sleeper-%'"
    )
    wait_until(lambda: stack.scalar(at_work, id=job_id) == 2, 120, lambda: stack.explain(job_id))
    engines = wait_for_engines(worker, 2)
    stack.change(job_id, JobState.CANCELLING)
    stack.wake()
    wait_gone(engines, 2)
    assert worker.engines() == []
    assert stack.wait_final(job_id).state is JobState.CANCELLED
    kept = stack.fingerprint(job_id)
    assert 4 <= len(kept) <= len(SERIES)
    with stack.database.begin(stack.scope) as uow:
        counts = uow.jobs.counts(job_id)
    assert counts.scored == len(kept)
    assert counts.cancelled == len(SERIES) + len(NEVER_DONE) - len(kept)
    assert counts.waiting == 0


def test_small_job_behind_a_large_one_finishes_first(stack: LedgerStack) -> None:
    stack.start_worker(MAD_TASK_TARGET_S="600")
    large = stack.submit(
        {f"{name}-{end}": f"{smiles}{end}" for name, smiles in SERIES.items() for end in ("F", "Cl", "Br", "O", "S")},
        exhaustiveness=EFFORT,
    )
    stack.wait_results(large, 2)
    small = stack.submit(dict(list(SERIES.items())[:3]), exhaustiveness=EFFORT)
    stack.wait_completed(small, 30)
    assert stack.job(large).state is JobState.RUNNING
    stack.change(large, JobState.CANCELLING)
    stack.wait_final(large)


def test_paused_job_starts_nothing_and_resumes_where_it_stopped(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    stack.start_worker()
    job_id = stack.submit(MANY, exhaustiveness=EFFORT)
    stack.wait_results(job_id, 3)
    with stack.database.begin(stack.scope) as uow:
        assert uow.jobs.change_state(job_id, JobState.PAUSED, reason="a person asked")
        uow.jobs.unreleased_tasks_to_pending(job_id)
        uow.commit()
    running = "SELECT count(*) FROM tasks WHERE job_id = :id AND state IN ('running', 'released')"
    wait_until(lambda: stack.scalar(running, id=job_id) == 0, 60, lambda: stack.explain(job_id))
    assert stack.job(job_id).state is JobState.PAUSED
    assert len(stack.fingerprint(job_id)) < len(MANY)
    stack.change(job_id, JobState.RUNNING)
    stack.wait_completed(job_id, 120)
    found = stack.fingerprint(job_id)
    assert found.keys() == MANY.keys()
    assert {name: found[name] for name in LIGANDS} == undisturbed


def test_job_whose_ligands_all_fail_alike_pauses_with_the_reason(stack: LedgerStack) -> None:
    stack.start_worker()
    job_id = stack.submit({f"crasher-{n}": f"{CRASHER}{'C' * n}O" for n in range(1, 15)})
    wait_until(lambda: stack.job(job_id).state is JobState.PAUSED, 60, lambda: stack.explain(job_id))
    assert "engine_crash" in str(stack.job(job_id).reason)
    stack.change(job_id, JobState.RUNNING)
    stack.wait_completed(job_id)


def test_receptor_that_the_engine_refuses_fails_the_job_with_the_engines_words(stack: LedgerStack) -> None:
    stack.start_worker()
    job_id = stack.submit(dict(list(SERIES.items())[:3]), receptor_pdbqt="REMARK REFUSE")
    job = stack.wait_final(job_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error["code"] == "receptor_refused"


def test_same_ligand_in_other_company_gets_identical_coordinates(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    stack.start_worker(slots=1)
    chosen = list(SERIES)[::-5]
    job_id = stack.submit({name: SERIES[name] for name in chosen}, exhaustiveness=EFFORT)
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == {name: undisturbed[name] for name in chosen}


def test_restarted_leader_starts_work_again(stack: LedgerStack, undisturbed: Fingerprint) -> None:
    worker = stack.start_worker()
    worker.companion().send_signal(signal.SIGKILL)
    job_id = stack.submit(LIGANDS, exhaustiveness=EFFORT)
    stack.wait_completed(job_id)
    assert stack.fingerprint(job_id) == undisturbed
