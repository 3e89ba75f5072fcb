import pytest
from kombu.utils.url import url_to_parts
from redis import ConnectionPool

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import Queue, load_settings


def queue(**environ: str) -> Queue:
    return load_settings(environ).queue


def addresses(**environ: str) -> tuple[str, str, str]:
    found = queue(**environ)
    return found.redis_url, found.broker_url, found.result_backend


def test_defaults_suit_long_tasks() -> None:
    found = queue()
    assert (found.worker_concurrency, found.prefetch_multiplier, found.acks_late) == (2, 1, True)
    assert queue(CELERY_ACKS_LATE="false").acks_late is False


@pytest.mark.parametrize(
    ("environ", "redis", "broker", "backend"),
    [
        ({}, "redis://redis:6379/0", "redis://redis:6379/0", "redis://redis:6379/0"),
        (
            {"REDIS_HOST": "r", "REDIS_PORT": "6380"},
            "redis://r:6380/0",
            "redis://r:6380/0",
            "redis://r:6380/0",
        ),
        ({"REDIS_HOST": "::1"}, "redis://[::1]:6379/0", "redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ({"REDIS_URL": "redis://:p%40@r/3"}, "redis://:p%40@r/3", "redis://:p%40@r/3", "redis://:p%40@r/3"),
        ({"CELERY_BROKER_URL": "redis://b/1"}, "redis://b/1", "redis://b/1", "redis://b/1"),
        (
            {"REDIS_HOST": "r", "CELERY_BROKER_URL": "redis://b/1"},
            "redis://r:6379/0",
            "redis://b/1",
            "redis://b/1",
        ),
        (
            {"REDIS_URL": "redis://r/0", "CELERY_BROKER_URL": "redis://b/1", "CELERY_RESULT_BACKEND": "redis://c/2"},
            "redis://r/0",
            "redis://b/1",
            "redis://c/2",
        ),
        (
            {"REDIS_URL": "unix:///run/r.sock?db=2"},
            "unix:///run/r.sock?db=2",
            "redis+socket:///run/r.sock?virtual_host=2",
            "redis+socket:///run/r.sock?virtual_host=2",
        ),
        (
            {"CELERY_BROKER_URL": "redis+socket:///run/r.sock"},
            "unix:///run/r.sock?db=0",
            "redis+socket:///run/r.sock",
            "redis+socket:///run/r.sock",
        ),
        (
            {"REDIS_URL": "rediss://r:6379/0"},
            "rediss://r:6379/0",
            "rediss://r:6379/0?ssl_cert_reqs=required",
            "rediss://r:6379/0?ssl_cert_reqs=required",
        ),
        (
            {"REDIS_URL": "rediss://r:6379/0?ssl_cert_reqs=none"},
            "rediss://r:6379/0?ssl_cert_reqs=none",
            "rediss://r:6379/0?ssl_cert_reqs=none",
            "rediss://r:6379/0?ssl_cert_reqs=none",
        ),
    ],
)
def test_each_address_follows_from_the_others(environ: dict[str, str], redis: str, broker: str, backend: str) -> None:
    assert addresses(**environ) == (redis, broker, backend)


def test_the_libraries_read_a_socket_with_a_password_alike() -> None:
    redis, broker, _ = addresses(REDIS_URL="unix://me:p%40ss@/run/r.sock?db=2")
    client = ConnectionPool.from_url(redis).connection_kwargs
    assert (client["username"], client["password"], client["path"], client["db"]) == ("me", "p@ss", "/run/r.sock", 2)
    celery = url_to_parts(broker)
    assert (celery.username, celery.password, celery.path) == ("me", "p@ss", "run/r.sock")
    assert celery.query == {"virtual_host": "2"}


@pytest.mark.parametrize("name", ["REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("amqp://guest@r//", "must begin with redis://, rediss://, unix:// or redis+socket://"),
        ("redis:6379", "names no host"),
        ("r:6379/0", "must begin with"),
        ("redis://:hunter2@:6379/0", "names no host"),
        ("redis://r:port/0", "must be redis://host:port/number"),
        ("redis://r:6379/zero", "must be a number"),
        ("unix://", "names no socket"),
        ("unix://run/r.sock", "names no socket"),
        ("redis+socket:///run/r.sock?virtual_host=a", "must be a number"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_reason(name: str, url: str, reason: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        queue(**{name: url})
    assert f"- {name}: " in caught.value.message
    assert reason in caught.value.message
    assert "hunter2" not in caught.value.message
