"""Chinese PDF signatures: e-seal signatures and GB/T 35275 messages, ours and those of other software."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crypto.digests import sm3
from crypto.suites import ES256
from crypto.x509 import TSA
from seal.errors import DocumentRefused, SealExpired, SealNotUsable
from seal.formats.pdf import PDF_GM_CMS, PDF_PADES, PDF_SES, verify_pdf
from seal.model import Report, SealFormat, SealStatus, SignatureReport, TimeSource, Verdict
from seal.ses.read import parse_ses_signature
from tests.sims.ofd_workshop import AT, YEAR, Authority, Bureau, make_workshop, worse_than_notes
from tests.sims.ofd_writing import AS_V5, FirstGeneration, flipped, token, v5_seal
from tests.sims.pdf_gm import (
    CMS,
    GM_SM2,
    PKCS7,
    SEAL,
    Make,
    bare,
    base64_of,
    detached,
    encloses,
    encloses_and_attributes,
    pdf_mark,
    raw_value_of,
    ses,
    signed_by,
    twice_signed,
)

Ours = pytest.mark.parametrize("layout", [PDF_SES, PDF_GM_CMS], ids=lambda layout: layout.name)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def bureau() -> Bureau:
    return make_workshop().bureau


@pytest.fixture(scope="module")
def other(bureau: Bureau) -> Bureau:
    """Another office under the same authority, with a seal of its own."""
    return replace(bureau, signer=bureau.authority.certify("44030000000002"))


def sealed(
    bureau: Bureau, document: bytes, layout: SealFormat = PDF_SES, at: datetime = AT, **changed: object
) -> bytes:
    credential = replace(bureau.credential(), **changed)  # type: ignore[arg-type]
    return layout.prepare(document, pdf_mark(), credential, at).apply(bureau.signer.signer.sign)


def judged(bureau: Bureau, document: bytes) -> SignatureReport:
    report = verify_pdf(document, bureau.trust)
    assert not report.findings
    return report.signatures[-1]


def codes(report: Report) -> set[str]:
    return set(worse_than_notes(report))


def contents(document: bytes) -> bytes:
    return bytes.fromhex(document[document.rindex(b"/Contents <") + 11 :].partition(b">")[0].decode())


def with_contents(document: bytes, made: bytes) -> bytes:
    """Write other contents in the last signature's place."""
    start = document.rindex(b"/Contents <") + 11
    end = document.index(b">", start)
    room = (end - start) // 2
    return document[:start] + made[:room].ljust(room, b"\0").hex().encode() + document[end:]


# --- ours ------------------------------------------------------------------------------------------------------


@Ours
def test_what_we_seal_is_valid_with_signer_and_time(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    one = judged(bureau, sealed(bureau, licence, layout))
    assert (one.format, one.verdict) == (layout.name, Verdict.VALID)
    assert (one.time, one.time_source) == (AT, TimeSource.CLAIMED)
    assert "44030000000001" in (one.signer or "")
    assert (one.seal is not None) is (layout is PDF_SES)


def test_the_report_tells_the_seal_inside_and_the_signature_says_what_it_protects(
    bureau: Bureau, licence: bytes
) -> None:
    document = sealed(bureau, licence)
    one = judged(bureau, document)
    assert one.seal is not None
    assert (one.seal.id, one.seal.name, one.seal.kind) == ("44030000000001", "云川市行政审批局", 1)
    made = parse_ses_signature(contents(document))
    assert made.property_info == "/ByteRange"
    assert b"/Filter/GM.PKILite/SubFilter/GM.sm2seal" in document


@Ours
def test_a_time_stamp_over_the_value_gives_the_time(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    tsa = bureau.authority.certify("Stamper", profile=TSA)
    document = sealed(bureau, licence, layout, stamper=lambda value: token(tsa, value, AT + MINUTE))
    one = judged(bureau, document)
    assert (one.verdict, one.time, one.time_source) == (Verdict.VALID, AT + MINUTE, TimeSource.TIMESTAMP)


@Ours
def test_a_time_stamp_too_long_for_its_place_is_refused(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    with pytest.raises(DocumentRefused, match="laid aside"):
        sealed(bureau, licence, layout, stamper=lambda _: token(bureau.signer, b"", AT) + bytes(9000))


@Ours
def test_any_octet_changed_is_found(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    spoilt = bytearray(sealed(bureau, licence, layout))
    spoilt[licence.index(b"/MediaBox") + 1] ^= 1
    assert codes(verify_pdf(bytes(spoilt), bureau.trust)) == {"DATA_HASH_MISMATCH"}


def test_signatures_of_all_kinds_follow_one_another(bureau: Bureau, licence: bytes) -> None:
    document = licence
    for layout in (PDF_SES, PDF_GM_CMS, PDF_PADES, PDF_SES):
        document = sealed(bureau, document, layout)
    report = verify_pdf(document, bureau.trust)
    assert report.verdict is Verdict.VALID
    assert [one.format for one in report.signatures] == ["pdf-ses-v4", "pdf-gm-cms", "pdf-pades-sm2", "pdf-ses-v4"]


def test_a_credential_without_a_readable_seal_is_refused(bureau: Bureau, licence: bytes) -> None:
    for spoilt in (None, b"none"):
        with pytest.raises(SealNotUsable):
            sealed(bureau, licence, seseal=spoilt)
    with pytest.raises(SealNotUsable):
        sealed(bureau, licence, suite=ES256)


@Ours
def test_an_expired_certificate_is_refused(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    with pytest.raises(SealExpired):
        sealed(bureau, licence, layout, AT + 2 * YEAR)


def test_a_seal_that_does_not_list_the_certificate_or_is_over_is_refused(
    bureau: Bureau, other: Bureau, licence: bytes
) -> None:
    with pytest.raises(SealNotUsable, match="list"):
        sealed(bureau, licence, seseal=other.seal())
    with pytest.raises(SealExpired):
        sealed(bureau, licence, seseal=bureau.seal(valid_to=AT - MINUTE))


def test_other_certificates_sign_no_message(bureau: Bureau, licence: bytes) -> None:
    with pytest.raises(SealNotUsable):
        sealed(bureau, licence, PDF_GM_CMS, suite=ES256)


# --- shapes of other software ----------------------------------------------------------------------------------


def first_generation(bureau: Bureau) -> Make:
    first = FirstGeneration(bureau)
    return ses(bureau, seal=first.seal, tbs=first.tbs, value=first.value)


GOOD: dict[str, tuple[str, Callable[[Bureau], Make], str]] = {
    "seal-v4": (SEAL, ses, "pdf-ses-v4"),
    "seal-v4-raw-value": (SEAL, lambda b: ses(b, value=raw_value_of), "pdf-ses-v4"),
    "seal-v4-listing-digests": (SEAL, lambda b: ses(b, seal=b.seal(listing="digests")), "pdf-ses-v4"),
    "seal-v5": (SEAL, lambda b: ses(b, seal=v5_seal(b), tbs=AS_V5), "pdf-ses-v5"),
    "seal-v1": (SEAL, first_generation, "pdf-ses-v1"),
    "seal-called-GM.SM2": (GM_SM2, ses, "pdf-ses-v4"),
    "message-detached": (CMS, lambda b: detached(b.signer), "pdf-gm-cms"),
    "message-without-signing-time": (CMS, lambda b: detached(b.signer, at=None), "pdf-gm-cms"),
    "message-encloses-digest": (CMS, lambda b: encloses(b.signer), "pdf-gm-cms"),
    "message-encloses-base64": (CMS, lambda b: encloses(b.signer, written=base64_of), "pdf-gm-cms"),
    "message-encloses-and-signs-attributes": (CMS, lambda b: encloses_and_attributes(b.signer), "pdf-gm-cms"),
    "message-called-GM.SM2": (GM_SM2, lambda b: detached(b.signer), "pdf-gm-cms"),
    "message-of-standard-names": (CMS, lambda b: detached(b.signer, profile="rfc5652", at=None), "pdf-gm-cms"),
    "pkcs7-of-sm2": (PKCS7, lambda b: detached(b.signer, profile="rfc5652", at=None), "pdf-pkcs7"),
    "pkcs7-of-gm-names": (PKCS7, lambda b: detached(b.signer), "pdf-pkcs7"),
    "pkcs7-encloses-digest": (PKCS7, lambda b: encloses(b.signer), "pdf-pkcs7"),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_shape_that_was_seen_is_valid(bureau: Bureau, licence: bytes, name: str) -> None:
    subfilter, hand, said = GOOD[name]
    one = judged(bureau, signed_by(bureau, licence, subfilter, hand(bureau)))
    assert (one.format, one.verdict, worse_than_notes(Report(signatures=(one,)))) == (said, Verdict.VALID, [])
    assert one.time == AT


@pytest.mark.parametrize("name", ["Gomain.GMPkiLite", "DJ.GMPkiLite", "GM.PKILite", "Adobe.PPKLite"])
def test_the_name_of_the_handler_is_the_vendors_own(bureau: Bureau, licence: bytes, name: str) -> None:
    assert judged(bureau, signed_by(bureau, licence, SEAL, ses(bureau), filter=name)).verdict is Verdict.VALID


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("subfilter", [CMS, GM_SM2])
def test_a_bare_value_names_no_signer_and_is_not_decided(
    bureau: Bureau, licence: bytes, subfilter: str, raw: bool
) -> None:
    one = judged(bureau, signed_by(bureau, licence, subfilter, bare(bureau.signer, raw=raw)))
    assert (one.format, one.verdict, one.time) == ("pdf-gm-cms", Verdict.INDETERMINATE, AT)
    assert [finding.code for finding in one.findings] == ["SIGNER_CERT_MISSING"]


def test_a_bare_value_that_looks_like_der_is_one_still(bureau: Bureau, licence: bytes) -> None:
    for start in (b"\x30\x06\x30\x00\x05\x00\x05\x00", b"\x04\x02ab"):
        value = start.ljust(64, b"\x11")
        one = judged(bureau, signed_by(bureau, licence, GM_SM2, lambda _, value=value: value))  # type: ignore[misc]
        assert [finding.code for finding in one.findings] == ["SIGNER_CERT_MISSING"]


def test_an_unknown_kind_stays_unknown(bureau: Bureau, licence: bytes) -> None:
    one = judged(bureau, signed_by(bureau, licence, "GM.sm9seal", ses(bureau)))
    assert [finding.code for finding in one.findings] == ["SUBFILTER_UNSUPPORTED"]


# --- forgeries -------------------------------------------------------------------------------------------------


def forged(bureau: Bureau, document: bytes) -> set[str]:
    report = verify_pdf(document, bureau.trust)
    assert report.verdict is Verdict.INVALID
    return codes(report)


@Ours
def test_a_signature_moved_into_another_document_is_found(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    made = contents(sealed(bureau, licence, layout))
    another = sealed(bureau, licence.replace(b"/Identity-H", b"/Identity-V"), layout)
    assert forged(bureau, with_contents(another, made)) == {"DATA_HASH_MISMATCH"}


BAD: dict[str, tuple[str, Callable[[Bureau, Bureau], Make], set[str]]] = {
    "digest-of-another-range": (SEAL, lambda b, _: ses(b, data_hash=sm3(b"another")), {"DATA_HASH_MISMATCH"}),
    "value-flipped": (SEAL, lambda b, _: ses(b, value=flipped), {"SIGNATURE_INVALID"}),
    "seal-of-another-office": (SEAL, lambda b, o: ses(b, seal=o.seal()), {"SIGNER_NOT_IN_SEAL"}),
    "seal-spoilt": (SEAL, lambda b, _: ses(b, seal=flipped(b.seal())), {"SEAL_SIGNATURE_INVALID"}),
    "seal-over": (SEAL, lambda b, _: ses(b, seal=b.seal(valid_to=AT - MINUTE)), {"SEAL_NOT_VALID_AT_SIGN_TIME"}),
    "seal-where-a-message-belongs": (CMS, lambda b, _: ses(b), {"CMS_MALFORMED"}),
    "message-where-a-seal-belongs": (SEAL, lambda b, _: detached(b.signer), {"SES_FORMAT_ERROR"}),
    "seal-then-octets": (SEAL, lambda b, _: lambda d: ses(b)(d) + b"\0\1", {"SES_FORMAT_ERROR"}),
    "message-then-octets": (CMS, lambda b, _: lambda d: detached(b.signer)(d) + b"\0\1", {"CMS_MALFORMED"}),
    "nothing-but-zeros": (SEAL, lambda _, __: lambda ___: b"\0", {"SES_FORMAT_ERROR"}),
    "message-of-zeros": (CMS, lambda _, __: lambda ___: b"\0", {"CMS_MALFORMED"}),
    "rubbish-by-either-name": (GM_SM2, lambda _, __: lambda ___: b"rubbish", {"CMS_MALFORMED"}),
    "digest-enclosed-of-another": (CMS, lambda b, _: encloses(b.signer, digest=sm3(b"x")), {"DATA_HASH_MISMATCH"}),
    "content-enclosed": (CMS, lambda b, _: encloses(b.signer, digest=bytes(900)), {"CONTENT_ENCAPSULATED"}),
    "two-signers": (CMS, lambda b, _: lambda d: twice_signed(detached(b.signer)(d)), {"SIGNER_COUNT"}),
    "two-signers-enclosing": (CMS, lambda b, _: lambda d: twice_signed(encloses(b.signer)(d)), {"SIGNER_COUNT"}),
}


@pytest.mark.parametrize("name", BAD)
def test_every_forgery_is_found(bureau: Bureau, other: Bureau, licence: bytes, name: str) -> None:
    subfilter, hand, expected = BAD[name]
    found = forged(bureau, signed_by(bureau, licence, subfilter, hand(bureau, other)))
    assert expected <= found <= expected | {"DATA_HASH_MISMATCH"}


def test_a_twin_of_the_signers_certificate_is_not_in_the_seal(bureau: Bureau, licence: bytes) -> None:
    twin = Authority.make("Test Root").certify("44030000000001")
    found = forged(bureau, signed_by(bureau, licence, SEAL, ses(bureau, by=twin)))
    assert found == {"SIGNER_NOT_IN_SEAL", "SIGNER_CERT_UNTRUSTED"}


def test_a_seal_made_by_nobody_known_is_not_decided(bureau: Bureau, licence: bytes) -> None:
    stranger = Authority.make("Unknown Root").certify("Maker")
    report = verify_pdf(signed_by(bureau, licence, SEAL, ses(bureau, seal=bureau.seal(made_by=stranger))), bureau.trust)
    assert (report.verdict, codes(report)) == (Verdict.INDETERMINATE, {"SEAL_MAKER_CERT_UNTRUSTED"})


def test_a_stamp_over_something_else_is_found(bureau: Bureau, licence: bytes) -> None:
    tsa = bureau.authority.certify("Stamper", profile=TSA)
    document = sealed(bureau, licence, stamper=lambda _: token(tsa, b"something else", AT))
    assert forged(bureau, document) == {"TIMESTAMP_INVALID"}


@pytest.mark.parametrize("status", [SealStatus.SUSPENDED, SealStatus.REVOKED])
def test_the_register_is_asked_for_the_seal_at_its_time(bureau: Bureau, licence: bytes, status: SealStatus) -> None:
    document = sealed(bureau, licence)

    def register(esid: str, at: datetime) -> SealStatus | None:
        return status if (esid, at) == ("44030000000001", AT) else None

    report = verify_pdf(document, replace(bureau.trust, seal_status=register))
    assert codes(report) == {f"SEAL_{status.name}"}
