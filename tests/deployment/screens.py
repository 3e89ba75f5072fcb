"""A small real screen over HTTP, and everything about its results that must not depend on what happened meanwhile."""

import csv
import hashlib
import importlib.util
from collections.abc import Callable
from copy import copy
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.waiting import wait_until

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.errors import ResourceLost

_ACIDS = ("c1ccccc1", "c1ccncc1", "Cc1ccccc1", "c1ccsc1")
_AMINES = ("CC", "C1CC1", "Cc1ccccc1", "CCO")
LIBRARY = [f"{acid}C(=O)N{amine} amide{n}" for n, (acid, amine) in enumerate(product(_ACIDS, _AMINES), 1)]
LIBRARY.insert(3, "c1ccccc1C(=O broken")
N_RECORDS = len(LIBRARY)
Fingerprint = dict[str, tuple[str, ...]]
_FINAL = {"completed", "failed", "cancelled"}


class Screens:
    """Prepares receptor, site and library once; starts any number of equal screens."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        spec = importlib.util.find_spec("prolif")
        assert spec is not None
        assert spec.submodule_search_locations
        complex_ = Path(spec.submodule_search_locations[0]) / "data" / "vina"
        library = folder / "library.smi"
        library.write_text("\n".join(LIBRARY) + "\n")
        structure = client.upload_structure(complex_ / "rec.pdb")
        site = client.create_site(
            structure.id,
            {
                "type": "native_ligand",
                "file": {"file_name": "lig.pdb", "content": (complex_ / "lig.pdb").read_text()},
                "padding_angstrom": 2.0,
            },
        )
        receptor, preparing = client.prepare_receptor(structure.id, {}, "receptor")
        read, reading = client.upload_library(library, "library")
        for job in (preparing, reading):
            assert self.wait_final(job.id).state == "completed"
        self._screen = {
            "receptor_id": receptor.id,
            "site_id": site.id,
            "library_id": read.id,
            "protocol_id": client.create_protocol("quick", {"effort": {"exhaustiveness": 1}, "seed": 7}),
        }

    def at(self, client: Client) -> "Screens":
        """The same screens in an installation that holds the same receptor, site, library and protocol."""
        other = copy(self)
        other.client = client
        return other

    def submit(self, name: str) -> Job:
        return self.client.submit_job({**self._screen, "name": name}, str(uuid4()))

    def job(self, job_id: str) -> Job:
        return self.client.job(job_id)

    def n_done(self, job_id: str) -> int:
        counts = self.job(job_id).counts
        return counts.scored + counts.rejected

    def wait_done(self, job_id: str, count: int, timeout_s: float = 600) -> None:
        """Wait for a number of results, and over whatever is down meanwhile."""
        wait_until(
            lambda: _answered(lambda: self.n_done(job_id) >= count),
            timeout_s,
            f"fewer than {count} results",
            interval_s=0.3,
        )

    def wait_final(self, job_id: str, timeout_s: float = 1500) -> Job:
        """Wait for the end of a job, and over whatever is down meanwhile."""
        wait_until(
            lambda: _answered(lambda: self.job(job_id).state in _FINAL),
            timeout_s,
            "the job does not end",
            interval_s=0.5,
        )
        return self.job(job_id)

    def fingerprint(self, job_id: str) -> Fingerprint:
        """Scores and coordinates of every ligand, and the reason of every rejection."""
        hits = csv.DictReader(self._text(job_id, "hits.csv").splitlines())
        found: dict[str, list[str]] = {row["name"]: [row["score_kcal_mol"]] for row in hits}
        for record in filter(str.strip, self._text(job_id, "poses.sdf").split("$$$$\n")):
            name, block = record.partition("\n")[0], record.partition("M  END")[0]
            found[name].append(hashlib.sha256(block.encode()).hexdigest())
        rejected: Any = csv.DictReader(self._text(job_id, "rejected.csv").splitlines())
        by_line = {f"line {row['line']}": (row["name"], row["reason"]) for row in rejected}
        return {**{name: tuple(values) for name, values in found.items()}, **by_line}

    def _text(self, job_id: str, file_name: str) -> str:
        return b"".join(self.client.export(job_id, file_name)).decode()


def _answered(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except ResourceLost:
        return False
