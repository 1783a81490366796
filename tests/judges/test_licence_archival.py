"""Our licences are PDF/A-2b, and stay so under seals: veraPDF says it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from crypto.suites import ES256, SM2_SM3, Suite
from license_store import qr
from license_store.catalogue import BUSINESS_LICENSE, validate
from license_store.model import License, PublicId, Validity
from license_store.render import Renderer
from seal.fonts import packaged_font
from tests.judges.pdf_java import verapdf
from tests.judges.pdf_made import make_world
from tests.license_store.town import BASE_URL, FACE, HOLDER, OWNER, OWNER_NAME, SEAL
from tests.seal.pdf.making import render


@pytest.fixture(scope="module")
def licence() -> bytes:
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
    address = qr.scan_address(BASE_URL, drawn.public_id)
    code = qr.svg(qr.matrix(address))
    return Renderer(packaged_font()).pdf(BUSINESS_LICENSE, drawn, qr_svg=code, host="zz.example.gov.cn")


@pytest.fixture(scope="module")
def sealed(licence: bytes) -> Mapping[str, bytes]:
    return {suite.name: make_world(suite).seal(licence) for suite in (ES256, SM2_SM3)}


def test_a_licence_is_pdf_a_2b(licence: bytes) -> None:
    assert verapdf(licence).complaints == ()


@pytest.mark.parametrize("suite", [ES256, SM2_SM3], ids=lambda suite: suite.name)
def test_a_sealed_licence_is_pdf_a_2b_still_and_with_a_second_seal(suite: Suite, sealed: Mapping[str, bytes]) -> None:
    once = sealed[suite.name]
    assert verapdf(once).complaints == ()
    assert verapdf(make_world(ES256).seal(once, 20)).complaints == ()


def test_verapdf_names_the_clauses_a_plain_page_fails() -> None:
    # ISO 19005-2 6.6.4: nothing in the metadata says that it is PDF/A.
    assert "6.6.4-1" in verapdf(render()).complaints
