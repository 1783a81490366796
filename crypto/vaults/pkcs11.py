"""The PKCS #11 vault: keys in a token, reached through its vendor's Cryptoki module.

A key is known by its CKA_ID; its id here is ``p11-<CKA_ID in hexadecimal>``. P-256, RSA and Ed25519 are as in the
standard; for SM2 there is none, so that its numbers come from the vendor's manual (``Sm2Numbers``). Which of its suites
an RSA key signs by stands with the key (CKA_ALLOWED_MECHANISMS), so that the token holds it to that too; a key without
that attribute signs by the first, as keys of other tools do.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from crypto.der import PRINTABLE, bit_string, integer, null, octet_string, oid, parse, sequence, tlv
from crypto.errors import DerError, KeyRefused
from crypto.keys import KeyId, PublicKey, require_strong
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3, KeyKind, Suite
from crypto.vaults import cryptoki as ck
from crypto.vaults.errors import UnknownKey, VaultDamaged
from crypto.vaults.pool import LIMITS, Limits, Pool
from crypto.vaults.token import Token, TokenSession

_ID: Final = re.compile(r"p11-((?:[0-9a-f]{2}){1,64})")
_ID_SIZE: Final = 12
_POINT_SIZE: Final = 65
_EDWARDS_SIZE: Final = 32
# 3.0 section 2.3.10: the curve's name as a PrintableString, or its identifier. Tokens take either; most give the name.
_EDWARDS_CURVES: Final = (tlv(PRINTABLE, b"edwards25519"), oid(ED25519.key_oid))
_CURVES: Final = {oid(row.curve_oid): row for row in (ES256, SM2_SM3) if row.curve_oid}
_EXPONENT: Final = (65537).to_bytes(3, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Numbers:
    """A vendor's numbers for SM2: CKK_ of its keys, CKM_ to make a pair, CKM_ to sign a 32-octet digest as raw r||s."""

    key_type: int
    generate: int
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a suite is said in Cryptoki; ``private`` is what its private keys have besides."""

    key_type: int
    generate: int
    sign: int
    public: ck.Template
    parameter: bytes = b""
    private: ck.Template = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    suite: Suite
    public_key: PublicKey


class Pkcs11Vault:
    """A ``KeyVault`` in one token; safe to share between threads and to keep across a fork."""

    def __init__(
        self,
        module: str,
        token: str,
        pin: str,
        *,
        sm2: Sm2Numbers | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        """Load ``module``; the token labelled ``token`` is opened, as its user, when a key is first used."""
        self._token = Token(module, token, pin)
        self._ways = _ways(sm2)
        self._pool = Pool(self._token, limits)
        self._found: dict[KeyId, _Found] = {}
        # Tokens that keep their objects in files fail now and then when two sessions write at once.
        self._making = Lock()

    def generate(self, suite: Suite) -> KeyId:
        """Make a key that the token keeps and never gives out."""
        way = self._ways.get(suite.name)
        if way is None:
            remedy = ": name the vendor's SM2 numbers" if suite is SM2_SM3 else ""
            raise KeyRefused(f"no keys for {suite.name} are made in this token{remedy}")
        # Chosen before the token is asked: should it fail in between, the second try finds what the first one made.
        name = os.urandom(_ID_SIZE)
        with self._making:
            self._pool.use(lambda session: _make(session, name, way))
        return KeyId(f"p11-{name.hex()}")

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half, as the token gave it first."""
        return self._look(key).public_key

    def suite(self, key: KeyId) -> Suite:
        """Give the one suite the key signs with."""
        return self._look(key).suite

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign as ``KeyVault`` says; an RSA key shorter than new ones are made is refused (SuiteRefused)."""
        found = self._look(key)
        suite = found.suite
        if len(digest) != suite.digest.size and not suite.whole_message:
            raise KeyRefused(f"{suite.name} signs digests of {suite.digest.size} octets, not {len(digest)}")
        require_strong(found.public_key)
        name, way = _name(key), self._ways[suite.name]
        octets = _digest_info(suite, digest) if way.sign == ck.RSA_PKCS else digest
        value = self._pool.use(lambda session: session.sign(session.private(name), way.sign, octets, way.parameter))
        if suite.raw_size is None:
            return value
        if len(value) != suite.raw_size:
            raise VaultDamaged(f"what the token gives as a signature of key {key} is none")
        return der_of(value)

    def keys(self) -> tuple[KeyId, ...]:
        """List the token's private keys of a kind that is used here and that have a CKA_ID."""
        return self._pool.use(self._list)

    def close(self) -> None:
        """Log out and let go of the module, once nobody uses it; the vault refuses from then on."""
        self._pool.close()
        self._token.finalize()

    def _look(self, key: KeyId) -> _Found:
        found = self._found.get(key)
        if found is None:
            name = _name(key)
            found = self._found[key] = self._pool.use(lambda session: self._describe(session, name))
        return found

    def _describe(self, session: TokenSession, name: bytes) -> _Found:
        private = session.private(name)
        suite = self._suite(session, private)
        if suite is None:
            raise KeyRefused(f"the key p11-{name.hex()} is of a kind that is not used here")
        return _Found(suite=suite, public_key=_READERS[suite.key](session, name, private, suite))

    def _suite(self, session: TokenSession, private: int) -> Suite | None:
        kind = ck.number(session.value(private, ck.KEY_TYPE) or b"")
        if kind == ck.RSA:
            allowed = ck.ulongs(session.value(private, ck.ALLOWED_MECHANISMS) or b"")
            fitting = (suite for suite in (RS256, PS256) if not allowed or self._ways[suite.name].sign in allowed)
            return next(fitting, None)
        if kind == ck.EDWARDS:
            return ED25519 if session.value(private, ck.EC_PARAMS) in _EDWARDS_CURVES else None
        sm2 = self._ways.get(SM2_SM3.name)
        if kind == ck.EC:
            suite = _CURVES.get(session.value(private, ck.EC_PARAMS) or b"")
            return suite if suite is not None and suite.name in self._ways else None
        return SM2_SM3 if sm2 is not None and kind == sm2.key_type else None

    def _list(self, session: TokenSession) -> tuple[KeyId, ...]:
        found = session.find([(ck.CLASS, ck.ulong(ck.PRIVATE_KEY)), (ck.TOKEN, ck.TRUE)])
        named = {private: session.value(private, ck.ID) for private in found}
        keys = {f"p11-{name.hex()}" for private, name in named.items() if name and self._suite(session, private)}
        return tuple(sorted(KeyId(key) for key in keys if _ID.fullmatch(key)))

    def __repr__(self) -> str:
        return f"Pkcs11Vault({self._token.module!r}, {self._token.label!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its PIN would be readable")


def der_of(raw: bytes) -> bytes:
    """Write the r||s of any curve as SEQUENCE{r, s} (2.40 section 2.3.1: two halves of one size)."""
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _ways(sm2: Sm2Numbers | None) -> dict[str, _Way]:
    ways = {
        ES256.name: _Way(key_type=ck.EC, generate=ck.EC_GENERATE, sign=ck.ECDSA, public=_on_curve(ES256)),
        RS256.name: _rsa_way(RS256, ck.RSA_PKCS),
        PS256.name: _rsa_way(PS256, ck.RSA_PSS, _pss_parameter(PS256)),
        ED25519.name: _Way(
            key_type=ck.EDWARDS,
            generate=ck.EDWARDS_GENERATE,
            sign=ck.EDDSA,
            public=[(ck.EC_PARAMS, _EDWARDS_CURVES[0])],
        ),
    }
    if sm2 is not None:
        ways[SM2_SM3.name] = _Way(
            key_type=sm2.key_type, generate=sm2.generate, sign=sm2.sign, public=_on_curve(SM2_SM3)
        )
    return ways


def _rsa_way(suite: Suite, mechanism: int, parameter: bytes = b"") -> _Way:
    return _Way(
        key_type=ck.RSA,
        generate=ck.RSA_GENERATE,
        sign=mechanism,
        public=[(ck.MODULUS_BITS, ck.ulong(suite.key_bits or 0)), (ck.PUBLIC_EXPONENT, _EXPONENT)],
        parameter=parameter,
        private=[(ck.ALLOWED_MECHANISMS, ck.ulong(mechanism))],
    )


def _pss_parameter(suite: Suite) -> bytes:
    """CK_RSA_PKCS_PSS_PARAMS: the digest, MGF1 with it, the octets of salt."""
    digest, mask = ck.DIGESTS[suite.digest.oid]
    return b"".join(map(ck.ulong, (digest, mask, suite.pss_salt or 0)))


def _on_curve(suite: Suite) -> ck.Template:
    return [(ck.EC_PARAMS, oid(suite.curve_oid or ""))]


def _name(key: KeyId) -> bytes:
    match = _ID.fullmatch(key)
    if match is None:
        raise UnknownKey("that is no id of a key in a token: they are p11-<CKA_ID in hexadecimal>")
    return bytes.fromhex(match[1])


def _make(session: TokenSession, name: bytes, way: _Way) -> None:
    if session.find([(ck.CLASS, ck.ulong(ck.PRIVATE_KEY)), (ck.ID, name)]):
        return
    both: ck.Template = [
        (ck.TOKEN, ck.TRUE),
        (ck.KEY_TYPE, ck.ulong(way.key_type)),
        (ck.ID, name),
        (ck.LABEL, b"xinyin " + name.hex().encode()),
    ]
    session.generate(
        way.generate,
        public=[*both, (ck.PRIVATE, ck.FALSE), (ck.VERIFY, ck.TRUE), *way.public],
        private=[
            *both,
            (ck.PRIVATE, ck.TRUE),
            (ck.SENSITIVE, ck.TRUE),
            (ck.EXTRACTABLE, ck.FALSE),
            (ck.SIGN, ck.TRUE),
            *way.private,
        ],
    )


def _rsa(session: TokenSession, _: bytes, private: int, suite: Suite) -> PublicKey:
    modulus = session.value(private, ck.MODULUS)
    exponent = session.value(private, ck.PUBLIC_EXPONENT)
    if not modulus or not exponent:
        raise VaultDamaged("the token does not give the public half of an RSA key")
    numbers = (integer(int.from_bytes(part, "big")) for part in (modulus, exponent))
    return PublicKey.from_spki(sequence(sequence(oid(suite.key_oid), null()), bit_string(sequence(*numbers))))


def _curve(session: TokenSession, name: bytes, private: int, suite: Suite) -> PublicKey:
    return PublicKey.from_point(suite.key, _octets(_public_value(session, name, private), _POINT_SIZE))


def _edwards(session: TokenSession, name: bytes, private: int, suite: Suite) -> PublicKey:
    point = _octets(_public_value(session, name, private), _EDWARDS_SIZE)
    return PublicKey.from_spki(sequence(sequence(oid(suite.key_oid)), bit_string(point)))


_READERS: Final[Mapping[KeyKind, Callable[[TokenSession, bytes, int, Suite], PublicKey]]] = {
    KeyKind.RSA: _rsa,
    KeyKind.P256: _curve,
    KeyKind.SM2: _curve,
    KeyKind.ED25519: _edwards,
}


def _public_value(session: TokenSession, name: bytes, private: int) -> bytes:
    publics = session.find([(ck.CLASS, ck.ulong(ck.PUBLIC_KEY)), (ck.ID, name)])
    for handle in (*publics, private):  # Some tokens keep the point with the private key.
        if value := session.value(handle, ck.EC_POINT):
            return value
    raise VaultDamaged(f"the token has no public half of the key p11-{name.hex()}")


def _octets(value: bytes, size: int) -> bytes:
    # 2.40 section 2.3.3: DER of the point in an OCTET STRING; older modules give the bare point.
    if len(value) == size:
        return value
    try:
        return parse(value).as_octets()
    except DerError:
        raise VaultDamaged("the token gives a public key that is no point") from None


def _digest_info(suite: Suite, digest: bytes) -> bytes:
    """DigestInfo of RFC 8017 9.2: what CKM_RSA_PKCS pads and signs."""
    return sequence(sequence(oid(suite.digest.oid), null()), octet_string(digest))
