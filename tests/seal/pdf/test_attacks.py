"""Tampering with what we sealed: for every check of the verifier a document that it alone, or it first, catches."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from crypto import der
from crypto.cms import CmsTemplate
from crypto.digests import SHA256
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.formats.pdf.coverage import covered
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import PdfDict, PdfObject, Ref, write
from seal.formats.pdf.reader import Document
from seal.model import Credential, Mark, Report, Verdict
from seal.placing import AtPoint
from seal.trust import Trust
from tests.seal.pdf.making import NOW, Sealer, make_sealer, plain_pdf


def stream(octets: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(octets), octets)


TEXT = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 100) Tj ET")
OTHER_TEXT = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 9999) Tj ET")
BASE = plain_pdf(
    [
        b"<</Type/Catalog/Pages 2 0 R/Metadata 7 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</X 40 0 R>>>>/Annots[6 0 R]>>",
        TEXT,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Border[0 0 0]>>",
        b"<</Type/Metadata/Subtype/XML/Length 4>>\nstream\n<x/>\nendstream",
        b"<</Title(licence)>>",
    ],
    trailer=b"/Info 8 0 R",
)


@pytest.fixture(scope="module")
def sealed(p256_sealer: Sealer, mark: Mark) -> bytes:
    return p256_sealer.seal(BASE, replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=10)))


@pytest.fixture
def judge(p256_sealer: Sealer) -> Callable[[bytes], Report]:
    return lambda document: verify_pdf(document, p256_sealer.trust)


def codes(report: Report) -> set[str]:
    """Give the codes of everything that is worse than a note."""
    findings = [*report.findings, *(item for one in report.signatures for item in one.findings)]
    return {item.code for item in findings if item.verdict is not Verdict.VALID}


def revised(document: bytes, objects: dict[int, bytes], *, listed: set[int] | None = None, extra: bytes = b"") -> bytes:
    """Append an incremental update of ``objects``, ``extra`` before its cross-reference table."""
    read = Document(document)
    out = bytearray(document)
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    out += extra
    start = len(out)
    out += b"xref\n"
    for number in sorted(places.keys() if listed is None else listed):
        out += b"%d 1\n%010d 00000 n\r\n" % (number, places[number])
    trailer = {**read.trailer, "Prev": read.sections[0].start, "Size": 90}
    out += b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (write(trailer), start)
    return bytes(out)


def entries(document: bytes, number: int, **changed: PdfObject) -> bytes:
    """Write object ``number`` anew with some entries changed; None takes an entry out."""
    view = Document(document).current
    value: PdfDict = {**view.dictionary(Ref(number, 0)), **changed}
    return write({key: item for key, item in value.items() if item is not None})


def signature_of(document: bytes) -> tuple[int, int]:
    """Give the numbers of the field and of the signature."""
    (field,) = signature_fields(Document(document).current)
    assert field.ref is not None
    assert isinstance(field.value, Ref)
    return field.ref.number, field.value.number


def test_the_untouched_document_is_valid(sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    assert judge(sealed).verdict is Verdict.VALID


def gap_of(document: bytes) -> range:
    read = Document(document)
    (field,) = signature_fields(read.current)
    return range(*covered(read, read.current, field).gap)


def flipped(document: bytes, places: range) -> Iterator[bytes]:
    for place in places:
        changed = bytearray(document)
        changed[place] ^= 1
        yield bytes(changed)


def test_no_changed_octet_that_is_covered_is_ever_valid(sealer: Sealer, mark: Mark) -> None:
    document = sealer.seal(BASE, replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=10)))
    gap = gap_of(document)
    for places in (range(0, gap.start, 29), range(gap.stop, len(document), 7)):
        for changed in flipped(document, places):
            assert verify_pdf(changed, sealer.trust).verdict is not Verdict.VALID


def test_a_changed_octet_of_the_message_makes_it_invalid_or_says_nothing_new(sealer: Sealer, mark: Mark) -> None:
    # CMS leaves its frame unsigned: a version number or the list of digests may be written otherwise.
    document = sealer.seal(BASE, replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=10)))
    (before,) = verify_pdf(document, sealer.trust).signatures
    gap = gap_of(document)
    for changed in flipped(document, range(gap.start, gap.stop, 13)):
        report = verify_pdf(changed, sealer.trust)
        if report.verdict is Verdict.VALID:
            (after,) = report.signatures
            assert (after.signer, after.time, after.format) == (before.signer, before.time, before.format)


# --- later revisions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objects",
    [
        {8: b"<</Title(another)>>"},
        {7: b"<</Type/Metadata/Subtype/XML/Length 4>>\nstream\n<y/>\nendstream"},
        {4: TEXT},
        {50: b"<</Not/Reached>>"},
        {},
    ],
    ids=["info", "metadata", "the same again", "reached by nothing", "nothing"],
)
def test_what_shows_nothing_may_follow(
    objects: dict[int, bytes], sealed: bytes, judge: Callable[[bytes], Report]
) -> None:
    assert judge(revised(sealed, objects)).verdict is Verdict.VALID


def test_validation_data_may_follow(sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    catalog = entries(sealed, 1, DSS=Ref(60, 0))
    assert judge(revised(sealed, {1: catalog, 60: b"<</Certs[]>>"})).verdict is Verdict.VALID


def _changes(sealed: bytes) -> dict[str, dict[int, bytes]]:
    field, _ = signature_of(sealed)
    text_field = b"<</FT/Tx/T(x)/V(9999)/Type/Annot/Subtype/Widget/Rect[0 0 99 99]>>"
    unsigned = b"<</FT/Sig/T(x)/Type/Annot/Subtype/Widget/Rect[0 0 99 99]/AP<</N 40 0 R>>>>"
    form = Document(sealed).current.dictionary(Document(sealed).current.catalog["AcroForm"])
    listed = form["Fields"]
    assert isinstance(listed, list)
    annotations = Document(sealed).current.dictionary(Ref(3, 0))["Annots"]
    assert isinstance(annotations, list)

    def with_field(body: bytes) -> dict[int, bytes]:
        catalog = entries(sealed, 1, AcroForm={**form, "Fields": [*listed, Ref(50, 0)]})
        return {1: catalog, 3: entries(sealed, 3, Annots=[*annotations, Ref(50, 0)]), 50: body}

    return {
        "text replaced": {4: OTHER_TEXT},
        "font replaced": {5: b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"},
        "page shows more": {3: entries(sealed, 3, Contents=[Ref(4, 0), Ref(50, 0)]), 50: OTHER_TEXT},
        "page added": {2: entries(sealed, 2, Kids=[Ref(3, 0), Ref(3, 0)])},
        "page turned": {3: entries(sealed, 3, Rotate=180)},
        "annotation added": {3: entries(sealed, 3, Annots=[*annotations, Ref(50, 0)]), 50: entries(sealed, 6)},
        "annotation removed": {3: entries(sealed, 3, Annots=annotations[1:])},
        "annotation changed": {6: entries(sealed, 6, Rect=[0, 0, 500, 500])},
        "form field added": with_field(text_field),
        "unsigned field added": with_field(unsigned),
        "seal's picture changed": {field: entries(sealed, field, AP={"N": Ref(40, 0)})},
        "seal moved": {field: entries(sealed, field, Rect=[0, 0, 1, 1])},
        "form default changed": {1: entries(sealed, 1, AcroForm={**form, "NeedAppearances": True})},
        "form gone, seal too": {1: entries(sealed, 1, AcroForm=None)},
        "opens with an action": {1: entries(sealed, 1, OpenAction=Ref(50, 0)), 50: b"<</S/URI/URI(x:)>>"},
        "dangling reference filled": {
            40: b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>\nstream\n\nendstream"
        },
    }


@pytest.mark.parametrize("change", range(16))
def test_what_shows_something_may_not_follow(change: int, sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    what, objects = list(_changes(sealed).items())[change]
    report = judge(revised(sealed, objects))
    assert report.verdict is Verdict.INVALID, what
    assert codes(report) & {"CHANGED_AFTER_SIGNING", "SIGNATURE_REMOVED"}, what


def test_another_catalog_may_not_follow(sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    honest = revised(sealed, {50: entries(sealed, 1)})
    at = honest.rindex(b"/Root 1 0 R")
    document = honest[:at] + b"/Root 50 0 R" + honest[at + 11 :]
    assert "CHANGED_AFTER_SIGNING" in codes(judge(document))


def test_freeing_an_object_that_is_shown_is_a_change(sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    document = revised(sealed, {}).replace(b"xref\ntrailer", b"xref\n4 1\n0000000000 00001 f\r\ntrailer")
    assert document != revised(sealed, {})
    assert "CHANGED_AFTER_SIGNING" in codes(judge(document))


def test_a_signature_exchanged_by_a_copy_that_says_otherwise_is_caught(
    sealed: bytes, judge: Callable[[bytes], Report]
) -> None:
    _, number = signature_of(sealed)
    report = judge(revised(sealed, {number: entries(sealed, number, Reason=b"something else")}))
    assert "BYTE_RANGE_INVALID" in codes(report)


def test_a_second_field_showing_the_same_signature_is_caught(sealed: bytes, judge: Callable[[bytes], Report]) -> None:
    field, _ = signature_of(sealed)
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    catalog = entries(sealed, 1, AcroForm={**form, "Fields": [Ref(field, 0), Ref(50, 0)]})
    assert "SIGNATURE_SHARED" in codes(judge(revised(sealed, {1: catalog, 50: entries(sealed, field, T=b"two")})))


@pytest.mark.parametrize(
    "smuggle",
    [
        lambda sealed: revised(sealed, {4: OTHER_TEXT}, listed=set()),
        lambda sealed: revised(sealed, {}, extra=b"% 4 0 obj\n"),
        lambda sealed: revised(sealed, {}, extra=b"junk\n"),
        lambda sealed: sealed + b"4 0 obj\n" + OTHER_TEXT + b"\nendobj\n",
        lambda sealed: sealed + b"%PDF-1.7\n",
        lambda sealed: revised(sealed, {50: b"1"}).replace(b"50 1\n", b"51 1\n"),
    ],
    ids=["unlisted object", "object in a comment", "junk", "object after the end", "header after the end", "misnamed"],
)
def test_octets_that_belong_to_no_revision_are_caught(
    smuggle: Callable[[bytes], bytes], sealed: bytes, judge: Callable[[bytes], Report]
) -> None:
    report = judge(smuggle(sealed))
    assert report.verdict is Verdict.INVALID
    assert codes(report) & {"UNKNOWN_TAIL", "PACKAGE_MALFORMED"}


def test_a_whole_new_document_behind_the_sealed_one_is_not_taken_for_sealed(
    sealed: bytes, judge: Callable[[bytes], Report]
) -> None:
    shifted = bytearray(sealed)
    view = Document(BASE).current
    start = len(shifted)
    body = b""
    places = []
    for number in range(1, 9):
        places.append(start + len(body))
        found = view.indirect(number)
        body += BASE[found.start : found.end] + b"\n"
    table = start + len(body)
    shifted += body + b"xref\n0 9\n0000000000 65535 f\r\n" + b"".join(b"%010d 00000 n\r\n" % place for place in places)
    shifted += b"trailer\n<</Size 9/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table
    report = judge(bytes(shifted))
    assert report.verdict is Verdict.INVALID
    assert codes(report) == {"SIGNATURE_REMOVED"}


# --- the signed message ----------------------------------------------------------------------------------------


def resigned(document: bytes, build: Callable[[bytes], bytes]) -> bytes:
    """Put another message in the place of the seal's; ``build`` gets the digest of what is covered."""
    read = Document(document)
    (field,) = signature_fields(read.current)
    one = covered(read, read.current, field)
    message = build(SHA256.digest(*one.parts(document)))
    room = (one.gap[1] - one.gap[0] - 2) // 2
    return document[: one.gap[0]] + b"<" + message.ljust(room, b"\0").hex().encode() + b">" + document[one.gap[1] :]


@pytest.fixture
def roomy(p256_sealer: Sealer, mark: Mark, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A sealed document with room for a larger message."""
    monkeypatch.setattr(CmsTemplate, "size_limit", lambda _: 6000)
    other = make_sealer(p256_sealer.credential.suite)
    credential = Credential(
        certificate=p256_sealer.credential.certificate,
        chain=(other.credential.certificate,),
        suite=p256_sealer.credential.suite,
    )
    prepared = PDF_PADES.prepare(BASE, replace(mark, placement=AtPoint.on(1, x_mm=9, y_mm=9)), credential, NOW)
    return prepared.apply(p256_sealer.key.sign)


def parts(sealer: Sealer, digest: bytes, *, template: CmsTemplate | None = None) -> list[der.Node]:
    """Make the message and take the SignedData apart."""
    used = template or CmsTemplate(sealer.credential.certificate, (), sealer.credential.suite)
    attributes = used.attributes(digest)
    return list(der.parse(used.assemble(attributes, sealer.key.sign(attributes)))[1].inner())


def message(members: list[bytes]) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.explicit(0, der.sequence(*members)))


def test_two_signers_are_one_too_many(roomy: bytes, p256_sealer: Sealer, judge: Callable[[bytes], Report]) -> None:
    def build(digest: bytes) -> bytes:
        members = [node.raw for node in parts(p256_sealer, digest)]
        signer = der.parse(members[-1])[0].raw
        return message([*members[:-1], der.tlv(der.SET, signer, signer)])

    assert codes(judge(resigned(roomy, build))) == {"SIGNER_COUNT"}


def test_a_content_inside_the_message_is_refused(
    roomy: bytes, p256_sealer: Sealer, judge: Callable[[bytes], Report]
) -> None:
    def build(digest: bytes) -> bytes:
        members = [node.raw for node in parts(p256_sealer, digest)]
        members[2] = der.sequence(der.oid("1.2.840.113549.1.7.1"), der.explicit(0, der.octet_string(b"other")))
        return message(members)

    assert "CONTENT_ENCAPSULATED" in codes(judge(resigned(roomy, build)))


def test_the_digest_of_another_document_is_caught(
    roomy: bytes, p256_sealer: Sealer, judge: Callable[[bytes], Report]
) -> None:
    def build(_: bytes) -> bytes:
        return message([node.raw for node in parts(p256_sealer, bytes(32))])

    assert codes(judge(resigned(roomy, build))) == {"DATA_HASH_MISMATCH"}


def test_the_signature_of_another_key_is_caught(
    roomy: bytes, p256_sealer: Sealer, judge: Callable[[bytes], Report]
) -> None:
    other = make_sealer(p256_sealer.credential.suite)

    def build(digest: bytes) -> bytes:
        template = CmsTemplate(p256_sealer.credential.certificate, (), p256_sealer.credential.suite)
        attributes = template.attributes(digest)
        return template.assemble(attributes, other.key.sign(attributes))

    assert codes(judge(resigned(roomy, build))) == {"SIGNATURE_INVALID"}


def test_a_message_without_the_certificate_cannot_be_judged(
    roomy: bytes, p256_sealer: Sealer, judge: Callable[[bytes], Report]
) -> None:
    def build(digest: bytes) -> bytes:
        members = [node.raw for node in parts(p256_sealer, digest) if node.tag != der.context(0)]
        return message(members)

    assert codes(judge(resigned(roomy, build))) == {"SIGNER_CERT_MISSING"}


def _given(octets: bytes, _: bytes) -> bytes:
    return octets


def test_rubbish_for_a_message_is_called_so(roomy: bytes, judge: Callable[[bytes], Report]) -> None:
    for rubbish in (b"", b"\x30\x03\x02\x01", b"\x30\x80", bytes(range(200))):
        assert codes(judge(resigned(roomy, partial(_given, rubbish)))) == {"CMS_MALFORMED"}


def test_another_root_makes_the_issuer_unknown(sealed: bytes, p256_sealer: Sealer) -> None:
    stranger = make_sealer(p256_sealer.credential.suite)
    report = verify_pdf(sealed, stranger.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert codes(report) == {"SIGNER_CERT_UNTRUSTED"}


# --- documents without a seal ----------------------------------------------------------------------------------


def test_a_document_without_a_signature_is_unsigned(judge: Callable[[bytes], Report]) -> None:
    assert judge(BASE).verdict is Verdict.UNSIGNED


def test_an_encrypted_document_cannot_be_judged(judge: Callable[[bytes], Report]) -> None:
    document = plain_pdf([b"<</Type/Catalog>>", b"<</Filter/Standard>>"], trailer=b"/Encrypt 2 0 R")
    assert codes(judge(document)) == {"DOCUMENT_ENCRYPTED"}
    assert judge(document).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("document", [b"", b"PK\x03\x04", b"%PDF-1.7", BASE[:300]])
def test_what_cannot_be_read_and_bears_no_signature_is_no_forgery(
    document: bytes, judge: Callable[[bytes], Report]
) -> None:
    assert codes(judge(document)) == {"PACKAGE_UNREADABLE"}
    assert judge(document).verdict is Verdict.INDETERMINATE


def test_a_sealed_document_cut_short_is_invalid(sealed: bytes) -> None:
    assert verify_pdf(sealed[:-30], Trust(anchors=())).verdict is Verdict.INVALID
