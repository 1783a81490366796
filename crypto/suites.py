"""Signature suites: everything one algorithm means, in one row; nothing else enumerates algorithms."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from crypto.digests import SHA256, SM3, DigestAlgorithm


class KeyKind(Enum):
    """The mathematics of a key pair. Those without a row in ``SUITES`` only verify what others signed."""

    SM2 = "sm2"
    P256 = "p256"
    RSA = "rsa"
    P384 = "p384"
    P521 = "p521"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A key kind and a digest that sign together, with the names the outside knows them by.

    ``signature_oid`` names the pair in certificates and CMS; ``signature_parameters_null`` says whether
    its AlgorithmIdentifier carries NULL parameters. ``jose`` is the JWS ``alg`` (RFC 7518; GM/T 0125 name
    for SM2, see docs/divergences.md). Signature values are DER ``SEQUENCE{r, s}`` in certificates and CMS
    for the elliptic curves, and raw ``r||s`` in JOSE.
    """

    name: str
    key: KeyKind
    digest: DigestAlgorithm
    signature_oid: str
    signature_parameters_null: bool
    key_oid: str
    curve_oid: str | None
    jose: str
    raw_size: int | None


SM2_SM3 = Suite(
    name="SM2-SM3",
    key=KeyKind.SM2,
    digest=SM3,
    signature_oid="1.2.156.10197.1.501",
    signature_parameters_null=False,
    key_oid="1.2.840.10045.2.1",
    curve_oid="1.2.156.10197.1.301",
    jose="SGD_SM3_SM2",
    raw_size=64,
)
ES256 = Suite(
    name="ES256",
    key=KeyKind.P256,
    digest=SHA256,
    signature_oid="1.2.840.10045.4.3.2",
    signature_parameters_null=False,
    key_oid="1.2.840.10045.2.1",
    curve_oid="1.2.840.10045.3.1.7",
    jose="ES256",
    raw_size=64,
)
RS256 = Suite(
    name="RS256",
    key=KeyKind.RSA,
    digest=SHA256,
    signature_oid="1.2.840.113549.1.1.11",
    signature_parameters_null=True,
    key_oid="1.2.840.113549.1.1.1",
    curve_oid=None,
    jose="RS256",
    raw_size=None,
)

SUITES: Mapping[str, Suite] = {row.name: row for row in (SM2_SM3, ES256, RS256)}
SUITES_BY_SIGNATURE_OID: Mapping[str, Suite] = {row.signature_oid: row for row in SUITES.values()}
SUITE_OF_KEY: Mapping[KeyKind, Suite] = {row.key: row for row in SUITES.values()}
