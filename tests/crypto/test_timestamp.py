"""Time-stamp tokens: read, judged, refused."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import cms_names, der
from crypto.cms import CmsProblem, parse_signed_data
from crypto.cms_build import signing_certificate_v2
from crypto.digests import SM3, DigestAlgorithm
from crypto.errors import CmsError, CryptoError
from crypto.extensions import TIME_STAMPING
from crypto.suites import SM2_SM3
from crypto.timestamp import TimestampProblem, is_authority, parse_token, verify_token
from crypto.x509 import SIGNER, TSA, Certificate, CertificateProfile
from tests.crypto.authority import Authority, Holder

STAMPED = b"the signature value"
WHEN = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def digest_of(content: bytes) -> Callable[[DigestAlgorithm], bytes]:
    return lambda algorithm: algorithm.digest(content)


def token(
    authority: Holder, *, imprint: bytes | None = None, digest: str = SM3.oid, signers: int = 1, named: bool = True
) -> bytes:
    """An SM2 token made by hand (RFC 3161 2.4.2)."""
    method = der.sequence(der.oid(SM3.oid))
    info = der.sequence(
        der.integer(1),
        der.oid("1.2.3.4"),
        der.sequence(der.sequence(der.oid(digest)), der.octet_string(imprint or SM3.digest(STAMPED))),
        der.integer(77),
        der.generalized_time(WHEN),
        der.sequence(der.integer(1)),
        der.integer(99),
    )
    attributes = der.set_of(
        [
            der.sequence(der.oid(cms_names.CONTENT_TYPE), der.tlv(der.SET, der.oid(cms_names.TST_INFO))),
            der.sequence(der.oid(cms_names.MESSAGE_DIGEST), der.tlv(der.SET, der.octet_string(SM3.digest(info)))),
            *([signing_certificate_v2(authority.certificate, SM2_SM3)] if named else ()),
        ]
    )
    certificate = authority.certificate
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer, der.integer(certificate.serial)),
        method,
        b"\xa0" + attributes[1:],
        der.sequence(der.oid("1.2.156.10197.1.501")),
        der.octet_string(authority.signer.sign(attributes)),
    )
    signed = der.sequence(
        der.integer(3),
        der.set_of([method]),
        der.sequence(der.oid(cms_names.TST_INFO), der.explicit(0, der.octet_string(info))),
        der.explicit(0, certificate.raw),
        der.tlv(der.SET, *[signer] * signers),
    )
    return der.sequence(der.oid(cms_names.SIGNED_DATA), der.explicit(0, signed))


@pytest.fixture
def tsa(sm2: Authority) -> Holder:
    return sm2.issue("时间戳", TSA, sm2.root)


def test_a_token_is_read(tsa: Holder) -> None:
    read = parse_token(token(tsa) + bytes(9))

    assert read.gen_time == WHEN
    assert (read.serial, read.policy, read.nonce) == (77, "1.2.3.4", 99)
    assert (read.imprint_digest, read.imprint) == (SM3, SM3.digest(STAMPED))
    assert read.certificate == tsa.certificate


def test_a_token_holds_for_what_it_stamps_and_nothing_else(tsa: Holder) -> None:
    read = parse_token(token(tsa))

    assert verify_token(read, digest_of(STAMPED)) == ()
    assert verify_token(read, digest_of(b"another")) == (TimestampProblem.IMPRINT_MISMATCH,)


def test_a_token_whose_time_was_changed_does_not_hold(tsa: Holder) -> None:
    changed = token(tsa).replace(b"20261122083000Z", b"20250122083000Z")

    assert verify_token(parse_token(changed), digest_of(STAMPED)) == (CmsProblem.DIGEST_MISMATCH,)


def test_a_certificate_for_other_uses_stamps_no_time(sm2: Authority) -> None:
    read = parse_token(token(sm2.issue("某某", SIGNER, sm2.root)))

    assert verify_token(read, digest_of(STAMPED)) == (TimestampProblem.NOT_A_TSA,)


def test_a_certificate_for_time_stamping_and_more_stamps_no_time(sm2: Authority) -> None:
    more = CertificateProfile(
        name="tsa+", key_usage=("digital_signature",), extended_key_usage=(TIME_STAMPING, "1.3.6.1.5.5.7.3.4")
    )
    read = parse_token(token(sm2.issue("某某", more, sm2.root)))

    assert verify_token(read, digest_of(STAMPED)) == (TimestampProblem.NOT_A_TSA,)


def test_a_usage_that_is_not_critical_does_not_make_an_authority(tsa: Holder) -> None:
    raw = tsa.certificate.raw
    at = raw.index(der.oid("2.5.29.37") + der.boolean(value=True)) + len(der.oid("2.5.29.37")) + 2
    soft = Certificate.from_der(raw[:at] + b"\x00" + raw[at + 1 :])

    assert is_authority(tsa.certificate)
    assert soft.extended_key_usage == {TIME_STAMPING}
    assert not is_authority(soft)


def test_a_token_that_does_not_name_its_certificate_does_not_hold(tsa: Holder) -> None:
    read = parse_token(token(tsa, named=False))

    assert verify_token(read, digest_of(STAMPED)) == (CmsProblem.ATTRIBUTES_MALFORMED,)


def test_an_imprint_of_an_unknown_digest_is_not_judged(tsa: Holder) -> None:
    read = parse_token(token(tsa, digest="1.2.3.5"))

    assert verify_token(read, digest_of(STAMPED)) == (TimestampProblem.IMPRINT_UNSUPPORTED,)


def test_a_token_has_one_signer(tsa: Holder) -> None:
    with pytest.raises(CmsError, match="one signer"):
        parse_token(token(tsa, signers=2))


@pytest.mark.parametrize("rubbish", [b"", b"\x01\x02\x03", bytes(20)])
def test_rubbish_is_refused(rubbish: bytes) -> None:
    with pytest.raises(CryptoError):
        parse_token(rubbish)


@pytest.mark.parametrize(
    "file",
    [
        "dss__PAdES-LT",
        "dss__Signature-P-HU_POL-3",
        "dss__Test.signed_Certipost-2048-SHA512.extended-LTA",
        "dss__dss-2058_dss-2058-QC-LTA-test",
        "pyhanko__pades-lta-dss-indirect-arrs-test",
    ],
)
def test_real_document_timestamps_hold(corpus: Path, file: str) -> None:
    data = (corpus / "pdf" / f"{file}.pdf").read_bytes()
    ranges = [tuple(map(int, each)) for each in re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", data)]
    held = 0
    for found in re.finditer(rb"/Contents\s*<([0-9A-Fa-f]{200,})>", data):
        message = bytes.fromhex(found[1].decode())
        if der.oid(cms_names.TST_INFO) not in message[:100]:
            continue
        start, size, start2, size2 = next(each for each in ranges if abs(each[1] - found.start(1)) < 3)
        content = data[start : start + size] + data[start2 : start2 + size2]
        assert verify_token(parse_token(message), digest_of(content)) == ()
        held += 1
    assert held


def test_a_timestamp_within_a_real_signature_stamps_its_value(corpus: Path) -> None:
    data = (corpus / "pdf" / "dss__pkcs7.pdf").read_bytes()
    found = re.search(rb"/Contents\s*<([0-9A-Fa-f]{200,})>", data)
    assert found is not None
    signed = parse_signed_data(bytes.fromhex(found[1].decode()))
    (signer,) = signed.signers

    assert signer.timestamp_token is not None
    problems = verify_token(parse_token(signer.timestamp_token), digest_of(signer.signature))
    assert TimestampProblem.IMPRINT_MISMATCH not in problems
    assert CmsProblem.SIGNATURE_INVALID not in problems
