"""Public keys as JSON Web Keys (RFC 7517), and their names (RFC 7638)."""

import base64
import binascii
import json
from collections.abc import Mapping

from crypto import der
from crypto.digests import SHA256
from crypto.errors import DerError, KeyRefused, TokenError
from crypto.keys import PublicKey
from crypto.suites import ED25519, RS256, SUITE_OF_KEY, KeyKind, Suite

_CURVES: Mapping[KeyKind, str] = {KeyKind.P256: "P-256", KeyKind.SM2: "SM2-P-256"}
_COORDINATE = 32
_STANDARD = (KeyKind.P256, KeyKind.RSA, KeyKind.ED25519)
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


def thumbprint_kid(public_key: PublicKey) -> str:
    """Name a key by its RFC 7638 thumbprint, SHA-256 in base64url. SM2 keys have one of the same make."""
    canonical = json.dumps(_members(public_key), sort_keys=True, separators=(",", ":"))
    return encode(SHA256.digest(canonical.encode()))


def public_jwk(public_key: PublicKey, kid: str, suite: Suite | None = None) -> dict[str, str]:
    """Write a P-256, RSA or Ed25519 key for the standard JWKS; ``suite`` where its kind signs by more than one.

    KeyRefused for SM2: one such key makes joserfc, and so Authlib, reject a whole JWKS. See ``gm_public_jwk``.
    """
    if public_key.kind not in _STANDARD:
        raise KeyRefused(f"a {public_key.kind.value} key does not belong in the standard JWKS")
    return _jwk(public_key, kid, suite)


def gm_public_jwk(public_key: PublicKey, kid: str) -> dict[str, str]:
    """Write an SM2 key for the JWKS of the national-cipher issuer, which holds no others."""
    if public_key.kind is not KeyKind.SM2:
        raise KeyRefused(f"a {public_key.kind.value} key does not belong in the national-cipher JWKS")
    return _jwk(public_key, kid, None)


def key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Read the P-256, RSA or Ed25519 key a client registered; KeyRefused for private, weak or other keys."""
    return _read(jwk, _STANDARD)


def gm_key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Read an SM2 key from a national-cipher key set; KeyRefused for any other."""
    return _read(jwk, (KeyKind.SM2,))


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read base64url in its one canonical form; a TokenError for padding, blanks and stray bits."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError("not base64url") from error
    if encode(data) != text:
        raise TokenError("base64url that is not in its one form")
    return data


def _read(jwk: Mapping[str, object], kinds: tuple[KeyKind, ...]) -> PublicKey:
    if _PRIVATE & jwk.keys():
        raise KeyRefused("the JWK holds a private or symmetric key")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused("the JWK is not for verifying signatures")
    try:
        key = _public_key(jwk)
    except TokenError as error:
        raise KeyRefused(f"the JWK cannot be read: {error}") from error
    if key.kind not in kinds:
        raise KeyRefused(f"a {key.kind.value} key does not belong in this key set")
    return key


def _public_key(jwk: Mapping[str, object]) -> PublicKey:
    match jwk.get("kty"), jwk.get("crv"):
        case "EC", ("P-256" | "SM2-P-256") as curve:
            x, y = (_octets(jwk, member, _COORDINATE) for member in ("x", "y"))
            kind = next(kind for kind, name in _CURVES.items() if name == curve)
            return PublicKey.from_point(kind, b"\x04" + x + y)
        case "OKP", "Ed25519":
            x = _octets(jwk, "x", _COORDINATE)
            return PublicKey.from_spki(der.sequence(der.sequence(der.oid(ED25519.key_oid)), der.bit_string(x)))
        case "RSA", _:
            n, e = (int.from_bytes(_octets(jwk, member), "big") for member in ("n", "e"))
            algorithm = der.sequence(der.oid(RS256.key_oid), der.null())
            key = der.sequence(der.integer(n), der.integer(e))
            return PublicKey.from_spki(der.sequence(algorithm, der.bit_string(key)))
    raise KeyRefused("keys of this kind are not read from JWKs")


def _jwk(public_key: PublicKey, kid: str, suite: Suite | None) -> dict[str, str]:
    suite = suite or SUITE_OF_KEY[public_key.kind]
    if suite.key is not public_key.kind:
        raise KeyRefused(f"a {public_key.kind.value} key does not sign by {suite.name}")
    return {**_members(public_key), "kid": kid, "use": "sig", "alg": suite.jose}


def _members(public_key: PublicKey) -> dict[str, str]:
    if public_key.kind is KeyKind.ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(der.parse(public_key.spki)[1].as_bits())}
    if public_key.kind is KeyKind.RSA:
        try:
            n, e = (member.as_int() for member in der.parse(der.parse(public_key.spki)[1].as_bits()))
        except (DerError, ValueError) as error:
            raise KeyRefused("the RSA key cannot be read") from error
        return {"kty": "RSA", "n": _number(n), "e": _number(e)}
    curve = _CURVES.get(public_key.kind)
    if curve is None:
        raise KeyRefused(f"a {public_key.kind.value} key is not written as a JWK here")
    x, y = public_key.point[1 : 1 + _COORDINATE], public_key.point[1 + _COORDINATE :]
    return {"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _octets(jwk: Mapping[str, object], member: str, size: int | None = None) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str):
        raise KeyRefused(f"the JWK has no {member}")
    octets = decode(value)
    if size is not None and len(octets) != size:
        raise KeyRefused(f"{member} of such a key has {size} octets")
    return octets
