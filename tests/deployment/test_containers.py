"""What can be seen of the containers from outside: users, powers, ports, contents."""

import json
import re
import time

import pytest
from tests.deployment.report import Table
from tests.deployment.stack import SECRETS, Stack

SERVICES = ("postgres", "redis", "migrate", "api", "worker", "flower", "proxy")
OURS = ("migrate", "api", "worker", "flower")
USERS = {"postgres": "999", "redis": "999", "api": "10001", "worker": "10001", "flower": "10001", "proxy": "101"}
# Megabytes: what the issue allows.
MOST_MB = {"api": 700, "worker": 1300}
LEVEL = "x86-64-v3"


def test_all_that_run_are_healthy(stack: Stack, table: Table) -> None:
    stack.wait_healthy(tuple(USERS))
    counts = {service: len(stack.containers(service)) for service in USERS}
    assert counts == {"postgres": 1, "redis": 1, "api": 2, "worker": 3, "flower": 1, "proxy": 1}
    table.add("healthy containers", ", ".join(f"{name} {count}" for name, count in counts.items()))


@pytest.mark.parametrize("service", SERVICES)
def test_container_is_confined(stack: Stack, service: str) -> None:
    for container in stack.containers(service):
        found = stack.inspect(container)
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Privileged"] is False
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        assert host["PidsLimit"] > 0


@pytest.mark.parametrize("service", USERS)
def test_processes_run_as_an_ordinary_user_without_capabilities(stack: Stack, service: str) -> None:
    container = stack.containers(service)[0]
    status = stack.execute(container, "cat", "/proc/1/status")
    facts = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\w+)", status, re.MULTILINE))
    nothing = "0" * 16
    user = stack.execute(container, "id", "-u").strip()
    assert facts == {"Uid": user, "CapEff": nothing, "CapBnd": nothing, "NoNewPrivs": "1"}
    assert user != "0"
    assert service in ("postgres", "redis") or user == USERS[service]


def test_only_proxy_and_flower_are_published_and_on_loopback_alone(stack: Stack) -> None:
    published = {}
    for service in SERVICES:
        for container in stack.containers(service):
            bindings = stack.inspect(container)["HostConfig"]["PortBindings"] or {}
            for inside, outside in bindings.items():
                published[service] = (inside, [(each["HostIp"], each["HostPort"]) for each in outside])
    assert published == {
        "proxy": ("8000/tcp", [("127.0.0.1", str(stack.port))]),
        "flower": (f"{stack.flower_port}/tcp", [("127.0.0.1", str(stack.flower_port))]),
    }


def test_data_services_are_out_of_the_reach_of_proxy_and_world(stack: Stack) -> None:
    for service in ("postgres", "redis", "worker"):
        networks = stack.inspect(stack.containers(service)[0])["NetworkSettings"]["Networks"]
        assert list(networks) == [f"{stack.project}_appnet"]
    assert list(stack.inspect(stack.containers("proxy")[0])["NetworkSettings"]["Networks"]) == [f"{stack.project}_edge"]
    assert stack.docker("network", "inspect", "--format", "{{.Internal}}", f"{stack.project}_appnet").strip() == "true"


@pytest.mark.parametrize("kind", MOST_MB)
def test_image_is_small_and_holds_what_it_needs_alone(stack: Stack, table: Table, kind: str) -> None:
    image = f"molecular-analysis-dashboard-{kind}:deployment-test"
    config = json.loads(stack.docker("image", "inspect", image))[0]
    megabytes = config["Size"] / 1e6
    table.add(f"image of {kind}", f"{megabytes:.0f} MB of at most {MOST_MB[kind]}")
    assert megabytes < MOST_MB[kind]
    assert config["Config"]["User"] == "appuser"
    assert config["Config"]["WorkingDir"] == "/app"
    container = stack.containers(kind)[0]
    script = (
        "import pathlib, molecular_analysis_dashboard as package; root = pathlib.Path('/opt/mad');"
        "print(pathlib.Path(package.__cached__).exists(), sum(1 for p in root.rglob('tests') if p.is_dir()))"
    )
    assert stack.execute(container, "python", "-c", script).split() == ["True", "0"], "compiled, and without tests"
    tools = "for tool in gcc cc make git node npm; do command -v $tool; done; true"
    assert stack.execute(container, "sh", "-c", tools) == ""
    assert stack.execute(container, "sh", "-c", "ls /build 2>/dev/null; ls /var/lib/apt/lists; true") == ""


def test_api_has_postgresql_programs_that_know_tls(stack: Stack) -> None:
    api = stack.containers("api")[0]
    for program in ("pg_dump", "pg_restore", "psql"):
        assert " 18." in stack.execute(api, f"/usr/lib/postgresql/18/bin/{program}", "--version")
    address = "host=postgres port=5544 sslmode=verify-full sslrootcert=system"
    asked = f"docker exec {api} /usr/lib/postgresql/18/bin/psql '{address}' && exit 1 || true"
    assert "server does not support SSL, but SSL was required" in stack.run("sh", "-c", asked)


def test_api_has_no_engine_and_the_worker_has_one(stack: Stack) -> None:
    question = "from importlib.util import find_spec as f; print(*(n for n in {!r} if f(n)))"
    names = ["vina", "meeko", "prolif", "posebusters", "biotite", "flower", "pytest", "hatchling"]
    asked = {
        kind: stack.execute(stack.containers(kind)[0], "python", "-c", question.format(names)).split()
        for kind in MOST_MB
    }
    assert asked == {"api": [], "worker": names[:6]}


@pytest.mark.parametrize("service", [*OURS, "postgres"])
def test_no_secret_stands_in_layers_environment_or_command_lines(stack: Stack, service: str) -> None:
    container = stack.containers(service)[0]
    found = stack.inspect(container)
    seen = json.dumps(found) + stack.docker("history", "--no-trunc", found["Image"])
    if service != "migrate":
        seen += stack.docker("top", container, "-eo", "pid,args")
    for secret in SECRETS.values():
        assert secret not in seen
        assert json.dumps(secret)[1:-1] not in seen


@pytest.mark.parametrize(
    ("image", "command"), [("api", ""), ("api", "alembic upgrade head"), ("worker", ""), ("worker", "mad flower")]
)
def test_process_refuses_a_published_secret_in_production_in_one_line(stack: Stack, image: str, command: str) -> None:
    name = f"molecular-analysis-dashboard-{image}:deployment-test"
    tried = f"docker run --rm -e ENV=production -e SECRET_KEY=change-me -e HOST=0.0.0.0 {name} {command}"
    (line,) = stack.run("sh", "-c", f"{tried} && exit 1 || true").splitlines()
    told = json.loads(line)
    assert told["event"] == "start.refused"
    assert "SECRET_KEY is the published example" in told["message"]


def test_worker_image_with_a_build_for_newer_processors(stack: Stack, table: Table) -> None:
    tag = "deployment-test-builds"
    began = time.monotonic()
    stack.run("env", f"VINA_BUILDS={LEVEL}", f"IMAGE_TAG={tag}", "docker", "compose", "build", "worker")
    image = f"molecular-analysis-dashboard-worker:{tag}"
    try:
        told = stack.docker("run", "--rm", image, "mad", "engines", "list", "--json")
        builds = json.loads(told[told.index("{") :])["builds"]
        (build,) = [one for one in builds if one["build_id"].endswith(LEVEL)]
        assert build["refusal"] == ""
        program = "import vina; vina.Vina(verbosity=0); print(vina.__file__)"
        path = f"PYTHONPATH={build['folder']}"
        assert build["folder"] in stack.docker("run", "--rm", "--env", path, image, "python", "-c", program)
    finally:
        stack.docker("image", "rm", image)
    table.add(f"worker image with Vina for {LEVEL}", f"built in {time.monotonic() - began:.0f} s")
