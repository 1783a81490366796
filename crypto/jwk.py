"""Public keys as JSON Web Keys (RFC 7517), and their names (RFC 7638)."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping

from crypto import der
from crypto.digests import SHA256
from crypto.errors import DerError, KeyRefused, TokenError
from crypto.keys import PublicKey
from crypto.suites import SHAPES, SUITE_OF_KEY, KeyKind, KeyShape, Suite

_COORDINATE = 32
_BY_NAMES = {row.jwk: row for row in SHAPES.values() if row.jwk is not None}
_NAMED = frozenset(row.jwk[0] for row in SHAPES.values() if row.jwk is not None and row.jwk[1] is None)
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


def thumbprint_kid(public_key: PublicKey) -> str:
    """Name a key by its RFC 7638 thumbprint, SHA-256 in base64url. SM2 keys have one of the same make."""
    canonical = json.dumps(_members(public_key), sort_keys=True, separators=(",", ":"))
    return encode(SHA256.digest(canonical.encode()))


def public_jwk(public_key: PublicKey, kid: str, suite: Suite | None = None) -> dict[str, str]:
    """Write a P-256, RSA or Ed25519 key for the standard JWKS; ``suite`` where its kind signs by more than one.

    KeyRefused for SM2: one such key makes joserfc, and so Authlib, reject a whole JWKS. See ``gm_public_jwk``.
    """
    if SHAPES[public_key.kind].gm:
        raise KeyRefused(f"a {public_key.kind.value} key does not belong in the standard JWKS")
    return _jwk(public_key, kid, suite)


def gm_public_jwk(public_key: PublicKey, kid: str) -> dict[str, str]:
    """Write an SM2 key for the JWKS of the national-cipher issuer, which holds no others."""
    if not SHAPES[public_key.kind].gm:
        raise KeyRefused(f"a {public_key.kind.value} key does not belong in the national-cipher JWKS")
    return _jwk(public_key, kid, None)


def key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Read the P-256, RSA or Ed25519 key a client registered; KeyRefused for private, weak or other keys."""
    return _read(jwk, gm=False)


def gm_key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Read an SM2 key from a national-cipher key set; KeyRefused for any other."""
    return _read(jwk, gm=True)


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


def _read(jwk: Mapping[str, object], *, gm: bool) -> PublicKey:
    if _PRIVATE & jwk.keys():
        raise KeyRefused("the JWK holds a private or symmetric key")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused("the JWK is not for verifying signatures")
    try:
        key = _public_key(jwk)
    except TokenError as error:
        raise KeyRefused(f"the JWK cannot be read: {error}") from error
    if SHAPES[key.kind].gm is not gm:
        raise KeyRefused(f"a {key.kind.value} key does not belong in this key set")
    return key


def _public_key(jwk: Mapping[str, object]) -> PublicKey:
    shape = shape_of(jwk)
    if shape is None:
        raise KeyRefused("keys of this kind are not read from JWKs")
    return _READERS[jwk["kty"]](jwk, shape.kind)


def shape_of(jwk: Mapping[str, object]) -> KeyShape | None:
    """Say what kind of key a JWK claims to be by ``kty`` and ``crv``; None for those that are not used here."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    return _BY_NAMES.get((kind, None if kind in _NAMED else curve))


def _read_point(jwk: Mapping[str, object], kind: KeyKind) -> PublicKey:
    return PublicKey.from_point(kind, b"\x04" + b"".join(_octets(jwk, member, _COORDINATE) for member in ("x", "y")))


def _read_octets(jwk: Mapping[str, object], kind: KeyKind) -> PublicKey:
    algorithm = der.sequence(der.oid(SUITE_OF_KEY[kind].key_oid))
    return PublicKey.from_spki(der.sequence(algorithm, der.bit_string(_octets(jwk, "x", _COORDINATE))))


def _read_rsa(jwk: Mapping[str, object], kind: KeyKind) -> PublicKey:
    n, e = (int.from_bytes(_octets(jwk, member), "big") for member in ("n", "e"))
    algorithm = der.sequence(der.oid(SUITE_OF_KEY[kind].key_oid), der.null())
    key = der.sequence(der.integer(n), der.integer(e))
    return PublicKey.from_spki(der.sequence(algorithm, der.bit_string(key)))


def _jwk(public_key: PublicKey, kid: str, suite: Suite | None) -> dict[str, str]:
    suite = suite or SUITE_OF_KEY[public_key.kind]
    if suite.key is not public_key.kind:
        raise KeyRefused(f"a {public_key.kind.value} key does not sign by {suite.name}")
    return {**_members(public_key), "kid": kid, "use": "sig", "alg": suite.jose}


def _members(public_key: PublicKey) -> dict[str, str]:
    names = SHAPES[public_key.kind].jwk
    if names is None:
        raise KeyRefused(f"a {public_key.kind.value} key is not written as a JWK here")
    kind, curve = names
    return {"kty": kind, **({} if curve is None else {"crv": curve}), **_WRITERS[kind](public_key)}


def _write_point(public_key: PublicKey) -> dict[str, str]:
    x, y = public_key.point[1 : 1 + _COORDINATE], public_key.point[1 + _COORDINATE :]
    return {"x": encode(x), "y": encode(y)}


def _write_octets(public_key: PublicKey) -> dict[str, str]:
    return {"x": encode(public_key.bits)}


def _write_rsa(public_key: PublicKey) -> dict[str, str]:
    try:
        n, e = (member.as_int() for member in der.parse(public_key.bits))
    except (DerError, ValueError) as error:
        raise KeyRefused("the RSA key cannot be read") from error
    return {"n": _number(n), "e": _number(e)}


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


# How each ``kty`` is read and written (RFC 7518 6.2, 6.3; RFC 8037 2).
_READERS: Mapping[object, Callable[[Mapping[str, object], KeyKind], PublicKey]] = {
    "EC": _read_point,
    "OKP": _read_octets,
    "RSA": _read_rsa,
}
_WRITERS: Mapping[str, Callable[[PublicKey], dict[str, str]]] = {
    "EC": _write_point,
    "OKP": _write_octets,
    "RSA": _write_rsa,
}
