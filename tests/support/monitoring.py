"""What `deploy/monitoring` and its pages name, to be held against what is really there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
MONITORING = REPOSITORY / "deploy" / "monitoring"
_OBSERVE = REPOSITORY / "docs" / "how-to" / "operate" / "observe.md"
_SELECTOR = re.compile(r"\b(mad_[a-z_]+)(?:\{([^}]*)\})?")
_ROW = re.compile(r"^\| `(mad_[a-z_]+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Metric:
    """A metric as Prometheus knows it; of a histogram, without its buckets' `le`."""

    name: str
    kind: str
    labels: frozenset[str]


def documented_metrics() -> dict[str, Metric]:
    """The tables of observe.md."""
    rows = _ROW.findall(_OBSERVE.read_text(encoding="utf-8"))
    return {name: Metric(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def served_metrics(text: str) -> dict[str, Metric]:
    """What a `/metrics` really says of our metrics."""
    kinds = dict(re.findall(r"^# TYPE (mad_\w+) (\w+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in kinds}
    for sample, selectors in re.findall(r"^(mad_\w+)(?:\{(.*?)\})? ", text, re.MULTILINE):
        labels[_family(sample, kinds)] |= set(re.findall(r'(\w+)="', selectors)) - {"le"}
    return {name: Metric(name, kind, frozenset(labels[name])) for name, kind in kinds.items()}


def unknown_selectors(expression: str, known: dict[str, Metric]) -> list[str]:
    """Names and labels in an expression that no metric has."""
    kinds = {name: metric.kind for name, metric in known.items()}
    unknown = []
    for sample, selectors in _SELECTOR.findall(expression):
        family = _family(sample, kinds)
        is_whole_histogram = family == sample and kinds.get(family) == "histogram"
        if family not in known or is_whole_histogram:
            unknown.append(sample)
            continue
        used = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', selectors))
        unknown += [f"{sample}{{{label}}}" for label in sorted(used - known[family].labels)]
    return unknown


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return board


def expressions() -> Iterator[str]:
    """Every expression of rules and dashboard."""
    for rule in alerts():
        yield rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def _family(sample: str, kinds: dict[str, str]) -> str:
    for ending in _OF_A_HISTOGRAM:
        base = sample.removesuffix(ending)
        if base != sample and kinds.get(base) == "histogram":
            return base
    return sample
