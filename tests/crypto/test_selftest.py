"""The self-test: every algorithm passes here, and a failing one is a record."""

import pytest

from crypto.engines import Sm2Engine, default_engine
from crypto.engines.libcrypto import LibcryptoEngine
from crypto.errors import EngineUnavailable
from crypto.selftest import run


def test_every_algorithm_gives_its_known_answers() -> None:
    records = run()
    assert [record.name for record in records] == [
        "SM3", "SM4-GCM", "SM2 sign", "SM2 verify", "P-256 sign", "P-256 verify",
    ]  # fmt: skip
    assert all(record.ok for record in records), records
    assert all(record.rate and record.unit for record in records)


def test_a_machine_without_an_engine_is_told_the_remedy() -> None:
    def none() -> Sm2Engine:
        raise EngineUnavailable("install OpenSSL 3")

    records = {record.name: record for record in run(none)}
    assert records["SM3"].ok
    for name in ("SM2 sign", "SM2 verify"):
        assert not records[name].ok
        assert records[name].detail == "install OpenSSL 3"
        assert records[name].rate is None


def test_an_engine_that_accepts_forgeries_fails() -> None:
    class Credulous(LibcryptoEngine):
        def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
            return bool(point and e and signature)

    good = default_engine()
    if not isinstance(good, LibcryptoEngine):
        pytest.skip("another door is in use")
    failed = [record.name for record in run(lambda: Credulous(good.library)) if not record.ok]
    assert failed == ["SM2 sign", "SM2 verify"]
