"""Every container gets the settings it needs, no others, and secrets only as files."""

from pathlib import Path

import pytest
from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import REPOSITORY, Overlay, Workload

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import all_variables, check_bind, load_settings
from molecular_analysis_dashboard.infrastructure.version import package_version

HOW_TO = (REPOSITORY / "docs" / "how-to" / "deploy-on-kubernetes.md").read_text(encoding="utf-8")
SECRETS = {
    "secret_key": "k" * 40,
    "static_token": "t" * 40,
    "database_url": "postgresql://mad:p%40ss%2Fw%25rd-long@postgres:5432/mad",
    "redis_url": "redis://redis:6379/0",
    "flower_basic_auth": "operator:long-password",
    "secret_access_key": "long-secret-access-key",
    "postgres_password": "p@ss/w%rd-long",
}
KEYS = {
    "api": {"secret_key", "static_token", "database_url", "redis_url"},
    "worker": {"secret_key", "database_url", "redis_url"},
    "flower": {"secret_key", "database_url", "redis_url", "flower_basic_auth"},
    "migrate": {"secret_key", "database_url"},
    "backup": {"secret_key", "database_url"},
    "postgres": {"postgres_password"},
    "redis": set[str](),
}


def mounted_secrets(workload: Workload, container: Manifest) -> dict[str, str]:
    """Files of Secrets in a container: the path, and the key that each holds."""
    volumes = workload.pod.get("volumes", ())
    secrets = {volume["name"]: volume["secret"] for volume in volumes if "secret" in volume}
    return {
        f"{mount['mountPath']}/{item['path']}": item["key"]
        for mount in container["volumeMounts"]
        if mount["name"] in secrets
        for item in secrets[mount["name"]]["items"]
    }


def secret_names() -> tuple[set[str], set[str]]:
    """Names of secret settings: those that hold the secret, those that name its file."""
    names = {variable.name for variable in all_variables() if variable.secret}
    return names, {f"{name}_FILE" for name in names}


def test_every_variable_is_a_setting_and_none_is_a_secret(overlay: Overlay) -> None:
    secret, files = secret_names()
    known = {variable.name for variable in all_variables()} | files
    for _, container in overlay.our_containers():
        names = overlay.environment_of(container).keys()
        assert names <= known - secret, container["name"]
    assert overlay.of_kind("Secret") == {}


def test_every_secret_that_is_named_is_mounted(overlay: Overlay) -> None:
    _, files = secret_names()
    for workload in overlay.workloads.values():
        for container in workload.containers:
            given = overlay.environment_of(container)
            named = {value for name, value in given.items() if name in files}
            assert named <= mounted_secrets(workload, container).keys(), container["name"]


def test_a_pod_holds_no_secret_that_it_does_not_use(overlay: Overlay) -> None:
    for name, workload in overlay.workloads.items():
        named = {value for item in workload.containers for value in overlay.environment_of(item).values()}
        mounted = [mounted_secrets(workload, item) for item in workload.containers]
        assert {path for files in mounted for path in files} <= named, name
        s3 = {"secret_access_key"} if overlay.name == "production" and name in ("api", "worker", "backup") else set()
        assert {key for files in mounted for key in files.values()} == KEYS[name] | s3, name


def test_the_settings_are_accepted_in_production(overlay: Overlay, tmp_path: Path) -> None:
    for key, content in SECRETS.items():
        (tmp_path / key).write_text(content + "\n")
    for workload, container in overlay.our_containers():
        files = mounted_secrets(workload, container)
        given = overlay.environment_of(container)
        settings = load_settings(
            {name: str(tmp_path / files[value]) if value in files else value for name, value in given.items()}
        )
        assert settings.runtime.env == "production"
        assert settings.warnings == ()
        if container["name"] == "api":
            check_bind(settings)


@pytest.mark.parametrize("missing", ["secret_key", "static_token", "database_url"])
def test_the_api_does_not_start_without_a_secret(production: Overlay, tmp_path: Path, missing: str) -> None:
    for key in SECRETS.keys() - {missing}:
        (tmp_path / key).write_text(SECRETS[key])
    api = production.workloads["api"]
    files = mounted_secrets(api, api.main)
    given = production.environment_of(api.main)
    with pytest.raises(Misconfigured, match=f"{missing.upper()}_FILE"):
        load_settings(
            {name: str(tmp_path / files[value]) if value in files else value for name, value in given.items()}
        )


def test_the_how_to_makes_every_secret(overlay: Overlay) -> None:
    secrets = [
        volume["secret"]
        for workload in overlay.workloads.values()
        for volume in workload.pod.get("volumes", ())
        if "secret" in volume
    ]
    assert {secret["secretName"] for secret in secrets if f"generic {secret['secretName']}" not in HOW_TO} == set()
    keys = {item["key"] for secret in secrets for item in secret["items"]}
    assert {key for key in keys if f"--from-file={key}" not in HOW_TO} == set()


def test_the_images_are_those_of_this_version(overlay: Overlay) -> None:
    tags = {container["image"].rpartition(":")[2] for _, container in overlay.our_containers()}
    assert tags == {package_version()}


def test_api_worker_and_backup_have_their_files_in_one_place(overlay: Overlay) -> None:
    places, mounts = [], []
    for name in ("api", "worker", "backup"):
        container = overlay.workloads[name].main
        given = overlay.environment_of(container).items()
        places.append({key: value for key, value in given if key.startswith("MAD_S3_") or key.endswith("_DIR")})
        mounts.append(
            {item["mountPath"] for item in container["volumeMounts"] if item["name"] in ("results", "uploads")}
        )
    assert places[0] == places[1] == places[2]
    assert ("MAD_S3_BUCKET" in places[0]) == (overlay.name == "production")
    assert mounts[0] == mounts[1] == mounts[2] == {value for key, value in places[0].items() if key.endswith("_DIR")}
