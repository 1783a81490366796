"""A small authority with keys made for the run, its seals, and hands that break one thing at a time."""

import base64
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crypto.digests import sm3
from crypto.engines import default_engine
from crypto.keys import PublicKey, Signer, digest_to_sign
from crypto.suites import SM2_SM3, Suite
from crypto.vaults.software import make_key, open_key
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, Certificate, CertificateProfile, make_certificate, name
from seal.formats.ofd import OFD_SES, Page, Text, write_simple_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Credential, Finding, Mark, Picture, Report, Verdict
from seal.placing import AtPoint
from seal.ses import make_ses_signature, make_seseal, make_tbs
from seal.trust import Trust

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
PICTURE = Picture(png=b"\x89PNG\r\n\x1a\n a picture", width_mm=40, height_mm=40)
FIRST = "Doc_0/Signs/Sign_0"


class MemorySigner:
    """A key of the test's own."""

    def __init__(self, suite: Suite = SM2_SM3) -> None:
        made = make_key(suite, default_engine())
        self.suite = suite
        self.public_key: PublicKey = made.public_key
        self._sign = open_key(suite, default_engine(), made.pkcs8)

    def sign(self, message: bytes) -> bytes:
        return self._sign(digest_to_sign(self.suite, self.public_key, message))


@dataclass(kw_only=True)
class Holder:
    signer: Signer
    certificate: Certificate


@dataclass(kw_only=True)
class Authority:
    """One root, and whoever it certifies."""

    root: Holder
    serials: list[int] = field(default_factory=lambda: [1])

    @classmethod
    def make(cls, common_name: str) -> "Authority":
        signer = MemorySigner()
        certificate = make_certificate(
            subject=name(common_name),
            public_key=signer.public_key,
            issuer=None,
            issuer_key=signer,
            serial=1,
            not_before=AT - 5 * YEAR,
            not_after=AT + 5 * YEAR,
            profile=ROOT,
        )
        return cls(root=Holder(signer=signer, certificate=certificate))

    def certify(
        self,
        common_name: str,
        *,
        profile: CertificateProfile = SIGNER,
        not_before: datetime = AT - YEAR,
        not_after: datetime = AT + YEAR,
        suite: Suite = SM2_SM3,
    ) -> Holder:
        signer = MemorySigner(suite)
        self.serials.append(self.serials[-1] + 1)
        certificate = make_certificate(
            subject=name(common_name, "云川市行政审批局"),
            public_key=signer.public_key,
            issuer=self.root.certificate,
            issuer_key=self.root.signer,
            serial=self.serials[-1],
            not_before=not_before,
            not_after=not_after,
            profile=profile,
        )
        return Holder(signer=signer, certificate=certificate)

    @property
    def trust(self) -> Trust:
        return Trust(anchors=(self.root.certificate,))


@dataclass(frozen=True, kw_only=True)
class Bureau:
    """An office with a seal: everything a sealing needs, every part of it exchangeable."""

    authority: Authority
    maker: Holder
    signer: Holder

    @property
    def trust(self) -> Trust:
        return self.authority.trust

    def seal(self, **changed: Any) -> bytes:
        maker: Holder = changed.pop("made_by", self.maker)
        fields: dict[str, Any] = {
            "header_vid": "XINYIN",
            "esid": "44030000000001",
            "kind": 1,
            "name": "云川市行政审批局",
            "certificates": [self.signer.certificate],
            "created": AT - YEAR / 2,
            "valid_from": AT - YEAR / 2,
            "valid_to": AT + YEAR / 2,
            "picture": PICTURE,
            "maker": maker.signer,
            "maker_certificate": maker.certificate,
        }
        return make_seseal(**{**fields, **changed})

    def credential(self, **changed: Any) -> Credential:
        fields: dict[str, Any] = {
            "certificate": self.signer.certificate,
            "chain": (),
            "suite": SM2_SM3,
            "seseal": self.seal(),
        }
        return Credential(**{**fields, **changed})

    def mark(self, page: int = -1, x_mm: float = 100, y_mm: float = 100) -> Mark:
        return Mark(seal_name="云川市行政审批局", picture=PICTURE, placement=AtPoint.on(page, x_mm=x_mm, y_mm=y_mm))

    def sealed(self, document: bytes, *, at: datetime = AT, mark: Mark | None = None) -> bytes:
        prepared = OFD_SES.prepare(document, mark or self.mark(), self.credential(), at)
        return prepared.apply(self.signer.signer.sign)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Makes documents that are right but for what is asked."""

    bureau: Bureau
    document: bytes

    def resealed(
        self,
        *,
        seal: bytes | None = None,
        by: Holder | None = None,
        at: datetime = AT,
        signature_xml: Callable[[bytes], bytes] = bytes,
        tbs: Callable[[bytes], bytes] = bytes,
        value: Callable[[bytes], bytes] = bytes,
        files: Mapping[str, bytes | None] | None = None,
        data_hash: bytes | None = None,
    ) -> bytes:
        """Seal the document with other ingredients; every digest and signature above them is made to fit.

        ``files`` put beside the result change what was sealed: they are not made to fit (None takes one away).
        """
        seal = seal or self.bureau.seal()
        by = by or self.bureau.signer
        contents = unpacked(self.document)
        contents[f"{FIRST}/Seal.esl"] = seal
        xml = with_digest(contents[f"{FIRST}/Signature.xml"], f"/{FIRST}/Seal.esl", sm3(seal))
        xml = signature_xml(xml)
        contents[f"{FIRST}/Signature.xml"] = xml
        signed = tbs(
            make_tbs(seseal=seal, at=at, data_hash=data_hash or sm3(xml), property_info=f"/{FIRST}/Signature.xml")
        )
        made = make_ses_signature(tbs=signed, certificate=by.certificate, signature=by.signer.sign(signed))
        contents[f"{FIRST}/SignedValue.dat"] = value(made)
        for path, content in (files or {}).items():
            if content is None:
                del contents[path]
            else:
                contents[path] = content
        return write_archive(contents)


def unpacked(document: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def with_digest(signature_xml: bytes, location: str, digest: bytes) -> bytes:
    pattern = rf'(FileRef="{re.escape(location)}"><ofd:CheckValue>)[^<]*'.encode()
    made, count = re.subn(pattern, rb"\g<1>" + base64.b64encode(digest), signature_xml)
    assert count == 1
    return made


def worse_than_notes(report: Report) -> list[str]:
    found: list[Finding] = [*report.findings, *(row for each in report.signatures for row in each.findings)]
    return [finding.code for finding in found if finding.verdict is not Verdict.VALID]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.make("Test Root")


@pytest.fixture(scope="session")
def bureau(authority: Authority) -> Bureau:
    return Bureau(
        authority=authority,
        maker=authority.certify("Seal Maker", profile=SEAL_MAKER),
        signer=authority.certify("44030000000001"),
    )


@pytest.fixture(scope="session")
def stranger() -> Authority:
    """An authority that nobody has pinned."""
    return Authority.make("Unknown Root")


@pytest.fixture(scope="session")
def plain() -> bytes:
    """An unsealed document of two pages."""
    pages = [Page(items=(Text(x_mm=30, y_mm=40, text=f"第{n}页", size_mm=5),)) for n in (1, 2)]
    return write_simple_ofd(pages, doc_id="0" * 32, title="样例", created=date(2026, 11, 22))


@pytest.fixture(scope="session")
def workshop(bureau: Bureau, plain: bytes) -> Workshop:
    return Workshop(bureau=bureau, document=bureau.sealed(plain))


@pytest.fixture(scope="session")
def complaints() -> Callable[[Report], list[str]]:
    """Give the codes of all findings worse than a note."""
    return worse_than_notes


@pytest.fixture(scope="session")
def unpack() -> Callable[[bytes], dict[str, bytes]]:
    return unpacked


@pytest.fixture(scope="session")
def other_bureau(bureau: Bureau) -> Bureau:
    return replace(bureau, signer=bureau.authority.certify("44030000000002"))
