"""The requests that callers make, one method each."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from .models import (
    BindingSite,
    EngineBuild,
    Hit,
    Job,
    Library,
    Ligand,
    Pocket,
    Receptor,
    Rejected,
    RescoredLigand,
    ResidueNote,
    Structure,
    Waiting,
)
from .transport import Transport

_API = "/api/v1"
_PIECE_BYTES = 1 << 20
_PAGE = 200


class Client:
    """Talks to one server.

    Parameters
    ----------
    base_url : str
        For example ``http://127.0.0.1:8000``.
    token : str, optional
        Sent as bearer token.

    Every method raises ``Unreachable`` when no answer comes, and the server's own error otherwise.
    """

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self._transport = Transport(base_url, token)

    @property
    def base_url(self) -> str:
        """Address of the server."""
        return self._transport.base_url

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ready(self) -> Mapping[str, Any]:
        """Ask the server whether it can work; raises ``ResourceLost`` with the failing check when not."""
        return self._transport.ask("GET", "/ready")

    def upload_structure(self, path: Path) -> Structure:
        """Upload a macromolecule, byte for byte."""
        with path.open("rb") as stream:
            return Structure.from_json(self._upload("/structures", stream, {"file_name": _sent_name(path)}))

    def prepare_receptor(self, structure_id: str, options: Mapping[str, Any], name: str) -> tuple[Receptor, Job]:
        """Have a structure prepared; the job does it."""
        body = {"structure_id": structure_id, "options": dict(options), "name": name}
        answer = self._post("/receptors", body)
        return Receptor.from_json(answer["receptor"]), Job.from_json(answer["job"])

    def receptor(self, receptor_id: str) -> Receptor:
        """Ask for a receptor as it stands."""
        return Receptor.from_json(self._get(f"/receptors/{receptor_id}"))

    def receptor_notes(self, receptor_id: str) -> Sequence[ResidueNote]:
        """List what the preparation of a ready receptor changed or found wrong, residue by residue."""
        return [ResidueNote.from_json(note) for note in self.receptor_report(receptor_id)["notes"]]

    def receptor_report(self, receptor_id: str) -> Mapping[str, Any]:
        """Ask for the whole report of a ready receptor."""
        return self._get(f"/receptors/{receptor_id}/report")

    def receptor_pockets(self, receptor_id: str) -> Sequence[Pocket]:
        """List the pockets of a ready receptor, the most promising first."""
        return [Pocket.from_json(item) for item in self._get(f"/receptors/{receptor_id}/pockets")["items"]]

    def receptor_file(self, receptor_id: str, file_format: str) -> Iterator[bytes]:
        """Yield a ready receptor as ``pdb`` or ``pdbqt``, in pieces."""
        return self._transport.stream(f"{_API}/receptors/{receptor_id}/file?format={file_format}")

    def create_site(self, structure_id: str, origin: Mapping[str, Any]) -> BindingSite:
        """Place a search box on a structure; `origin` as the interface describes it."""
        return BindingSite.from_json(
            self._post("/binding-sites", {"structure_id": structure_id, "origin": dict(origin)})
        )

    def upload_library(self, path: Path, name: str) -> tuple[Library, Job]:
        """Upload a file of ligands; the job reads it."""
        with path.open("rb") as stream:
            answer = self._upload("/libraries", stream, {"file_name": _sent_name(path), "name": name})
        return Library.from_json(answer["library"]), Job.from_json(answer["job"])

    def library(self, library_id: str) -> Library:
        """Ask for a library as it stands."""
        return Library.from_json(self._get(f"/libraries/{library_id}"))

    def library_rejections(self, library_id: str, limit: int) -> Sequence[Rejected]:
        """List the first records of a library that are no ligands."""
        pages = self._pages(f"/libraries/{library_id}/rejections", {"limit": min(limit, _PAGE)})
        return [Rejected.from_json(item) for item in islice(pages, limit)]

    def noted_ligands(self, library_id: str, limit: int) -> Sequence[Ligand]:
        """List the first ligands of a library of whose record something was left out."""
        pages = self._pages(f"/libraries/{library_id}/ligands", {"noted": "true", "limit": min(limit, _PAGE)})
        return [Ligand.from_json(item) for item in islice(pages, limit)]

    def create_protocol(self, name: str, protocol: Mapping[str, Any]) -> str:
        """Keep a recipe under a name, or find the equal one; returns its id."""
        return str(self._post("/protocols", {"name": name, "protocol": dict(protocol)})["id"])

    def engines(self) -> Sequence[EngineBuild]:
        """List the engine builds that workers have or had, those of live workers first."""
        return [EngineBuild.from_json(item) for item in self._get("/engines")["items"]]

    def submit_job(self, body: Mapping[str, Any], idempotency_key: str) -> Job:
        """Start a screen, a redocking or a validation; asking again with the same key gives the same job."""
        answer = self._transport.ask(
            "POST", f"{_API}/jobs", json=dict(body), headers={"Idempotency-Key": idempotency_key}
        )
        return Job.from_json(answer.get("job", answer))

    def submit_analysis(self, screen_id: str, body: Mapping[str, Any], idempotency_key: str) -> Job:
        """Have poses of a screen analysed; asking again with the same key gives the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        path = f"{_API}/jobs/{screen_id}/analyses"
        return Job.from_json(self._transport.ask("POST", path, json=dict(body), headers=headers))

    def ligand_analysis(self, screen_id: str, ligand_id: str) -> Mapping[str, Any]:
        """Ask for everything that is known about one hit: checks, interactions, strain, descriptors, ranks."""
        return self._get(f"/jobs/{screen_id}/ligands/{ligand_id}/analysis")

    def submit_rescoring(self, screen_id: str, body: Mapping[str, Any], idempotency_key: str) -> Job:
        """Have poses of a screen scored by another function; asking again with the same key gives the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        path = f"{_API}/jobs/{screen_id}/rescorings"
        return Job.from_json(self._transport.ask("POST", path, json=dict(body), headers=headers))

    def rescoring(self, job_id: str) -> Mapping[str, Any]:
        """Ask what a job rescores and how well the rankings agree, as the interface describes it."""
        return self._get(f"/jobs/{job_id}/rescoring")

    def rescored(self, job_id: str, limit: int, order: str = "score") -> Sequence[RescoredLigand]:
        """List the best ligands of a rescoring by their new score, or by ``docked_score``."""
        pages = self._pages(f"/jobs/{job_id}/rescoring/ligands", {"order": order, "limit": min(limit, _PAGE)})
        return [RescoredLigand.from_json(item) for item in islice(pages, limit)]

    def refused(self, job_id: str, limit: int) -> Sequence[RescoredLigand]:
        """List the first ligands of a rescoring that have no new score, with the reason."""
        pages = self._pages(f"/jobs/{job_id}/rescoring/refused", {"limit": min(limit, _PAGE)})
        return [RescoredLigand.from_json(item) for item in islice(pages, limit)]

    def rescoring_file(self, job_id: str, file_name: str) -> Iterator[bytes]:
        """Yield ``ligands.csv`` or ``poses.sdf`` of a rescoring in pieces."""
        return self._transport.stream(f"{_API}/jobs/{job_id}/rescoring/{file_name}")

    def job(self, job_id: str) -> Job:
        """Ask for a job as it stands."""
        return Job.from_json(self._get(f"/jobs/{job_id}"))

    def waiting(self, job_id: str) -> Waiting:
        """Ask why a job is not further."""
        return Waiting.from_json(self._get(f"/jobs/{job_id}/waiting"))

    def jobs(self, limit: int, filters: Mapping[str, str]) -> Sequence[Job]:
        """List jobs, newest first."""
        pages = self._pages("/jobs", {**filters, "limit": min(limit, _PAGE)})
        return [Job.from_json(item) for item in islice(pages, limit)]

    def cancel_job(self, job_id: str) -> Job:
        """Have a job cancelled; finished results stay."""
        return Job.from_json(self._post(f"/jobs/{job_id}/cancel", None))

    def hits(self, job_id: str, limit: int, filters: Mapping[str, str] | None = None) -> Sequence[Hit]:
        """List the best hits of a job that pass the filters, best docking score first."""
        pages = self._pages(f"/jobs/{job_id}/hits", {**(filters or {}), "limit": min(limit, _PAGE)})
        return [Hit.from_json(item) for item in islice(pages, limit)]

    def export(self, job_id: str, file_name: str) -> Iterator[bytes]:
        """Yield one export of a job (``hits.csv``, ``poses.sdf``, ``rejected.csv``, ``provenance.json``) in pieces."""
        return self._transport.stream(f"{_API}/jobs/{job_id}/export/{file_name}")

    def redocking(self, job_id: str) -> Mapping[str, Any]:
        """Ask for a redocking with its runs and its verdict, as the interface describes it."""
        return self._get(f"/jobs/{job_id}/redocking")

    def redocking_file(self, job_id: str, file_name: str) -> Iterator[bytes]:
        """Yield ``runs.csv`` or ``poses.sdf`` of a redocking in pieces."""
        return self._transport.stream(f"{_API}/jobs/{job_id}/redocking/{file_name}")

    def validation(self, job_id: str) -> Mapping[str, Any]:
        """Ask for a validation with its metrics, as the interface describes it."""
        return self._get(f"/jobs/{job_id}/validation")

    def _get(self, path: str) -> dict[str, Any]:
        return self._transport.ask("GET", f"{_API}{path}")

    def _post(self, path: str, body: object) -> dict[str, Any]:
        return self._transport.ask("POST", f"{_API}{path}", json=body)

    def _upload(self, path: str, stream: BinaryIO, parameters: Mapping[str, str]) -> dict[str, Any]:
        return self._transport.ask(
            "POST",
            f"{_API}{path}",
            params=dict(parameters),
            content=iter(lambda: stream.read(_PIECE_BYTES), b""),
            headers={"Content-Type": "application/octet-stream"},
        )

    def _pages(self, path: str, parameters: Mapping[str, str | int]) -> Iterator[Mapping[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            page = self._transport.ask("GET", f"{_API}{path}", params={**parameters, **cursor})
            yield from page["items"]
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}


def _sent_name(path: Path) -> str:
    """The file's name as text, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", errors="replace")
