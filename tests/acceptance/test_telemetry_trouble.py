"""Nobody listens: a worker whose collector is out of reach and whose metrics port is taken works all the same."""

import socket
from pathlib import Path

from tests.support.ledger_stack import LedgerStack
from tests.support.mad_command import free_port
from tests.support.waiting import wait_until

LIGANDS = {"ethanol": "CCO", "benzene": "c1ccccc1"}


def test_worker_to_whom_nobody_listens_says_so_once(stack: LedgerStack, tmp_path: Path) -> None:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        # The exporter names the cause only when it has time for a second try, after at most 1.2 s.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "TMPDIR": str(tmp_path),
    }
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings["MAD_WORKER_METRICS_PORT"] = str(taken.getsockname()[1])
        worker = stack.start_worker(slots=1, **settings)
        folder = list(tmp_path.glob("mad-worker-metrics-*"))
        for _ in range(3):
            stack.wait_completed(stack.submit(LIGANDS))
        wait_until(lambda: "traces.not_exported" in worker.log.read_text(), 60, "nobody said that spans are lost")
        worker.stop()

    lines = worker.lines()
    (lost,) = [line for line in lines if line["event"] == "traces.not_exported"]
    assert "Connection refused" in lost["reason"]
    assert [line["event"] for line in lines if line["level"] == "error"] == ["metrics.not_served"]
    assert not [line for line in lines if line["logger"].startswith(("opentelemetry", "urllib3", "requests"))]
    assert len(folder) == 1
    assert list(tmp_path.glob("mad-worker-metrics-*")) == []
