"""What docker-compose.yml promises: the deployment contract, and the policies of every container."""

import re
import tomllib
from typing import Any

import pytest
from tests.unit.deployment.conftest import ROOT, read_compose

from molecular_analysis_dashboard.infrastructure.settings import all_variables, load_settings

COMPOSE_TEXT = "".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("docker-compose.yml", "docker-compose.secrets.yml")
)
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
SERVICES = tuple(read_compose()["services"])
ONE_SHOT = {"migrate"}
DATA = {"postgres", "redis"}
OURS = {"migrate", "api", "worker", "flower"}
PROXIES = {"proxy", "proxy-tls"}
# Handed to `docker build` only when the build host has them.
BUILD_HOST = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "NPM_CONFIG_REGISTRY"}
_USED = re.compile(r"(?<!\$)\$\{([A-Z_]+)")


def test_services_networks_and_volumes_are_those_of_the_contract(compose: dict[str, Any]) -> None:
    assert set(SERVICES) == DATA | OURS | PROXIES
    assert set(compose["volumes"]) == {"pgdata", "redisdata", "results", "uploads"}
    for name in DATA | OURS:
        assert "appnet" in compose["services"][name]["networks"]


def test_data_services_are_on_an_internal_network_alone(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert compose["networks"]["appnet"] == {"internal": True}
    for name in DATA:
        assert services[name]["networks"] == ["appnet"]
        assert "ports" not in services[name]
    for name in PROXIES:
        assert services[name]["networks"] == ["edge"], "a proxy has no way to the data services"


def test_only_proxies_and_flower_are_published(services: dict[str, Any]) -> None:
    assert {name for name in SERVICES if "ports" in services[name]} == PROXIES | {"flower"}
    assert services["proxy"]["ports"] == ["${PROXY_ADDRESS:-127.0.0.1}:${PORT:-8000}:8000"]
    assert services["flower"]["ports"] == ["${FLOWER_ADDRESS:-127.0.0.1}:${FLOWER_PORT:-5555}:${FLOWER_PORT:-5555}"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_hardened(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert name in OURS or service["user"] not in {"root", "0", "0:0"}
    assert not [volume for volume in service.get("volumes", ()) if "docker.sock" in volume]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_limited_by_the_environment(services: dict[str, Any], name: str) -> None:
    limits = services[name]["deploy"]["resources"]["limits"]
    prefix = "PROXY" if name in PROXIES else name.upper()
    assert re.fullmatch(rf"\$\{{{prefix}_CPUS:-[\d.]+\}}", limits["cpus"])
    assert re.fullmatch(rf"\$\{{{prefix}_MEMORY:-\d+[mg]\}}", limits["memory"])
    assert limits["pids"] > 0


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_a_health_check_or_ends(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert ("healthcheck" in service) != (name in ONE_SHOT)
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


def test_health_checks_are_those_of_the_contract(services: dict[str, Any]) -> None:
    for name, command in (("postgres", "pg_isready"), ("redis", "redis-cli")):
        check = services[name]["healthcheck"]
        assert command in check["test"][1]
        assert (check["interval"], check["timeout"], check["retries"]) == ("10s", "5s", 5)
    api = services["api"]["healthcheck"]
    assert api["interval"] == "15s"
    assert api["test"][-1] == "http://localhost:${PORT:-8000}/health"
    assert services["worker"]["healthcheck"]["test"] == ["CMD", "mad", "check-worker"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_can_be_chosen(services: dict[str, Any], name: str) -> None:
    chosen = re.fullmatch(r"(.*)\$\{([A-Z_]+):-(.+)\}", services[name]["image"])
    assert chosen is not None
    tag = (chosen[1] + chosen[3]).rpartition(":")[2]
    assert re.match(r"\d", tag), "a moving tag"


def test_our_images_carry_the_version_of_the_project(services: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name in OURS:
        assert services[name]["image"].endswith(f"${{IMAGE_TAG:-{version}}}")


def test_migrations_end_before_api_and_worker_start(services: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["command"] == ["alembic", "upgrade", "head"]
    assert services["migrate"]["image"] == services["api"]["image"]
    assert services["api"]["depends_on"]["proxy"] == {"condition": "service_started"}


def test_worker_takes_log_level_concurrency_and_prefetch_from_the_environment(services: dict[str, Any]) -> None:
    command = services["worker"]["command"]
    assert command[0] == "celery", "the exec form lets SIGTERM arrive"
    assert {
        "--loglevel=${LOG_LEVEL:-info}",
        "--concurrency=${CELERY_WORKER_CONCURRENCY:-2}",
        "--prefetch-multiplier=${CELERY_PREFETCH_MULTIPLIER:-1}",
        "--task-events",
    } <= set(command)


def test_worker_has_time_to_hand_its_tasks_back(services: dict[str, Any]) -> None:
    grace = re.fullmatch(r"\$\{WORKER_STOP_GRACE_PERIOD:-(\d+)s\}", services["worker"]["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) >= load_settings({}).ledger.drain_grace_s + 30


def test_every_setting_reaches_the_containers_and_nothing_else_does(compose: dict[str, Any]) -> None:
    assert set(compose["x-environment"]) == {variable.name for variable in all_variables()}
    for name in OURS:
        assert compose["services"][name]["environment"] == compose["x-environment"]


def test_environment_hands_each_variable_on_under_its_own_name(compose: dict[str, Any]) -> None:
    for name, value in compose["x-environment"].items():
        assert value is None or re.fullmatch(rf"\$\{{{name}:-.+\}}", value), "an empty value is not an absent one"


def test_defaults_of_compose_are_those_of_the_example() -> None:
    example = dict(re.findall(r"^(?:# )?([A-Z_]+)=(\S*)$", EXAMPLE, re.MULTILINE))
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE_TEXT):
        assert example[name] == default, name


def test_every_variable_of_compose_stands_in_the_example() -> None:
    used = set(_USED.findall(COMPOSE_TEXT))
    assert used <= set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE))


def test_every_variable_of_compose_alone_is_described() -> None:
    settings = {variable.name for variable in all_variables()}
    guide = (ROOT / "docs" / "how-to" / "deploy-with-compose.md").read_text(encoding="utf-8")
    for name in (set(_USED.findall(COMPOSE_TEXT)) - settings) | BUILD_HOST:
        assert f"`{name}`" in guide, name


def test_secrets_from_files_replace_every_secret_with_a_default(compose: dict[str, Any]) -> None:
    override = read_compose("docker-compose.secrets.yml")
    secret = {variable.name for variable in all_variables() if variable.secret}
    with_default = {name for name in secret if compose["x-environment"][name] is not None}
    for name in OURS:
        environment = override["services"][name]["environment"]
        assert with_default | {"DATABASE_URL"} == {key for key, value in environment.items() if value == ""}
        files = {key.removesuffix("_FILE"): value for key, value in environment.items() if key.endswith("_FILE")}
        assert set(files) == with_default
        assert {value.rpartition("/")[2] for value in files.values()} == set(override["services"][name]["secrets"])
    assert set(override["services"]) == OURS | {"postgres"}
    assert set(override["secrets"]) >= set(override["services"]["api"]["secrets"])
