"""Contents of kind GM.sm2cms.detached: a GB/T 35275 message of SM2 and SM3 (GM/T 0112)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto.cms import CmsTemplate
from crypto.digests import SM3, DigestAlgorithm
from seal.formats.gbt35275 import signed_message, signing_template
from seal.formats.pdf.contents import Contents
from seal.formats.pdf.contents_ses import GM_FILTER, stamp_room
from seal.model import Credential, SignMessage

GM_CMS = "GM.sm2cms.detached"


@dataclass(frozen=True, slots=True)
class GmCmsKind:
    """A message truly detached: no content inside, the digest of the octets covered among the signed attributes."""

    filter: str = GM_FILTER
    subfilter: str = GM_CMS

    def contents(self, credential: Credential, at: datetime) -> Contents:
        """Give the contents; refuses a certificate that is not SM2 or not valid at ``at``."""
        at = at.astimezone(UTC).replace(microsecond=0)
        return _GmCms(signing_template(credential, at), credential, at)


@dataclass(frozen=True, slots=True)
class _GmCms:
    _template: CmsTemplate = field(repr=False)
    _credential: Credential = field(repr=False)
    _at: datetime

    @property
    def room(self) -> int:
        return self._template.size_limit() + stamp_room(self._credential)

    @property
    def digest(self) -> DigestAlgorithm:
        return SM3

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        return signed_message(self._template, digest, credential=self._credential, at=self._at, sign=sign)
