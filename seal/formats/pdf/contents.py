"""What a signature's /Contents holds: one class a kind, one row a format; the layout around it knows none of them."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from crypto.cms import CmsTemplate, with_timestamp
from crypto.digests import DigestAlgorithm
from crypto.suites import Suite
from crypto.x509 import Certificate
from seal.model import Credential, SignMessage, StampTime

_AROUND_STAMP = 64
"""Octets at most of an unsigned attribute around its token, and by which the lengths around it grow."""


class Contents(Protocol):
    """The contents of one signature to be made."""

    @property
    def room(self) -> int:
        """How many octets to lay aside."""

    @property
    def digest(self) -> DigestAlgorithm:
        """What digests the octets covered."""

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        """Sign what binds ``digest``, the digest of the octets covered; give the contents, DER."""


class ContentsKind(Protocol):
    """A way of signing octets of a PDF, by the names a signature dictionary gives it."""

    @property
    def filter(self) -> str:
        """/Filter."""

    @property
    def subfilter(self) -> str:
        """/SubFilter."""

    def contents(self, credential: Credential, at: datetime) -> Contents:
        """Give the contents for one sealing; refuses a credential that cannot make them."""


@dataclass(frozen=True, slots=True)
class PadesKind:
    """CMS by ETSI EN 319 142-1: the signing certificate bound, no signing time among the attributes."""

    filter: str = "Adobe.PPKLite"
    subfilter: str = "ETSI.CAdES.detached"

    def contents(self, credential: Credential, at: datetime) -> Contents:  # noqa: ARG002 - /M says the time
        """Give the contents under whichever suite the credential has."""
        template, room = _template(credential.certificate, credential.chain, credential.suite)
        if credential.stamper is not None:
            room += credential.stamp_room + _AROUND_STAMP
        return _Cms(template, room, credential.suite, credential.stamper)


@dataclass(frozen=True, slots=True)
class _Cms:
    _template: CmsTemplate = field(repr=False)
    room: int
    _suite: Suite
    _stamper: StampTime | None = None

    @property
    def digest(self) -> DigestAlgorithm:
        return self._suite.digest

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        attributes = self._template.attributes(digest)
        signature = sign(attributes)
        message = self._template.assemble(attributes, signature)
        token = self._stamper(signature) if self._stamper else None
        return message if token is None else with_timestamp(message, token)


@lru_cache(maxsize=256)
def _template(certificate: Certificate, chain: tuple[Certificate, ...], suite: Suite) -> tuple[CmsTemplate, int]:
    """Encode once what all signatures under one certificate share, and measure the room they need."""
    template = CmsTemplate(certificate, chain, suite)
    return template, template.size_limit()
