"""E-seal structures: what is made is what is read, and real ones are read as their makers meant them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.der import (
    OCTET_STRING,
    bit_string,
    boolean,
    explicit,
    generalized_time,
    ia5,
    integer,
    octet_string,
    oid,
    parse,
    sequence,
    utc_time,
    utf8,
)
from crypto.digests import sm3
from crypto.engines import default_engine
from crypto.errors import DerError, SuiteRefused
from crypto.keys import digest_to_sign
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.vaults.software import make_key, open_key
from crypto.x509 import ROOT, Certificate, make_certificate, name
from seal.model import Picture, Verdict
from seal.ses import (
    Extension,
    make_ses_signature,
    make_seseal,
    make_tbs,
    parse_ses_signature,
    parse_seseal,
    time_from_text,
)
from seal.ses.build import Listing
from seal.ses.judge import judge_ses
from seal.trust import Trust

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PICTURE = Picture(png=b"a picture", width_mm=42, height_mm=40)


class MemorySigner:
    def __init__(self, suite: Suite = SM2_SM3) -> None:
        made = make_key(suite, default_engine())
        self.suite, self.public_key = suite, made.public_key
        self._sign = open_key(suite, default_engine(), made.pkcs8)

    def sign(self, message: bytes) -> bytes:
        return self._sign(digest_to_sign(self.suite, self.public_key, message))

    def certificate(self) -> Certificate:
        return make_certificate(
            subject=name("Maker"),
            public_key=self.public_key,
            issuer=None,
            issuer_key=self,
            serial=1,
            not_before=AT - DAY,
            not_after=AT + DAY,
            profile=ROOT,
        )


@pytest.fixture(scope="module")
def signer() -> MemorySigner:
    return MemorySigner()


@pytest.fixture(scope="module")
def certificate(signer: MemorySigner) -> Certificate:
    return signer.certificate()


@pytest.fixture(scope="module")
def fields(signer: MemorySigner, certificate: Certificate) -> dict[str, Any]:
    return {
        "header_vid": "XINYIN",
        "esid": "44030000000001",
        "kind": 1,
        "name": "云川市行政审批局",
        "certificates": [certificate],
        "created": AT,
        "valid_from": AT,
        "valid_to": AT + DAY,
        "picture": PICTURE,
        "maker": signer,
        "maker_certificate": certificate,
    }


@pytest.fixture(scope="module")
def seal(fields: dict[str, Any]) -> bytes:
    return make_seseal(**fields)


def test_a_seal_made_here_is_read_back_as_it_was_meant(seal: bytes, certificate: Certificate) -> None:
    read = parse_seseal(seal)
    assert (read.layout, read.header_version, read.header_id, read.vendor) == (4, 4, "ES", "XINYIN")
    assert (read.esid, read.kind, read.name) == ("44030000000001", 1, "云川市行政审批局")
    assert (read.created, read.valid_from, read.valid_to) == (AT, AT, AT + DAY)
    assert (read.picture.kind, read.picture.octets) == ("png", PICTURE.png)
    assert (read.picture.width_mm, read.picture.height_mm) == (42, 40)
    assert read.maker_certificate == certificate.raw
    assert read.lists(certificate.raw)
    assert not read.lists(b"another")
    assert read.raw == seal
    assert certificate.public_key.verify(SM2_SM3, parse(seal)[0].raw, read.signature)


def test_a_seal_is_valid_from_its_first_to_its_last_second(seal: bytes) -> None:
    read = parse_seseal(seal)
    second = timedelta(seconds=1)
    assert [read.valid_at(at) for at in (AT - second, AT, AT + DAY, AT + DAY + second)] == [False, True, True, False]


def test_a_signature_made_here_is_read_back_as_it_was_meant(
    seal: bytes, signer: MemorySigner, certificate: Certificate
) -> None:
    tbs = make_tbs(seseal=seal, at=AT, data_hash=bytes(32), property_info="/Doc_0/Signs/Sign_0/Signature.xml")
    made = make_ses_signature(tbs=tbs, certificate=certificate, signature=signer.sign(tbs), timestamp=b"token")
    read = parse_ses_signature(made)
    assert (read.layout, read.version, read.time, read.data_hash) == (4, 4, AT, bytes(32))
    assert read.property_info == "/Doc_0/Signs/Sign_0/Signature.xml"
    assert (read.tbs, read.seal.raw, read.certificate) == (tbs, seal, certificate.raw)
    assert read.timestamp == b"token"
    assert parse_ses_signature(made + bytes(100)).raw == made


@pytest.mark.parametrize("listing", ["certificates", "digests"])
def test_a_seal_names_those_who_may_sign_whole_or_by_digest(
    fields: dict[str, Any], certificate: Certificate, listing: Listing
) -> None:
    stranger = MemorySigner().certificate()
    octets = make_seseal(**fields, listing=listing)
    seal = parse_seseal(octets)
    assert seal.lists(certificate.raw)
    assert not seal.lists(stranger.raw)
    assert not seal.lists(sm3(certificate.raw))
    rows = parse(octets)[0][2]
    if listing == "digests":
        assert (seal.certificates, seal.certificate_digests) == ((), (sm3(certificate.raw),))
        assert rows[2].as_int() == 2
        assert [node.tag for node in rows[3][0]] == [0x13, OCTET_STRING]  # PrintableString
    else:
        assert (seal.certificates, seal.certificate_digests) == ((certificate.raw,), ())
        assert rows[2].as_int() == 1


def test_the_extensions_of_a_seal_are_signed_with_it(fields: dict[str, Any], certificate: Certificate) -> None:
    given = (
        Extension(oid="1.2.156.10197.6.7.2.2.1", critical=False, value=b"2.1"),
        Extension(oid="1.2.3.4", critical=True, value=b""),
    )
    octets = make_seseal(**fields, extensions=given)
    seal = parse_seseal(octets)
    assert seal.extensions == given
    # Three members each, the default written out.
    assert [len(row) for row in parse(octets)[0][4]] == [3, 3]
    assert certificate.public_key.verify(SM2_SM3, seal.signed, seal.signature)
    assert len(parse(make_seseal(**fields))[0]) == 4


def test_a_seal_is_made_only_with_the_makers_own_sm2_key(seal: bytes, certificate: Certificate) -> None:
    read = parse_seseal(seal)
    for wrong, refusal, said in (
        (MemorySigner(), ValueError, "maker"),
        (MemorySigner(ES256), SuiteRefused, "no seals"),
    ):
        with pytest.raises(refusal, match=said):
            make_seseal(
                header_vid="X",
                esid="1",
                kind=1,
                name="",
                certificates=[],
                created=AT,
                valid_from=AT,
                valid_to=AT,
                picture=Picture(png=read.picture.octets, width_mm=1, height_mm=1),
                maker=wrong,
                maker_certificate=certificate,
            )


# --- the generations -------------------------------------------------------------------------------------------


def info(version: int = 4, *, typed: bool = True, extra: bytes = b"", time: Any = generalized_time) -> bytes:
    listed = sequence(octet_string(b"certificate"))
    kind = (integer(1), listed) if typed else (listed,)
    properties = sequence(integer(7), utf8("印章"), *kind, time(AT), time(AT), time(AT + DAY))
    picture = sequence(ia5("GIF"), octet_string(b"gif"), integer(40), integer(30))
    return (
        sequence(sequence(ia5("ES"), integer(version), ia5("v")), ia5("id"), properties, picture)
        if not extra
        else (sequence(sequence(ia5("ES"), integer(version), ia5("v")), ia5("id"), properties, picture, extra))
    )


METHOD, VALUE, MAKER = oid("1.2.156.10197.1.501"), bit_string(b"value"), octet_string(b"maker")
TAIL = (MAKER, METHOD, VALUE)
STAMP = explicit(0, bit_string(b"stamp"))


@pytest.mark.parametrize(
    ("octets", "layout"),
    [
        (sequence(info(1, typed=False, time=utc_time), sequence(*TAIL)), 1),
        (sequence(info(1, typed=False), sequence(*TAIL)), 1),
        (sequence(info(1, typed=False), bit_string(sequence(*TAIL))), 1),
        (sequence(info(4), *TAIL), 4),
        (sequence(info(5), *TAIL), 5),
        (sequence(info(5), *TAIL, STAMP), 5),
        (sequence(info(4), *TAIL, STAMP), 5),
    ],
)
def test_the_generation_of_a_seal_shows_in_its_structure(octets: bytes, layout: int) -> None:
    read = parse_seseal(octets)
    assert read.layout == layout
    assert (read.kind, read.name, read.picture.kind, read.certificates) == (7, "印章", "gif", (b"certificate",))
    assert (read.created, read.valid_to) == (AT, AT + DAY)


def test_what_the_maker_signed_differs_between_the_generations() -> None:
    inner = info(1, typed=False)
    assert parse_seseal(sequence(inner, sequence(*TAIL))).signed == sequence(inner, MAKER, METHOD)
    inner = info(4)
    assert parse_seseal(sequence(inner, *TAIL)).signed == inner


@pytest.mark.parametrize("wrapped", ["bare", "tagged", "octets"])
@pytest.mark.parametrize("critical", [(), (boolean(value=False),), (boolean(value=True),)])
def test_extensions_are_read_in_every_wrapping(wrapped: str, critical: tuple[bytes, ...]) -> None:
    row = sequence(sequence(oid("1.2.3"), *critical, octet_string(b"x")))
    extra = {"bare": row, "tagged": explicit(0, row), "octets": octet_string(row)}[wrapped]
    (extension,) = parse_seseal(sequence(info(extra=extra), *TAIL)).extensions
    assert (extension.oid, extension.value) == ("1.2.3", b"x")
    assert extension.critical == (critical == (boolean(value=True),))


def test_names_in_the_place_of_certificates_allow_nobody() -> None:
    listed = sequence(ia5("certificate id"))
    properties = sequence(integer(1), utf8("x"), listed, utc_time(AT), utc_time(AT), utc_time(AT))
    picture = sequence(ia5("PNG"), octet_string(b""), integer(1), integer(1))
    inner = sequence(sequence(ia5("ES"), integer(1), ia5("v")), ia5("id"), properties, picture)
    assert not parse_seseal(sequence(inner, sequence(*TAIL))).lists(b"certificate id")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2020-04-22 16:22:44", datetime(2020, 4, 22, 8, 22, 44, tzinfo=UTC)),
        ("2020-01-25T07:31:56.377Z", datetime(2020, 1, 25, 7, 31, 56, 377000, tzinfo=UTC)),
        ("20201010151120", datetime(2020, 10, 10, 7, 11, 20, tzinfo=UTC)),
        ("20201004072855.302Z", datetime(2020, 10, 4, 7, 28, 55, tzinfo=UTC)),
        ("20200817111329Z", datetime(2020, 8, 17, 11, 13, 29, tzinfo=UTC)),
        ("2020-08-17T11:13:29+08:00", datetime(2020, 8, 17, 3, 13, 29, tzinfo=UTC)),
        ("yesterday", None),
        ("20201399999999", None),
        ("", None),
    ],
)
def test_times_are_read_as_found_in_the_field(text: str, meant: datetime | None) -> None:
    assert time_from_text(text) == meant


def test_a_version_1_time_may_be_a_time_or_a_text_in_a_bit_string() -> None:
    seal = sequence(info(1, typed=False), sequence(*TAIL))
    rest = (bit_string(bytes(32)), ia5("/x"), octet_string(b"c"), METHOD)
    for time, meant in (
        (utc_time(AT), AT),
        (generalized_time(AT), AT),
        (bit_string(utc_time(AT)), AT),
        (bit_string(b"2026-11-22 16:00:00"), AT),
        (bit_string(b"\xff\xfe"), None),
    ):
        read = parse_ses_signature(sequence(sequence(integer(1), seal, time, *rest), VALUE))
        assert (read.time, read.timestamp) == (meant, None)
    token = sequence(integer(1))
    read = parse_ses_signature(sequence(sequence(integer(1), seal, bit_string(token), *rest), VALUE))
    assert (read.time, read.timestamp) == (None, token)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        sequence(),
        sequence(info()),
        sequence(info(), MAKER, METHOD),
        sequence(info(), MAKER, METHOD, VALUE, STAMP, VALUE),
        sequence(info(), METHOD, MAKER, VALUE),
        sequence(info(extra=integer(1)), *TAIL),
        sequence(info(), *TAIL) + b"\x00",
    ],
)
def test_what_is_no_seal_is_refused(octets: bytes) -> None:
    with pytest.raises(DerError):
        parse_seseal(octets)


# --- real ones -------------------------------------------------------------------------------------------------

REAL_SEALS = ["SESealData.DER", "UserV1.esl", "UserV4.esl", "UserV5.esl", "UserV5_ts.esl"]
REAL_SIGNATURES = ["SignedValueV4.dat", "SignedValueV5.dat"]


@pytest.mark.parametrize("file", REAL_SEALS)
def test_real_seals_are_read_as_an_independent_reader_reads_them(corpus: Path, file: str) -> None:
    expected = json.loads((corpus / "ofd/expected.json").read_text("utf-8"))[f"seal/{file}"]
    read = parse_seseal((corpus / "ofd/seal" / file).read_bytes())
    assert f"SESeal v{read.layout}" == expected["kind"]
    assert (read.name, read.esid) == (expected["name"], expected["esid"])
    picture = [read.picture.kind, read.picture.width_mm, read.picture.height_mm]
    assert picture == [expected["picture"][0].lower(), *expected["picture"][1:]]
    maker = Certificate.from_der(read.maker_certificate)
    assert maker.public_key.verify(SM2_SM3, read.signed, read.signature) == expected["seal_signature_valid"]


@pytest.mark.parametrize("file", REAL_SIGNATURES)
def test_real_signatures_are_judged_as_an_independent_verifier_does(corpus: Path, file: str) -> None:
    expected = json.loads((corpus / "ofd/expected.json").read_text("utf-8"))[f"seal/{file}"]
    octets = (corpus / "ofd/seal" / file).read_bytes()
    judged = judge_ses(octets, digest=bytes(32), trust=Trust.load(corpus / "ofd/certs"))
    codes = {finding.code for finding in judged.findings if finding.verdict is not Verdict.VALID}
    assert f"SES_Signature v{judged.layout}" == expected["kind"]
    assert judged.time is not None
    assert f"{judged.time:%Y-%m-%d %H:%M:%S}" == expected["sign_time"]
    assert ("SIGN_TIME_OUTSIDE_CERT" not in codes) == expected["in_signer_cert_validity"]
    assert ("SEAL_MAKER_CERT_NOT_VALID" not in codes) == expected["maker_cert_valid_at_make"]
    assert codes <= {"SIGN_TIME_OUTSIDE_CERT", "SEAL_MAKER_CERT_NOT_VALID"}


# --- anything at all -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signature(seal: bytes, signer: MemorySigner, certificate: Certificate) -> bytes:
    tbs = make_tbs(seseal=seal, at=AT, data_hash=bytes(32), property_info="/x")
    return make_ses_signature(tbs=tbs, certificate=certificate, signature=signer.sign(tbs))


@settings(max_examples=300, deadline=None)
@given(drawn=st.data())
def test_a_damaged_signature_is_a_finding_never_a_crash(
    drawn: st.DataObject, signature: bytes, certificate: Certificate
) -> None:
    damaged = bytearray(signature)
    for _ in range(drawn.draw(st.integers(1, 3))):
        damaged[drawn.draw(st.integers(0, len(damaged) - 1))] = drawn.draw(st.integers(0, 255))
    # A certificate of an authority, as the one here is, may not sign: so the judge has been at work in any case.
    judged = judge_ses(bytes(damaged), digest=bytes(32), trust=Trust(anchors=(certificate,)))
    assert any(finding.verdict is Verdict.INVALID for finding in judged.findings)
