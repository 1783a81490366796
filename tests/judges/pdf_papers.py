"""What is sealed for outside judges: a licence of ours, four pages, and files of another writer."""

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime

import typst
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from license_store import qr
from license_store.catalogue import BUSINESS_LICENSE, validate
from license_store.model import License, PublicId, Validity
from license_store.render import Renderer
from seal.fonts import packaged_font
from tests.license_store.town import BASE_URL, FACE, HOLDER, OWNER, OWNER_NAME, SEAL

KEYWORD = "Signature"
_PAGE = "= Minutes {number}\n#lorem(60)\n\nSignature of the chair\n"


@dataclass(frozen=True, slots=True)
class Papers:
    """The documents, unsigned."""

    licence: bytes
    """PDF/A-2b, as our renderer makes it."""
    pages: bytes
    """Four pages, PDF/A-2b."""
    streamed: bytes
    """The four pages as another program writes them, under a cross-reference stream."""


def make_papers() -> Papers:
    pages = _make_pages()
    return Papers(licence=make_licence(), pages=pages, streamed=_streamed(pages))


def make_licence() -> bytes:
    """Render a licence."""
    drawn = License(
        public_id=PublicId("k3v7q2m5x6ynbz4tpa3cwe2rdu"),
        identifier=f"1.2.156.3005.2.{BUSINESS_LICENSE.code}.{OWNER}.2026LDP522YYWDWFCMH3.001.A",
        number="2026LDP522YYWDWFCMH3",
        type_code=BUSINESS_LICENSE.code,
        type_version=1,
        issuer_code=OWNER,
        issuer_name=OWNER_NAME,
        seal=SEAL,
        holder=HOLDER,
        face=validate(BUSINESS_LICENSE, HOLDER, FACE),
        validity=Validity(first=date(2019, 3, 1), last=date(2039, 2, 28)),
        issued_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
        changes=(),
        files=(),
    )
    code = qr.svg(qr.matrix(qr.scan_address(BASE_URL, drawn.public_id)))
    return Renderer(packaged_font()).pdf(BUSINESS_LICENSE, drawn, qr_svg=code, host="zz.example.gov.cn")


def _make_pages() -> bytes:
    text = "#pagebreak()\n".join(_PAGE.format(number=number) for number in range(1, 5))
    made = typst.compile(
        f'#set document(title: "Minutes", date: datetime(year: 2026, month: 11, day: 22))\n{text}'.encode(),
        pdf_standards="a-2b",
    )
    assert isinstance(made, bytes)
    return made


def _streamed(document: bytes) -> bytes:
    out = io.BytesIO()
    copy_into_new_writer(PdfFileReader(io.BytesIO(document)), {"stream_xrefs": True}).write(out)  # type: ignore[no-untyped-call]
    assert b"\ntrailer" not in out.getvalue()
    return out.getvalue()
