from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.support.events import settle
from tests.support.simulated_worker import SimulatedWorker
from tests.support.structure_text import complex_pdb

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.storage.local import LocalBlobStore
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.settings import Settings

SMILES = {"ethanol": "CCO", "benzene": "c1ccccc1", "aspirin": "CC(=O)Oc1ccccc1C(=O)O", "acetic acid": "CC(=O)O"}


@pytest.fixture
def worker(settings: Settings, database: SqlDatabase, principal: Principal) -> Iterator[SimulatedWorker]:
    worker = SimulatedWorker.start(database, LocalBlobStore(settings.storage.results_dir), principal.org_id)
    yield worker
    worker.end()


@dataclass(frozen=True)
class Bench:
    """Everything that a screen needs, ready; ids as the API gave them."""

    client: httpx.Client
    worker: SimulatedWorker
    structure_id: str
    receptor_id: str
    site_id: str
    library_id: str
    protocol_id: str

    @property
    def request(self) -> dict[str, Any]:
        return {
            "receptor_id": self.receptor_id,
            "site_id": self.site_id,
            "library_id": self.library_id,
            "protocol_id": self.protocol_id,
        }

    def submit(self, **more: object) -> UUID:
        """Submit a screen and return its id."""
        answer = self.client.post("/api/v1/jobs", json=self.request | more)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])

    def screened(self, **scores: float) -> UUID:
        """Submit a screen and dock all of it."""
        job_id = self.submit()
        self.worker.plan(job_id)
        self.worker.dock(job_id, scores)
        settle(self.worker.database)
        return job_id


def upload_structure(client: httpx.Client, **query: str) -> dict[str, Any]:
    answer = client.post("/api/v1/structures", params={"file_name": "4iaq.pdb", **query}, content=complex_pdb())
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def bench(client: httpx.Client, worker: SimulatedWorker) -> Bench:
    structure_id = upload_structure(client)["id"]
    accepted = client.post("/api/v1/receptors", json={"structure_id": structure_id}).json()
    worker.prepare(UUID(accepted["job"]["id"]), UUID(accepted["receptor"]["id"]))
    site = client.post(
        "/api/v1/binding-sites",
        json={"structure_id": structure_id, "origin": {"type": "native_ligand", "selector": "LIG"}},
    )
    assert site.status_code == 201, site.text
    text = "\n".join(f"{smiles} {name}" for name, smiles in SMILES.items())
    library = client.post("/api/v1/libraries", json={"name": "four", "smiles": text}).json()
    worker.ingest(UUID(library["job"]["id"]), UUID(library["library"]["id"]), SMILES, rejected=[5])
    protocol = client.post("/api/v1/protocols", json={"name": "quick", "protocol": {"effort": {"exhaustiveness": 1}}})
    return Bench(
        client,
        worker,
        structure_id,
        accepted["receptor"]["id"],
        site.json()["id"],
        library["library"]["id"],
        protocol.json()["id"],
    )
