import threading
from collections.abc import Iterator
from itertools import count

import pytest

from molecular_analysis_dashboard.adapters.storage.part_upload import upload


class Broken(Exception):
    pass


def endless() -> Iterator[bytes]:
    for number in count():
        yield b"%d" % number


def test_chunks_arrive_whole_and_in_order() -> None:
    sent = [b"%d" % number for number in range(100)]
    arrived: list[bytes] = []
    upload(arrived.extend, sent)
    assert arrived == sent


def test_nothing_is_an_upload_too() -> None:
    arrived: list[bytes] = []
    upload(arrived.extend, [])
    assert arrived == []


def test_content_is_read_in_the_thread_of_the_caller() -> None:
    threads: list[int] = []

    def content() -> Iterator[bytes]:
        threads.append(threading.get_ident())
        yield b"x"

    upload(lambda chunks: threads.append(len(list(chunks)) and threading.get_ident()), content())
    assert threads[0] == threading.get_ident() != threads[1]


def test_content_that_breaks_off_is_told_to_the_sender_and_to_the_caller() -> None:
    told: list[BaseException] = []

    def send(chunks: Iterator[bytes]) -> None:
        try:
            list(chunks)
        except Broken as error:
            told.append(error)
            raise

    def content() -> Iterator[bytes]:
        yield b"x"
        raise Broken

    with pytest.raises(Broken) as caught:
        upload(send, content())
    assert told == [caught.value]


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_a_sender_that_fails_ends_even_endless_content(taken: int) -> None:
    def send(chunks: Iterator[bytes]) -> None:
        for _ in range(taken):
            next(chunks)
        raise Broken

    with pytest.raises(Broken):
        upload(send, endless())


def test_a_sender_that_fails_at_the_end_is_heard() -> None:
    def send(chunks: Iterator[bytes]) -> None:
        list(chunks)
        raise Broken

    with pytest.raises(Broken):
        upload(send, [b"x"])


def test_a_sender_that_stops_early_is_no_success() -> None:
    with pytest.raises(RuntimeError, match="ended before its content"):
        upload(lambda chunks: next(chunks), endless())
