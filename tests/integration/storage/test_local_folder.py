"""What only a folder can suffer: killed writers, a full disk, odd permissions, strangers' files."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.storage import LocalBlobStore
from molecular_analysis_dashboard.domain.errors import ResourceLost

PROGRAM = Path(__file__).with_name("writer_program.py")
LINE = b"C1=CC=CC=C1 benzene\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_writer_killed_midway_leaves_nothing_visible_and_its_leftover_is_swept_later(root: Path) -> None:
    with subprocess.Popen([sys.executable, PROGRAM, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(LINE)
        writer.stdin.flush()
        assert writer.stdout.readline() == b"asking\n"
        writer.kill()
    store = LocalBlobStore(root)
    (leftover,) = files_below(root)
    assert list(store.list()) == []
    assert not store.exists(hashlib.sha256(LINE).hexdigest())
    assert store.sweep_temporary() == 0

    yesterday = time.time() - 90_000
    os.utime(leftover, (yesterday, yesterday))
    assert store.sweep_temporary() == 1
    assert files_below(root) == []


def test_a_full_disk_is_named_and_leaves_nothing(root: Path) -> None:
    result = subprocess.run(
        [sys.executable, PROGRAM, root, "100000"], input=LINE * 10_000, capture_output=True, check=True, timeout=60
    )
    assert result.stdout.splitlines()[-1] == f"storage_full {root}".encode()
    assert files_below(root) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = LocalBlobStore(tmp_path / "file" / "blobs")
    with pytest.raises(ResourceLost, match="file/blobs cannot be used"):
        store.check_writable()
    with pytest.raises(ResourceLost, match="file/blobs cannot be used"):
        store.put([b"x"], max_bytes=10)


def test_files_of_strangers_are_neither_listed_nor_swept(root: Path) -> None:
    store = LocalBlobStore(root)
    info = store.put([b"x"], max_bytes=10)
    (root / "lost+found").mkdir()
    (root / "README").write_text("mine")
    (root / info.sha256[:2] / "notes.txt").write_text("mine")
    assert list(store.list()) == [info]
    assert store.sweep_temporary(older_than_s=-1) == 0


def test_putting_again_mends_a_damaged_blob(root: Path) -> None:
    store = LocalBlobStore(root)
    info = store.put([LINE], max_bytes=100)
    (path,) = files_below(root)
    path.write_bytes(LINE[:5])
    store.put([LINE], max_bytes=100)
    assert store.size(info.sha256) == len(LINE)


def test_blobs_fan_out_over_two_levels_and_are_closed_to_others(root: Path) -> None:
    info = LocalBlobStore(root).put([LINE], max_bytes=100)
    path = root / info.sha256[:2] / info.sha256[2:4] / info.sha256
    assert files_below(root) == [path]
    assert path.stat().st_mode & 0o007 == 0
