import pytest

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import load_settings

BUCKET = {"MAD_S3_BUCKET": "laboratory-files"}
KEYS = {"MAD_S3_ACCESS_KEY_ID": "AKIAEXAMPLE", "MAD_S3_SECRET_ACCESS_KEY": "a secret of some length"}
WHOLE = {
    **BUCKET,
    **KEYS,
    "MAD_S3_ENDPOINT": "https://minio.example.org:9000",
    "MAD_S3_REGION": "eu-central-1",
    "MAD_S3_PREFIX": "mad",
}
PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": "k" * 32,
    "POSTGRES_PASSWORD": "p" * 12,
    "MAD_STATIC_TOKEN": "t" * 32,
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load_settings(environ)
    listed = caught.value.details["problems"]
    assert isinstance(listed, list)
    return listed


def test_without_a_bucket_files_lie_in_folders() -> None:
    assert load_settings({}).storage.s3_bucket is None


def test_the_bucket_alone_is_enough() -> None:
    storage = load_settings(BUCKET).storage
    assert (storage.s3_bucket, storage.s3_endpoint, storage.s3_access_key_id) == ("laboratory-files", None, None)


def test_everything_can_be_said() -> None:
    settings = load_settings(WHOLE)
    assert settings.warnings == ()
    assert settings.storage.s3_endpoint == "https://minio.example.org:9000"
    assert "a secret of some length" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAD_S3_BUCKET", "ab"),
        ("MAD_S3_BUCKET", "Laboratory"),
        ("MAD_S3_BUCKET", "a" * 64),
        ("MAD_S3_BUCKET", "lab..files"),
        ("MAD_S3_BUCKET", "s3://lab"),
        ("MAD_S3_BUCKET", "lab/files"),
        ("MAD_S3_ENDPOINT", "minio:9000"),
        ("MAD_S3_ENDPOINT", "ftp://minio"),
        ("MAD_S3_ENDPOINT", "https://"),
        ("MAD_S3_ENDPOINT", "https://minio:99999"),
        ("MAD_S3_ENDPOINT", "https://minio/bucket"),
        ("MAD_S3_ENDPOINT", "https://minio?x=1"),
        ("MAD_S3_REGION", "eu central"),
        ("MAD_S3_PREFIX", "/mad"),
        ("MAD_S3_PREFIX", "mad//files"),
        ("MAD_S3_PREFIX", "../mad"),
        ("MAD_S3_PREFIX", "mad/."),
        ("MAD_S3_PREFIX", "mad files"),
        ("MAD_S3_PREFIX", "x" * 201),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, value: str) -> None:
    (line,) = problems({**WHOLE, name: value})
    assert line.startswith(f"{name}={value}: must be ")


def test_a_password_in_the_endpoint_is_refused_and_not_shown() -> None:
    (line,) = problems({**WHOLE, "MAD_S3_ENDPOINT": "https://user:hunter2@minio"})
    assert line.startswith("MAD_S3_ENDPOINT=")
    assert "hunter2" not in line


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in ("MAD_S3_BUCKET", *KEYS)])
def test_a_detail_without_the_bucket_is_refused(name: str) -> None:
    assert problems({name: WHOLE[name]}) == [
        "MAD_S3_* is set without MAD_S3_BUCKET; name the bucket, or unset all of them"
    ]


@pytest.mark.parametrize("name", KEYS)
def test_half_of_the_credentials_is_refused(name: str) -> None:
    assert problems({**BUCKET, name: KEYS[name]}) == [
        "MAD_S3_ACCESS_KEY_ID and MAD_S3_SECRET_ACCESS_KEY go together; set both or neither"
    ]


def test_slashes_at_the_end_mean_nothing() -> None:
    storage = load_settings({**WHOLE, "MAD_S3_PREFIX": "mad/files/", "MAD_S3_ENDPOINT": "https://minio/"}).storage
    assert (storage.s3_prefix, storage.s3_endpoint) == ("mad/files", "https://minio")


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:9000"])
def test_an_open_connection_within_the_machine_is_no_matter(host: str) -> None:
    assert load_settings({**WHOLE, "MAD_S3_ENDPOINT": f"http://{host}"}).warnings == ()


def test_an_open_connection_through_the_network_is_a_warning() -> None:
    (warning,) = load_settings({**WHOLE, "MAD_S3_ENDPOINT": "http://minio:9000"}).warnings
    assert warning.startswith("MAD_S3_ENDPOINT is http://")


def test_uploads_that_a_bucket_cannot_copy_are_refused() -> None:
    load_settings({**BUCKET, "MAD_MAX_UPLOAD_BYTES": "5GiB"})
    load_settings({"MAD_MAX_UPLOAD_BYTES": "50GiB"})
    (line,) = problems({**BUCKET, "MAD_MAX_UPLOAD_BYTES": "6GiB"})
    assert line.startswith("MAD_MAX_UPLOAD_BYTES must be at most 5GiB with MAD_S3_BUCKET")


class TestProduction:
    def test_a_good_secret_or_none_is_accepted(self) -> None:
        load_settings({**PRODUCTION, **WHOLE})
        load_settings({**PRODUCTION, **BUCKET})

    @pytest.mark.parametrize(
        ("secret", "reason"),
        [("hunter2", "is shorter than 12 characters"), ("change-me-" * 3, "is the published example")],
    )
    def test_a_weak_secret_is_refused(self, secret: str, reason: str) -> None:
        (line,) = problems({**PRODUCTION, **WHOLE, "MAD_S3_SECRET_ACCESS_KEY": secret})
        assert line.startswith(f"MAD_S3_SECRET_ACCESS_KEY {reason}")
        assert secret not in line
