"""COSE_Sign1: a signed payload in the fewest octets, for QR codes and offline proofs (RFC 9052 4.2)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NewType

from crypto import cbor
from crypto.digests import sm3
from crypto.errors import CborError, CoseError
from crypto.keys import PublicKey, Signer, require_fit
from crypto.raw_values import sign_raw, verify_raw
from crypto.suites import ES256, Suite, Usage

CoseKid = NewType("CoseKid", bytes)

SIGN1_TAG: Final = 18
MAX_MESSAGE: Final = 16 * 1024
_ALG, _CONTENT_TYPE, _KID = 1, 3, 4
_KID_SIZE: Final = 8
_CONTEXT: Final = b"\x84" + cbor.encode("Signature1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPayload:
    """What a COSE_Sign1 says; only ``verify_sign1`` makes one. What the payload means is not judged."""

    payload: bytes
    kid: CoseKid
    suite: Suite


class CoseSigner:
    """Signs payloads with one key, under one ``kid``, as one content type."""

    def __init__(self, signer: Signer, kid: CoseKid, *, content_type: int | str | None = None) -> None:
        require_fit(signer.suite, signer.public_key, Usage.CODE)
        self._signer = signer
        header: dict[int, object] = {_ALG: signer.suite.cose, _KID: kid}
        if content_type is not None:
            header[_CONTENT_TYPE] = content_type
        self._header = cbor.encode(header)

    def sign(self, payload: bytes, *, external_aad: bytes = b"") -> bytes:
        """Give the tagged message; ``external_aad`` is signed too, and the verifier must know it."""
        value = sign_raw(self._signer, _signed(self._header, external_aad, payload))
        message = cbor.encode(cbor.Tag(SIGN1_TAG, [self._header, {}, payload, value]))
        if len(message) > MAX_MESSAGE:
            raise CoseError(f"the message would have more than {MAX_MESSAGE} octets")
        return message


def kid_of(public_key: PublicKey) -> CoseKid:
    """Name a key by the first 8 octets of its fingerprint; enough to choose among keys that are trusted anyway."""
    return CoseKid(sm3(public_key.spki)[:_KID_SIZE])


def verify_sign1(
    message: bytes,
    *,
    keys: Mapping[CoseKid, PublicKey],
    suites: Collection[Suite] = (ES256,),
    content_type: int | str | None = None,
    external_aad: bytes = b"",
) -> SignedPayload:
    """Judge a message's form, algorithm, key, content type and signature; CoseError where any of them fails.

    ``keys`` are those the caller trusts. A message has one spelling: deterministic CBOR, tagged, every header
    parameter protected, payload inside.
    """
    # 1. The one form, and a header that says nothing but algorithm, key and content type.
    # 2. The key is one of ours, chosen by kid; the algorithm is allowed and fits that key.
    # 3. The signature verifies.
    header, payload, value = _parts(message)
    fields = _fields(header)
    if fields.get(_CONTENT_TYPE) != content_type:
        raise CoseError("the message is of another content type")
    kid = fields.get(_KID)
    key = keys.get(CoseKid(kid)) if isinstance(kid, bytes) else None
    if key is None or not isinstance(kid, bytes):
        raise CoseError("the message names no key that is known")
    number = fields.get(_ALG)
    if number is None:  # A suite without a COSE number has None there too.
        raise CoseError("the message names no algorithm")
    suite = next(
        (row for row in suites if row.cose == number and row.key is key.kind and Usage.CODE in row.usages), None
    )
    if suite is None:
        raise CoseError("the algorithm is not one this key may use")
    if not verify_raw(key, suite, _signed(header, external_aad, payload), value):
        raise CoseError("the signature does not verify")
    return SignedPayload(payload=payload, kid=CoseKid(kid), suite=suite)


def _parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    outer = _read(message)
    if not isinstance(outer, cbor.Tag) or outer.number != SIGN1_TAG:
        raise CoseError("not a tagged COSE_Sign1")
    match outer.value:
        # What stands in the unprotected header is not signed; anybody could add to it, so nothing may stand there.
        case [bytes(header), dict(unprotected), bytes(payload), bytes(value)] if not unprotected:
            return header, payload, value
    raise CoseError("not a COSE_Sign1 with all headers protected and its payload inside")


@lru_cache(maxsize=256)
def _fields(header: bytes) -> Mapping[cbor.Key, cbor.Value]:
    """Read a header in which everything is understood; a signer's messages all have the same."""
    fields = _read(header)
    if not isinstance(fields, dict):
        raise CoseError("the protected header is not a map")
    # crit (2), IV, counter signatures, x5chain and what is not known: nothing is ignored, so nothing need be crit.
    refused = fields.keys() - {_ALG, _CONTENT_TYPE, _KID}
    if refused:
        raise CoseError(f"the header holds {len(refused)} parameter(s) that are not understood")
    return MappingProxyType(fields)


def _read(octets: bytes) -> cbor.Value:
    try:
        return cbor.decode(octets, max_size=MAX_MESSAGE)
    except CborError as error:
        raise CoseError(f"the message cannot be read: {error}") from error


def _signed(header: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Give the Sig_structure (RFC 9052 4.4): an array of four, the first of them always the same."""
    return _CONTEXT + cbor.encode(header) + cbor.encode(external_aad) + cbor.encode(payload)
