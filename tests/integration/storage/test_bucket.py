"""What only a bucket can suffer: it is missing, closed, out of reach, full; and what it costs."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.s3_server import REGION, S3Server

from molecular_analysis_dashboard.adapters.storage import Bucket, BucketAddress, S3BlobStore
from molecular_analysis_dashboard.adapters.storage.s3 import PART_BYTES
from molecular_analysis_dashboard.domain.errors import NotFound, ResourceLost
from molecular_analysis_dashboard.ports.blobs import BlobStore

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "store-files-in-s3.md"
PROGRAM = Path(__file__).with_name("bucket_writer_program.py")
MISSING = "0" * 64
SMALL, LARGE = b"CCO ethanol\n", b"CCO ethanol\n" * 1_000_000
LIMIT = 10**9

USES: dict[str, Callable[[BlobStore], object]] = {
    "put": lambda store: store.put([SMALL], max_bytes=LIMIT),
    "put large": lambda store: store.put([LARGE], max_bytes=LIMIT),
    "open": lambda store: store.open(MISSING),
    "read range": lambda store: store.read_range(MISSING, 0, 1),
    "exists": lambda store: store.exists(MISSING),
    "size": lambda store: store.size(MISSING),
    "delete": lambda store: store.delete(MISSING),
    "list": lambda store: list(store.list()),
    "check": lambda store: store.check_writable(),
    "claim": lambda store: store.claim("somebody"),
    "sweep": lambda store: store.sweep_temporary(),
}
each_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.make_bucket()


@pytest.fixture
def store(s3: S3Server, bucket: str) -> S3BlobStore:
    return S3BlobStore(s3.open(bucket), "uploads")


def refused(store: BlobStore, use: Callable[[BlobStore], object], bucket: str, code: str) -> ResourceLost:
    """Assert that a use fails in our words, with the bucket and without the name of any object."""
    with pytest.raises(ResourceLost) as caught:
        use(store)
    error = caught.value
    assert error.error_code == code
    assert error.details["bucket"] == bucket
    assert f"The bucket {bucket} " in error.message
    for text in (error.message, str(error.details)):
        assert MISSING not in text
        assert not re.search(r"uploads|incoming|://", text)
    return error


class TestRefusal:
    @each_use
    def test_a_missing_bucket_is_named(self, s3: S3Server, use: Callable[[BlobStore], object]) -> None:
        store = S3BlobStore(s3.open("nobody-made-this"), "uploads")
        assert refused(store, use, "nobody-made-this", "storage_unavailable").details["reason"] == "NoSuchBucket"

    @each_use
    def test_a_wrong_secret_is_refused(self, s3: S3Server, bucket: str, use: Callable[[BlobStore], object]) -> None:
        key_id, secret = s3.make_user(policy_of_the_how_to(bucket))
        store = S3BlobStore(s3.open(bucket, key_id=key_id, secret=secret[::-1]), "uploads")
        with s3.checking_access():
            error = refused(store, use, bucket, "storage_unavailable")
        assert error.details["reason"] in ("SignatureDoesNotMatch", "403 Forbidden")
        assert secret[::-1] not in str(error.__cause__)

    def test_a_policy_that_only_reads_is_told_by_the_check(self, s3: S3Server, bucket: str) -> None:
        policy = policy_of_the_how_to(bucket)
        policy["Statement"][0]["Action"] = ["s3:GetObject"]
        key_id, secret = s3.make_user(policy)
        with s3.checking_access():
            store = S3BlobStore(s3.open(bucket, key_id=key_id, secret=secret), "uploads")
            assert list(store.list()) == []
            error = refused(store, lambda store: store.check_writable(), bucket, "storage_unavailable")
        assert error.details["reason"] == "AccessDenied"

    @each_use
    def test_a_store_out_of_reach_is_told_soon(self, use: Callable[[BlobStore], object]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        address = BucketAddress("laboratory", f"http://127.0.0.1:{port}", REGION, None, "key", "secret")
        error = refused(S3BlobStore(Bucket(address), "uploads"), use, "laboratory", "storage_unavailable")
        assert error.details["reason"] == "no answer"

    def test_a_store_without_room_is_told_apart(self, bucket: str, full: str) -> None:
        closed = S3BlobStore(Bucket(BucketAddress(bucket, full, REGION, None, "key", "secret")), "uploads")
        error = refused(closed, USES["put"], bucket, "storage_full")
        assert error.details["reason"] == "QuotaExceeded"

    def test_without_any_credentials_the_reason_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
        store = S3BlobStore(Bucket(BucketAddress("laboratory", "http://127.0.0.1:9", REGION)), "uploads")
        error = refused(store, USES["check"], "laboratory", "storage_unavailable")
        assert error.details["reason"] in ("no credentials", "no answer")


class TestCredentials:
    def test_the_policy_of_the_how_to_is_enough_and_ends_at_the_prefix(self, s3: S3Server, bucket: str) -> None:
        key_id, secret = s3.make_user(policy_of_the_how_to(bucket))
        with s3.checking_access():
            store = S3BlobStore(s3.open(bucket, key_id=key_id, secret=secret), "uploads")
            for content in (SMALL, LARGE):
                info = store.put([content], max_bytes=LIMIT)
                with store.open(info.sha256) as file:
                    assert file.read() == content
                store.delete(info.sha256)
            with pytest.raises(RuntimeError, match="broken"):
                store.put(breaking_off(), max_bytes=LIMIT)
            store.check_writable()
            assert store.claim("first") == "first"
            assert store.claim("second") == "first"
            assert not store.exists(MISSING)
            assert list(store.list()) == []
            assert store.sweep_temporary(older_than_s=-1) == 0
            elsewhere = S3BlobStore(s3.open(bucket, key_id=key_id, secret=secret, prefix="others"), "uploads")
            refused(elsewhere, USES["put"], bucket, "storage_unavailable")

    def test_credentials_of_the_surroundings_serve_when_none_are_set(
        self, s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key_id, secret = s3.make_user(policy_of_the_how_to(bucket))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        store = S3BlobStore(Bucket(BucketAddress(bucket, s3.url, REGION, "mad")), "uploads")
        with s3.checking_access():
            store.check_writable()

    def test_the_settings_win_over_the_surroundings(
        self, s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "another"),
            ("AWS_SECRET_ACCESS_KEY", "another"),
            ("AWS_SESSION_TOKEN", "another"),
            ("AWS_REGION", "us-west-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ):
            monkeypatch.setenv(name, value)
        key_id, secret = s3.make_user(policy_of_the_how_to(bucket))
        with s3.checking_access():
            S3BlobStore(s3.open(bucket, key_id=key_id, secret=secret), "uploads").check_writable()

    def test_an_address_shows_no_secret(self) -> None:
        assert "hidden" not in repr(BucketAddress("laboratory", None, None, None, "key", "hidden"))


def test_the_rules_of_the_how_to_are_rules_of_s3(s3: S3Server, bucket: str) -> None:
    rules = json.loads(json_of_the_how_to("Rules"))
    s3.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    kept = s3.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in kept] == [rule["ID"] for rule in rules["Rules"]]


class TestPut:
    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=len)
    def test_a_blob_that_is_there_is_not_written_again(
        self, s3: S3Server, store: S3BlobStore, bucket: str, content: bytes
    ) -> None:
        info = store.put([content], max_bytes=LIMIT)
        key = f"mad/uploads/{info.sha256}"
        s3.s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "first", "Value": "yes"}]})
        assert store.put([content], max_bytes=LIMIT) == info
        assert s3.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == [{"Key": "first", "Value": "yes"}]
        assert s3.keys(bucket) == [key]

    @pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
    def test_content_of_any_size_around_a_part_is_whole(
        self, s3: S3Server, store: S3BlobStore, bucket: str, size: int
    ) -> None:
        content = bytes(1000) * (size // 1000) + b"x" * (size % 1000)
        info = store.put((content[start : start + 65_536] for start in range(0, size, 65_536)), max_bytes=LIMIT)
        assert store.size(info.sha256) == size
        with store.open(info.sha256) as file:
            assert file.read() == content
        assert s3.keys(bucket) == [f"mad/uploads/{info.sha256}"]

    def test_a_broken_upload_leaves_no_parts_behind(self, s3: S3Server, store: S3BlobStore, bucket: str) -> None:
        with pytest.raises(RuntimeError, match="broken"):
            store.put(breaking_off(), max_bytes=LIMIT)
        assert s3.keys(bucket) == []
        assert s3.unfinished_uploads(bucket) == []

    def test_the_memory_of_a_large_upload_and_download_stays_small(self, s3: S3Server, bucket: str) -> None:
        megabytes = 40
        command = [sys.executable, str(PROGRAM), s3.url, bucket, str(megabytes)]
        result = subprocess.run(command, capture_output=True, check=True, timeout=120)
        grown = int(result.stdout) * 1024
        # Three parts on their way, one being filled, and what is read at once.
        assert grown < 30 * 10**6, f"{grown / 1e6:.0f} MB for {megabytes} MB"

    def test_two_stores_share_a_bucket_and_see_only_their_own(self, s3: S3Server, bucket: str) -> None:
        opened = s3.open(bucket)
        uploads, results = S3BlobStore(opened, "uploads"), S3BlobStore(opened, "results")
        info = uploads.put([SMALL], max_bytes=LIMIT)
        assert (list(uploads.list()), list(results.list())) == ([info], [])
        with pytest.raises(NotFound):
            results.open(info.sha256)

    def test_objects_of_strangers_are_neither_listed_nor_swept(
        self, s3: S3Server, store: S3BlobStore, bucket: str
    ) -> None:
        info = store.put([SMALL], max_bytes=LIMIT)
        strangers = ["README", "mad/uploads.txt", "mad/uploads/notes.txt", f"mad/uploads/{MISSING}/x", "mad/incoming/x"]
        for key in strangers:
            s3.s3.put_object(Bucket=bucket, Key=key, Body=b"mine")
        assert list(store.list()) == [info]
        assert store.sweep_temporary(older_than_s=-1) == 0
        assert set(strangers) < set(s3.keys(bucket))

    def test_what_a_killed_writer_left_is_swept_when_it_is_old(
        self, s3: S3Server, store: S3BlobStore, bucket: str
    ) -> None:
        s3.s3.put_object(Bucket=bucket, Key="mad/incoming/uploads/left", Body=b"x")
        assert store.sweep_temporary() == 0
        assert store.sweep_temporary(older_than_s=-1) == 1
        assert s3.keys(bucket) == []

    def test_a_blob_deleted_while_it_is_read_breaks_off(self, store: S3BlobStore) -> None:
        info = store.put([LARGE], max_bytes=LIMIT)
        with store.open(info.sha256) as file:
            file.read(10)
            store.delete(info.sha256)
            with pytest.raises(NotFound):
                file.read()


@pytest.fixture
def full() -> Iterator[str]:
    """The address of a store that has no room."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b"<Error><Code>QuotaExceeded</Code></Error>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def breaking_off() -> Iterator[bytes]:
    yield LARGE
    raise RuntimeError("broken")


def policy_of_the_how_to(bucket: str) -> dict[str, list[dict[str, object]]]:
    """The rights that the documentation asks for."""
    policy: dict[str, list[dict[str, object]]] = json.loads(
        json_of_the_how_to("Version").replace("laboratory-files", bucket)
    )
    return policy


def json_of_the_how_to(first: str) -> str:
    """The example of the documentation that begins with a key."""
    (text,) = re.findall(rf"```json\n(\{{\n  \"{first}\": .*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    return str(text)
