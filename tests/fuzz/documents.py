"""Readers of sealed documents: seals and signatures by GB/T 38540, OFD packages, PDF files."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import typst

from crypto import der
from crypto.digests import SHA256
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import SEAL_MAKER, SIGNER
from kernel.errors import Refusal
from seal.formats.ofd import Page, Text, verify_ofd, write_simple_ofd
from seal.formats.ofd.archive import Archive, ArchiveError
from seal.formats.ofd.gbt35275 import judge_signed_value
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.model import Credential, Mark, Report, SignatureReport, Verdict
from seal.placing import AtPoint
from seal.ses import make_ses_signature, make_tbs, parse_ses_signature, parse_seseal
from seal.ses.judge import SesJudgement, judge_ses
from seal.ses.model import SesSeal
from seal.trust import Trust
from seal.verifying import Verifier
from tests.crypto import authority as pki
from tests.fuzz.files import OFD, PDF, unpacked
from tests.fuzz.messages import signed, stamp
from tests.fuzz.mutators import Mutate
from tests.fuzz.shapes import DER
from tests.fuzz.target import PACKAGE_INPUTS, PDF_INPUTS, Target
from tests.seal.pdf.making import make_picture, plain_pdf
from tests.sims.ofd_workshop import AT, Authority, Bureau, Holder
from tests.sims.pdf_foreign import LAID_OUT, TURNED

_HASH = bytes(range(32))
_PLACE = "/Doc_0/Signs/Sign_0/Signature.xml"
_LARGEST = 64 * 1024
"""Octets of another's document that is taken for a seed: larger ones are slow to change and show nothing else."""
_CHILD_INPUTS = 2000


def targets(sm2: pki.Authority, p256: pki.Authority, corpus: Path | None) -> Iterator[Target]:
    """Give the rows."""
    trust = Trust(anchors=(sm2.root.certificate, p256.root.certificate), intermediates=(sm2.sub_ca.certificate,))
    bureau = bureau_of(sm2)
    yield from _seals(bureau, trust, sm2, corpus)
    yield _gbt35275(trust, sm2)
    documents = _ofd_documents(bureau, corpus)
    yield _archive(documents)
    yield from _ofd(documents, trust)
    own_pdf = _pdf_documents(sm2, p256, corpus)
    yield from _pdf(own_pdf, trust)
    yield _pdf_sealing(own_pdf, p256, trust)


def bureau_of(sm2: pki.Authority) -> Bureau:
    def holder(held: pki.Holder) -> Holder:
        return Holder(signer=held.signer, certificate=held.certificate)

    return Bureau(
        authority=Authority(root=holder(sm2.root)),
        maker=holder(sm2.issue("制章人", SEAL_MAKER, sm2.root)),
        signer=holder(sm2.issue("44030000000001", SIGNER, sm2.root)),
    )


# --- seals and their signatures --------------------------------------------------------------------------------


def generations(v4: bytes) -> list[bytes]:
    """Give a seal as V1 and as V5 would have it; the maker's signature over it holds no more."""
    (info, maker, method, value) = der.parse(v4).children()
    header, esid, properties, picture = info.children()
    kind, name, _, listed, *times = (node.raw for node in properties)

    def head(version: int) -> bytes:
        return der.sequence(header[0].raw, der.integer(version), header[2].raw)

    first = der.sequence(head(1), esid.raw, der.sequence(kind, name, listed, *times), picture.raw)
    fifth = der.sequence(head(5), esid.raw, properties.raw, picture.raw)
    tail = (maker.raw, method.raw, value.raw)
    return [
        der.sequence(first, der.sequence(*tail)),
        der.sequence(fifth, *tail, der.explicit(0, der.bit_string(b"stamp"))),
    ]


def _seals(bureau: Bureau, trust: Trust, sm2: pki.Authority, corpus: Path | None) -> Iterator[Target]:
    v4 = bureau.seal()
    seals = [v4, *generations(v4)]
    signatures = [_signature(bureau, v4), _signature(bureau, v4, sm2), *map(_old_signature, seals[1:2])]
    if corpus:
        seals += [path.read_bytes() for path in sorted((corpus / "ofd" / "seal").glob("*.esl"))]
        found = sorted((corpus / "ofd").rglob("Signed*.dat"))
        signatures += [path.read_bytes() for path in found if _reads(path.read_bytes())]

    def usable(read: SesSeal, data: bytes) -> None:
        assert read.raw == data
        read.lists(bureau.signer.certificate.raw)
        read.valid_at(AT)

    good = {parse_ses_signature(each).tbs for each in signatures}

    def judged(read: SesJudgement, data: bytes) -> None:
        if all(finding.verdict is Verdict.VALID for finding in read.findings):
            assert parse_ses_signature(data).tbs in good

    yield Target(name="ses-seal", seeds=seals, ways=DER, read=parse_seseal, check=usable)
    yield Target(
        name="ses-signature",
        seeds=signatures,
        ways=DER,
        read=lambda data: judge_ses(data, digest=_HASH, trust=trust, seal_file=v4),
        check=judged,
    )


def _reads(octets: bytes) -> bool:
    return octets[:1] == b"\x30" and der.parse_prefix(octets)[0].tag == der.SEQUENCE


def _signature(bureau: Bureau, seal: bytes, stamping: pki.Authority | None = None) -> bytes:
    tbs = make_tbs(seseal=seal, at=AT, data_hash=_HASH, property_info=_PLACE)
    value = bureau.signer.signer.sign(tbs)
    token = stamp(stamping, SHA256, value) if stamping else None
    return make_ses_signature(tbs=tbs, certificate=bureau.signer.certificate, signature=value, timestamp=token)


def _old_signature(seal: bytes) -> bytes:
    _, made = der.parse(seal).children()
    maker, method, value = (node.raw for node in made)
    time = der.bit_string(der.utc_time(AT))
    fields = (der.integer(1), seal, time, der.bit_string(_HASH), der.ia5(_PLACE), maker, method)
    return der.sequence(der.sequence(*fields), value)


def _gbt35275(trust: Trust, sm2: pki.Authority) -> Target:
    content = "准予行政许可决定书".encode()

    def read(data: bytes) -> SignatureReport:
        return judge_signed_value(data, signed=content, claimed=AT, trust=trust)

    seeds = [signed(sm2, "gbt35275"), signed(sm2), sm2.signer.signer.sign(b"")]
    return Target(name="ofd-signed-value", seeds=seeds, ways=DER, read=read)


# --- OFD -------------------------------------------------------------------------------------------------------


def _ofd_documents(bureau: Bureau, corpus: Path | None) -> list[bytes]:
    """Give our documents first: one unsealed, one sealed, one sealed twice."""
    pages = [Page(items=(Text(x_mm=30, y_mm=40, text=f"第{n}页", size_mm=5),)) for n in (1, 2)]
    plain = write_simple_ofd(pages, doc_id="0" * 32, title="样例", created=date(2026, 11, 22))
    sealed = bureau.sealed(plain)
    return [plain, sealed, bureau.sealed(sealed, mark=bureau.mark(page=1)), *_small(corpus, "ofd/ofd", "*.ofd")]


def _small(corpus: Path | None, folder: str, pattern: str) -> list[bytes]:
    found = sorted((corpus / folder).glob(pattern)) if corpus else []
    return [path.read_bytes() for path in found if path.stat().st_size <= _LARGEST]


def _archive(documents: list[bytes]) -> Target:
    def read(data: bytes) -> list[bytes]:
        archive = Archive(data)
        return [archive.read(entry) for entry in archive.entries if not entry.is_folder]

    def same(contents: list[bytes], data: bytes) -> None:
        again = read(Archive(data).rewritten({"added.xml": b"<a/>"}))
        assert sorted(again) == sorted([*contents, b"<a/>"])

    return Target(
        name="ofd-archive",
        seeds=documents,
        ways=OFD,
        read=read,
        refusals=(ArchiveError,),
        check=same,
        inputs=PACKAGE_INPUTS,
    )


def _ofd(documents: list[bytes], trust: Trust) -> Iterator[Target]:
    ours = [unpacked(each) for each in documents[1:3]]

    def shown(document: bytes) -> dict[str, bytes]:
        archive = Archive(document)
        return {entry.path: archive.read(entry) for entry in archive.entries if "/Signs" not in entry.path}

    good = [{path: content for path, content in each.items() if "/Signs" not in path} for each in ours]

    def judged(report: Report, data: bytes) -> None:
        if report.verdict is Verdict.VALID:
            # Files beside the document, which nothing in it names, are noted and change nothing.
            assert any(own.items() <= shown(data).items() for own in good)

    yield _document("ofd", documents, OFD, lambda data: verify_ofd(data, trust), judged, PACKAGE_INPUTS)
    yield _in_child("ofd-in-child", documents, OFD, trust, judged)


# --- PDF -------------------------------------------------------------------------------------------------------


def _pdf_documents(sm2: pki.Authority, p256: pki.Authority, corpus: Path | None) -> list[bytes]:
    """Give our documents first: two unsealed, sealed by either suite, sealed twice."""
    mark = Mark(
        seal_name="云川市行政审批局",
        picture=make_picture(40),
        placement=AtPoint.on(-1, x_mm=50, y_mm=50),
        reason="签发证照",
    )

    def sealed(document: bytes, by: pki.Authority) -> bytes:
        suite = SM2_SM3 if by is sm2 else ES256
        credential = Credential(certificate=by.signer.certificate, chain=by.chain, suite=suite)
        return PDF_PADES.prepare(document, mark, credential, AT).apply(by.signer.signer.sign)

    source = b"#set document(date: none)\n#set page(width: 105mm, height: 148mm)\n= Licence\nGranted."
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    classic = plain_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page])
    rendered = bytes(typst.compile(source))
    twice = sealed(sealed(classic, p256), sm2)
    own = [classic, rendered, sealed(classic, sm2), sealed(classic, p256), sealed(rendered, p256), twice]
    return [*own, *_small(corpus, "pdf", "*.pdf")]


def _pdf(documents: list[bytes], trust: Trust) -> Iterator[Target]:
    ours = [(document, *gap(document)) for document in documents[2:6]]

    def judged(report: Report, data: bytes) -> None:
        if report.verdict is Verdict.VALID:
            assert any(data[:start] == own[:start] and data[end : len(own)] == own[end:] for own, start, end in ours), (
                "another document is called valid"
            )

    yield _document("pdf", documents, PDF, lambda data: verify_pdf(data, trust), judged, PDF_INPUTS)
    yield _in_child("pdf-in-child", documents, PDF, trust, judged)


def _pdf_sealing(documents: list[bytes], p256: pki.Authority, trust: Trust) -> Target:
    """Seal what is no longer what somebody wrote: what is taken must bear a seal that our own verifier accepts."""
    makers = LAID_OUT.values()
    foreign = [document for document in (make() for make in makers) if document and len(document) <= _LARGEST]
    credential = Credential(certificate=p256.signer.certificate, chain=p256.chain, suite=ES256)
    mark = Mark(seal_name="x", picture=make_picture(40), placement=AtPoint.on(-1, x_mm=9, y_mm=9), reason="")

    def read(data: bytes) -> bytes:
        return PDF_PADES.prepare(data, mark, credential, AT).apply(p256.signer.signer.sign)

    def holds(sealed: bytes, data: bytes) -> None:
        assert sealed.startswith(data)
        report = verify_pdf(sealed, trust)
        assert report.signatures[-1].verdict is Verdict.VALID or report.findings

    return Target(
        name="pdf-sealing",
        seeds=[*foreign, *documents[:6], *TURNED.values()],
        ways=PDF,
        read=read,
        refusals=(Refusal,),
        check=holds,
        inputs=PDF_INPUTS,
        seconds=3.0,
        megabytes=200,
    )


def gap(document: bytes) -> tuple[int, int]:
    """Find the last signature's value, which is all that it does not cover."""
    match = list(re.finditer(rb"/Contents ?<([0-9A-Fa-f]{200,})>", document))[-1]
    return match.span(1)


def _document(
    name: str,
    seeds: list[bytes],
    ways: tuple[Mutate, ...],
    read: Callable[[bytes], Report],
    check: Callable[[Report, bytes], None],
    inputs: int,
) -> Target:
    return Target(
        name=name,
        seeds=seeds,
        ways=ways,
        read=read,
        refusals=(),
        check=check,
        inputs=inputs,
        seconds=3.0,
        megabytes=200,
    )


def _in_child(
    name: str, seeds: list[bytes], ways: tuple[Mutate, ...], trust: Trust, check: Callable[[Report, bytes], None]
) -> Target:
    """The same through the process that is confined; its death would be an answer too, and is a fault here."""
    verifier = Verifier(trust)

    def survived(report: Report, data: bytes) -> None:
        assert all(finding.code != "CANNOT_VERIFY" for finding in report.findings)
        check(report, data)

    return Target(
        name=name,
        seeds=seeds,
        ways=ways,
        read=verifier.verify,
        refusals=(Refusal,),
        check=survived,
        inputs=_CHILD_INPUTS,
        in_child=True,
    )
