"""Readers of the enrichment sets: actives, decoys, and the receptor and box that belong to them."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from molecular_analysis_dashboard.domain.sites import SearchBox

FOLDER, TARGETS = "enrichment", "dockstring_targets"


@dataclass(frozen=True)
class EnrichmentSet:
    """Actives and decoys of one target, with its prepared receptor."""

    name: str
    actives: tuple[tuple[str, str], ...]
    decoys: tuple[tuple[str, str], ...]
    receptor_pdbqt: str
    box: SearchBox


def set_names(data: Path) -> list[str]:
    """Return the names of the sets that have a receptor among DOCKSTRING's targets."""
    return list(_targets(data))


def read_set(data: Path, name: str) -> EnrichmentSet:
    """Read one set."""
    target, folder = _targets(data)[name], data / FOLDER / name
    receptor, box = read_target(data, target)
    return EnrichmentSet(name, _molecules(folder / "actives.smi"), _molecules(folder / "decoys.smi"), receptor, box)


def read_target(data: Path, target: str) -> tuple[str, SearchBox]:
    """Read the receptor and the box of one of DOCKSTRING's targets."""
    with gzip.open(data / TARGETS / f"{target}_target.pdbqt.gz", "rt") as stream:
        receptor = stream.read()
    return receptor, _box((data / TARGETS / f"{target}_conf.txt").read_text())


def _targets(data: Path) -> dict[str, str]:
    found = {}
    for path in sorted((data / FOLDER).glob("*/info.json")):
        target = json.loads(path.read_text()).get("dockstring_receptor")
        if target:
            found[path.parent.name] = str(target)
    return found


def _molecules(path: Path) -> tuple[tuple[str, str], ...]:
    rows = (line.split("\t") for line in path.read_text().splitlines() if line.strip())
    return tuple((fields[0], fields[1] if len(fields) > 1 else "") for fields in rows)


def _box(text: str) -> SearchBox:
    values = dict(line.replace(" ", "").split("=") for line in text.splitlines() if "=" in line)
    center, size = ([float(values[f"{what}_{axis}"]) for axis in "xyz"] for what in ("center", "size"))
    return SearchBox((center[0], center[1], center[2]), (size[0], size[1], size[2]))
