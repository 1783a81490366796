"""The object store: content under its hash, never overwritten, never given out damaged."""

import errno
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore, MemoryStore

from crypto.digests import sm3
from kernel.objects import ObjectCorrupt, ObjectNotFound, ObjectStore, ObjectsUnavailable, ObjectTooLarge


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return ObjectStore.folder(tmp_path) if request.param == "folder" else ObjectStore(MemoryStore())


def _file(root: Path, key: str) -> Path:
    return root / key[:2] / key[2:4] / key


@given(data=st.binary(max_size=2000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_is_put_is_got_back_under_its_hash(store: ObjectStore, data: bytes) -> None:
    key = store.put(data)
    assert key == sm3(data).hex()
    assert store.get(key) == data
    assert store.has(key)


def test_the_same_content_twice_is_one_object(tmp_path: Path) -> None:
    store = ObjectStore.folder(tmp_path)
    key = store.put(b"same")
    before = _file(tmp_path, key).stat()
    assert store.put(b"same") == key
    assert _file(tmp_path, key).stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [key]


def test_many_writers_of_the_same_content_all_succeed(store: ObjectStore) -> None:
    data = b"x" * 200_000
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: store.put(data), range(32)))
    assert keys == {sm3(data).hex()}
    assert store.get(keys.pop()) == data


@pytest.mark.parametrize("damage", [b"", b"seale", b"sealeD", b"sealed!"])
def test_a_damaged_object_is_refused_and_mended_by_putting_it_again(tmp_path: Path, damage: bytes) -> None:
    store = ObjectStore.folder(tmp_path)
    key = store.put(b"sealed")
    _file(tmp_path, key).write_bytes(damage)
    with pytest.raises(ObjectCorrupt):
        store.get(key)
    assert store.put(b"sealed") == key
    assert store.get(key) == b"sealed"


@pytest.mark.parametrize("key", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_an_unknown_or_impossible_key_is_not_found(store: ObjectStore, key: str) -> None:
    with pytest.raises(ObjectNotFound):
        store.get(key)
    assert not store.has(key)


def test_an_object_beyond_the_limit_is_refused_and_not_kept(tmp_path: Path) -> None:
    store = ObjectStore.folder(tmp_path, largest=10)
    store.put(b"x" * 10)
    with pytest.raises(ObjectTooLarge, match="11 octets"):
        store.put(b"x" * 11)
    assert not store.has(sm3(b"x" * 11).hex())


def test_a_store_does_not_create_its_own_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ObjectStore.folder(tmp_path / "missing")


def test_every_put_is_settled_before_it_returns() -> None:
    settled: list[str] = []
    store = ObjectStore(MemoryStore(), settle=settled.extend)
    keys = [store.put(b"a"), store.put(b"a"), *store.put_all([b"b", b"c"])]
    assert settled == [f"{key[:2]}/{key[2:4]}/{key}" for key in keys]


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_many_at_once_are_kept_as_one_by_one(store: ObjectStore, count: int) -> None:
    contents = [f"file {number // 2}".encode() for number in range(count)]
    keys = store.put_all(contents)
    assert [store.get(key) for key in keys] == contents


def test_of_many_at_once_one_that_is_too_large_refuses_all(tmp_path: Path) -> None:
    store = ObjectStore.folder(tmp_path, largest=3)
    with pytest.raises(ObjectTooLarge):
        store.put_all([b"abc", b"abcd"])
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_refused_and_the_same_content_can_be_put_once_there_is_room() -> None:
    full = [True]

    def settle(_: Sequence[str]) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "no room")

    store = ObjectStore(MemoryStore(), settle=settle)
    with pytest.raises(ObjectsUnavailable):
        store.put(b"a")
    full[0] = False
    assert store.get(store.put(b"a")) == b"a"


def test_a_folder_that_vanished_is_unavailable_rather_than_not_found(tmp_path: Path) -> None:
    store = ObjectStore(LocalStore(tmp_path), settle=lambda _: (tmp_path / "gone").stat())
    with pytest.raises(ObjectsUnavailable):
        store.put(b"a")


def test_a_folder_that_vanished_is_unavailable_for_many_as_well(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    store = ObjectStore.folder(root)
    root.rmdir()
    root.write_bytes(b"")
    with pytest.raises(ObjectsUnavailable):
        store.put_all([bytes([number]) for number in range(20)])
