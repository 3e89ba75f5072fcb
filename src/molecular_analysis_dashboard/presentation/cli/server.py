"""Which server a command talks to: the named one, the running embedded one, or one started for the command."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from molecular_analysis_dashboard.client import Client
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import StackState, read_stack_state
from molecular_analysis_dashboard.infrastructure.stack_users import StackUse
from molecular_analysis_dashboard.presentation.cli.background import start_in_background
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.options import DataDir, Server, Token, chosen_data_dir

_SETTLE_TIMEOUT_S = 180.0
# A stack started for a command notices within this time that nobody uses it any more.
_NOTICE_TIMEOUT_S = 5.0
_POLL_S = 0.1


@dataclass(frozen=True)
class ServerOptions:
    """Which server a command talks to."""

    server: Server = None
    token: Token = None
    data_dir: DataDir = None

    def running(self) -> AbstractContextManager[Client]:
        """Talk to the named server, else to the embedded stack that runs on the data folder.

        Raises
        ------
        ResourceLost
            ``not_running`` when neither is there.
        """
        return _running(self.server, self.token, chosen_data_dir(self.data_dir))

    def or_started(self, console: Console) -> AbstractContextManager[Client]:
        """Like `running`, but start a stack for the length of the block when there is none."""
        return _or_started(console, self.server, self.token, chosen_data_dir(self.data_dir))


@contextmanager
def _running(server: str | None, token: str | None, data_dir: Path) -> Iterator[Client]:
    url = server
    if url is None:
        state = _settled(data_dir)
        if state is None:
            raise ResourceLost(
                f"Nothing runs on {data_dir}. Start it with mad up, or name a server with --server or MAD_SERVER.",
                code="not_running",
                data_dir=str(data_dir),
            )
        url = str(state.url)
    with Client(url, token) as client:
        yield client


@contextmanager
def _or_started(console: Console, server: str | None, token: str | None, data_dir: Path) -> Iterator[Client]:
    if server is not None:
        with Client(server, token) as client:
            client.ready()
            yield client
        return
    started = False
    try:
        with StackUse(data_dir):
            state = _settled(data_dir)
            if state is None:
                console.say(f"No server runs; starting one on {data_dir} for this command …")
                state = start_in_background(data_dir, ["--while-used"])
                started = True
                console.say(f"The dashboard listens at {state.url} meanwhile.")
            with Client(str(state.url), token) as client:
                yield client
    finally:
        if started:
            _wait_for_its_end(console, data_dir)


def _settled(data_dir: Path) -> StackState | None:
    """The running stack of a folder; one that starts or stops is waited for."""
    deadline = time.monotonic() + _SETTLE_TIMEOUT_S
    while time.monotonic() < deadline:
        state = read_stack_state(data_dir)
        if state is None or state.phase == "running":
            return state
        time.sleep(_POLL_S)
    raise ResourceLost(
        f"The stack of {data_dir} neither starts nor stops. See mad status, or stop it with mad down.",
        code="stack_unsettled",
        data_dir=str(data_dir),
    )


def _wait_for_its_end(console: Console, data_dir: Path) -> None:
    """Wait until the stack that this command started has stopped; another command may use it on."""
    noticed = time.monotonic() + _NOTICE_TIMEOUT_S
    deadline = time.monotonic() + _SETTLE_TIMEOUT_S
    while time.monotonic() < deadline:
        state = read_stack_state(data_dir)
        if state is None:
            return
        if state.phase == "running" and time.monotonic() > noticed:
            console.say("The server stays up: another command uses it.")
            return
        time.sleep(_POLL_S)
