from pathlib import Path

from tests.support.ledger_stack import ledger_stack


def test_stopped_worker_leaves_no_scratch_folder(tmp_path: Path) -> None:
    with ledger_stack() as stack:
        worker = stack.start_worker(TMPDIR=str(tmp_path))
        stack.wait_completed(stack.submit({"ethanol": "CCO", "benzene": "c1ccccc1"}))
        assert list(tmp_path.glob("mad-engine-*"))
        worker.stop()
    assert list(tmp_path.glob("mad-engine-*")) == []
