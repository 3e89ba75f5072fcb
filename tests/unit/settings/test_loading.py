from collections.abc import Mapping
from pathlib import Path

import pytest

from molecular_analysis_dashboard.domain.engine_commands import DockingPrograms
from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import all_variables, load_settings

SECRETS = tuple(variable.name for variable in all_variables() if variable.secret)

ADDRESSES = {
    "DATABASE_URL": "postgresql://a:hunter2@db/mad",
    "REDIS_URL": "redis://:hunter2@r:6379/0",
    "CELERY_BROKER_URL": "redis://:hunter2@r:6379/0",
    "CELERY_RESULT_BACKEND": "redis://:hunter2@r:6379/0",
}


def secret(name: str) -> str:
    return ADDRESSES.get(name, "admin:hunter2 with spaces")


def beside(name: str) -> dict[str, str]:
    """What a secret cannot stand without."""
    bucket = {"MAD_S3_BUCKET": "laboratory", "MAD_S3_ACCESS_KEY_ID": "key"}
    return bucket if name == "MAD_S3_SECRET_ACCESS_KEY" else {}


def problems(environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load_settings(environ)
    listed = caught.value.details["problems"]
    assert isinstance(listed, list)
    assert caught.value.message.splitlines()[1:] == [f"- {line}" for line in listed]
    return listed


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = load_settings({})
    assert settings.runtime.env == "development"
    assert (settings.runtime.host, settings.runtime.port) == ("127.0.0.1", 8000)
    assert settings.storage.results_dir == Path("/data/results")
    assert settings.storage.uploads_dir == Path("/data/uploads")
    assert settings.limits.max_upload_bytes == 2 * 1024**3
    assert settings.limits.max_decompressed_bytes == 8 * 1024**3
    assert settings.limits.max_structure_bytes == 200_000_000
    assert settings.docking.model_dump() == {
        "ligand_timeout_s": 1800,
        "preparation_timeout_s": 600,
        "analysis_timeout_s": 300,
        "engine_memory_bytes": 3 * 1024**3,
        "warm_receptors": 2,
        "engine_builds_dir": None,
        "engine_commands": "",
        "autogrid_command": "autogrid4",
    }
    assert settings.ledger.model_dump() == {
        "heartbeat_interval_s": 2,
        "worker_allowance_s": 12,
        "lease_s": 5,
        "dispatch_interval_s": 0.25,
        "reconcile_interval_s": 1,
        "resend_after_s": 15,
        "task_target_s": 60,
        "drain_grace_s": 20,
        "max_losses_per_ligand": 4,
        "pause_after_alike_failures": 10,
        "planning_window_tasks": 2000,
        "sweep_after_s": 86_400,
    }
    assert settings.flower.port == 5555
    assert settings.warnings == ()


def test_values_come_from_the_mapping_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9999")
    assert load_settings({}).runtime.port == 8000
    assert load_settings().runtime.port == 9999


def test_settings_cannot_be_changed() -> None:
    settings = load_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.runtime.port = 1


@pytest.mark.parametrize("name", [variable.name for variable in all_variables()])
def test_an_empty_variable_counts_as_absent(name: str) -> None:
    assert load_settings({name: ""}) == load_settings({})


@pytest.mark.parametrize(
    ("text", "expected"), [("2147483648", 2 * 1024**3), ("2GiB", 2 * 1024**3), ("5 MB", 5_000_000)]
)
def test_sizes_may_carry_a_unit(text: str, expected: int) -> None:
    assert load_settings({"MAD_MAX_UPLOAD_BYTES": text}).limits.max_upload_bytes == expected


def test_names_of_levels_may_be_written_in_capitals() -> None:
    assert load_settings({"LOG_LEVEL": "INFO", "ENV": "Test"}).runtime.log_level == "info"


def test_nobody_is_told_anything_unless_that_is_asked_for() -> None:
    telemetry = load_settings({}).telemetry
    assert (telemetry.worker_metrics_port, telemetry.worker_metrics_host) == (0, "127.0.0.1")
    assert (telemetry.otlp_endpoint, telemetry.service_name) == (None, None)


def test_other_variables_of_opentelemetry_are_its_own() -> None:
    assert load_settings({"OTEL_TRACES_SAMPLER": "always_off"}) == load_settings({})


class TestWorkers:
    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"WEB_CONCURRENCY": "3", "UVICORN_WORKERS": "3"}, 3),
            ({"WEB_CONCURRENCY": "3"}, 3),
            ({"UVICORN_WORKERS": "5"}, 5),
        ],
    )
    def test_either_variable_serves(self, environ: dict[str, str], expected: int) -> None:
        settings = load_settings(environ)
        assert settings.runtime.web_workers == expected
        assert settings.warnings == ()

    def test_web_concurrency_wins_with_a_warning(self) -> None:
        settings = load_settings({"WEB_CONCURRENCY": "3", "UVICORN_WORKERS": "5"})
        assert settings.runtime.web_workers == 3
        assert settings.warnings == ("WEB_CONCURRENCY=3 and UVICORN_WORKERS=5 differ; WEB_CONCURRENCY is used",)

    def test_without_either_there_is_one_per_core(self) -> None:
        assert load_settings({}).runtime.web_workers >= 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("ENV", "prod", "'development', 'production' or 'test'"),
            ("LOG_LEVEL", "loud", "'debug', 'info', 'warning', 'error' or 'critical'"),
            ("PORT", "http", "valid integer"),
            ("PORT", "0", "greater than or equal to 1"),
            ("PORT", "65536", "less than or equal to 65535"),
            ("WEB_CONCURRENCY", "0", "greater than or equal to 1"),
            ("CELERY_ACKS_LATE", "maybe", "true or false"),
            ("MAD_MAX_UPLOAD_BYTES", "2 potatoes", "a number of bytes, such as"),
            ("MAD_MAX_UPLOAD_BYTES", "0", "greater than 0"),
            ("MAD_LEASE_S", "soon", "valid number"),
            ("MAD_LEASE_S", "-1", "greater than 0"),
            ("MAD_LEASE_S", "nan", "finite"),
            ("MAD_LEASE_S", "inf", "finite"),
            ("MAD_WORKER_METRICS_PORT", "-1", "greater than or equal to 0"),
            ("MAD_WORKER_METRICS_PORT", "65536", "less than or equal to 65535"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "the address of a collector, such as"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317", "the address of a collector, such as"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "the address of a collector, such as"),
        ],
    )
    def test_a_wrong_value_is_named_with_what_is_allowed(self, name: str, value: str, allowed: str) -> None:
        (line,) = problems({name: value})
        assert line.startswith(f"{name}={value}: must be")
        assert allowed in line

    def test_all_problems_come_at_once(self) -> None:
        lines = problems({"PORT": "x", "MAD_LEASE": "3", "CELERY_WORKER_CONCURRENCY": "0", "REDIS_URL": "http://x"})
        assert [line.partition("=")[0].partition(" ")[0].rstrip(":") for line in lines] == [
            "MAD_LEASE",
            "PORT",
            "REDIS_URL",
            "CELERY_WORKER_CONCURRENCY",
        ]

    @pytest.mark.parametrize(
        ("name", "closest"),
        [
            ("MAD_HEARTBEAT_INTERVAL", "MAD_HEARTBEAT_INTERVAL_S"),
            ("MAD_STATIC_TOKEN_FILES", "MAD_STATIC_TOKEN_FILE"),
            ("MAD_DATADIR", "MAD_DATA_DIR"),
            ("MAD_LEASE_S_FILE", "MAD_LEASE_S"),
        ],
    )
    def test_an_unknown_name_is_refused_with_the_closest_known_one(self, name: str, closest: str) -> None:
        assert problems({name: "1"}) == [f"{name} is not a setting; did you mean {closest}?"]

    def test_names_of_others_are_left_alone(self) -> None:
        load_settings(
            {
                "MAD_DATA_DIR": "x",
                "MAD_SERVER": "x",
                "MAD_TOKEN": "x",
                "MAD_BENCHMARK_DATA": "x",
                "MAD_SKIP_FRONTEND": "1",
                "MAD_TEST_ANYTHING": "x",
                "MADNESS": "x",
                "PORTS": "x",
            }
        )

    def test_an_allowance_shorter_than_three_heartbeats_is_refused(self) -> None:
        (line,) = problems({"MAD_HEARTBEAT_INTERVAL_S": "5"})
        assert line == "MAD_WORKER_ALLOWANCE_S must be at least three times MAD_HEARTBEAT_INTERVAL_S"

    def test_a_lease_shorter_than_two_rounds_is_refused(self) -> None:
        (line,) = problems({"MAD_LEASE_S": "1"})
        assert line == "MAD_LEASE_S must be at least twice MAD_RECONCILE_INTERVAL_S"

    @pytest.mark.parametrize("value", ["admin", "admin:", ":secret", "admin:secret,guest"])
    def test_flower_needs_pairs(self, value: str) -> None:
        assert problems({"FLOWER_BASIC_AUTH": value}) == [
            "FLOWER_BASIC_AUTH: must be user:password, several separated by commas"
        ]


class TestSecretFiles:
    def test_the_secrets_are_these(self) -> None:
        others = {
            "FLOWER_BASIC_AUTH",
            "MAD_S3_SECRET_ACCESS_KEY",
            "MAD_STATIC_TOKEN",
            "POSTGRES_PASSWORD",
            "SECRET_KEY",
        }
        assert set(SECRETS) == {*ADDRESSES, *others}

    @pytest.mark.parametrize("name", SECRETS)
    @pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
    def test_a_secret_may_come_from_a_file(self, tmp_path: Path, name: str, ending: str) -> None:
        file = tmp_path / "secret"
        file.write_bytes((secret(name) + ending).encode())
        from_file = load_settings({**beside(name), f"{name}_FILE": str(file)})
        assert from_file == load_settings({**beside(name), name: secret(name)})

    @pytest.mark.parametrize("name", SECRETS)
    def test_a_secret_given_twice_is_refused(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / "secret"
        file.write_text(secret(name))
        environ = {**beside(name), name: secret(name), f"{name}_FILE": str(file)}
        assert problems(environ) == [f"{name} and {name}_FILE are both set; set only one of them"]

    @pytest.mark.parametrize("name", SECRETS)
    def test_secrets_are_not_shown(self, name: str) -> None:
        settings = load_settings({**beside(name), name: secret(name)})
        assert "hunter2" not in repr(settings) + str(settings) + str(settings.model_dump())

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        (line,) = problems({"SECRET_KEY_FILE": str(tmp_path / "absent")})
        assert line == f"SECRET_KEY_FILE={tmp_path}/absent: the file cannot be read (No such file or directory)"

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        (line,) = problems({"SECRET_KEY_FILE": str(tmp_path)})
        assert "cannot be read (Is a directory)" in line

    @pytest.mark.parametrize(("content", "reason"), [(b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8 text")])
    def test_a_file_without_a_text_is_refused(self, tmp_path: Path, content: bytes, reason: str) -> None:
        file = tmp_path / "secret"
        file.write_bytes(content)
        assert problems({"SECRET_KEY_FILE": str(file)}) == [f"SECRET_KEY_FILE={file}: the file {reason}"]

    @pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "FLOWER_BASIC_AUTH"])
    def test_a_refused_secret_is_not_quoted(self, name: str) -> None:
        (line,) = problems({name: ":mad:hunter2@[x"})
        assert line.startswith(f"{name}: ")
        assert "hunter2" not in line


def test_docking_programs_are_checked_when_the_settings_are_read() -> None:
    given = {"MAD_ENGINE_COMMANDS": "smina=/opt/smina"}
    assert load_settings(given).docking.engine_commands == "smina=/opt/smina"
    assert load_settings(given).docking.programs == DockingPrograms({"smina": ("/opt/smina",)}, "autogrid4")
    assert load_settings({"MAD_AUTOGRID_COMMAND": "off"}).docking.programs == DockingPrograms()
    with pytest.raises(Misconfigured, match=r"MAD_ENGINE_COMMANDS=.*“/opt/smina” must be name=program"):
        load_settings({"MAD_ENGINE_COMMANDS": "/opt/smina"})
