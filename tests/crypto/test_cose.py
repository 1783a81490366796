"""COSE_Sign1: what is signed is believed, everything else is refused."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import cbor
from crypto.cose import MAX_MESSAGE, CoseKid, CoseSigner, SignedPayload, kid_of, verify_sign1
from crypto.errors import CoseError, SuiteRefused
from crypto.keys import PublicKey, VaultSigner
from crypto.raw_values import sign_raw, verify_raw
from crypto.suites import ED25519, ES256, RS256, SM2_SM3, KeyKind
from tests.crypto.authority import Authority

PAYLOAD = cbor.encode({1: "91440300MA5D", 3: "欧*国", 14: bytes(16)})
KID = CoseKid(b"k1")


@pytest.fixture(params=[SM2_SM3.name, ES256.name, ED25519.name])
def signer(request: pytest.FixtureRequest, authorities: Mapping[str, Authority]) -> VaultSigner:
    return authorities[request.param].key("tokens")


def judge(message: bytes, signer: VaultSigner, **changes: Any) -> SignedPayload:
    return verify_sign1(message, **({"keys": {KID: signer.public_key}, "suites": (signer.suite,)} | changes))


def by_hand(
    signer: VaultSigner,
    *,
    header: Any = None,
    unprotected: Any = None,
    payload: Any = PAYLOAD,
    value: Callable[[bytes], bytes] | None = None,
) -> list[Any]:
    """The members of a message that is signed as it stands, however odd."""
    octets = header if isinstance(header, bytes) else cbor.encode(header or good(signer))
    signed = cbor.encode(["Signature1", octets, b"", payload])
    return [
        octets,
        {} if unprotected is None else unprotected,
        payload,
        (value or (lambda m: sign_raw(signer, m)))(signed),
    ]


def good(signer: VaultSigner) -> dict[int, Any]:
    return {1: signer.suite.cose, 4: KID}


def test_what_is_signed_is_believed(signer: VaultSigner) -> None:
    message = CoseSigner(signer, KID).sign(PAYLOAD)

    assert judge(message, signer) == SignedPayload(payload=PAYLOAD, kid=KID, suite=signer.suite)
    assert judge(cbor.encode(cbor.Tag(18, by_hand(signer))), signer).payload == PAYLOAD


def test_both_profiles_have_nearly_the_same_size_and_64_octets_of_signature(sm2: Authority, p256: Authority) -> None:
    sizes = {}
    for authority in (sm2, p256):
        message = CoseSigner(authority.key("tokens"), KID).sign(PAYLOAD)
        outer = cbor.decode(message)
        assert isinstance(outer, cbor.Tag)
        assert isinstance(outer.value, list)
        assert len(outer.value[3]) == 64  # type: ignore[arg-type]
        sizes[authority.suite.name] = len(message)
    assert sizes[SM2_SM3.name] - sizes[ES256.name] == 4  # The private number is longer than -7.


def test_the_example_of_rfc_9052_verifies_and_its_unprotected_kid_is_refused() -> None:
    """RFC 9052 C.2.1 with the key "11" of C.7.1."""
    point = bytes.fromhex(
        "04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
        "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
    )
    message = bytes.fromhex(
        "d28443a10126a10442313154546869732069732074686520636f6e74656e742e5840"
        "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
        "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
    )
    key = PublicKey.from_point(KeyKind.P256, point)
    signed = cbor.encode(["Signature1", b"\xa1\x01\x26", b"", b"This is the content."])

    assert verify_raw(key, ES256, signed, message[-64:])
    with pytest.raises(CoseError, match="protected"):
        verify_sign1(message, keys={CoseKid(b"11"): key})


def test_what_is_known_outside_is_signed_too(signer: VaultSigner) -> None:
    message = CoseSigner(signer, KID).sign(PAYLOAD, external_aad=b"licence")

    assert judge(message, signer, external_aad=b"licence").payload == PAYLOAD
    for other in (b"", b"License"):
        with pytest.raises(CoseError, match="signature"):
            judge(message, signer, external_aad=other)


def test_a_content_type_is_demanded_both_ways(signer: VaultSigner) -> None:
    typed, untyped = (CoseSigner(signer, KID, content_type=kind).sign(PAYLOAD) for kind in ("xinyin/el1", None))

    assert judge(typed, signer, content_type="xinyin/el1").payload == PAYLOAD
    for message, kind in ((typed, None), (untyped, "xinyin/el1"), (typed, 60)):
        with pytest.raises(CoseError, match="content type"):
            judge(message, signer, content_type=kind)


HEADERS: dict[str, Callable[[dict[int, Any]], Any]] = {
    "crit": lambda header: header | {2: [4]},
    "a key inside": lambda header: header | {-1: {}},
    "x5chain": lambda header: header | {33: b"\x30"},
    "unknown": lambda header: header | {"x": 1},
    "no alg": lambda header: {4: header[4]},
    "no kid": lambda header: {1: header[1]},
    "unknown kid": lambda header: header | {4: b"k2"},
    "kid as text": lambda header: header | {4: "k1"},
    "alg as text": lambda header: header | {1: "ES256"},
    "alg of another key": lambda header: header | {1: -7 if header[1] != -7 else -65602},
    "alg ES384": lambda header: header | {1: -35},
    "HMAC": lambda header: header | {1: 5},
    "alg true": lambda header: header | {1: True},
    "empty": lambda _: b"",
    "an empty map": lambda _: b"\xa0",
    "an array": lambda header: [header],
    "twice": lambda _: bytes.fromhex("a2012601264026b1"),
    "not the shortest": lambda _: bytes.fromhex("a2013806044 26b31".replace(" ", "")),
    "out of order": lambda _: bytes.fromhex("a204426b310126"),
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_dangerous_or_unfit_headers_are_refused(signer: VaultSigner, change: Callable[[dict[int, Any]], Any]) -> None:
    message = cbor.encode(cbor.Tag(18, by_hand(signer, header=change(good(signer)))))

    with pytest.raises(CoseError):
        judge(message, signer, suites=(ES256, SM2_SM3, RS256))


SHAPES: dict[str, Callable[[VaultSigner], Any]] = {
    "untagged": by_hand,
    "another tag": lambda signer: cbor.Tag(98, by_hand(signer)),
    "a tag round it": lambda signer: cbor.Tag(61, cbor.Tag(18, by_hand(signer))),
    "unprotected kid": lambda signer: cbor.Tag(18, by_hand(signer, unprotected={4: KID})),
    "unprotected is no map": lambda signer: cbor.Tag(18, by_hand(signer, unprotected=[])),
    "detached": lambda signer: cbor.Tag(18, by_hand(signer, payload=None)),
    "payload as text": lambda signer: cbor.Tag(18, by_hand(signer, payload="text")),
    "three members": lambda signer: cbor.Tag(18, by_hand(signer)[:3]),
    "five members": lambda signer: cbor.Tag(18, [*by_hand(signer), b""]),
    "no signature": lambda signer: cbor.Tag(18, by_hand(signer, value=lambda _: b"")),
    "zeros": lambda signer: cbor.Tag(18, by_hand(signer, value=lambda _: bytes(64))),
    "another form of the value": lambda signer: cbor.Tag(
        18, by_hand(signer, value=lambda m: signer.sign(m) + (b"" if signer.suite.raw_size else b"\0"))
    ),
    "a map": lambda _: {18: []},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_message_has_one_form(signer: VaultSigner, shape: Callable[[VaultSigner], Any]) -> None:
    with pytest.raises(CoseError):
        judge(cbor.encode(shape(signer)), signer)


def test_an_algorithm_must_be_allowed_and_anothers_key_verifies_nothing(signer: VaultSigner, rsa: Authority) -> None:
    message = CoseSigner(signer, KID).sign(PAYLOAD)

    with pytest.raises(CoseError, match="algorithm"):
        judge(message, signer, suites=())
    with pytest.raises(CoseError, match="algorithm"):
        judge(message, signer, keys={KID: rsa.key("tokens").public_key}, suites=(ES256, SM2_SM3, RS256))
    with pytest.raises(CoseError, match="no key"):
        judge(message, signer, keys={})
    with pytest.raises(SuiteRefused, match="RS256 signs no codes"):
        CoseSigner(rsa.key("tokens"), KID)


def test_too_large_a_payload_is_not_signed(signer: VaultSigner) -> None:
    with pytest.raises(CoseError, match="octets"):
        CoseSigner(signer, KID).sign(bytes(MAX_MESSAGE))


def test_a_kid_is_short_and_of_the_key(signer: VaultSigner) -> None:
    assert len(kid_of(signer.public_key)) == 8
    assert signer.public_key.fingerprint.startswith(kid_of(signer.public_key).hex())


@pytest.fixture(scope="session")
def fixed(authorities: Mapping[str, Authority]) -> tuple[bytes, VaultSigner]:
    signer = authorities[ES256.name].key("tokens")
    return CoseSigner(signer, KID).sign(PAYLOAD), signer


@given(data=st.data())
def test_any_changed_octet_is_refused(fixed: tuple[bytes, VaultSigner], data: st.DataObject) -> None:
    message, signer = fixed
    at = data.draw(st.integers(0, len(message) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda octet: octet != message[at]))

    with pytest.raises(CoseError):
        judge(message[:at] + bytes((other,)) + message[at + 1 :], signer)


@given(data=st.data())
def test_cuts_insertions_and_repeats_are_refused(fixed: tuple[bytes, VaultSigner], data: st.DataObject) -> None:
    message, signer = fixed
    low, high = sorted(data.draw(st.tuples(*[st.integers(0, len(message))] * 2)))
    changed = message[:low] + data.draw(st.binary(max_size=8)) + message[high:]
    if changed == message:
        return
    with pytest.raises(CoseError):
        judge(changed, signer)


@given(st.binary(max_size=300))
def test_any_octets_are_refused_and_nothing_else(octets: bytes) -> None:
    with pytest.raises(CoseError):
        verify_sign1(octets, keys={})
