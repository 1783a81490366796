"""Judging one signer of a SignedData: digest, signature, references (RFC 5652 5.6, GB/T 35275 as found)."""

import base64
import binascii
from collections.abc import Callable, Iterable
from enum import StrEnum

from crypto import cms_names as names
from crypto import der
from crypto.certificate import Certificate
from crypto.cms_read import SignedData, SignerInfo
from crypto.digests import SM3, DigestAlgorithm
from crypto.errors import KeyRefused
from crypto.keys import PublicKey
from crypto.signatures import Scheme, is_weak, judging_key, verify, verify_digest
from crypto.suites import KeyKind

ContentDigest = Callable[[DigestAlgorithm], bytes]
"""Gives the digest of what the message is said to sign, by the algorithm asked for."""


class CmsProblem(StrEnum):
    """What a signer's check found; the two WEAK ones are notes that leave the mathematics standing."""

    DIGEST_MISMATCH = "digest_mismatch"
    """The content is not what was signed."""
    SIGNATURE_INVALID = "signature_invalid"
    CERTIFICATE_MISSING = "certificate_missing"
    """No certificate that this signer names is at hand, so nothing can be said of the signature."""
    SIGNING_CERTIFICATE_MISMATCH = "signing_certificate_mismatch"
    """The signed reference names another certificate: somebody exchanged it."""
    ATTRIBUTES_MALFORMED = "attributes_malformed"
    """Signed attributes lack, or repeat, contentType or messageDigest (RFC 5652 5.3)."""
    CONTENT_TYPE_MISMATCH = "content_type_mismatch"
    """The signed content type is not the message's (RFC 5652 11.1)."""
    ALGORITHM_UNSUPPORTED = "algorithm_unsupported"
    """The algorithm or key is unknown, unfit or too weak to judge by."""
    WEAK_DIGEST = "weak_digest"
    WEAK_KEY = "weak_key"


def verify_signer(
    signed: SignedData, signer: SignerInfo, content_digest: ContentDigest, *, others: Iterable[Certificate] = ()
) -> tuple[CmsProblem, ...]:
    """Judge one signer over the content ``content_digest`` speaks for; an empty answer means all held.

    For a message with its content inside, pass that content's digest, or the outside document's where GB/T 35275
    encloses a hash. ``others`` may supply a certificate the message does not enclose. Trust, validity and usage of
    the certificate are not looked at. Never raises for a bad signature.
    """
    certificate = signer.certificate or next((each for each in others if signer.is_under(each)), None)
    # 1. The algorithms are known.
    # 2. The content is the one whose digest was signed.
    # 3. The signature verifies under the certificate the signer names.
    # 4. The signed reference, if any, names that very certificate.
    found: list[CmsProblem] = []
    if signer.digest is None or signer.scheme is None:
        return (CmsProblem.ALGORITHM_UNSUPPORTED,)
    if signer.digest.weak or signer.scheme.weak:
        found.append(CmsProblem.WEAK_DIGEST)
    found += _content_problems(signed, signer, signer.digest, content_digest)
    if certificate is None:
        return (*found, CmsProblem.CERTIFICATE_MISSING)
    try:
        key = judging_key(certificate.spki)
        if not _signature_holds(signed, signer, signer.scheme, key, content_digest):
            found.append(CmsProblem.SIGNATURE_INVALID)
        if is_weak(key):
            found.append(CmsProblem.WEAK_KEY)
    except KeyRefused:
        found.append(CmsProblem.ALGORITHM_UNSUPPORTED)
    if signer.refers_to(certificate) is False:
        found.append(CmsProblem.SIGNING_CERTIFICATE_MISMATCH)
    return tuple(dict.fromkeys(found))


def _content_problems(
    signed: SignedData, signer: SignerInfo, digest: DigestAlgorithm, content_digest: ContentDigest
) -> list[CmsProblem]:
    found: list[CmsProblem] = []
    actual = content_digest(digest)
    if _encloses_hash(signed):
        # GB/T 35275 as found in OFD: the content inside is the document's SM3, plain or in Base64; that is signed.
        content = signed.encapsulated or b""
        if content_digest(SM3) not in (content, _base64(content)):
            found.append(CmsProblem.DIGEST_MISMATCH)
        actual = digest.digest(content)
    if signer.signed_attributes_raw is None:
        return found  # The signature itself binds the content.
    if signer.message_digest is None or signer.content_type is None:
        return [*found, CmsProblem.ATTRIBUTES_MALFORMED]
    if not _same_type(signer.content_type, signed.content_type):
        found.append(CmsProblem.CONTENT_TYPE_MISMATCH)
    if signer.message_digest != actual:
        found.append(CmsProblem.DIGEST_MISMATCH)
    return found


def _same_type(one: str, other: str) -> bool:
    # Signers of GB/T 35275 mix its own identifier of plain data with PKCS#7's in one message; both mean "data".
    return one == other or {one, other} == {names.DATA, names.GM_DATA}


def _encloses_hash(signed: SignedData) -> bool:
    return signed.content_type == names.GM_DATA and signed.encapsulated is not None


def _base64(content: bytes) -> bytes | None:
    try:
        return base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        return None


def _signature_holds(
    signed: SignedData, signer: SignerInfo, scheme: Scheme, key: PublicKey, content_digest: ContentDigest
) -> bool:
    """Whether the value verifies; KeyRefused when that cannot be said."""
    if signer.signed_attributes_raw is not None:
        return _signs_attributes(signer, scheme, key, signer.signed_attributes_raw)
    if _encloses_hash(signed):
        content = signed.encapsulated or b""
        messages = (content, _base64(content))
        return any(each is not None and verify(scheme, key, each, signer.signature) for each in messages)
    if scheme.digest is None or key.kind is KeyKind.SM2:
        # SM2 and Ed25519 sign the message, of which only the digest is known here; what is inside can still be used.
        content = _proved_content(signed, content_digest)
        return verify(scheme, key, content, signer.signature)
    return verify_digest(scheme, key, content_digest(scheme.digest), signer.signature)


def _signs_attributes(signer: SignerInfo, scheme: Scheme, key: PublicKey, attributes: bytes) -> bool:
    if verify(scheme, key, attributes, signer.signature):
        return True
    # RFC 5652 5.4 signs the DER of the SET, which sorts it, though it may be sent in another order.
    in_order = der.set_of(member.raw for member in der.parse(attributes))
    return in_order != attributes and verify(scheme, key, in_order, signer.signature)


def _proved_content(signed: SignedData, content_digest: ContentDigest) -> bytes:
    content = signed.encapsulated
    if content is None or content_digest(SM3) != SM3.digest(content):
        raise KeyRefused("a signature without attributes over a content that is not inside")
    return content
