"""What every blob store does, whatever it is made of."""

import hashlib
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from molecular_analysis_dashboard.domain.errors import InvalidInput, NotFound, TooLarge
from molecular_analysis_dashboard.ports.blobs import BlobInfo, BlobStore

LIMIT = 20_000_000
CONTENT = b"ATOM      1  N   MET A   1\n" * 1000
# More than any store holds in memory or sends at once.
LARGE = bytes(range(256)) * 50_000
MISSING = "0" * 64


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(store: BlobStore, sha256: str) -> bytes:
    with store.open(sha256) as file:
        return file.read()


class Unreadable(Exception):
    pass


def breaking_off(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise Unreadable


class TestPut:
    @pytest.mark.parametrize("content", [b"", b"\0", CONTENT, LARGE], ids=len)
    def test_content_comes_back_under_its_hash(self, store: BlobStore, content: bytes) -> None:
        info = store.put(io.BytesIO(content), max_bytes=LIMIT)
        assert info == BlobInfo(name_of(content), len(content))
        assert read(store, info.sha256) == content
        assert store.exists(info.sha256)
        assert store.size(info.sha256) == len(content)

    def test_an_iterator_of_chunks_is_stored_like_a_stream(self, store: BlobStore) -> None:
        info = store.put((CONTENT[start : start + 7] for start in range(0, len(CONTENT), 7)), max_bytes=LIMIT)
        assert info == store.put(io.BytesIO(CONTENT), max_bytes=LIMIT)

    def test_equal_content_is_stored_once(self, store: BlobStore) -> None:
        infos = {store.put([CONTENT], max_bytes=LIMIT) for _ in range(3)}
        assert list(store.list()) == list(infos)
        assert store.sweep_temporary(older_than_s=-1) == 0

    def test_equal_large_content_is_stored_once(self, store: BlobStore) -> None:
        infos = {store.put(io.BytesIO(LARGE), max_bytes=LIMIT) for _ in range(2)}
        assert list(store.list()) == list(infos)
        assert store.sweep_temporary(older_than_s=-1) == 0

    def test_content_of_exactly_the_limit_is_stored(self, store: BlobStore) -> None:
        assert store.put([b"12345", b"67890"], max_bytes=10).size_bytes == 10

    def test_content_over_the_limit_leaves_nothing(self, store: BlobStore) -> None:
        with pytest.raises(TooLarge) as caught:
            store.put([b"12345", b"678901"], max_bytes=10)
        assert caught.value.details == {"max_bytes": 10}
        self.assert_nothing_is_left(store)

    def test_an_endless_stream_is_left_at_the_limit(self, store: BlobStore) -> None:
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            while True:
                sent += 1
                yield b"x" * 100

        with pytest.raises(TooLarge):
            store.put(endless(), max_bytes=1000)
        assert sent == 11

    def test_large_content_over_the_limit_leaves_nothing(self, store: BlobStore) -> None:
        with pytest.raises(TooLarge):
            store.put(io.BytesIO(LARGE), max_bytes=len(LARGE) - 1)
        self.assert_nothing_is_left(store)

    @pytest.mark.parametrize("content", [b"", CONTENT, LARGE], ids=len)
    def test_content_that_breaks_off_leaves_nothing(self, store: BlobStore, content: bytes) -> None:
        with pytest.raises(Unreadable):
            store.put(breaking_off(content), max_bytes=LIMIT)
        assert not store.exists(name_of(content))
        self.assert_nothing_is_left(store)

    @pytest.mark.parametrize("content", [CONTENT, LARGE], ids=len)
    def test_content_is_invisible_until_whole(self, store: BlobStore, content: bytes) -> None:
        seen: list[tuple[bool, list[BlobInfo]]] = []

        def watched() -> Iterator[bytes]:
            yield content
            seen.append((store.exists(name_of(content)), list(store.list())))

        store.put(watched(), max_bytes=LIMIT)
        assert seen == [(False, [])]

    def test_equal_content_put_at_once_by_many_is_stored_once_and_whole(self, store: BlobStore) -> None:
        writers = 8
        midway = threading.Barrier(writers, timeout=30)

        def slowly() -> Iterator[bytes]:
            yield CONTENT
            midway.wait()
            yield CONTENT

        with ThreadPoolExecutor(writers) as pool:
            infos = set(pool.map(lambda _: store.put(slowly(), max_bytes=LIMIT), range(writers)))
        assert infos == {BlobInfo(name_of(CONTENT * 2), len(CONTENT) * 2)}
        assert list(store.list()) == list(infos)
        assert read(store, name_of(CONTENT * 2)) == CONTENT * 2
        assert store.sweep_temporary(older_than_s=-1) == 0

    def test_a_reader_keeps_its_content_while_it_is_put_again_and_deleted(self, store: BlobStore) -> None:
        info = store.put([CONTENT], max_bytes=LIMIT)
        with store.open(info.sha256) as file:
            first = file.read(10)
            store.put([CONTENT], max_bytes=LIMIT)
            store.delete(info.sha256)
            assert first + file.read() == CONTENT

    @staticmethod
    def assert_nothing_is_left(store: BlobStore) -> None:
        assert list(store.list()) == []
        assert store.sweep_temporary(older_than_s=-1) == 0


class TestOpen:
    def test_a_large_blob_is_read_in_pieces(self, store: BlobStore) -> None:
        info = store.put([LARGE], max_bytes=LIMIT)
        with store.open(info.sha256) as file:
            pieces = list(iter(lambda: file.read(1_000_003), b""))
        assert b"".join(pieces) == LARGE
        assert {len(piece) for piece in pieces[:-1]} == {1_000_003}

    def test_a_reader_may_jump(self, store: BlobStore) -> None:
        info = store.put([LARGE], max_bytes=LIMIT)
        with store.open(info.sha256) as file:
            assert file.seek(-3, io.SEEK_END) == len(LARGE) - 3
            assert file.read() == LARGE[-3:]
            assert file.read() == b""
            file.seek(256 * 40_000 + 7)
            assert file.read(2) == LARGE[7:9]
            file.seek(10, io.SEEK_CUR)
            assert file.read(1) == LARGE[19:20]
            assert file.tell() == 256 * 40_000 + 20


class TestReadRange:
    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, 3, b"012"), (4, 3, b"456"), (8, 100, b"89"), (10, 5, b""), (99, 5, b""), (3, 0, b"")],
    )
    def test_a_range_ends_at_the_end(self, store: BlobStore, start: int, length: int, expected: bytes) -> None:
        info = store.put([b"0123456789"], max_bytes=LIMIT)
        assert store.read_range(info.sha256, start, length) == expected

    @pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, -1)])
    def test_a_negative_range_is_refused(self, store: BlobStore, start: int, length: int) -> None:
        info = store.put([b"0123456789"], max_bytes=LIMIT)
        with pytest.raises(InvalidInput):
            store.read_range(info.sha256, start, length)


class TestMissing:
    def test_a_missing_blob_is_not_found(self, store: BlobStore) -> None:
        assert not store.exists(MISSING)
        with pytest.raises(NotFound):
            store.open(MISSING)
        with pytest.raises(NotFound):
            store.size(MISSING)
        with pytest.raises(NotFound):
            store.read_range(MISSING, 0, 1)

    def test_an_empty_store_lists_and_sweeps_nothing(self, store: BlobStore) -> None:
        assert list(store.list()) == []
        assert store.sweep_temporary() == 0


class TestAge:
    def test_a_new_blob_is_young(self, store: BlobStore) -> None:
        info = store.put([CONTENT], max_bytes=LIMIT)
        assert -5 < store.age_s(info.sha256) < 300

    def test_a_missing_blob_has_no_age(self, store: BlobStore) -> None:
        with pytest.raises(NotFound):
            store.age_s(MISSING)


class TestClaim:
    def test_who_comes_first_owns_the_store(self, store: BlobStore) -> None:
        assert store.claim("first") == "first"
        assert store.claim("second") == "first"
        assert store.claim("first") == "first"
        assert list(store.list()) == []
        assert store.sweep_temporary(older_than_s=-1) == 0

    def test_of_many_at_once_one_owns_the_store(self, store: BlobStore) -> None:
        names = [f"owner {number}" for number in range(8)]
        with ThreadPoolExecutor(len(names)) as pool:
            (owner,) = set(pool.map(store.claim, names))
        assert owner in names


class TestNames:
    @pytest.mark.parametrize(
        "name", ["", "0" * 63, "0" * 65, "A" * 64, "../" + "0" * 61, "0" * 64 + "\n", "/etc/passwd"]
    )
    def test_only_a_hash_is_a_name(self, store: BlobStore, name: str) -> None:
        uses = (store.open, store.size, store.age_s, store.exists, store.delete)
        for use in (*uses, lambda name: store.read_range(name, 0, 1)):
            with pytest.raises(InvalidInput):
                use(name)


class TestDelete:
    def test_a_deleted_blob_is_gone_and_can_be_put_again(self, store: BlobStore) -> None:
        info = store.put([CONTENT], max_bytes=LIMIT)
        store.delete(info.sha256)
        assert not store.exists(info.sha256)
        assert list(store.list()) == []
        assert store.put([CONTENT], max_bytes=LIMIT) == info
        assert read(store, info.sha256) == CONTENT

    def test_deleting_what_is_not_there_is_no_error(self, store: BlobStore) -> None:
        store.delete(MISSING)

    def test_other_blobs_stay(self, store: BlobStore) -> None:
        gone, kept = (store.put([content], max_bytes=LIMIT) for content in (b"a", b"b"))
        store.delete(gone.sha256)
        assert list(store.list()) == [kept]


def test_blobs_are_listed_in_the_order_of_their_names(store: BlobStore) -> None:
    infos = [store.put([str(number).encode()], max_bytes=LIMIT) for number in range(50)]
    assert list(store.list()) == sorted(infos, key=lambda info: info.sha256)


def test_checking_leaves_no_trace(store: BlobStore) -> None:
    store.check_writable()
    assert list(store.list()) == []
    assert store.sweep_temporary(older_than_s=-1) == 0
