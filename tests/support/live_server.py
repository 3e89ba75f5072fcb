"""The application behind a real HTTP server, in a thread of the tests."""

import socket
import threading
from types import TracebackType
from typing import Self

import httpx
import uvicorn
from fastapi import FastAPI
from tests.support.waiting import wait_until


class LiveServer:
    """Serves an application on a free port of this machine until it is left."""

    def __init__(self, app: FastAPI) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive(), 30, "the server does not start")
        if not self._thread.is_alive():
            self._socket.close()
            raise RuntimeError("the server refused to start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
        assert not self._thread.is_alive(), "the server does not stop"

    def client(self) -> httpx.Client:
        """Return a client whose addresses begin at the root of this server."""
        return httpx.Client(base_url=self.url, timeout=30)
