"""One screen, submitted over HTTP, as logs, metrics and traces tell of it; every process is a real one."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from mad_test_engine import CRASHER
from tests.support.gunicorn_server import Gunicorn, gunicorn_server
from tests.support.ledger_stack import LedgerStack, WorkerProcess
from tests.support.mad_command import free_port
from tests.support.monitoring import documented_metrics, expressions, served_metrics, unknown_selectors
from tests.support.trace_collector import Span, TraceCollector
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.use_cases.sign_in import ensure_local_principal

REQUEST_ID = "follow-me-1"
LIGANDS = {"ethanol": "CCO", "benzene": "c1ccccc1", "acetic acid": "CC(=O)O", "crasher": f"{CRASHER}CCO"}
_CLIENT = 3  # SpanKind of OTLP


@dataclass
class Watched:
    """A screen that has ended, and everything that listened."""

    stack: LedgerStack
    gunicorn: Gunicorn
    worker: WorkerProcess
    collector: TraceCollector
    metrics_url: str
    job_id: str

    def worker_lines(self, **wanted: str) -> list[dict[str, Any]]:
        """What worker, slots, companion and engine processes have logged, as far as fields have these values."""
        return [line for line in self.worker.lines() if wanted.items() <= line.items()]

    def metrics(self) -> dict[str, float]:
        return samples(self.metrics_url)


def samples(url: str) -> dict[str, float]:
    answer = httpx.get(url, timeout=20)
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture(scope="module")
def watched(shared_stack: LedgerStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with ExitStack() as exits:
        collector = exits.enter_context(TraceCollector())
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        local = ensure_local_principal(shared_stack.database)
        environment = shared_stack.environment | tracing
        stack = replace(shared_stack, org_id=local.org_id, user_id=local.user_id, environment=environment, workers=[])
        exits.callback(stack.stop_workers)
        port = free_port()
        worker = stack.start_worker(MAD_WORKER_METRICS_PORT=str(port))
        gunicorn = exits.enter_context(gunicorn_server(tmp_path_factory.mktemp("api"), environment))
        inputs = stack.write_inputs(LIGANDS)
        body = {
            f"{name}_id": str(getattr(inputs, f"{name}_id")) for name in ("receptor", "site", "library", "protocol")
        }
        with gunicorn.client() as client:
            answer = client.post("/api/v1/jobs", json=body, headers={"X-Request-ID": REQUEST_ID})
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]
        stack.wait_completed(job_id)
        yield Watched(stack, gunicorn, worker, collector, f"http://127.0.0.1:{port}/metrics", job_id)


def test_one_request_id_leads_from_http_to_the_log_of_the_engine(watched: Watched) -> None:
    ids = {"request_id": REQUEST_ID, "org_id": str(watched.stack.org_id)}
    submitted, access = [line for line in watched.gunicorn.lines() if line.get("request_id") == REQUEST_ID]
    assert (submitted["event"], submitted["job_id"]) == ("job.submitted", watched.job_id)
    assert (access["event"], access["path"], access["status"]) == ("request", "/api/v1/jobs", 202)
    assert ids.items() <= submitted.items()
    assert ids.items() <= access.items()

    lines = watched.worker_lines(**ids, job_id=watched.job_id)
    told = {(line["logger"].rpartition(".")[2], line["event"]) for line in lines}
    assert {("run_task", "task.started"), ("run_task", "task.ended"), ("blame", "ligand.engine_ended")} <= told
    assert {("host", "site.opened"), ("reconcile", "job.finished")} <= told
    in_slots = [line for line in lines if line["logger"].endswith(("run_task", "host"))]
    assert all({"task_id", "attempt_no", "worker_id"} <= line.keys() for line in in_slots)
    received = watched.worker_lines(logger="celery.worker.strategy")
    assert {line["task_id"] for line in in_slots} <= {line["task_id"] for line in received}


def test_one_screen_is_one_trace_from_the_request_to_the_engine(watched: Watched) -> None:
    (trace_id,) = {line["trace_id"] for line in watched.gunicorn.lines() if line.get("request_id") == REQUEST_ID}
    assert {line["trace_id"] for line in watched.worker_lines(event="task.started")} == {trace_id}

    def mine() -> list[Span]:
        return [span for span in watched.collector.spans() if span.trace_id == trace_id]

    def names() -> set[str]:
        return {span.name for span in mine()}

    wanted = {"POST /api/v1/jobs", "send task", "run/mad.plan", "run/mad.dock", "task plan", "task dock", "ligand"}
    wanted |= {"engine open_site", "engine dock"}
    wait_until(lambda: wanted <= names(), 20, lambda: f"missing: {wanted - names()}")
    spans = {span.span_id: span for span in mine()}
    assert [span.name for span in spans.values() if not span.parent_id] == ["POST /api/v1/jobs"]
    assert {span.service for span in spans.values()} == {"mad-api", "mad-companion", "mad-worker"}
    assert len([span for span in spans.values() if span.name == "ligand"]) == len(LIGANDS)

    docked = next(span for span in spans.values() if span.name == "engine dock")
    path = [docked.name]
    while docked.parent_id:
        docked = spans[docked.parent_id]
        path.append(docked.name)
    assert path == ["engine dock", "ligand", "task dock", "run/mad.dock", "send task", "POST /api/v1/jobs"]


def test_traces_hold_database_calls_of_work_but_no_heartbeats_secrets_or_molecules(watched: Watched) -> None:
    spans = watched.collector.spans()
    calls = [span for span in spans if span.kind == _CLIENT]
    assert {span.service for span in calls} == {"mad-api", "mad-worker"}
    assert all(span.parent_id for span in calls)
    assert not [span for span in spans if "/health" in str(span.attributes)]
    written = str(spans)
    assert not [smiles for smiles in LIGANDS.values() if f"'{smiles}'" in written]


def test_metrics_of_a_worker_add_up_over_its_processes(watched: Watched) -> None:
    found = watched.metrics()
    assert found["mad_ligands_docked_total"] == 3
    assert found['mad_ligands_rejected_total{reason="engine_crash"}'] == 1
    assert found['mad_ligands_rejected_total{reason="no_pose"}'] == 0
    assert found['mad_engine_process_ends_total{cause="crash"}'] == 2
    assert found['mad_attempts_total{cause="completed",kind="plan"}'] >= 1
    assert found['mad_attempts_total{cause="completed",kind="dock"}'] >= 1
    assert found['mad_attempts_total{cause="lost",kind="dock"}'] == 0
    assert found["mad_engine_cpu_seconds_total"] > 0
    assert found["mad_engine_start_seconds_count"] >= 2
    assert found["mad_engine_memory_bytes"] > 10_000_000
    assert found["mad_tasks_dispatched_total"] >= 2
    assert found["mad_dispatch_seconds_count"] > 1
    assert found["mad_reconcile_seconds_count"] >= 1
    assert (found["mad_leader"], found["mad_refused_writes_total"]) == (1, 0)


def test_metrics_are_those_that_the_documentation_and_the_rules_name(watched: Watched) -> None:
    with watched.gunicorn.client() as client:
        text = client.get("/metrics").text + httpx.get(watched.metrics_url, timeout=20).text
    served = served_metrics(text)
    assert served == documented_metrics()
    assert [unknown for expression in expressions() for unknown in unknown_selectors(expression, served)] == []


def test_counters_outlive_a_killed_slot_and_companion_while_gauges_do_not(watched: Watched) -> None:
    counters = ("mad_ligands_docked_total", "mad_engine_start_seconds_count", "mad_tasks_dispatched_total")
    before = watched.metrics()
    old = [*watched.worker.slots(), watched.worker.companion()]
    for process in old:
        process.kill()
    wait_until(lambda: len(watched.worker.slots()) == 2 and not any(map(_lives, old)), 60, "no new slots")
    after = wait_until(lambda: _answer(watched), 60, "the new companion serves no metrics")
    assert [after[name] for name in counters] == [before[name] for name in counters]
    assert (before["mad_engine_memory_bytes"] > 0, after["mad_engine_memory_bytes"]) == (True, 0)


def _lives(process: Any) -> bool:
    return bool(process.is_running() and process.status() != "zombie")


def _answer(watched: Watched) -> dict[str, float]:
    try:
        return watched.metrics()
    except httpx.TransportError:
        return {}
