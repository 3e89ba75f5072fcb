"""Tracing as a process of ours has it, each in a process of its own: OpenTelemetry has one provider per process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.trace_collector import TraceCollector

PROGRAM = Path(__file__).with_name("tracing_program.py")
OUR_PROCESSES = (
    "presentation.api.main",
    "infrastructure.celery_app",
    "infrastructure.worker",
    "infrastructure.companion",
)
TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def run(*command: str, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, *command],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def traced(**environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(str(PROGRAM), **environment).splitlines()[-1])
    return found


def of_ours(modules: list[str]) -> list[str]:
    """What we load of OpenTelemetry; FastAPI and redis-py load parts of its interface by themselves."""
    ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.instrumentation", "opentelemetry.proto")
    return [name for name in modules if name.startswith(ours)]


def test_without_a_collector_nothing_is_loaded_and_nothing_happens() -> None:
    found = traced()
    assert (found["traceparent"], found["ids"], found["loaded"]) == (None, {}, [])


def test_none_of_our_processes_loads_the_sdk_by_itself() -> None:
    imports = ", ".join(f"molecular_analysis_dashboard.{name}" for name in OUR_PROCESSES)
    assert of_ours(json.loads(run("-c", f"import json, sys, {imports}; print(json.dumps(list(sys.modules)))"))) == []


def test_spans_reach_the_collector_before_the_process_ends() -> None:
    with TraceCollector() as collector:
        found = traced(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_RESOURCE_ATTRIBUTES="site=lab")
        outer, inner, broken = sorted(collector.spans(), key=lambda span: ["outer", "inner", "broken"].index(span.name))
    assert (outer.trace_id, outer.parent_id, outer.service) == (TRACE_ID, PARENT_ID, "mad-test")
    # The present span wins over a stored one.
    assert (inner.trace_id, inner.parent_id) == (TRACE_ID, outer.span_id)
    assert found["traceparent"] == f"00-{TRACE_ID}-{outer.span_id}-01"
    assert found["ids"] == {"trace_id": TRACE_ID}
    assert (broken.parent_id, broken.error) == ("", "ValueError")
    assert "CCO" not in str(broken)


def test_name_of_the_processes_can_be_chosen() -> None:
    with TraceCollector() as collector:
        traced(OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.endpoint}/", OTEL_SERVICE_NAME="lab")
        assert {span.service for span in collector.spans()} == {"lab"}


def test_sampler_of_the_environment_is_used() -> None:
    with TraceCollector() as collector:
        traced(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_TRACES_SAMPLER="always_off")
        assert collector.spans() == []


def test_collector_that_hangs_does_not_hold_up_the_end() -> None:
    # It takes connections and never answers; the client would wait a minute for each batch.
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        found = traced(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_TIMEOUT="60")
    assert found["close_s"] < 20
