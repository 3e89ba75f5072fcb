"""Services, the Ingress and disruption budgets find their pods, and ports agree."""

import pytest
from tests.unit.deployment.kubernetes.overlay import Overlay, selects

from molecular_analysis_dashboard.infrastructure.settings import load_settings
from molecular_analysis_dashboard.presentation.api.application import create_app
from molecular_analysis_dashboard.presentation.api.routers import documentation, web
from molecular_analysis_dashboard.presentation.api.streaming import KEEP_ALIVE_S

# For the inside of the cluster only.
INSIDE = frozenset({"/ready", "/metrics"})


def paths(overlay: Overlay) -> list[dict[str, str]]:
    (ingress,) = overlay.of_kind("Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    found: list[dict[str, str]] = rule["http"]["paths"]
    return found


def is_reached(overlay: Overlay, path: str) -> bool:
    """Whether the Ingress passes a path on: a prefix matches whole parts of it."""
    return any(
        path == entry["path"] or (entry["pathType"] == "Prefix" and path.startswith(f"{entry['path']}/"))
        for entry in paths(overlay)
    )


def test_every_service_finds_its_pods_and_their_port(overlay: Overlay) -> None:
    for name, service in overlay.of_kind("Service").items():
        found = [
            pod
            for pod in overlay.workloads.values()
            if selects({"matchLabels": service["spec"]["selector"]}, pod.labels)
        ]
        assert [pod.name for pod in found] == [name]
        (port,) = service["spec"]["ports"]
        container_ports = {item["name"]: item["containerPort"] for item in found[0].main["ports"]}
        assert container_ports[port["targetPort"]] == port["port"]


@pytest.mark.parametrize(
    ("name", "variable"), [("api", "PORT"), ("flower", "FLOWER_PORT"), ("worker", "MAD_WORKER_METRICS_PORT")]
)
def test_processes_listen_where_they_are_looked_for(overlay: Overlay, name: str, variable: str) -> None:
    workload = overlay.workloads[name]
    (port,) = workload.main["ports"]
    assert str(port["containerPort"]) == overlay.settings[variable]
    if name != "flower":
        assert workload.annotations["prometheus.io/port"] == overlay.settings[variable]


def test_the_api_listens_to_more_than_itself(overlay: Overlay) -> None:
    assert overlay.settings["HOST"] == "0.0.0.0"


def test_the_ingress_ends_at_the_api(overlay: Overlay) -> None:
    (port,) = overlay.of_kind("Service")["api"]["spec"]["ports"]
    assert {str(entry["backend"]) for entry in paths(overlay)} == {
        str({"service": {"name": "api", "port": {"name": port["name"]}}})
    }


def test_the_ingress_lets_everything_through_but_what_is_for_the_inside(overlay: Overlay) -> None:
    app = create_app(load_settings({}))
    pages = {getattr(route, "path", "") for router in (documentation.router, web.router) for route in router.routes}
    routes = app.openapi()["paths"].keys() | pages | {app.openapi_url}
    assert {"/", "/docs", "/openapi.json", "/assets/{path:path}", "/health", *INSIDE} <= routes
    assert {route for route in routes if not is_reached(overlay, route)} == INSIDE


def test_uploads_and_live_events_pass_the_ingress(overlay: Overlay) -> None:
    (ingress,) = overlay.of_kind("Ingress").values()
    notes = ingress["metadata"]["annotations"]
    # With the boundaries and fields of a form.
    largest = load_settings({}).limits.max_upload_bytes + 2**20
    prefix = "nginx.ingress.kubernetes.io"
    for size in (notes[f"{prefix}/proxy-body-size"], notes["nginx.org/client-max-body-size"]):
        assert int(size.removesuffix("m")) * 2**20 >= largest
    for seconds in (notes[f"{prefix}/proxy-read-timeout"], notes["nginx.org/proxy-read-timeout"].removesuffix("s")):
        assert int(seconds) > 2 * KEEP_ALIVE_S
    assert {notes[f"{prefix}/proxy-buffering"], notes[f"{prefix}/proxy-request-buffering"]} == {"off"}


def test_the_production_ingress_speaks_tls_for_its_host(production: Overlay) -> None:
    (ingress,) = production.of_kind("Ingress").values()
    (tls,) = ingress["spec"]["tls"]
    (rule,) = ingress["spec"]["rules"]
    assert tls["hosts"] == [rule["host"]]


def test_disruption_budgets_find_their_pods_and_let_a_node_be_drained(overlay: Overlay) -> None:
    budgets = overlay.of_kind("PodDisruptionBudget")
    assert set(budgets) == {"api", "worker"}
    for name, budget in budgets.items():
        found = [pod.name for pod in overlay.workloads.values() if selects(budget["spec"]["selector"], pod.labels)]
        assert found == [name]
        # With minAvailable: 1 a single worker could never be evicted.
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["maxUnavailable"] not in (0, "0%")
