"""Which store the settings choose, and what a server and `mad doctor` say of a bucket."""

from pathlib import Path

import pytest
from tests.support.live_server import LiveServer
from tests.support.s3_server import S3Server
from tests.support.structure_text import complex_pdb

from molecular_analysis_dashboard.adapters.storage import LocalBlobStore, S3BlobStore
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.diagnosis import Finding, Verdict, diagnose
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.presentation.api.application import create_app


def with_bucket(settings: Settings, s3: S3Server, bucket: str) -> Settings:
    return settings.model_copy(update={"storage": load_settings(s3.settings(bucket)).storage})


def test_folders_are_the_choice_without_a_bucket(tmp_path: Path) -> None:
    blobs = build_blobs(load_settings({"UPLOADS_DIR": str(tmp_path / "u"), "RESULTS_DIR": str(tmp_path / "r")}))
    assert isinstance(blobs.uploads, LocalBlobStore)
    blobs.uploads.put([b"x"], max_bytes=1)
    assert (len(list(blobs.uploads.list())), len(list(blobs.results.list()))) == (1, 0)


def test_one_bucket_holds_both_stores(s3: S3Server) -> None:
    bucket = s3.make_bucket()
    blobs = build_blobs(load_settings(s3.settings(bucket)))
    assert isinstance(blobs.uploads, S3BlobStore)
    names = [
        store.put([content], max_bytes=1).sha256 for store, content in ((blobs.uploads, b"u"), (blobs.results, b"r"))
    ]
    assert s3.keys(bucket) == sorted([f"mad/uploads/{names[0]}", f"mad/results/{names[1]}"])


def test_a_server_whose_bucket_is_missing_is_not_ready_and_refuses_uploads(settings: Settings, s3: S3Server) -> None:
    with LiveServer(create_app(with_bucket(settings, s3, "not-made"))) as server, server.client() as client:
        ready = client.get("/ready")
        upload = client.post("/api/v1/structures", params={"file_name": "4iaq.pdb"}, content=complex_pdb())
        s3.s3.create_bucket(Bucket="not-made", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        assert client.get("/ready").status_code == 200
    assert ready.status_code == 503
    assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == ["storage"]
    assert "not-made" not in ready.text
    assert upload.status_code == 503
    assert upload.json()["error"]["code"] == "storage_unavailable"


@pytest.mark.parametrize("made", [True, False])
def test_the_doctor_tries_the_bucket(s3: S3Server, tmp_path: Path, made: bool) -> None:
    bucket = s3.make_bucket() if made else "nobody-made-this"
    environ = {
        **s3.settings(bucket),
        "DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    finding = doctors_word(tmp_path, environ)
    assert finding.verdict is (Verdict.OK if made else Verdict.PROBLEM)
    assert bucket in finding.message


def test_the_doctor_tries_folders_and_makes_none(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        "REDIS_URL": "redis://127.0.0.1:1",
        "UPLOADS_DIR": str(tmp_path / "uploads"),
        "RESULTS_DIR": str(tmp_path / "results"),
    }
    finding = doctors_word(tmp_path, environ)
    assert (finding.verdict, finding.message) == (Verdict.WARNING, f"{tmp_path}/uploads does not exist yet.")
    assert list(tmp_path.iterdir()) == []


def doctors_word(folder: Path, environ: dict[str, str]) -> Finding:
    (finding,) = (finding for finding in diagnose(folder, environ) if finding.check == "storage")
    return finding
