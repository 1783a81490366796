"""Makers of Chinese PDF signatures in the shapes that other people's software writes, right or with one thing wrong."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.cms_build import CmsTemplate
from crypto.cms_names import CONTENT_TYPE, GM_DATA, MESSAGE_DIGEST
from crypto.der import bit_string, octet_string, oid, parse, sequence, set_of, tlv
from crypto.digests import SM3, DigestAlgorithm
from crypto.sm2 import signature_from_der
from crypto.suites import SM2_SM3
from seal.formats.pdf.sealing import PdfSealing
from seal.model import Credential, Mark, Picture, SignMessage
from seal.placing import AtPoint
from seal.ses import make_ses_signature, make_tbs
from tests.seal.pdf.making import make_picture
from tests.sims.ofd_workshop import AT, Bureau, Holder
from tests.sims.ofd_writing import attribute, message

Make = Callable[[bytes], bytes]
"""Gives a signature's contents for the SM3 digest of the octets covered."""
SEAL, CMS, GM_SM2, PKCS7 = "GM.sm2seal", "GM.sm2cms.detached", "GM.SM2", "adbe.pkcs7.detached"
PICTURE: Picture = make_picture()


@dataclass(frozen=True)
class Foreign:
    """A kind of contents by any names and any hand."""

    subfilter: str
    hand: Make
    filter: str = "DJ.GMPkiLite"
    room: int = 6000

    digest: DigestAlgorithm = SM3

    def contents(self, credential: Credential, at: datetime) -> "Foreign":
        del credential, at
        return self

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        del sign
        return self.hand(digest)


def signed_by(
    bureau: Bureau, document: bytes, subfilter: str, hand: Make, *, mark: Mark | None = None, **names: str
) -> bytes:
    """Sign ``document`` with contents by ``hand``."""
    kind = Foreign(subfilter, hand, **names)  # type: ignore[arg-type]
    place = mark or pdf_mark()
    return (
        PdfSealing("foreign", kind).prepare(document, place, bureau.credential(), AT).apply(bureau.signer.signer.sign)
    )


def pdf_mark(page: int = -1, x_mm: float = 100, y_mm: float = 100, **changed: object) -> Mark:
    mark = Mark(seal_name="云川市行政审批局", picture=PICTURE, placement=AtPoint.on(page, x_mm=x_mm, y_mm=y_mm))
    return replace(mark, **changed)  # type: ignore[arg-type]


# --- e-seal signatures -----------------------------------------------------------------------------------------


def ses(
    bureau: Bureau,
    *,
    seal: bytes | None = None,
    by: Holder | None = None,
    data_hash: bytes | None = None,
    at: datetime = AT,
    tbs: Make = bytes,
    value: Make = bytes,
) -> Make:
    """Make SES_Signatures; ``tbs`` and ``value`` spoil what is signed and what is made."""
    signer = by or bureau.signer

    def hand(digest: bytes) -> bytes:
        signed = tbs(
            make_tbs(seseal=seal or bureau.seal(), at=at, data_hash=data_hash or digest, property_info="/ByteRange")
        )
        made = make_ses_signature(tbs=signed, certificate=signer.certificate, signature=signer.signer.sign(signed))
        return value(made)

    return hand


def raw_value_of(made: bytes) -> bytes:
    """Write a signature's value as r and s, 64 octets."""
    *head, value = parse(made).children()
    return sequence(*(node.raw for node in head), bit_string(signature_from_der(value.as_bits())))


# --- messages --------------------------------------------------------------------------------------------------


def detached(holder: Holder, *, profile: str = "gbt35275", at: datetime | None = AT) -> Make:
    """Sign attributes, nothing inside."""
    template = CmsTemplate(holder.certificate, (), SM2_SM3, profile)  # type: ignore[arg-type]

    def hand(digest: bytes) -> bytes:
        attributes = template.attributes(digest, signing_time=at)
        return template.assemble(attributes, holder.signer.sign(attributes))

    return hand


def encloses(holder: Holder, *, written: Make = bytes, digest: bytes | None = None) -> Make:
    """Enclose the digest in a message that calls itself detached, and sign those octets, no attributes."""

    def hand(covered: bytes) -> bytes:
        content = digest or covered
        return message(holder, written(content), holder.signer.sign(content))

    return hand


def encloses_and_attributes(holder: Holder) -> Make:
    """Enclose the digest and sign attributes that bind what is enclosed."""

    def hand(covered: bytes) -> bytes:
        bound = attribute(MESSAGE_DIGEST, octet_string(SM3.digest(covered)))
        signed = set_of([attribute(CONTENT_TYPE, oid(GM_DATA)), bound])
        return message(holder, covered, holder.signer.sign(signed), attributes=signed)

    return hand


def bare(holder: Holder, *, raw: bool = False) -> Make:
    """Give the SM2 value alone."""

    def hand(covered: bytes) -> bytes:
        value = holder.signer.sign(covered)
        return signature_from_der(value) if raw else value

    return hand


def base64_of(content: bytes) -> bytes:
    return base64.b64encode(content)


def twice_signed(made: bytes) -> bytes:
    """Put the signer of a message into it a second time."""
    outer, holder = parse(made).children()
    *head, signers = holder.inner().children()
    one = signers[0].raw
    inner = sequence(*(part.raw for part in head), tlv(0x31, one + one))
    return sequence(outer.raw, tlv(0xA0, inner))
