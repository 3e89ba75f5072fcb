"""Rules, dashboard and their pages agree; `make test-monitoring` tests the rules themselves with promtool.

That the metrics exist is for `tests/acceptance/test_telemetry.py`, which asks running processes.
"""

import re
from itertools import combinations

import pytest
import yaml
from tests.support.monitoring import (
    MONITORING,
    REPOSITORY,
    Metric,
    alerts,
    dashboard,
    documented_metrics,
    expressions,
    unknown_selectors,
)

from molecular_analysis_dashboard.infrastructure.settings import all_variables

NAMES = [rule["alert"] for rule in alerts()]
PANELS = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
PAGE = "docs/how-to/operate/alerts.md"


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", (REPOSITORY / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == NAMES


@pytest.mark.parametrize("rule", alerts(), ids=NAMES)
def test_alert_says_how_grave_it_is_and_where_to_read_on(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook"] == f"{PAGE}#{str(rule['alert']).lower()}"


@pytest.mark.parametrize("name", NAMES)
def test_alert_is_tested_both_ways(name: str) -> None:
    suites = yaml.safe_load((MONITORING / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    cases = [case for suite in suites for case in suite["alert_rule_test"] if case["alertname"] == name]
    assert {bool(case.get("exp_alerts")) for case in cases} == {True, False}


def test_expressions_name_only_documented_metrics_and_labels() -> None:
    known = documented_metrics()
    assert [unknown for expression in expressions() for unknown in unknown_selectors(expression, known)] == []


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("sum(rate(mad_a_total[5m]))", []),
        ('mad_a_total{cause="x", kind=~"y"}', []),
        ("mad_b_seconds_bucket + mad_b_seconds_count", []),
        ("mad_a", ["mad_a"]),
        ("mad_a_totals", ["mad_a_totals"]),
        ('mad_a_total{reason!="x"}', ["mad_a_total{reason}"]),
        ("mad_b_seconds", ["mad_b_seconds"]),
        ("mad_c_count", ["mad_c_count"]),
    ],
)
def test_unknown_names_are_noticed(expression: str, unknown: list[str]) -> None:
    known = {
        "mad_a_total": Metric("mad_a_total", "counter", frozenset({"cause", "kind"})),
        "mad_b_seconds": Metric("mad_b_seconds", "histogram", frozenset()),
        "mad_c": Metric("mad_c", "gauge", frozenset()),
    }
    assert unknown_selectors(expression, known) == unknown


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    boxes = [panel["gridPos"] for panel in panels]
    for a, b in combinations(boxes, 2):
        apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart_x or apart_y, (a, b)
    assert all(box["x"] + box["w"] <= 24 for box in boxes)


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_panel_explains_itself_and_asks_the_chosen_source(panel: dict[str, object]) -> None:
    assert str(panel["description"]).endswith(".")
    assert panel["targets"]
    assert str(panel).count("'uid': '${datasource}'") == 1 + len(list(panel["targets"]))  # type: ignore[call-overload]


def test_scrape_configuration_finds_the_rules_and_both_services() -> None:
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    assert [(MONITORING / name).is_file() for name in configuration["rule_files"]] == [True]
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in configuration["scrape_configs"]}
    assert {name: (found[name]["names"], found[name]["port"]) for name in found} == {
        "mad-api": (["api"], 8000),
        "mad-worker": (["worker"], 9100),
    }
    jobs = {job for expression in expressions() for job in re.findall(r'job="([^"]+)"', expression)}
    assert jobs <= found.keys()


def test_pages_name_only_settings_that_exist() -> None:
    known = {variable.name for variable in all_variables()}
    for page in ("alerts.md", "observe.md"):
        text = (REPOSITORY / "docs" / "how-to" / "operate" / page).read_text(encoding="utf-8")
        assert set(re.findall(r"\bMAD_[A-Z_]+[A-Z]\b", text)) <= known
