"""SignedData written from DER templates: all but two values encoded once per signer (RFC 5652, GB/T 35275)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from crypto import cms_names as names
from crypto import der
from crypto.certificate import Certificate
from crypto.digests import SHA256, DigestAlgorithm
from crypto.errors import CmsError
from crypto.issuing import algorithm_identifier, choose_time
from crypto.keys import require_fit
from crypto.suites import SHAPES, Suite, Usage

Profile = Literal["rfc5652", "gbt35275"]

_EC_SIGNATURE_SIZE = 72
"""SEQUENCE of two INTEGERs of 33 octets: the longest value of a 256-bit curve."""
_FRAMES = 64
"""Lengths of attributes and value for which all that comes before them is kept."""
_ATTRIBUTES_TAG = der.context(0)
_UNSIGNED_TAG = der.context(1)


class CmsTemplate:
    """One signer's detached SignedData, waiting for a content digest and a signature.

    ``rfc5652`` makes a PAdES baseline signature: contentType, messageDigest, signingCertificateV2 and no signingTime
    (ETSI EN 319 142-1 6.3). ``gbt35275`` makes the Chinese message of the same shape, SM2 only. ``certificate`` and
    ``chain`` are enclosed in this order; leave the root out.
    """

    def __init__(
        self, certificate: Certificate, chain: Sequence[Certificate], suite: Suite, profile: Profile = "rfc5652"
    ) -> None:
        require_fit(suite, certificate.public_key, Usage.MESSAGE)
        if profile == "gbt35275" and not SHAPES[suite.key].gm:
            raise CmsError("GB/T 35275 messages are signed with SM2")
        self.certificate = certificate
        self.suite = suite
        self.profile: Profile = profile
        gm = profile == "gbt35275"
        outer, inner = (names.GM_SIGNED_DATA, names.GM_DATA) if gm else (names.SIGNED_DATA, names.DATA)
        digest = der.sequence(der.oid(suite.digest.oid))
        self._content_type = attribute(names.CONTENT_TYPE, der.oid(inner))
        self._signing_certificate = signing_certificate_v2(certificate, suite)
        # ContentInfo { outer, [0] SignedData { head, SET { SignerInfo { signer, [0] attributes, method, value } } } }
        self._outer = der.oid(outer)
        self._head = b"".join(
            (
                der.integer(1),
                der.set_of((digest,)),
                der.sequence(der.oid(inner)),
                der.explicit(0, certificate.raw, *(issuer.raw for issuer in chain)),
            )
        )
        sid = der.sequence(certificate.issuer, der.integer(certificate.serial))
        self._signer = der.integer(1) + sid + digest
        self._bound = BoundAttributes((self._content_type, self._signing_certificate), suite.digest)
        self._frame = lru_cache(maxsize=_FRAMES)(self._make_frame)
        self._method = der.sequence(der.oid(suite.aliases[0])) if gm else algorithm_identifier(suite)

    def attributes(self, content_digest: bytes, *, signing_time: datetime | None = None) -> bytes:
        """Write the attributes that bind ``content_digest``: the DER SET that is to be signed.

        ``signing_time`` is the signer's own claim; PAdES baseline forbids it, GB/T 35275 messages usually have one.
        """
        if len(content_digest) != self.suite.digest.size:
            raise CmsError(f"a {self.suite.digest.name} digest has {self.suite.digest.size} octets")
        if signing_time is None:
            return self._bound.of(content_digest)
        if self.profile == "rfc5652":
            raise CmsError("a PAdES baseline signature carries no signing time")
        return der.set_of(
            (
                self._content_type,
                self._signing_certificate,
                attribute(names.MESSAGE_DIGEST, der.octet_string(content_digest)),
                attribute(names.SIGNING_TIME, choose_time(signing_time)),
            )
        )

    def assemble(self, attributes: bytes, signature: bytes) -> bytes:
        """Put the signature over ``attributes`` into the finished message, DER."""
        rest = attributes[1:] + self._method + der.octet_string(signature)
        return self._frame(len(rest)) + rest

    def _make_frame(self, size: int) -> bytes:
        """Write all that comes before ``size`` octets of attributes, method and value."""
        rest = bytes(size)
        signer = der.sequence(self._signer, bytes((_ATTRIBUTES_TAG,)), rest)
        signed = der.sequence(self._head, der.tlv(der.SET, signer))
        return der.sequence(self._outer, der.explicit(0, signed))[:-size]

    def size_limit(self) -> int:
        """Give the most octets ``assemble`` can return, whatever is signed."""
        largest = self.attributes(bytes(self.suite.digest.size))
        if self.profile == "gbt35275":
            largest = der.tlv(der.SET, largest, attribute(names.SIGNING_TIME, der.tlv(der.UTC_TIME, bytes(13))))
        return len(self.assemble(largest, bytes(self._signature_size())))

    def _signature_size(self) -> int:
        bits = self.certificate.public_key.rsa_bits
        return _EC_SIGNATURE_SIZE if bits is None else (bits + 7) // 8


class BoundAttributes:
    """Signed attributes that differ only in the digest they bind, as a DER SET."""

    def __init__(self, others: Iterable[bytes], algorithm: DigestAlgorithm) -> None:
        binding = attribute(names.MESSAGE_DIGEST, der.octet_string(bytes(algorithm.size)))
        # The members are sorted by octets that come before the digest: their order is the same for all digests.
        written = der.set_of((*others, binding))
        at = written.index(binding) + len(binding)
        self._before, self._after = written[: at - algorithm.size], written[at:]

    def of(self, digest: bytes) -> bytes:
        """Bind ``digest``, which has the algorithm's size."""
        return self._before + digest + self._after


def attribute(oid: str, value: bytes) -> bytes:
    """Write an Attribute of one value (RFC 5652 5.3)."""
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


def signing_certificate_v2(certificate: Certificate, suite: Suite) -> bytes:
    """Write attribute signingCertificateV2 with one ESSCertIDv2 (RFC 5035 3): SHA-256 is the default and left out."""
    method = b"" if suite.digest is SHA256 else der.sequence(der.oid(suite.digest.oid))
    directory_name = der.explicit(4, certificate.issuer)
    issuer_serial = der.sequence(der.sequence(directory_name), der.integer(certificate.serial))
    cert_id = der.sequence(method, der.octet_string(suite.digest.digest(certificate.raw)), issuer_serial)
    return attribute(names.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(cert_id)))


def with_timestamp(message: bytes, token: bytes) -> bytes:
    """Put a time-stamp token over the signature value beside it, as an unsigned attribute (RFC 3161 appendix A).

    ``message`` is a SignedData of one signer that has no unsigned attributes yet, as ``CmsTemplate`` makes it; any
    other is a CmsError.
    """
    outer, holder = der.parse(message).children()
    *head, signers = holder.inner().children()
    if len(signers) != 1 or signers[0].find(_UNSIGNED_TAG) is not None:
        raise CmsError("a time stamp goes beside the only signature of a message, once")
    signer = signers[0]
    stamped = der.sequence(signer.content, der.tlv(_UNSIGNED_TAG, attribute(names.TIMESTAMP_TOKEN, token)))
    signed = der.sequence(*(part.raw for part in head), der.tlv(der.SET, stamped))
    return der.sequence(outer.raw, der.explicit(0, signed))
