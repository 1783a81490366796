"""Signed messages as tests make and judge them."""

from collections.abc import Callable

from crypto.cms import CmsProblem, CmsTemplate, Profile, parse_signed_data, verify_signer
from crypto.digests import DigestAlgorithm
from crypto.x509 import Certificate
from tests.crypto.authority import Authority

CONTENT = "准予行政许可决定书".encode() * 20
PROFILES: list[Profile] = ["rfc5652", "gbt35275"]


def digest_of(content: bytes) -> Callable[[DigestAlgorithm], bytes]:
    return lambda algorithm: algorithm.digest(content)


def template(authority: Authority, profile: Profile = "rfc5652") -> CmsTemplate:
    return CmsTemplate(authority.signer.certificate, authority.chain, authority.suite, profile)


def sign(authority: Authority, content: bytes = CONTENT, profile: Profile = "rfc5652") -> bytes:
    made = template(authority, profile)
    attributes = made.attributes(authority.suite.digest.digest(content))
    return made.assemble(attributes, authority.signer.signer.sign(attributes))


def judge(message: bytes, content: bytes = CONTENT, **supplied: list[Certificate]) -> set[CmsProblem]:
    signed = parse_signed_data(message)
    (signer,) = signed.signers
    return set(verify_signer(signed, signer, digest_of(content), others=supplied.get("others", [])))
