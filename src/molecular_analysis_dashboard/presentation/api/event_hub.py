"""One poller per process that feeds all listeners of live events.

Listeners read what is behind their cursor from the database themselves and then join the feed. Whoever reads too
slowly is told so and reads from the database again; nobody makes the poller wait.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from anyio import to_thread

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.results import Event
from molecular_analysis_dashboard.ports.unit_of_work import Database

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
_RETRY_INTERVAL_S = 2.0
_BATCH = 500
_QUEUED_EVENTS = 1000


class Subscription:
    """What one listener is fed; `behind` says that it missed some and must read the database."""

    def __init__(self, wanted: Callable[[Event], bool]) -> None:
        self._wanted = wanted
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(_QUEUED_EVENTS)
        self.behind = False

    def feed(self, event: Event) -> None:
        """Hand over an event that concerns this listener."""
        if self.behind or not self._wanted(event):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.behind = True

    async def next(self) -> Event | None:
        """Return the next event, or None when the listener has fallen behind; it then starts afresh."""
        if self.behind:
            self._queue = asyncio.Queue(_QUEUED_EVENTS)
            self.behind = False
            return None
        return await self._queue.get()


class EventHub:
    """Polls while anybody listens.

    Parameters
    ----------
    interval_s : float
        Seconds between two polls: the latency of live events.
    """

    def __init__(self, database: Database, *, interval_s: float = POLL_INTERVAL_S) -> None:
        self._database = database
        self._interval_s = interval_s
        self._subscriptions: set[Subscription] = set()
        self._poller: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(self, wanted: Callable[[Event], bool]) -> AsyncIterator[Subscription]:
        """Feed a listener with everything that becomes readable from now on.

        What was readable before is the listener's to read, after it has entered.
        """
        subscription = Subscription(wanted)
        async with self._starting:
            if self._poller is None or self._poller.done():
                cursor = await to_thread.run_sync(self._latest)
                self._poller = asyncio.create_task(self._poll(cursor), name="event-hub")
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions:
                await self.close()

    async def close(self) -> None:
        """Stop polling."""
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            with suppress(asyncio.CancelledError):
                await poller

    async def _poll(self, cursor: str) -> None:
        while True:
            try:
                events = await to_thread.run_sync(self._after, cursor)
            except ResourceLost as error:
                log.warning("events.unreachable", code=error.error_code)
                await asyncio.sleep(_RETRY_INTERVAL_S)
                continue
            except Exception:
                # A defect of ours: without a poller, listeners would wait for ever and never know.
                log.exception("events.defect")
                await asyncio.sleep(_RETRY_INTERVAL_S)
                continue
            for event in events:
                cursor = event.cursor
                for subscription in self._subscriptions:
                    subscription.feed(event)
            if len(events) < _BATCH:
                await asyncio.sleep(self._interval_s)

    def _latest(self) -> str:
        with self._database.begin(SystemScope()) as uow:
            return uow.events.latest_cursor()

    def _after(self, cursor: str) -> list[Event]:
        with self._database.begin(SystemScope()) as uow:
            return uow.events.after(cursor, job_id=None, limit=_BATCH)
