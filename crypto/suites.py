"""Signature suites, and the kinds of key: everything one algorithm means, in one row; nothing else enumerates them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final

from crypto.der import explicit, integer, null, oid, sequence
from crypto.digests import SHA256, SHA512, SM3, DigestAlgorithm
from crypto.errors import SuiteRefused


class KeyKind(Enum):
    """The mathematics of a key pair. Those without a row in ``SUITES`` only verify what others signed."""

    SM2 = "sm2"
    P256 = "p256"
    RSA = "rsa"
    P384 = "p384"
    P521 = "p521"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShape:
    """What a kind of key looks like: its octets as a point, its curve by other people's names.

    ``gm`` keys stand in national-cipher key sets and nowhere else. ``jwk`` is ``kty`` and ``crv`` (RFC 7518 6, RFC
    8037 2), None where no key set holds such keys. ``library`` is the curve's name in ``cryptography``, None where that
    does not know it or there is no curve.
    """

    kind: KeyKind
    point_size: int | None = None
    library: str | None = None
    jwk: tuple[str, str | None] | None = None
    gm: bool = False


SHAPES: Mapping[KeyKind, KeyShape] = {
    row.kind: row
    for row in (
        KeyShape(kind=KeyKind.SM2, point_size=65, jwk=("EC", "SM2-P-256"), gm=True),
        KeyShape(kind=KeyKind.P256, point_size=65, library="secp256r1", jwk=("EC", "P-256")),
        KeyShape(kind=KeyKind.RSA, jwk=("RSA", None)),
        KeyShape(kind=KeyKind.P384, point_size=97, library="secp384r1"),
        KeyShape(kind=KeyKind.P521, point_size=133, library="secp521r1"),
        KeyShape(kind=KeyKind.ED25519, jwk=("OKP", "Ed25519")),
    )
}


class Usage(Flag):
    """What a suite's signatures may stand in, when this product makes them."""

    CERTIFICATE = auto()
    """Certificates, requests, revocation lists and OCSP answers."""
    MESSAGE = auto()
    """CMS: sealed PDF files, time-stamp tokens."""
    SEAL = auto()
    """Electronic seals and their signatures (GB/T 38540)."""
    TOKEN = auto()
    """JSON Web Signatures."""
    CODE = auto()
    """COSE_Sign1, in the two-dimensional codes of licences."""
    NOTE = auto()
    """Signed notes: the checkpoints of logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteForm:
    """How a suite stands in signed notes (C2SP signed-note, "Signature types"): the octets of its type.

    ``by_spki``: as type 0x02 has it, the key is written as its SubjectPublicKeyInfo, the key ID hashes that alone, and
    values are DER. Otherwise the key is its bare bits, and values are as in JOSE.
    """

    type: bytes
    by_spki: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A key kind and a digest that sign together, with the names the outside knows them by.

    ``signature_oid`` and ``signature_parameters`` (DER, empty where absent) name the pair in certificates and CMS.
    ``jose`` is the JWS ``alg`` (RFC 7518, RFC 8037; GM/T 0125 name for SM2, see docs/divergences.md), ``cose`` the
    COSE one (RFC 9053; private use for SM2), ``note`` the form in signed notes: None where the suite is not written
    so. Signature values are DER ``SEQUENCE{r, s}`` in certificates and CMS where ``raw_size`` is a number, and raw
    ``r||s`` of that size in JOSE and COSE; all others have one form.
    """

    name: str
    key: KeyKind
    # Ed25519 signs the message and hashes inside; its digest is the one that goes with it (RFC 8419 3.1).
    digest: DigestAlgorithm
    whole_message: bool = False
    signature_oid: str
    signature_parameters: bytes = b""
    # Other identifiers that signers write for the pair, met when judging; the first is what GB/T 35275 messages hold.
    aliases: tuple[str, ...] = ()
    # RSASSA-PSS with MGF1 of the same digest: octets of salt; None for every other scheme.
    pss_salt: int | None = None
    key_oid: str
    curve_oid: str | None = None
    # Keys of RSA: bits of a modulus that is made here.
    key_bits: int | None = None
    jose: str
    # Other names of it that are read and never written.
    jose_aliases: tuple[str, ...] = ()
    cose: int | None = None
    raw_size: int | None = None
    note: NoteForm | None = None
    usages: Usage

    @property
    def algs(self) -> tuple[str, ...]:
        """Give every JWS ``alg`` that means this suite."""
        return (self.jose, *self.jose_aliases)

    def require(self, usage: Usage) -> None:
        """Refuse, with SuiteRefused, a use that is not among ``usages``."""
        if usage not in self.usages:
            raise SuiteRefused(f"{self.name} signs no {(usage.name or '').lower()}s here")


_RSA_OID: Final = "1.2.840.113549.1.1.1"
_EC_OID: Final = "1.2.840.10045.2.1"
MGF1_OID: Final = "1.2.840.113549.1.1.8"
_RSA_NEW_BITS: Final = 3072
_SHA256_IDENTIFIER: Final = sequence(oid(SHA256.oid), null())
_PSS_SALT: Final = SHA256.size  # RFC 7518 3.5: the salt is as long as the digest.
# RFC 4055 3.1: RSASSA-PSS-params with SHA-256, MGF1 of SHA-256 and that salt.
_PSS_SHA256: Final = sequence(
    explicit(0, _SHA256_IDENTIFIER),
    explicit(1, sequence(oid(MGF1_OID), _SHA256_IDENTIFIER)),
    explicit(2, integer(_PSS_SALT)),
)

SM2_SM3 = Suite(
    name="SM2-SM3",
    key=KeyKind.SM2,
    digest=SM3,
    signature_oid="1.2.156.10197.1.501",
    # GM/T 0006: signing with SM2; the curve itself; a misprint that one encoder spread.
    aliases=("1.2.156.10197.1.301.1", "1.2.156.10197.1.301", "1.2.156.10197.501"),
    key_oid=_EC_OID,
    curve_oid="1.2.156.10197.1.301",
    jose="SGD_SM3_SM2",
    cose=-65602,
    raw_size=64,
    # 0xff is for types without a number of their own, and is followed by a name unlike any other. The value is under
    # the default signer identifier (docs/divergences.md).
    note=NoteForm(type=b"\xffSM2-SM3"),
    usages=Usage.CERTIFICATE | Usage.MESSAGE | Usage.SEAL | Usage.TOKEN | Usage.CODE | Usage.NOTE,
)
ES256 = Suite(
    name="ES256",
    key=KeyKind.P256,
    digest=SHA256,
    signature_oid="1.2.840.10045.4.3.2",
    key_oid=_EC_OID,
    curve_oid="1.2.840.10045.3.1.7",
    jose="ES256",
    cose=-7,
    raw_size=64,
    note=NoteForm(type=b"\x02", by_spki=True),
    usages=Usage.CERTIFICATE | Usage.MESSAGE | Usage.TOKEN | Usage.CODE | Usage.NOTE,
)
RS256 = Suite(
    name="RS256",
    key=KeyKind.RSA,
    digest=SHA256,
    signature_oid="1.2.840.113549.1.1.11",
    signature_parameters=null(),
    key_oid=_RSA_OID,
    key_bits=_RSA_NEW_BITS,
    jose="RS256",
    usages=Usage.CERTIFICATE | Usage.MESSAGE | Usage.TOKEN,
)
PS256 = Suite(
    name="PS256",
    key=KeyKind.RSA,
    digest=SHA256,
    signature_oid="1.2.840.113549.1.1.10",
    signature_parameters=_PSS_SHA256,
    pss_salt=_PSS_SALT,
    key_oid=_RSA_OID,
    key_bits=_RSA_NEW_BITS,
    jose="PS256",
    cose=-37,
    usages=Usage.CERTIFICATE | Usage.MESSAGE | Usage.TOKEN | Usage.CODE,
)
ED25519 = Suite(
    name="Ed25519",
    key=KeyKind.ED25519,
    digest=SHA512,
    whole_message=True,
    signature_oid="1.3.101.112",
    key_oid="1.3.101.112",
    # RFC 9864 4.1 has a name that says which curve; "EdDSA" is what deployed clients know, so that is what is written.
    jose="EdDSA",
    jose_aliases=("Ed25519",),
    cose=-8,
    note=NoteForm(type=b"\x01"),
    usages=Usage.CERTIFICATE | Usage.MESSAGE | Usage.TOKEN | Usage.CODE | Usage.NOTE,
)

SUITES: Mapping[str, Suite] = {row.name: row for row in (SM2_SM3, ES256, RS256, PS256, ED25519)}
# RSASSA-PSS is left out: its identifier means nothing without its parameters, which ``crypto.signatures`` reads.
SUITES_BY_SIGNATURE_OID: Mapping[str, Suite] = {
    row.signature_oid: row for row in SUITES.values() if row.pss_salt is None
}
# What a bare identifier in a seal means, others' habits included.
SUITES_BY_ANY_OID: Mapping[str, Suite] = {
    **SUITES_BY_SIGNATURE_OID,
    **{alias: row for row in SUITES.values() for alias in row.aliases},
}
SUITES_BY_JOSE: Mapping[str, Suite] = {row.jose: row for row in SUITES.values()}
SUITES_BY_COSE: Mapping[int, Suite] = {row.cose: row for row in SUITES.values() if row.cose is not None}
# The suite a key is taken to sign with where nothing says otherwise: the first row of its kind.
SUITE_OF_KEY: Mapping[KeyKind, Suite] = {row.key: row for row in reversed(tuple(SUITES.values()))}
