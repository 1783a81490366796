"""The bridge that lends pyHanko SM2: what it makes at every level it judges so, and its gap is still there."""

import asyncio

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko_certvalidator import CertificateValidator

from crypto.suites import ES256, SM2_SM3, Suite
from seal.formats.pdf import verify_pdf
from seal.model import Verdict
from seal.trust import Trust
from tests.judges import pdf_java, pyhanko
from tests.judges.judgement import DOC_TIMESTAMP, Word
from tests.judges.pyhanko_signing import LEVELS, Authority
from tests.seal.pdf.making import render


@pytest.fixture(scope="module", params=[ES256, SM2_SM3], ids=lambda suite: suite.name)
def authority(request: pytest.FixtureRequest) -> Authority:
    suite: Suite = request.param
    return Authority(suite)


@pytest.fixture(scope="module")
def page() -> bytes:
    return render() + b"\n"


@pytest.mark.parametrize("level", LEVELS)
def test_what_pyhanko_makes_it_judges_at_its_level_and_refuses_altered(
    level: str, authority: Authority, page: bytes
) -> None:
    signed = authority.sign(page, level)
    lists = (authority.crl(),) if level in {"B", "T"} else ()  # from LT on the evidence is inside
    found = pyhanko.judge(signed, (authority.root,), None, lists)
    assert found.word is Word.ACCEPTED, found
    expected = [f"PAdES-BASELINE-{level}"] + [DOC_TIMESTAMP] * (level == "LTA")
    assert [each.level for each in found.signatures] == expected
    assert found.signatures[0].timestamps == (level != "B")
    altered = bytearray(signed)
    altered[page.index(b"/MediaBox") + 1] ^= 1
    assert pyhanko.judge(bytes(altered), (authority.root,), None, lists).word is Word.REFUSED


@pytest.mark.parametrize("level", LEVELS)
def test_we_accept_what_pyhanko_makes_at_every_level(level: str, authority: Authority, page: bytes) -> None:
    report = verify_pdf(authority.sign(page, level), Trust(anchors=(authority.root,)))
    worse = [each for one in report.signatures for each in one.findings if each.verdict is not Verdict.VALID]
    assert {each.code for each in worse} <= {"REVOCATION_UNKNOWN"}
    assert not report.findings


@pytest.mark.parametrize("level", LEVELS)
def test_dss_names_the_same_level_and_accepts_it(level: str, page: bytes) -> None:
    authority = Authority(ES256)
    found = pdf_java.dss(authority.sign(page, level), (authority.root,), None, (authority.crl(),))
    assert found.signatures[0].level == f"PAdES-BASELINE-{level}"
    assert found.word is Word.ACCEPTED, found


def test_the_gap_is_still_there_and_the_bridge_still_leads_over_it() -> None:
    # Once this fails pyHanko hands the verifier on by itself: gap_bridged can go.
    authority = Authority(SM2_SM3)
    signer = asn1_x509.Certificate.load(authority.signer.raw)

    def check() -> None:
        asyncio.run(CertificateValidator(signer, validation_context=authority.context()).async_validate_path())

    with pytest.raises(UnsupportedAlgorithm):
        check()
    with pyhanko.gap_bridged():
        check()


def test_the_lent_verifier_tells_a_wrong_sm2_value() -> None:
    good, other = Authority(SM2_SM3), Authority(SM2_SM3)
    signed = good.sign(render() + b"\n", "B")
    assert pyhanko.judge(signed, (good.root,), None, (good.crl(),)).word is Word.ACCEPTED
    assert pyhanko.judge(signed, (other.root,), None, (other.crl(),)).word is not Word.ACCEPTED
