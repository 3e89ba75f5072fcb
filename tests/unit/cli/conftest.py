import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from molecular_analysis_dashboard.presentation.cli.main import run


@dataclass(frozen=True)
class Outcome:
    """What a command line led to."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Mad = Callable[..., Outcome]
Serve = Callable[[int, str], str]


@pytest.fixture
def mad(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mad:
    """Run one command line in this process, in an empty folder and with an empty data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: object) -> Outcome:
        code = run([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    return call


@dataclass
class Script:
    """A server that answers each address by a list of answers, the last one again and again, and notes who asked."""

    url: str = ""
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: dict[str, bytes] = field(default_factory=dict)

    def answer(self, line: str, sent: bytes) -> tuple[int, bytes]:
        self.asked.append(line)
        self.sent[line] = sent
        found = self.answers.get(line, [(404, {})])
        status, body = found.pop(0) if len(found) > 1 else found[0]
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def script() -> Iterator[Script]:
    """Start a server that follows a script."""
    script = Script()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            line = f"{self.command} {self.path.partition('?')[0].removeprefix('/api/v1')}"
            status, body = script.answer(line, sent)
            if not status:
                self.close_connection = True  # gone without an answer
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    script.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield script
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers every request alike, and return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: str) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        servers.append(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[str, ...]:
    """Receptor, ligands and results folder of a docking that nothing is wrong with."""
    receptor, ligands = tmp_path / "receptor.pdb", tmp_path / "ligands.smi"
    receptor.write_text("ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C\n")
    ligands.write_text("CCO ethanol\n")
    return ("--receptor", str(receptor), "--ligands", str(ligands), "--out", str(tmp_path / "out"))
