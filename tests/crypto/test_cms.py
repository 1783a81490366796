"""Signed messages: made, read, judged, by us and by others."""

import base64
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import cms_names, der
from crypto.cms import CmsProblem, CmsTemplate, Profile, SignedData, parse_signed_data, verify_signer
from crypto.digests import SM3, DigestAlgorithm
from crypto.errors import CmsError, CryptoError, SuiteRefused
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import SIGNER, Certificate
from tests.crypto.authority import Authority, Holder
from tests.judges import openssl
from tests.judges.bouncycastle import judge_all, judge_cms

CONTENT = "准予行政许可决定书".encode() * 20
PROFILES: list[Profile] = ["rfc5652", "gbt35275"]


def digest_of(content: bytes) -> Callable[[DigestAlgorithm], bytes]:
    return lambda algorithm: algorithm.digest(content)


def template(authority: Authority, profile: Profile = "rfc5652") -> CmsTemplate:
    return CmsTemplate(authority.signer.certificate, authority.chain, authority.suite, profile)


def sign(authority: Authority, content: bytes = CONTENT, profile: Profile = "rfc5652") -> bytes:
    made = template(authority, profile)
    attributes = made.attributes(authority.suite.digest.digest(content))
    return made.assemble(attributes, authority.signer.signer.sign(attributes))


def judge(message: bytes, content: bytes = CONTENT, **supplied: list[Certificate]) -> set[CmsProblem]:
    signed = parse_signed_data(message)
    (signer,) = signed.signers
    return set(verify_signer(signed, signer, digest_of(content), others=supplied.get("others", [])))


# --- making ------------------------------------------------------------------------------------------------------


def test_what_is_signed_verifies(authority: Authority) -> None:
    assert judge(sign(authority)) == set()


def test_another_content_does_not(authority: Authority) -> None:
    assert judge(sign(authority), CONTENT + b" ") == {CmsProblem.DIGEST_MISMATCH}


def test_signer_and_chain_are_enclosed_and_the_signer_is_bound(authority: Authority) -> None:
    signed = parse_signed_data(sign(authority))
    (signer,) = signed.signers

    assert signed.certificates == (authority.signer.certificate, *authority.chain)
    assert signed.encapsulated is None
    assert signed.content_type == cms_names.DATA
    assert signer.certificate == authority.signer.certificate
    assert signer.signing_certificate_matches is True
    assert signer.message_digest == authority.suite.digest.digest(CONTENT)


def test_a_pades_signature_carries_no_signing_time(authority: Authority) -> None:
    made = template(authority)

    assert parse_signed_data(sign(authority)).signers[0].signing_time is None
    with pytest.raises(CmsError, match="no signing time"):
        made.attributes(bytes(authority.suite.digest.size), signing_time=datetime(2026, 11, 22, tzinfo=UTC))


def test_attributes_are_in_der_order(authority: Authority) -> None:
    attributes = der.parse(template(authority).attributes(bytes(authority.suite.digest.size)))

    assert attributes.raw == der.set_of(member.raw for member in attributes)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_message_is_longer_than_its_limit(sm2: Authority, profile: Profile) -> None:
    made = template(sm2, profile)
    time = datetime(2026, 11, 22, tzinfo=UTC) if profile == "gbt35275" else None

    for number in range(32):
        attributes = made.attributes(SM3.digest(bytes((number,))), signing_time=time)
        message = made.assemble(attributes, sm2.signer.signer.sign(attributes))
        assert made.size_limit() - 8 <= len(message) <= made.size_limit()


def test_the_limit_of_an_rsa_message_is_its_size(rsa: Authority) -> None:
    assert len(sign(rsa)) == template(rsa).size_limit()


def test_a_gbt_35275_message_has_its_own_names_and_a_signing_time(sm2: Authority) -> None:
    made = template(sm2, "gbt35275")
    time = datetime(2026, 11, 22, 8, tzinfo=UTC)
    attributes = made.attributes(SM3.digest(CONTENT), signing_time=time)
    message = made.assemble(attributes, sm2.signer.signer.sign(attributes))

    signed = parse_signed_data(message)

    assert signed.gm
    assert signed.content_type == cms_names.GM_DATA
    assert signed.signers[0].signature_oid == SM2_SM3.aliases[0]
    assert signed.signers[0].signing_time == time
    assert judge(message) == set()
    assert judge(message, CONTENT[1:]) == {CmsProblem.DIGEST_MISMATCH}


def test_a_template_refuses_a_suite_its_key_cannot_sign_with(sm2: Authority, p256: Authority) -> None:
    with pytest.raises(SuiteRefused, match="a sm2 key does not sign with ES256"):
        CmsTemplate(sm2.signer.certificate, (), ES256)
    with pytest.raises(CmsError):
        CmsTemplate(p256.signer.certificate, (), ES256, "gbt35275")
    with pytest.raises(CmsError):
        template(sm2).attributes(bytes(20))


# --- judging -----------------------------------------------------------------------------------------------------


def test_zero_octets_may_follow_and_nothing_else(sm2: Authority) -> None:
    message = sign(sm2)

    assert judge(message + bytes(1000)) == set()
    with pytest.raises(CmsError):
        parse_signed_data(message + b"\x00\x01")


def test_a_raw_sm2_value_verifies_too(sm2: Authority) -> None:
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    r, s = (node.as_int().to_bytes(32, "big") for node in der.parse(sm2.signer.signer.sign(attributes)))

    assert judge(made.assemble(attributes, r + s)) == set()


def test_a_signature_of_another_key_does_not_verify(authority: Authority) -> None:
    made = template(authority)
    attributes = made.attributes(authority.suite.digest.digest(CONTENT))

    assert judge(made.assemble(attributes, authority.root.signer.sign(attributes))) == {CmsProblem.SIGNATURE_INVALID}


def test_attributes_sent_out_of_order_verify_when_signed_in_order(sm2: Authority) -> None:
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    value = sm2.signer.signer.sign(attributes)
    reversed_ = der.tlv(der.SET, *(member.raw for member in reversed(der.parse(attributes).children())))

    assert judge(made.assemble(reversed_, value)) == set()


def test_an_exchanged_certificate_of_the_same_key_shows(sm2: Authority) -> None:
    # Same issuer, same serial, same key, other content: only the signed reference tells them apart.
    original = sm2.signer
    serial = original.certificate.serial
    sm2.serials, kept = iter([serial]), sm2.serials  # type: ignore[assignment]
    twin = sm2.issue("冒名者", SIGNER, sm2.sub_ca, key=original.signer)
    sm2.serials = kept
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    value = original.signer.sign(attributes)
    exchanged = CmsTemplate(twin.certificate, sm2.chain, sm2.suite).assemble(attributes, value)

    assert judge(exchanged) == {CmsProblem.SIGNING_CERTIFICATE_MISMATCH}


def bare(holder: Holder, *certificates: Certificate, attributes: bytes | None, content: bytes | None = None) -> bytes:
    """A GB/T 35275 message made by hand: with any attributes or none, with the content inside or not."""
    certificate = holder.certificate
    digest, method = (der.sequence(der.oid(oid)) for oid in (SM3.oid, SM2_SM3.aliases[0]))
    inside = b"" if content is None else der.explicit(0, der.octet_string(content))
    value = holder.signer.sign(attributes if attributes is not None else content or b"")
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer, der.integer(certificate.serial)),
        digest,
        b"" if attributes is None else bytes((0xA0,)) + attributes[1:],
        method,
        der.octet_string(value),
    )
    signed = der.sequence(
        der.integer(1),
        der.set_of([digest]),
        der.sequence(der.oid(cms_names.GM_DATA), inside),
        der.explicit(0, *(each.raw for each in certificates)) if certificates else b"",
        der.set_of([signer]),
    )
    return der.sequence(der.oid(cms_names.GM_SIGNED_DATA), der.explicit(0, signed))


@pytest.mark.parametrize("write", [bytes, base64.b64encode], ids=["plain", "base64"])
def test_a_gbt_35275_message_may_enclose_the_hash_and_sign_that(
    sm2: Authority, write: Callable[[bytes], bytes]
) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=write(SM3.digest(CONTENT)))

    assert judge(message) == set()
    assert judge(message, CONTENT[1:]) == {CmsProblem.DIGEST_MISMATCH}


def test_an_enclosed_hash_that_was_exchanged_shows_in_the_signature(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=SM3.digest(CONTENT))
    exchanged = message.replace(SM3.digest(CONTENT), SM3.digest(b"another"))

    assert judge(exchanged, b"another") == {CmsProblem.SIGNATURE_INVALID}


def test_an_enclosed_hash_with_attributes_binds_both(sm2: Authority) -> None:
    inner = SM3.digest(CONTENT)
    attributes = made_attributes(digest=SM3.digest(inner))

    message = bare(sm2.signer, sm2.signer.certificate, attributes=attributes, content=inner)

    assert judge(message) == set()
    assert judge(message, b"another") == {CmsProblem.DIGEST_MISMATCH}


def made_attributes(*, digest: bytes | None, kind: str | None = cms_names.GM_DATA, again: bytes = b"") -> bytes:
    def attribute(oid: str, value: bytes) -> bytes:
        return der.sequence(der.oid(oid), der.tlv(der.SET, value))

    return der.set_of(
        [
            *([attribute(cms_names.CONTENT_TYPE, der.oid(kind))] if kind else []),
            *([attribute(cms_names.MESSAGE_DIGEST, der.octet_string(digest))] if digest else []),
            *([again] if again else []),
        ]
    )


def test_without_a_certificate_nothing_is_said_until_one_is_supplied(sm2: Authority) -> None:
    message = bare(sm2.signer, attributes=made_attributes(digest=SM3.digest(CONTENT)))

    assert judge(message) == {CmsProblem.CERTIFICATE_MISSING}
    assert judge(message, others=[sm2.root.certificate]) == {CmsProblem.CERTIFICATE_MISSING}
    assert judge(message, others=[sm2.signer.certificate]) == set()
    assert judge(message, b"another", others=[sm2.signer.certificate]) == {CmsProblem.DIGEST_MISMATCH}


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        (made_attributes(digest=None), CmsProblem.ATTRIBUTES_MALFORMED),
        (made_attributes(digest=SM3.digest(CONTENT), kind=None), CmsProblem.ATTRIBUTES_MALFORMED),
        (
            made_attributes(
                digest=SM3.digest(CONTENT),
                again=der.sequence(
                    der.oid(cms_names.MESSAGE_DIGEST), der.tlv(der.SET, der.octet_string(SM3.digest(b"other")))
                ),
            ),
            CmsProblem.ATTRIBUTES_MALFORMED,
        ),
        (made_attributes(digest=SM3.digest(CONTENT), kind=cms_names.TST_INFO), CmsProblem.CONTENT_TYPE_MISMATCH),
    ],
    ids=["no digest", "no type", "two digests", "another type"],
)
def test_signed_attributes_must_be_whole(sm2: Authority, attributes: bytes, problem: CmsProblem) -> None:
    assert judge(bare(sm2.signer, sm2.signer.certificate, attributes=attributes)) == {problem}


def test_a_bare_sm2_signature_over_something_outside_cannot_be_judged(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None)

    assert judge(message) == {CmsProblem.ALGORITHM_UNSUPPORTED}


def test_a_bare_sm2_signature_over_something_inside_is_judged_once_the_caller_vouches_for_it(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=CONTENT)
    foreign = rebuilt(message, cms_names.DATA)

    assert judge(foreign) == set()
    assert judge(foreign, b"another") == {CmsProblem.ALGORITHM_UNSUPPORTED}


def rebuilt(message: bytes, kind: str) -> bytes:
    """The same message with another content type."""
    outer, wrapped = der.parse(message).children()
    version, digests, content, *rest = wrapped.inner().children()
    inner = der.sequence(der.oid(kind), *(node.raw for node in content.children()[1:]))
    signed = der.sequence(version.raw, digests.raw, inner, *(node.raw for node in rest))
    return der.sequence(outer.raw, der.explicit(0, signed))


def test_a_signer_may_be_named_by_key_identifier(sm2: Authority) -> None:
    message = sign(sm2)
    outer, wrapped = der.parse(message).children()
    *head, infos = wrapped.inner().children()
    version, _, *rest = infos.inner().children()
    by_key = der.implicit(0, sm2.signer.certificate.subject_key_id or b"")
    info = der.sequence(version.raw, by_key, *(node.raw for node in rest))
    signed = der.sequence(*(node.raw for node in head), der.set_of([info]))
    renamed = der.sequence(outer.raw, der.explicit(0, signed))

    assert parse_signed_data(renamed).signers[0].certificate == sm2.signer.certificate
    assert judge(renamed) == set()


def test_two_signers_are_both_shown(sm2: Authority) -> None:
    outer, wrapped = der.parse(sign(sm2)).children()
    *head, infos = wrapped.inner().children()
    twice = der.sequence(*(node.raw for node in head), der.tlv(der.SET, infos.content, infos.content))

    assert len(parse_signed_data(der.sequence(outer.raw, der.explicit(0, twice))).signers) == 2


def test_an_unknown_digest_cannot_be_judged(sm2: Authority) -> None:
    message = sign(sm2).replace(der.oid(SM3.oid), der.oid("1.2.156.10197.1.499"))

    assert judge(message) == {CmsProblem.ALGORITHM_UNSUPPORTED}


# --- reading rubbish ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rubbish", [b"", b"\x00", b"\x30\x80", b"\x30\x00", bytes(500), b"\x30\x84\xff\xff\xff\xff", b"%PDF"]
)
def test_what_is_no_message_is_refused(rubbish: bytes) -> None:
    with pytest.raises(CryptoError):
        parse_signed_data(rubbish)


@pytest.fixture(scope="session")
def messages(authorities: Mapping[str, Authority]) -> list[bytes]:
    """One message of each suite, the same octets in every example of a property."""
    return [sign(authority) for authority in authorities.values()]


def everything(signed: SignedData) -> None:
    for signer in signed.signers:
        verify_signer(signed, signer, digest_of(CONTENT))
        _ = signer.timestamp_token, signer.signing_time, signer.signing_certificate_matches, signer.content_type


@settings(max_examples=300)
@given(data=st.data())
def test_mutated_messages_are_read_or_refused_and_nothing_else(messages: list[bytes], data: st.DataObject) -> None:
    message = bytearray(data.draw(st.sampled_from(messages)))
    for _ in range(data.draw(st.integers(1, 5))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        everything(parse_signed_data(bytes(message)))
    except CryptoError:
        return


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else(data: bytes) -> None:
    try:
        everything(parse_signed_data(data))
    except CryptoError:
        return


def indefinite(node: der.Node, depth: int) -> bytes:
    """Write the outer ``depth`` levels with indefinite lengths."""
    if not depth or not node.tag & 0x20:
        return node.raw
    return bytes((node.tag, 0x80)) + b"".join(indefinite(child, depth - 1) for child in node) + b"\x00\x00"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_indefinite_lengths_are_read(sm2: Authority, depth: int) -> None:
    message = indefinite(der.parse(sign(sm2)), depth)

    assert judge(message + bytes(100)) == set()
    assert judge(message, b"another") == {CmsProblem.DIGEST_MISMATCH}


@settings(max_examples=200)
@given(data=st.data())
def test_mutated_indefinite_lengths_are_read_or_refused_and_nothing_else(
    messages: list[bytes], data: st.DataObject
) -> None:
    message = bytearray(indefinite(der.parse(messages[0]), 4))
    for _ in range(data.draw(st.integers(1, 4))):
        octet = data.draw(st.sampled_from([0, 4, 0x24, 0x30, 0x80, 0xA0]))
        message[data.draw(st.integers(0, len(message) - 1))] = octet
    try:
        everything(parse_signed_data(bytes(message)))
    except CryptoError:
        return


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(CryptoError, match="deeper"):
        parse_signed_data(b"\x30\x80" * 5000)


# --- judges ------------------------------------------------------------------------------------------------------


def test_bouncycastle_accepts_our_messages_and_refuses_another_content(authorities: Mapping[str, Authority]) -> None:
    messages = [sign(authority) for authority in authorities.values()]

    verdicts = judge_all([(message, content) for message in messages for content in (CONTENT, CONTENT[1:])])

    assert [verdict.split()[0] for verdict in verdicts] == ["valid", "invalid"] * len(messages)


def test_bouncycastle_accepts_the_message_with_its_padding(sm2: Authority) -> None:
    assert judge_cms(sign(sm2) + bytes(500), CONTENT).startswith("valid ")


def test_openssl_accepts_the_sm2_value_over_the_signed_attributes(sm2: Authority) -> None:
    (signer,) = parse_signed_data(sign(sm2)).signers
    key = sm2.signer.signer.public_key.pem()

    assert signer.signed_attributes_raw is not None
    assert openssl.accepts_sm2_signature(key, signer.signed_attributes_raw, signer.signature)
    assert not openssl.accepts_sm2_signature(key, signer.signed_attributes_raw + b"x", signer.signature)


def test_openssl_accepts_our_classic_messages_and_refuses_another_content(p256: Authority, rsa: Authority) -> None:
    for authority in (p256, rsa):
        assert openssl.accepts_cms(sign(authority), CONTENT, authority.root.certificate)
        assert not openssl.accepts_cms(sign(authority), CONTENT[1:], authority.root.certificate)


# --- real messages -----------------------------------------------------------------------------------------------


def test_real_gbt_35275_messages_verify(corpus: Path) -> None:
    """Hash inside without attributes (a province), detached with attributes (mining licences), certificate outside."""
    folder = corpus / "ofd/detached/shandong_gov_v4_plus_gbt35275/Doc_0/Signs/Sign_3"
    assert judge((folder / "SignedValue.dat").read_bytes(), (folder / "Signature.xml").read_bytes()) == set()
    with zipfile.ZipFile(corpus / "ofd/ofd/testImageNotFound.ofd") as package:
        for sign_ in ("Doc_0/Signs/Sign_0/", "Doc_0/Signs/Sign_1/"):
            value, content = package.read(sign_ + "SignedValue.dat"), package.read(sign_ + "Signature.xml")
            assert judge(value, content) == set()
            assert judge(value, content + b" ") == {CmsProblem.DIGEST_MISMATCH}
    with zipfile.ZipFile(corpus / "ofd/ofd/hello-integrity.ofd") as package:
        assert judge(package.read("signedvalue.dat"), package.read("OFDEntries.xml")) == set()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("dss__pades-bes", set()),
        ("dss__pkcs7", set()),
        ("dss__PAdES-LT", set()),
        ("dss__Signature-P-HU_POL-3", set()),  # indefinite lengths
        ("dss__modified_after_signature", set()),  # the signature itself is sound
        ("pyhanko__pades-with-old-style-signing-cert-attr", set()),
        ("dss__hello_signed_INCSAVE_signed", {CmsProblem.WEAK_KEY}),
        ("mkl__hide-and-replace-shadow-file-signed-1", {CmsProblem.WEAK_DIGEST}),
        ("dss__pades-bes-no-certificates", {CmsProblem.CERTIFICATE_MISSING}),
        ("dss__wrong-digest-algo", {CmsProblem.ALGORITHM_UNSUPPORTED}),
        ("dss__pdf-signed-corrupted", {CmsProblem.DIGEST_MISMATCH}),
    ],
)
def test_real_pdf_signatures_are_judged(corpus: Path, file: str, expected: set[CmsProblem]) -> None:
    data = (corpus / "pdf" / f"{file}.pdf").read_bytes()
    found = re.search(rb"/Contents\s*<([0-9A-Fa-f]{200,})>", data)
    assert found is not None
    ranges = [
        tuple(map(int, match.groups()))
        for match in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", data)
    ]
    start, size, start2, size2 = next(each for each in ranges if abs(each[1] - found.start(1)) < 3)
    message = bytes.fromhex(found[1].decode())
    content = data[start : start + size] + data[start2 : start2 + size2]
    if parse_signed_data(message).encapsulated is not None:
        content = parse_signed_data(message).encapsulated or b""

    assert judge(message, content) == expected
