"""Sealed fields and blind indexes, against the bare SM4-GCM and HMAC calls of `cryptography` on the same octets."""

import os

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto.fields import BlindIndexes, FieldCipher, FieldKeys, KeyVersion, Place

ROUNDS, TIMES = 60, 50
REACH = 0.5
PLACE = Place(table="person", row="0198a9d2-4f5e-7c31-9d55-6f2c1b7a8e90", field="id_number")
VALUES = (("18 octets", b"11010519491231002X"), ("4 KiB", bytes(4096)))
_BOUND = b"version, table, row and field".ljust(64)


def rows() -> list[dict[str, object]]:
    """Measure; about two seconds."""
    keys = FieldKeys(active=KeyVersion(1), secrets={KeyVersion(1): os.urandom(32)})
    measured = [row for called, value in VALUES for row in _sealing(FieldCipher(keys), called, value)]
    return [row.as_dict() for row in (*measured, _index(BlindIndexes(keys, "holder")))]


def _sealing(cipher: FieldCipher, called: str, value: bytes) -> list[Row]:
    sealed = cipher.seal(PLACE, value)
    assert cipher.open(PLACE, sealed) == value
    key = os.urandom(16)
    theirs = _seal(key, value)
    assert _open(key, theirs) == value
    seal, bare_seal, unseal, bare_open = cpu_microseconds(
        (
            Contender(run=lambda: cipher.seal(PLACE, value), times=TIMES),
            Contender(run=lambda: _seal(key, value), times=TIMES),
            Contender(run=lambda: cipher.open(PLACE, sealed), times=TIMES),
            Contender(run=lambda: _open(key, theirs), times=TIMES),
        ),
        rounds=ROUNDS,
    )
    return [
        Row(work=f"{verb} a field of {called}", unit="µs CPU", ours=ours, peer="bare SM4-GCM", theirs=bare, reach=REACH)
        for verb, ours, bare in (("seal", seal, bare_seal), ("open", unseal, bare_open))
    ]


def _seal(key: bytes, value: bytes) -> bytes:
    nonce = os.urandom(12)
    running = Cipher(SM4(key), GCM(nonce)).encryptor()
    running.authenticate_additional_data(_BOUND)
    return nonce + running.update(value) + running.finalize() + running.tag


def _open(key: bytes, sealed: bytes) -> bytes:
    running = Cipher(SM4(key), GCM(sealed[:12], sealed[-16:])).decryptor()
    running.authenticate_additional_data(_BOUND)
    return running.update(sealed[12:-16]) + running.finalize()


def _index(indexes: BlindIndexes) -> Row:
    text, key = "11010519491231002X", os.urandom(32)

    def bare() -> bytes:
        running = HMAC(key, SM3())
        running.update(text.encode())
        return running.finalize()[:16]

    ours, theirs = cpu_microseconds(
        (Contender(run=lambda: indexes.of(text), times=TIMES), Contender(run=bare, times=TIMES)), rounds=ROUNDS
    )
    return Row(work="blind index", unit="µs CPU", ours=ours, peer="bare HMAC-SM3", theirs=theirs, reach=REACH)
