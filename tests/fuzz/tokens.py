"""Readers of tokens and logs: JWT, JWK and sets of them, client assertions, CBOR, COSE, checkpoints, Merkle proofs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from crypto import cbor, merkle
from crypto.assertions import claimed_client, verify_client_assertion
from crypto.checkpoint import (
    Checkpoint,
    NoteSigner,
    SignedCheckpoint,
    add_signature,
    read_text,
    sign_checkpoint,
    verify_checkpoint,
)
from crypto.cose import CoseSigner, kid_of, verify_sign1
from crypto.errors import CborError
from crypto.jose import JwtSigner, gm_public_jwk, unverified_claims, verify_jwt, verify_signature
from crypto.jwk import encode, gm_key_from_jwk, key_from_jwk, public_jwk
from crypto.key_sets import read_gm_key_set, read_key_set
from crypto.keys import PublicKey, VaultSigner
from crypto.raw_values import sign_raw
from crypto.suites import ED25519, ES256, SM2_SM3
from tests.fuzz.certificates import RSA_SPKI
from tests.fuzz.keys import FixedVault
from tests.fuzz.shapes import CBOR, JSON, JWT, text
from tests.fuzz.target import Target

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_ISSUER, _CLIENT = "https://id.example", "client-1"
_CLAIMS = {
    "iss": _CLIENT,
    "sub": _CLIENT,
    "aud": _ISSUER,
    "exp": int(NOW.timestamp()) + 200,
    "iat": int(NOW.timestamp()),
    "jti": "a1",
    "name": "某人",
    "amr": ["pwd", {"level": 2}],
}
_SUITES = (ES256, SM2_SM3, ED25519)


def signers() -> dict[str, VaultSigner]:
    vault = FixedVault()
    return {suite.name: VaultSigner(vault, vault.generate(suite)) for suite in _SUITES}


def targets() -> Iterator[Target]:
    """Give the rows."""
    by = signers()
    yield from _jose(by)
    yield from _keys(by)
    yield from _cose(by)
    yield from _logs(by)


def _jose(by: dict[str, VaultSigner]) -> Iterator[Target]:
    keys = {name: signer.public_key for name, signer in by.items()}
    makers = [JwtSigner(signer, name) for name, signer in by.items()]
    tokens = [maker.sign(_CLAIMS).encode() for maker in makers]
    parts = {token.rpartition(b".")[0] for token in tokens}

    def jwt(data: bytes) -> object:
        token = data.decode("utf-8", "surrogateescape")
        unverified_claims(token)
        return verify_jwt(token, keys=keys, issuer=_CLIENT, audience=_ISSUER, typ="JWT", at=NOW, suites=_SUITES)

    def assertion(data: bytes) -> object:
        token = data.decode("utf-8", "surrogateescape")
        claimed_client(token)
        return verify_client_assertion(
            token, client_id=_CLIENT, keys=keys, issuer=_ISSUER, at=NOW, first_use=lambda *_: True, suites=_SUITES
        )

    def was_signed(_: object, data: bytes) -> None:
        assert data.rpartition(b".")[0] in parts

    yield Target(name="jwt", seeds=tokens, ways=JWT, read=jwt, check=was_signed)
    yield Target(name="client-assertion", seeds=tokens, ways=JWT, read=assertion, check=was_signed)

    # What a signer of ours, gone mad, would put into a token: the signature holds, the claims are anything.
    header = makers[0].sign({}).split(".")[0]

    def claims(data: bytes) -> object:
        signed = f"{header}.{encode(data)}"
        token = f"{signed}.{encode(sign_raw(by['ES256'], signed.encode()))}"
        json.dumps(verify_signature(token, keys=keys, typ="JWT"), allow_nan=False)
        return verify_jwt(token, keys=keys, issuer=_CLIENT, audience=_ISSUER, typ="JWT", at=NOW)

    yield Target(name="jwt-claims", seeds=[json.dumps(_CLAIMS).encode()], ways=JSON, read=claims)


def _keys(by: dict[str, VaultSigner]) -> Iterator[Target]:
    rsa = PublicKey.from_spki(RSA_SPKI)
    standard = [public_jwk(key, key.kind.value) for key in (by["ES256"].public_key, by["Ed25519"].public_key, rsa)]
    gm = gm_public_jwk(by["SM2-SM3"].public_key, "g1")

    def loaded(data: bytes) -> Any:
        value = json.loads(data)
        return value if isinstance(value, dict) else {}

    def one(data: bytes) -> object:
        read = key_from_jwk if loaded(data).get("crv") != "SM2-P-256" else gm_key_from_jwk
        return read(loaded(data))

    def many(data: bytes) -> object:
        value = json.loads(data)
        return read_gm_key_set(value) if b"SM2" in data else read_key_set(value)

    singles = [json.dumps(each).encode() for each in (*standard, gm)]
    sets = [json.dumps({"keys": keys}).encode() for keys in (standard[:1], standard[1:], [gm])]
    yield Target(name="jwk", seeds=singles, ways=JSON, read=_after_json(one))
    yield Target(name="jwks", seeds=sets, ways=JSON, read=_after_json(many))


def _after_json(read: Any) -> Any:
    """Leave out what is no JSON: that is refused before these readers see it."""

    def only_json(data: bytes) -> object:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return None
        return read(data)

    return only_json


def _cose(by: dict[str, VaultSigner]) -> Iterator[Target]:
    values: list[object] = [
        {1: b"\x11" * 41, 2: "440300", 3: "欧*国", 5: 20414, -7: [True, None, {"a": 1}]},
        [0, 23, 24, 255, 256, 65536, 2**32, 2**64 - 1, -1, -(2**64)],
        cbor.Tag(18, [b"\xa1\x01\x26", {}, b"payload", bytes(64)]),
    ]

    def same(read: object, data: bytes) -> None:
        assert cbor.encode(read) == data

    yield Target(name="cbor", seeds=[cbor.encode(each) for each in values], ways=CBOR, read=cbor.decode, check=same)
    keys = {kid_of(signer.public_key): signer.public_key for signer in by.values()}
    payload = cbor.encode(values[0])
    messages = [CoseSigner(each, kid_of(each.public_key), content_type=60).sign(payload) for each in by.values()]

    def verified(data: bytes) -> object:
        return verify_sign1(data, keys=keys, suites=_SUITES, content_type=60)

    def was_signed(read: Any, _: bytes) -> None:
        assert read.payload == payload

    yield Target(name="cose", seeds=messages, ways=CBOR, read=verified, check=was_signed)


def _logs(by: dict[str, VaultSigner]) -> Iterator[Target]:
    log, *witnesses = (NoteSigner(f"log.example/{place}", signer) for place, signer in enumerate(by.values()))
    checkpoint = Checkpoint(origin=log.key.name, size=20852163, root=bytes(range(32)), extensions=("ext 扩展",))
    note = sign_checkpoint(checkpoint, log)
    notes = [note]
    for witness in witnesses:
        notes.append(add_signature(notes[-1], witness))

    def verified(data: bytes) -> SignedCheckpoint:
        return verify_checkpoint(data, log=log.key, witnesses=[each.key for each in witnesses])

    def was_signed(read: SignedCheckpoint, _: bytes) -> None:
        assert read.checkpoint == checkpoint
        assert read_text(read.checkpoint.text()) == checkpoint

    words = text("— ".encode(), b"\n\n", b"log.example/0 ", b"20852163", b"=\n", b"\x00")
    yield Target(name="checkpoint", seeds=notes, ways=words, read=verified, check=was_signed)
    yield _proofs()


def _proofs() -> Target:
    """Proofs as CBOR of [index, size, leaf, root, old, old root, [hashes], [hashes]]."""
    tree = merkle.SM3_TREE
    leaves = [tree.leaf(bytes((at,))) for at in range(11)]
    subtrees = merkle.in_memory(tree, leaves)
    root = merkle.root(tree, leaves)
    cases = [
        [
            *(at, 11, leaves[at], root, old, merkle.root(tree, leaves[:old])),
            list(merkle.prove_inclusion(tree, subtrees, at, 11)),
            list(merkle.prove_consistency(tree, subtrees, old, 11)),
        ]
        for at, old in ((0, 1), (4, 7), (10, 8), (7, 11))
    ]

    def judged(data: bytes) -> object:
        value: Any = cbor.decode(data)
        match value:
            case [int(at), int(size), bytes(leaf), bytes(top), int(old), bytes(old_root), list(one), list(two)] if all(
                isinstance(step, bytes) for step in (*one, *two)
            ):
                held = merkle.verify_inclusion(tree, leaf=leaf, index=at, size=size, root=top, proof=one)
                also = merkle.verify_consistency(tree, old=old, old_root=old_root, new=size, new_root=top, proof=two)
                return held, also, leaf, top
        raise CborError("not a proof")

    def is_true(read: Any, _: bytes) -> None:
        held, also, leaf, top = read
        assert not held or top != root or leaf in leaves
        assert isinstance(also, bool)

    return Target(
        name="merkle-proof", seeds=[cbor.encode(each) for each in cases], ways=CBOR, read=judged, check=is_true
    )
