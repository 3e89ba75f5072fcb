"""An upload in parts, fed from the thread that reads the content."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue

_WAITING_CHUNKS = 2
_LOOK_AFTER_S = 0.2
_End = BaseException | None


def upload(send: Callable[[Iterator[bytes]], object], chunks: Iterable[bytes]) -> None:
    """Let `send` take the chunks in a thread of its own, while this thread iterates over them.

    obstore iterates inside its runtime, and there a content that itself comes out of a store could not be read.
    Whatever goes wrong in `chunks` is raised to `send` too, which gives the upload up.
    """
    waiting: Queue[bytes | _End] = Queue(_WAITING_CHUNKS)
    with ThreadPoolExecutor(1, thread_name_prefix="upload") as pool:
        sending = pool.submit(send, _taken(waiting))
        try:
            for chunk in chunks:
                _hand_over(waiting, chunk, sending)
        except BaseException as broken:
            with suppress(BaseException):
                _hand_over(waiting, broken, sending)
                sending.result()
            raise
        _hand_over(waiting, None, sending)
        sending.result()


def _taken(waiting: "Queue[bytes | _End]") -> Iterator[bytes]:
    while not isinstance(item := waiting.get(), _End):
        yield item
    if item is not None:
        raise item


def _hand_over(waiting: "Queue[bytes | _End]", item: bytes | _End, sending: "Future[object]") -> None:
    """Wait until there is room for an item; raise what ended the sending, if nobody will take it any more."""
    while True:
        try:
            return waiting.put(item, timeout=_LOOK_AFTER_S)
        except Full:
            if sending.done():
                sending.result()
                raise RuntimeError("the upload ended before its content") from None
