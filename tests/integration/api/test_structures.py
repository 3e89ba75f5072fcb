import gzip
import hashlib
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.integration.api.conftest import Bench, upload_structure
from tests.support.structure_text import complex_pdb
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.storage.local import INCOMING
from molecular_analysis_dashboard.infrastructure.settings import Settings

URL = "/api/v1/structures"


def code_of(answer: httpx.Response) -> str:
    error: dict[str, Any] = answer.json()["error"]
    assert error["request_id"] == answer.headers["X-Request-ID"]
    return str(error["code"])


def stored_files(settings: Settings) -> list[Path]:
    return sorted(path for path in settings.storage.uploads_dir.rglob("*") if path.is_file())


def test_an_upload_is_kept_byte_for_byte_and_summarised(client: httpx.Client) -> None:
    body = upload_structure(client)

    assert body["name"] == "4iaq"
    assert body["sha256"] == hashlib.sha256(complex_pdb()).hexdigest()
    assert body["summary"]["chains"] == ["A", "L"]
    (group,) = body["summary"]["hetero_groups"]
    assert (group["selector"], group["kind"], group["n_heavy_atoms"]) == ("LIG:L:1", "ligand", 43)
    download = client.get(f"{URL}/{body['id']}/file")
    assert download.content == complex_pdb()
    assert 'filename="4iaq.pdb"' in download.headers["Content-Disposition"]
    assert client.get(f"{URL}/{body['id']}").json() == body


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ([("file", ("4iaq.pdb", complex_pdb()))], "4iaq"),
        ([("name", (None, b"Receptor")), ("file", ("4iaq.pdb", complex_pdb()))], "Receptor"),
        ([("file", ("4iaq.pdb", complex_pdb())), ("name", (None, b"Receptor"))], "Receptor"),
    ],
    ids=["file only", "name first", "name last"],
)
def test_a_form_uploads_too(client: httpx.Client, parts: list[Any], name: str) -> None:
    answer = client.post(URL, files=parts)

    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == name
    assert answer.json()["sha256"] == hashlib.sha256(complex_pdb()).hexdigest()


def test_a_gzipped_file_stays_gzipped(client: httpx.Client) -> None:
    data = gzip.compress(complex_pdb())
    body = client.post(URL, params={"file_name": "4iaq.pdb.gz"}, content=data).json()

    assert body["summary"]["n_residues"] == 162
    assert client.get(f"{URL}/{body['id']}/file").content == data


def test_an_upload_that_finds_no_room_is_told_so(
    client: httpx.Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_files(settings)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    answer = client.post(URL, params={"file_name": "x.pdb"}, content=b"REMARK\n" * 1_000_000)

    assert (answer.status_code, code_of(answer)) == (503, "storage_unavailable")
    assert "missing, cannot take the upload (No such file or directory)" in answer.json()["error"]["message"]
    assert stored_files(settings) == before


def test_text_in_utf_16_is_read(client: httpx.Client) -> None:
    data = complex_pdb().decode().encode("utf-16")
    answer = client.post(URL, params={"file_name": "4iaq.pdb"}, content=data)

    assert answer.json()["summary"]["n_residues"] == 162


def test_a_path_in_the_file_name_leads_nowhere(client: httpx.Client) -> None:
    body = upload_structure(client, file_name="../../../etc/4iaq.pdb")

    assert body["file_name"] == "4iaq.pdb"
    assert client.get(f"{URL}/{body['id']}/file").content == complex_pdb()


BOMB = gzip.compress(b"\0" * 250_000_000, 9)


@pytest.mark.parametrize(
    ("file_name", "content", "status", "code"),
    [
        ("x.pdb", b"", 422, "empty_file"),
        ("x.pdb", b"\n \n", 422, "empty_file"),
        ("x.pdb", b"CCO ethanol\n", 422, "unknown_format"),
        ("x.pdb", b"HEADER    HYDROLASE\nEND\n", 422, "no_atoms"),
        ("x.cif", b"data_x\n_cell.length_a 1\n", 422, "no_atoms"),
        ("x.pdb.gz", gzip.compress(complex_pdb(), mtime=0)[:-200], 422, "truncated_gzip"),
        ("x.pdb.gz", b"\x1f\x8b" + b"nonsense" * 20, 422, "corrupt_gzip"),
        ("x.pdb.gz", BOMB, 413, "too_large_decompressed"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, 422, "unknown_format"),
        ("..", complex_pdb(), 422, "file_name_invalid"),
    ],
    ids=[
        "empty",
        "blank",
        "other format",
        "no atoms",
        "cif without atoms",
        "truncated",
        "corrupt",
        "bomb",
        "png",
        "..",
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing(
    client: httpx.Client, settings: Settings, file_name: str, content: bytes, status: int, code: str
) -> None:
    before = stored_files(settings), client.get(URL).json()
    answer = client.post(URL, params={"file_name": file_name}, content=content)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert (stored_files(settings), client.get(URL).json()) == before


def test_an_upload_needs_a_file_name(client: httpx.Client) -> None:
    answer = client.post(URL, content=complex_pdb())

    assert (answer.status_code, code_of(answer)) == (422, "file_name_missing")


def test_json_is_no_structure(client: httpx.Client) -> None:
    answer = client.post(URL, params={"file_name": "x.pdb"}, json={"a": 1})

    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdb"\r\n\r\nATOM',
        ),
        ("multipart/form-data; boundary=" + "x" * 71, b""),
    ],
    ids=["no boundary", "no form", "no file", "cut short", "long boundary"],
)
def test_a_malformed_form_is_refused(
    client: httpx.Client, settings: Settings, content_type: str, content: bytes
) -> None:
    before = stored_files(settings)
    answer = client.post(URL, headers={"Content-Type": content_type}, content=content)

    assert (answer.status_code, code_of(answer)) == (422, "malformed_form")
    assert stored_files(settings) == before


def test_a_form_s_name_is_checked_like_any_other(client: httpx.Client) -> None:
    answer = client.post(URL, files=[("file", ("4iaq.pdb", complex_pdb())), ("name", (None, b"a\nb"))])

    assert (answer.status_code, code_of(answer)) == (422, "name_invalid")


def test_a_declared_giant_is_refused_before_a_byte_is_read(client: httpx.Client) -> None:
    host = urlsplit(str(client.base_url))
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/structures?file_name=x.pdb HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\n\r\n"
        )
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in answer


def test_an_undeclared_giant_is_refused_by_count(client: httpx.Client, settings: Settings) -> None:
    before = stored_files(settings)
    pieces = 2 + settings.limits.max_structure_bytes // 1_000_000
    answer = client.post(URL, params={"file_name": "x.pdb"}, content=(b"ATOM" * 250_000 for _ in range(pieces)))

    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert stored_files(settings) == before


def test_an_upload_that_breaks_off_leaves_nothing(client: httpx.Client, settings: Settings) -> None:
    before = stored_files(settings)
    host = urlsplit(str(client.base_url))
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/libraries?file_name=x.smi HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
            + b"C\n" * 99
        )
        incoming = settings.storage.uploads_dir / INCOMING
        wait_until(lambda: incoming.is_dir() and any(incoming.iterdir()), 10, "the upload did not begin")

    wait_until(lambda: stored_files(settings) == before, 10, "the upload left something")
    assert not any(library["file_name"] == "x.smi" for library in client.get("/api/v1/libraries").json()["items"])


def test_slow_uploads_do_not_hold_up_other_requests(client: httpx.Client) -> None:
    host = urlsplit(str(client.base_url))
    head = b"POST /api/v1/structures?file_name=x.pdb HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nATOM"
    connections = [socket.create_connection((str(host.hostname), int(host.port or 0))) for _ in range(60)]
    try:
        for connection in connections:
            connection.sendall(head)
        assert client.get("/api/v1/jobs", timeout=5).status_code == 200
    finally:
        for connection in connections:
            connection.close()


def test_pages_hold_everything_once_newest_first(client: httpx.Client) -> None:
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        upload_structure(client, name=name)

    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = client.get(URL, params=query).json()
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found[:5] == names[::-1]
    assert len(found) == len(client.get(URL, params={"limit": 200}).json()["items"])


def test_a_deleted_structure_is_gone_with_its_receptors_and_sites(bench: Bench) -> None:
    client = bench.client
    assert client.delete(f"{URL}/{bench.structure_id}").status_code == 204

    for address in (
        f"{URL}/{bench.structure_id}",
        f"{URL}/{bench.structure_id}/file",
        f"/api/v1/receptors/{bench.receptor_id}",
        f"/api/v1/binding-sites/{bench.site_id}",
    ):
        assert client.get(address).status_code == 404
    assert client.delete(f"{URL}/{bench.structure_id}").status_code == 404


def test_a_structure_in_use_is_not_deleted(bench: Bench) -> None:
    bench.submit()
    answer = bench.client.delete(f"{URL}/{bench.structure_id}")

    assert (answer.status_code, code_of(answer)) == (409, "in_use")
    assert bench.client.get(f"{URL}/{bench.structure_id}").status_code == 200


def test_equal_uploads_at_once_are_two_structures_of_one_file(client: httpx.Client, settings: Settings) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(upload_structure(client)["id"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == 4
    assert sum(path.name == hashlib.sha256(complex_pdb()).hexdigest() for path in stored_files(settings)) == 1
