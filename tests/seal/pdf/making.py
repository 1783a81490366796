"""Making documents, a picture, an authority and signers for the tests of PDF sealing and judging."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typst
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from PIL import Image, ImageDraw

from crypto.engines import default_engine
from crypto.keys import PublicKey, digest_to_sign
from crypto.sm2 import signature_to_der
from crypto.suites import ES256, SM2_SM3, KeyKind, Suite
from crypto.x509 import ROOT, SIGNER, Certificate, make_certificate, name
from seal.formats.pdf import PDF_PADES
from seal.model import Credential, Mark, Picture
from seal.trust import Trust

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class P256Key:
    """A P-256 key in memory."""

    suite = ES256

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = PublicKey.from_spki(spki)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))

    def pkcs8(self) -> bytes:
        return self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class Sm2Key:
    """An SM2 key in memory."""

    suite = SM2_SM3

    def __init__(self) -> None:
        self._engine = default_engine()
        self._scalar = self._engine.generate()
        self.public_key = PublicKey.from_point(KeyKind.SM2, self._engine.public_point(self._scalar))

    def sign(self, message: bytes) -> bytes:
        digest = digest_to_sign(self.suite, self.public_key, message)
        return signature_to_der(self._engine.sign(self._scalar, digest))


@dataclass(frozen=True)
class Sealer:
    """One who can seal: a key, its certificate, and the root that trust starts from."""

    key: P256Key | Sm2Key
    credential: Credential
    root: Certificate

    @property
    def trust(self) -> Trust:
        return Trust(anchors=(self.root,))

    def seal(self, document: bytes, mark: Mark, at: datetime = NOW) -> bytes:
        return PDF_PADES.prepare(document, mark, self.credential, at).apply(self.key.sign)


def make_sealer(suite: Suite) -> Sealer:
    root_key, key = (P256Key(), P256Key()) if suite is ES256 else (Sm2Key(), Sm2Key())
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=365)
    root = make_certificate(
        subject=name("测试根", "信印"),
        public_key=root_key.public_key,
        issuer=None,
        issuer_key=root_key,
        serial=1,
        not_before=start,
        not_after=end,
        profile=ROOT,
    )
    certificate = make_certificate(
        subject=name("某某区行政审批局", "某某区行政审批局"),
        public_key=key.public_key,
        issuer=root,
        issuer_key=root_key,
        serial=2,
        not_before=start,
        not_after=end,
        profile=SIGNER,
    )
    return Sealer(key, Credential(certificate=certificate, chain=(), suite=suite), root)


def make_picture(size: int = 120, millimetres: int = 40) -> Picture:
    """A red disc with an upper half of deeper red, on transparent ground."""
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((1, 1, size - 2, size - 2), fill=(255, 0, 0, 255))
    draw.pieslice((1, 1, size - 2, size - 2), 180, 360, fill=(0, 0, 255, 255))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return Picture(png=stream.getvalue(), width_mm=millimetres, height_mm=millimetres)


def render(pages: int = 1, body: str = "") -> bytes:
    text = "#pagebreak()\n".join(f"= Licence {page}\n#lorem(80)\n" for page in range(1, pages + 1))
    source = f"#set page(width: 210mm, height: 297mm)\n{body}\n{text}"
    compiled = typst.compile(source.encode())
    assert isinstance(compiled, bytes)
    return compiled


def plain_pdf(objects: list[bytes], *, trailer: bytes = b"") -> bytes:
    """Write a classic PDF of ``objects``, numbered from 1; object 1 is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n\r\n" % place
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)
