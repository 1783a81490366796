"""Time-stamp tokens written from DER templates (RFC 3161, GM/T 0033): what never changes is encoded once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from crypto import cms_names as names
from crypto import der
from crypto.certificate import Certificate
from crypto.cms_build import BoundAttributes, attribute, signing_certificate_v2
from crypto.errors import CmsError
from crypto.issuing import algorithm_identifier
from crypto.keys import Signer, require_fit
from crypto.suites import Usage
from crypto.timestamp import is_authority

_VERSION, _SIGNED_DATA_VERSION = 1, 3
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)
_THOUSAND = 1000
_FRAMES = 256
"""Lengths of what differs for which all around it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What is stamped: a digest, and the AlgorithmIdentifier it came with."""

    algorithm: bytes
    """DER; a token repeats the question's very octets."""
    digest: bytes

    @classmethod
    def of(cls, digest_oid: str, digest: bytes) -> "Imprint":
        """Name a digest by its algorithm's identifier, without parameters."""
        return cls(algorithm=der.sequence(der.oid(digest_oid)), digest=digest)

    def der(self) -> bytes:
        """Write the MessageImprint."""
        return der.sequence(self.algorithm, der.octet_string(self.digest))


class TokenTemplate:
    """One authority's tokens, waiting for an imprint, a serial and a time.

    Refuses (CmsError) a certificate that is not for time-stamping alone, and a key that is not the certificate's.
    ``chain`` is enclosed after the certificate where the asker wants certificates; leave the root out.
    """

    def __init__(
        self,
        certificate: Certificate,
        chain: Sequence[Certificate],
        signer: Signer,
        *,
        policy: str,
        accuracy: timedelta | None = None,
    ) -> None:
        if signer.public_key.spki != certificate.spki:
            raise CmsError("the signing key is not the time-stamp authority's")
        if not is_authority(certificate):
            raise CmsError("the certificate is not for time-stamping alone (critical extended key usage)")
        suite = signer.suite
        require_fit(suite, signer.public_key, Usage.MESSAGE)
        self.certificate = certificate
        self.policy = policy
        self._signer = signer
        self._digest = suite.digest
        self._info_head = der.integer(_VERSION) + der.oid(policy)
        self._accuracy = b"" if accuracy is None else _accuracy(accuracy)
        method = der.sequence(der.oid(suite.digest.oid))
        content_type = attribute(names.CONTENT_TYPE, der.oid(names.TST_INFO))
        self._bound = BoundAttributes((content_type, signing_certificate_v2(certificate, suite)), suite.digest)
        self._frame = lru_cache(maxsize=_FRAMES)(self._make_frame)
        self._outer = der.oid(names.SIGNED_DATA)
        self._head = der.integer(_SIGNED_DATA_VERSION) + der.set_of((method,))
        self._kind = der.oid(names.TST_INFO)
        self._certificates = der.explicit(0, certificate.raw, *(each.raw for each in chain))
        self._info_signer = der.integer(1) + der.sequence(certificate.issuer, der.integer(certificate.serial)) + method
        self._algorithm = algorithm_identifier(suite)

    def token(
        self,
        imprint: Imprint,
        *,
        serial: int,
        at: datetime,
        nonce: int | None = None,
        with_certificates: bool = True,
    ) -> bytes:
        """Stamp ``imprint`` with the time ``at``; DER of a TimeStampToken. Serials must never repeat."""
        info = der.sequence(
            self._info_head,
            imprint.der(),
            der.integer(serial),
            time_with_fraction(at),
            self._accuracy,
            b"" if nonce is None else der.integer(nonce),
        )
        attributes = self._bound.of(self._digest.digest(info))
        rest = attributes[1:] + self._algorithm + der.octet_string(self._signer.sign(attributes))
        before, between = self._frame(len(info), len(rest), self._certificates if with_certificates else b"")
        return before + info + between + rest

    def _make_frame(self, info_size: int, rest_size: int, enclosed: bytes) -> tuple[bytes, bytes]:
        """Write all before the TSTInfo, and all between it and the octets of attributes, algorithm and value."""
        info, rest = bytes(info_size), bytes(rest_size)
        signer = der.tlv(der.SET, der.sequence(self._info_signer, bytes((der.context(0),)), rest))
        content = der.sequence(self._kind, der.explicit(0, der.octet_string(info)))
        token = der.sequence(self._outer, der.explicit(0, der.sequence(self._head, content, enclosed, signer)))
        between = enclosed + signer[:-rest_size]
        return token[: len(token) - rest_size - len(between) - info_size], between


def time_with_fraction(at: datetime) -> bytes:
    """Write a GeneralizedTime to the millisecond, without the zeros at its end that RFC 3161 2.4.2 forbids."""
    moment = at.astimezone(UTC)
    thousandths = moment.microsecond // _THOUSAND
    fraction = f".{thousandths:03}".rstrip("0") if thousandths else ""
    return der.tlv(der.GENERALIZED_TIME, (moment.strftime("%Y%m%d%H%M%S") + fraction + "Z").encode())


def _accuracy(span: timedelta) -> bytes:
    """Write Accuracy { seconds, [0] millis, [1] micros }."""
    seconds, rest = divmod(span, timedelta(seconds=1))
    millis, micros = rest // _MILLISECOND, rest % _MILLISECOND // _MICROSECOND
    if seconds < 0 or span == timedelta():
        raise CmsError("an accuracy is some time")
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.implicit(0, der.parse(der.integer(millis)).content) if millis else b"",
        der.implicit(1, der.parse(der.integer(micros)).content) if micros else b"",
    )
