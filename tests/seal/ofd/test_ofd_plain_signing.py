"""Signatures without a picture: what is written, who can read it, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crypto.cms import parse_signed_data
from crypto.der import Node, parse
from crypto.digests import SM3, sm3
from crypto.suites import ES256, SM2_SM3
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA
from seal.errors import DocumentRefused, FurtherSealingForbidden, SealExpired, SealNotUsable, UnsupportedDocument
from seal.formats.ofd import OFD_SIGN, verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, TimeSource, Verdict

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FIRST = "Doc_0/Signs/Sign_0"
SIGNED_DATA, DATA = "1.2.156.10197.6.1.4.2.2", "1.2.156.10197.6.1.4.2.1"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
INPUTS = ["helloworld.ofd", "VPage7.ofd", "chineseDir.ofd", "namespace_no_std.ofd", "path_unstd.ofd", "999.ofd"]
Unpack = Callable[[bytes], dict[str, bytes]]
Complaints = Callable[[Report], list[str]]


@pytest.fixture
def sign(bureau: Any) -> Callable[..., bytes]:
    def make(document: bytes, *, by: Any = bureau, at: datetime = AT, closes: bool = False, **changed: Any) -> bytes:
        credential = by.credential(**{"seseal": None, **changed})
        prepared = OFD_SIGN.prepare(document, replace(by.mark(), closes=closes), credential, at)
        return prepared.apply(by.signer.signer.sign)

    return make


@pytest.fixture(scope="module")
def stamper(authority: Any) -> Callable[[bytes], bytes]:
    holder = authority.certify("Time Stamper", profile=TSA)
    template = TokenTemplate(holder.certificate, (), holder.signer, policy="1.2.3.4")
    return lambda octets: template.token(Imprint.of(SM3.oid, sm3(octets)), serial=7, at=AT + timedelta(seconds=2))


def attributes(node: Node) -> dict[str, Node]:
    return {row[0].as_oid(): row[1][0] for row in node}


# --- what is written ---


def test_a_signed_document_is_valid_and_shows_no_seal(
    bureau: Any, plain: bytes, sign: Callable[..., bytes], unpack: Unpack
) -> None:
    document = sign(plain)
    (signature,) = verify_ofd(document, bureau.trust).signatures
    assert (signature.verdict, signature.format, signature.seal) == (Verdict.VALID, "ofd-gbt35275", None)
    assert (signature.time, signature.time_source) == (AT, TimeSource.CLAIMED)
    assert signature.signer == bureau.signer.certificate.subject_text
    files = unpack(document)
    assert sorted(path for path in files if path.startswith(FIRST)) == [
        f"{FIRST}/Signature.xml",
        f"{FIRST}/SignedValue.dat",
    ]
    xml = etree.fromstring(files[f"{FIRST}/Signature.xml"])
    assert xml.find(".//{*}StampAnnot") is None
    assert xml.find(".//{*}Seal") is None
    row = etree.fromstring(files["Doc_0/Signs/Signatures.xml"]).find("{*}Signature")
    assert row is not None
    assert row.get("Type") == "Sign"


def test_the_message_is_the_shape_that_other_readers_take(
    bureau: Any, plain: bytes, sign: Callable[..., bytes], unpack: Unpack
) -> None:
    files = unpack(sign(plain))
    outer = parse(files[f"{FIRST}/SignedValue.dat"])
    signed = outer[1].inner()
    version, digests, content, certificates, signers = signed.children()
    (signer,) = signers.children()
    assert (outer[0].as_oid(), version.as_int(), digests[0][0].as_oid()) == (SIGNED_DATA, 1, SM3.oid)
    assert [node.as_oid() for node in content] == [DATA]
    assert certificates.content == bureau.signer.certificate.raw
    assert signer[1][0].raw == bureau.signer.certificate.issuer
    written = attributes(signer[3])
    assert written[CONTENT_TYPE].as_oid() == DATA
    assert written[SIGNING_TIME].as_time() == AT
    assert written[MESSAGE_DIGEST].as_octets() == sm3(files[f"{FIRST}/Signature.xml"])
    # The signature is over the attributes as a SET.
    covered = b"\x31" + signer[3].raw[1:]
    assert bureau.signer.certificate.public_key.verify(SM2_SM3, covered, signer[5].as_octets())
    assert len(signer) == 6


def test_the_issuers_of_the_credential_are_enclosed(
    bureau: Any, authority: Any, plain: bytes, sign: Callable[..., bytes], unpack: Unpack
) -> None:
    document = sign(plain, chain=(authority.root.certificate,))
    enclosed = parse_signed_data(unpack(document)[f"{FIRST}/SignedValue.dat"]).certificates
    assert [each.raw for each in enclosed] == [bureau.signer.certificate.raw, authority.root.certificate.raw]


def test_a_time_stamp_goes_beside_the_attributes_and_proves_the_time(
    bureau: Any, plain: bytes, sign: Callable[..., bytes], stamper: Callable[[bytes], bytes], unpack: Unpack
) -> None:
    document = sign(plain, stamper=stamper)
    signer = parse(unpack(document)[f"{FIRST}/SignedValue.dat"])[1].inner()[4][0]
    assert signer[6].tag == 0xA1
    assert set(attributes(signer[6])) == {TIMESTAMP}
    (signature,) = verify_ofd(document, bureau.trust).signatures
    assert signature.verdict is Verdict.VALID
    assert (signature.time, signature.time_source) == (AT + timedelta(seconds=2), TimeSource.TIMESTAMP)


def test_a_time_stamp_over_another_signature_is_invalid(
    bureau: Any,
    plain: bytes,
    sign: Callable[..., bytes],
    stamper: Callable[[bytes], bytes],
    complaints: Complaints,
) -> None:
    document = sign(plain, stamper=lambda octets: stamper(octets + b"other"))
    assert complaints(verify_ofd(document, bureau.trust)) == ["TIMESTAMP_INVALID"]


# --- beside others ---


@pytest.mark.parametrize("name", INPUTS)
def test_documents_of_other_writers_are_signed(
    bureau: Any, corpus: Path, sign: Callable[..., bytes], name: str
) -> None:
    signed = sign((corpus / "ofd/ofd" / name).read_bytes())
    assert verify_ofd(signed, bureau.trust).signatures[-1].verdict is Verdict.VALID


def test_seals_and_plain_signatures_follow_one_another(
    bureau: Any, other_bureau: Any, plain: bytes, sign: Callable[..., bytes]
) -> None:
    once = sign(plain)
    twice = other_bureau.sealed(once, at=AT + timedelta(hours=1))
    thrice = sign(twice, by=other_bureau, at=AT + timedelta(hours=2), closes=True)
    report = verify_ofd(thrice, bureau.trust)
    assert report.verdict is Verdict.VALID
    assert [each.format for each in report.signatures] == ["ofd-gbt35275", "ofd-ses-v4", "ofd-gbt35275"]
    with pytest.raises(FurtherSealingForbidden):
        bureau.sealed(thrice)
    with pytest.raises(FurtherSealingForbidden):
        sign(thrice)


@pytest.mark.parametrize("path", ["OFD.xml", "Doc_0/Document.xml", f"{FIRST}/Signature.xml"])
def test_a_file_changed_after_signing_is_noticed(
    bureau: Any, plain: bytes, sign: Callable[..., bytes], unpack: Unpack, complaints: Complaints, path: str
) -> None:
    files = unpack(sign(plain))
    files[path] += b"\n"
    expected = "DATA_HASH_MISMATCH" if path.startswith(FIRST) else "REFERENCE_MISMATCH"
    assert complaints(verify_ofd(write_archive(files), bureau.trust)) == [expected]


def test_no_flipped_bit_of_the_message_leaves_another_valid_signature(
    bureau: Any, plain: bytes, sign: Callable[..., bytes], unpack: Unpack
) -> None:
    document = sign(plain)
    files = unpack(document)
    value = files[f"{FIRST}/SignedValue.dat"]
    before = verify_ofd(document, bureau.trust).signatures
    for place in range(0, len(value), 7):
        changed = value[:place] + bytes([value[place] ^ 0x11]) + value[place + 1 :]
        report = verify_ofd(write_archive({**files, f"{FIRST}/SignedValue.dat": changed}), bureau.trust)
        assert report.verdict is not Verdict.VALID or report.signatures == before


# --- what is refused ---


def test_a_prepared_document_signs_once(bureau: Any, plain: bytes) -> None:
    prepared = OFD_SIGN.prepare(plain, bureau.mark(), bureau.credential(), AT)
    prepared.apply(bureau.signer.signer.sign)
    with pytest.raises(RuntimeError):
        prepared.apply(bureau.signer.signer.sign)


def test_only_an_sm2_certificate_within_its_validity_signs(
    authority: Any, plain: bytes, sign: Callable[..., bytes]
) -> None:
    with pytest.raises(SealNotUsable):
        sign(plain, suite=ES256)
    with pytest.raises(SealNotUsable):
        sign(plain, certificate=authority.certify("Curve", suite=ES256).certificate)
    for at in (AT - timedelta(days=400), AT + timedelta(days=400)):
        with pytest.raises(SealExpired):
            sign(plain, at=at)


@pytest.mark.parametrize("document", [b"", b"%PDF-1.7", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_ofd_document_is_refused(sign: Callable[..., bytes], document: bytes) -> None:
    with pytest.raises(DocumentRefused):
        sign(document)


def test_a_package_with_an_integrity_list_is_not_signed(corpus: Path, sign: Callable[..., bytes]) -> None:
    with pytest.raises(UnsupportedDocument, match="integrity"):
        sign((corpus / "ofd/ofd/hello-integrity.ofd").read_bytes())


def test_nothing_is_made_where_nobody_stamps(plain: bytes, sign: Callable[..., bytes]) -> None:
    class Silent(Exception):
        pass

    def stamper(_: bytes) -> bytes:
        raise Silent

    with pytest.raises(Silent):
        sign(plain, stamper=stamper)
