"""Signed messages read: rubbish, those that other tools judge, and real ones."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import der
from crypto.cms import CmsProblem, SignedData, parse_signed_data, verify_signer
from crypto.errors import CryptoError
from tests.crypto.authority import Authority
from tests.crypto.messages import CONTENT, digest_of, judge, sign
from tests.judges import openssl
from tests.judges.bouncycastle import judge_all, judge_cms

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
