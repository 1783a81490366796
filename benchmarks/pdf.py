"""Sealing and judging PDF against pyHanko, on our renderer's file and on a foreign one, with the seal's picture."""

import asyncio
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typst
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchmarks import pdf_levels
from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.engines import default_engine
from crypto.keys import PublicKey, Signer, digest_to_sign
from crypto.sm2 import signature_to_der
from crypto.suites import ES256, SM2_SM3, KeyKind
from crypto.x509 import ROOT, SIGNER, Certificate, make_certificate, name
from seal.artwork import Design, draw
from seal.fonts import packaged_font
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.formats.pdf.append import Appender
from seal.formats.pdf.objects import Stream
from seal.formats.pdf.reader import Document
from seal.model import Credential, Mark, Picture
from seal.placing import AtPoint
from seal.trust import Trust

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROUNDS = 30
REACH_OWN, REACH_FOREIGN, REACH_VERIFY = 50.0, 3.0, 3.0
REACH_FLOOR_P256, REACH_FLOOR_SM2 = 1 / 3, 1 / 1.5
_POINTS = 72 / 25.4


class _P256:
    suite = ES256

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = PublicKey.from_spki(spki)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


class _Sm2:
    suite = SM2_SM3

    def __init__(self) -> None:
        self._engine = default_engine()
        self._scalar = self._engine.generate()
        self.public_key = PublicKey.from_point(KeyKind.SM2, self._engine.public_point(self._scalar))

    def sign(self, message: bytes) -> bytes:
        return signature_to_der(self._engine.sign(self._scalar, digest_to_sign(SM2_SM3, self.public_key, message)))


@dataclass(frozen=True, kw_only=True)
class _Ours:
    """Our side of a comparison."""

    key: Signer
    certificate: Certificate
    root: Certificate
    mark: Mark

    def seal(self, document: bytes) -> bytes:
        credential = Credential(certificate=self.certificate, chain=(), suite=self.key.suite)
        return PDF_PADES.prepare(document, self.mark, credential, NOW).apply(self.key.sign)

    def verify(self, document: bytes) -> None:
        assert verify_pdf(document, Trust(anchors=(self.root,))).verdict.value == "valid"

    def floor(self, document: bytes) -> None:
        """Do what no sealing can do without: one digest, one signature."""
        self.key.sign(self.key.suite.digest.digest(document))


def rows() -> list[dict[str, object]]:
    """Measure; about a minute."""
    p256, sm2 = _ours(_P256()), _ours(_Sm2())
    key = p256.key
    assert isinstance(key, _P256)
    peer = _PyHanko(key, p256)
    own, foreign, large = _licence(), _as_stream(_licence()), padded(_licence(), 5_000_000)
    measured = [
        _sealing("our own file", own, p256, peer, REACH_OWN),
        _sealing("a foreign file with a cross-reference stream", foreign, p256, peer, REACH_FOREIGN),
        _sealing("a file of 5 MB", large, p256, peer, REACH_FOREIGN),
        _against_floor("P-256", own, p256, REACH_FLOOR_P256),
        _against_floor("SM2", own, sm2, REACH_FLOOR_SM2),
        _verifying(own, p256, peer),
    ]
    return [row.as_dict() for row in (*measured, *pdf_levels.rows(own, (p256, sm2)))]


def _sealing(what: str, document: bytes, ours: _Ours, peer: "_PyHanko", reach: float) -> Row:
    mine, theirs = cpu_microseconds(
        (
            Contender(run=lambda: ours.seal(document), times=10),
            Contender(run=lambda: peer.seal(document), times=1),
        ),
        rounds=ROUNDS,
    )
    return _row(f"seal P-256: {what}, {len(document) // 1000} kB", mine, "pyHanko PdfSigner", theirs, reach)


def _against_floor(suite: str, document: bytes, ours: _Ours, reach: float) -> Row:
    sealed = ours.seal(document)
    mine, floor = cpu_microseconds(
        (
            Contender(run=lambda: ours.seal(document), times=20),
            Contender(run=lambda: ours.floor(sealed), times=20),
        ),
        rounds=ROUNDS,
    )
    return _row(f"seal {suite}: our own file, {len(document) // 1000} kB", mine, "digest + signature", floor, reach)


def _verifying(document: bytes, ours: _Ours, peer: "_PyHanko") -> Row:
    sealed = ours.seal(document)
    mine, theirs = cpu_microseconds(
        (
            Contender(run=lambda: ours.verify(sealed), times=10),
            Contender(run=lambda: peer.verify(sealed), times=1),
        ),
        rounds=ROUNDS,
    )
    return _row(f"verify P-256, {len(sealed) // 1000} kB", mine, "pyHanko validate", theirs, REACH_VERIFY)


def _row(work: str, ours: Spread, peer: str, theirs: Spread, reach: float) -> Row:
    return Row(work=work, unit="µs CPU", ours=ours, peer=peer, theirs=theirs, reach=reach)


def _ours(key: "_P256 | _Sm2") -> _Ours:
    root_key = type(key)()
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=365)
    root = make_certificate(
        subject=name("Benchmark root"),
        public_key=root_key.public_key,
        issuer=None,
        issuer_key=root_key,
        serial=1,
        not_before=start,
        not_after=end,
        profile=ROOT,
    )
    certificate = make_certificate(
        subject=name("某某区行政审批局"),
        public_key=key.public_key,
        issuer=root,
        issuer_key=root_key,
        serial=2,
        not_before=start,
        not_after=end,
        profile=SIGNER,
    )
    picture = draw(Design(kind="department", name="某某区行政审批局", line="审批专用章"))
    mark = Mark(seal_name="某某区行政审批局", picture=picture, placement=AtPoint.on(-1, x_mm=140, y_mm=230))
    return _Ours(key=key, certificate=certificate, root=root, mark=mark)


class _PyHanko:
    """The peer, as its own documentation uses it, its key and its picture loaded once."""

    def __init__(self, key: _P256, ours: _Ours) -> None:
        certificate = asn1_x509.Certificate.load(ours.certificate.raw)
        pkcs8 = key.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._signer = signers.SimpleSigner(
            signing_cert=certificate,
            signing_key=asn1_keys.PrivateKeyInfo.load(pkcs8),
            cert_registry=SimpleCertificateStore(),
        )
        self._root = asn1_x509.Certificate.load(ours.root.raw)
        self._image = _opened(ours.mark.picture)
        self._box = _box(ours.mark)

    def seal(self, document: bytes) -> bytes:
        metadata = signers.PdfSignatureMetadata(
            field_name="Seal", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"
        )
        signer = signers.PdfSigner(
            metadata,
            signer=self._signer,
            stamp_style=StaticStampStyle(background=PdfImage(self._image), border_width=0, background_opacity=1.0),
            new_field_spec=SigFieldSpec("Seal", on_page=-1, box=self._box),
        )
        out = signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(document)))
        return bytes(out.getbuffer())

    def verify(self, document: bytes) -> None:
        (embedded,) = PdfFileReader(io.BytesIO(document)).embedded_signatures
        context = ValidationContext(trust_roots=[self._root], moment=NOW, best_signature_time=NOW)
        assert asyncio.run(async_validate_pdf_signature(embedded, context)).bottom_line


def _opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png)).convert("RGBA")


def _box(mark: Mark) -> tuple[int, int, int, int]:
    left, top = mark.placement.x_mm * _POINTS, 842 - mark.placement.y_mm * _POINTS
    side = mark.picture.width_mm * _POINTS
    return round(left), round(top - side), round(left + side), round(top)


def _licence() -> bytes:
    """Render a page of Chinese text as our renderer does."""
    words = "".join(chr(0x4E00 + 7 * number) for number in range(260))
    source = (
        f'#set page(width: 210mm, height: 297mm)\n#set text(font: "Noto Sans CJK SC", size: 11pt)\n= 许可证\n{words}'
    )
    compiled = typst.compile(source.encode(), font_paths=[str(packaged_font().path.parent)])
    assert isinstance(compiled, bytes)
    return compiled


def _as_stream(document: bytes) -> bytes:
    """Write the document as others do: objects in other places, a cross-reference stream."""
    out = io.BytesIO()
    copy_into_new_writer(PdfFileReader(io.BytesIO(document)), {"stream_xrefs": True}).write(out)
    return out.getvalue()


def padded(document: bytes, size: int) -> bytes:
    """Make the document large by a stream nobody shows."""
    appender = Appender(Document(document).current)
    appender.put(appender.reserve(), Stream({}, bytes(size)))
    return document + appender.finish(b"").tail
