"""ofdrw and we, each judging what the other made: the same verdicts, the same seals in the same places."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto.der import bit_string, generalized_time, ia5, integer, octet_string, oid, printable, sequence, utf8
from crypto.digests import sm3
from crypto.suites import SM2_SM3
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA, Certificate
from seal.errors import FurtherSealingForbidden, UnsupportedDocument
from seal.formats.ofd import OFD_SES, Page, Text, verify_ofd, write_simple_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.structure import read_bodies, read_signature, read_signature_list
from seal.formats.ofd.surface import OfdSurface
from seal.model import Report, Verdict
from seal.placing import parse_placement
from seal.trust import Trust
from tests.judges.ofdrw import Ofdrw, OfdrwFailed, start

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
Unpack = Callable[[bytes], dict[str, bytes]]
Complaints = Callable[[Report], list[str]]
Place = tuple[int, int, tuple[float, ...], tuple[float, ...] | None]
"""Number of the signature, page from 1, the whole picture's box, what of it shows."""
FOREIGN = ["helloworld", "VPage7", "chineseDir", "hello", "999", "SESV4SignDoc"]


@pytest.fixture(scope="module")
def ofdrw() -> Ofdrw:
    return start()


@dataclass(frozen=True)
class Their:
    """Whoever seals in ofdrw's name."""

    root: Trust
    parties: Trust
    """The signer's and the seal maker's certificates themselves."""


@pytest.fixture(scope="module")
def their(ofdrw: Ofdrw, bureau: Any) -> Their:
    made = {name: Certificate.from_der(der) for name, der in ofdrw.make_world(bureau.mark().picture.png).items()}
    return Their(root=Trust(anchors=(made["root"],)), parties=Trust(anchors=(made["maker"], made["user"])))


def written(pages: int = 5) -> bytes:
    """Write a document with the words 盖章处 on every page."""
    made = [
        Page(
            items=(
                Text(x_mm=30, y_mm=40, text=f"第{number}页", size_mm=5),
                Text(x_mm=60, y_mm=100 + 10 * number, text="请在盖章处盖章", size_mm=5),
            )
        )
        for number in range(1, pages + 1)
    ]
    return write_simple_ofd(made, doc_id="0" * 32, title="样例", created=date(2026, 11, 22))


def our_places(document: bytes) -> list[Place]:
    package = OfdPackage(document)
    (body,) = read_bodies(package)
    assert body.signatures is not None
    pages = [row.id for row in OfdSurface(package, body).rows]
    found: list[Place] = []
    for number, row in enumerate(read_signature_list(package, body.signatures)):
        file = read_signature(package, package.locate(row.location, body.signatures) or "")
        found += [
            (number, pages.index(each.page) + 1, _box(each.boundary), _box(each.clip) if each.clip else None)
            for each in file.stamps
        ]
    return found


def _box(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


def their_places(ofdrw: Ofdrw, document: bytes) -> list[Place]:
    return [(each.signature, each.page, each.boundary, each.clip) for each in ofdrw.stamps(document)]


def both_agree(ofdrw: Ofdrw, document: bytes) -> None:
    """Assert that ofdrw finds every signature right and reads what we read."""
    assert ofdrw.refusal(document) is None
    assert their_places(ofdrw, document) == our_places(document)
    ids = {each.signature: each.esid for each in ofdrw.stamps(document)}
    seals = [signature.seal for signature in verify_ofd(document, Trust(anchors=())).signatures]
    assert [ids[number] for number in sorted(ids)] == [seal.id for seal in seals if seal is not None]


# --- what we make --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("placement", "stamps"),
    [
        ("point;x=120;y=230;pages=-1", 1),
        ("point;x=12.3456;y=7.8;pages=all", 5),
        ("point;x=20;y=20;pages=1,3-4", 3),
        ("corner:top-left;dx=10;dy=10;pages=odd", 3),
        ("corner:bottom-right;dx=20;dy=25;pages=-1", 1),
        ("keyword:盖章处", 5),
        ("keyword:盖章处;pick=-1;dx=10;dy=-5", 1),
        ("straddle:right", 5),
        ("straddle:left;margin=2", 5),
        ("straddle:top;along=30", 5),
        ("straddle:bottom", 5),
        ("straddle:right;most=2", 5),
        ("facing;share=0.4", 8),
    ],
)
def test_ofdrw_verifies_our_seals_and_reads_them_where_we_put_them(
    ofdrw: Ofdrw, bureau: Any, placement: str, stamps: int
) -> None:
    sealed = bureau.sealed(written(), mark=replace(bureau.mark(), placement=parse_placement(placement)))
    assert verify_ofd(sealed, bureau.trust).verdict is Verdict.VALID
    assert len(our_places(sealed)) == stamps
    both_agree(ofdrw, sealed)


@pytest.mark.parametrize("times", [2, 3])
def test_ofdrw_verifies_seals_one_after_another(ofdrw: Ofdrw, bureau: Any, other_bureau: Any, times: int) -> None:
    document = written(2)
    for number in range(times):
        office = (bureau, other_bureau)[number % 2]
        document = office.sealed(document, at=AT + timedelta(hours=number), mark=office.mark(x_mm=10 + 50 * number))
    assert [row.verdict for row in verify_ofd(document, bureau.trust).signatures] == [Verdict.VALID] * times
    both_agree(ofdrw, document)


def test_ofdrw_verifies_a_closed_document_and_adds_nothing_to_it(ofdrw: Ofdrw, their: Their, bureau: Any) -> None:
    closed = bureau.sealed(written(2), mark=replace(bureau.mark(), closes=True))
    assert verify_ofd(closed, bureau.trust).verdict is Verdict.VALID
    both_agree(ofdrw, closed)
    assert their.root.anchors
    with pytest.raises(OfdrwFailed, match="SignatureTerminateException"):
        ofdrw.sign(closed, "v4", "point,1,20,20")


def test_ofdrw_verifies_a_time_stamped_seal(ofdrw: Ofdrw, bureau: Any) -> None:
    stamper = bureau.authority.certify("时间戳", profile=TSA)
    template = TokenTemplate(stamper.certificate, (), stamper.signer, policy="1.2.3.4")

    def stamp(value: bytes) -> bytes:
        return template.token(Imprint.of(SM2_SM3.digest.oid, sm3(value)), serial=7, at=AT + timedelta(seconds=1))

    prepared = OFD_SES.prepare(written(2), bureau.mark(), bureau.credential(stamper=stamp), AT)
    sealed = prepared.apply(bureau.signer.signer.sign)
    (signature,) = verify_ofd(sealed, bureau.trust).signatures
    assert (signature.verdict, signature.time) == (Verdict.VALID, AT + timedelta(seconds=1))
    both_agree(ofdrw, sealed)


def test_ofdrw_verifies_a_seal_that_lists_digests(ofdrw: Ofdrw, bureau: Any) -> None:
    prepared = OFD_SES.prepare(written(2), bureau.mark(), bureau.credential(seseal=listing_digests(bureau)), AT)
    sealed = prepared.apply(bureau.signer.signer.sign)
    assert verify_ofd(sealed, bureau.trust).verdict is Verdict.VALID
    both_agree(ofdrw, sealed)


def listing_digests(bureau: Any) -> bytes:
    """Make the bureau's seal anew, its certificate listed by digest (certListType 2)."""
    listed = sequence(printable("SM3"), octet_string(sm3(bureau.signer.certificate.raw)))
    times = (AT - timedelta(days=10), AT - timedelta(days=10), AT + timedelta(days=10))
    named = (integer(1), utf8("云川市行政审批局"), integer(2), sequence(listed))
    shown = sequence(ia5("PNG"), octet_string(bureau.mark().picture.png), integer(40), integer(40))
    header = sequence(ia5("ES"), integer(4), ia5("XINYIN"))
    properties = sequence(*named, *(generalized_time(time) for time in times))
    body = sequence(header, ia5("44030000000001"), properties, shown)
    value = bit_string(bureau.maker.signer.sign(body))
    return sequence(body, octet_string(bureau.maker.certificate.raw), oid(SM2_SM3.signature_oid), value)


@pytest.mark.parametrize("name", FOREIGN)
def test_ofdrw_verifies_our_seal_in_documents_of_other_writers(
    ofdrw: Ofdrw, bureau: Any, corpus: Path, name: str
) -> None:
    sealed = bureau.sealed((corpus / f"ofd/ofd/{name}.ofd").read_bytes(), mark=bureau.mark(x_mm=5, y_mm=5))
    assert verify_ofd(sealed, bureau.trust).signatures[-1].verdict is Verdict.VALID
    both_agree(ofdrw, sealed)


# --- what both refuse, and what ofdrw does not look at ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("OFD.xml", "样例", "样本"),
        ("Doc_0/Document.xml", "210", "211"),
        ("Doc_0/Pages/Page_0/Content.xml", "第1页", "第7页"),
        ("Doc_0/Signs/Sign_0/Signature.xml", 'Boundary="100 ', 'Boundary="101 '),
    ],
)
def test_both_refuse_a_document_with_something_changed(
    ofdrw: Ofdrw, bureau: Any, unpack: Unpack, path: str, old: str, new: str
) -> None:
    files = unpack(bureau.sealed(written(2)))
    changed = files[path].replace(old.encode(), new.encode(), 1)
    assert changed != files[path]
    document = write_archive({**files, path: changed})
    assert verify_ofd(document, bureau.trust).verdict is Verdict.INVALID
    assert ofdrw.refusal(document) is not None


@pytest.mark.parametrize("path", ["Doc_0/Signs/Sign_0/SignedValue.dat", "Doc_0/Signs/Sign_0/Seal.esl"])
def test_both_refuse_a_signature_or_a_seal_with_one_bit_changed(
    ofdrw: Ofdrw, bureau: Any, unpack: Unpack, path: str
) -> None:
    files = unpack(bureau.sealed(written(2)))
    changed = files[path][:-1] + bytes((files[path][-1] ^ 1,))
    document = write_archive({**files, path: changed})
    assert verify_ofd(document, bureau.trust).verdict is Verdict.INVALID
    assert ofdrw.refusal(document) is not None


def test_ofdrw_accepts_a_seal_nobody_made_and_we_do_not(
    ofdrw: Ofdrw, workshop: Any, bureau: Any, complaints: Complaints
) -> None:
    seal = bureau.seal()
    document = workshop.resealed(seal=seal[:-1] + bytes((seal[-1] ^ 1,)))
    assert complaints(verify_ofd(document, bureau.trust)) == ["SEAL_SIGNATURE_INVALID"]
    assert ofdrw.refusal(document) is None


def test_ofdrw_accepts_a_certificate_that_had_ended_and_we_do_not(
    ofdrw: Ofdrw, workshop: Any, bureau: Any, complaints: Complaints
) -> None:
    signer = bureau.authority.certify("44030000000001", not_after=AT - timedelta(days=1))
    seal = bureau.seal(certificates=[signer.certificate])
    document = workshop.resealed(by=signer, seal=seal)
    assert complaints(verify_ofd(document, bureau.trust)) == ["SIGN_TIME_OUTSIDE_CERT"]
    assert ofdrw.refusal(document) is None


# --- what ofdrw makes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "untrusted"),
    [
        (("v1", "point,1,50,50"), ["SIGNER_CERT_UNTRUSTED", "SEAL_MAKER_CERT_UNTRUSTED"]),
        (("v4", "point,1,50,50", "point,2,20.5,30.25"), ["SIGNER_CERT_UNTRUSTED", "SEAL_MAKER_CERT_UNTRUSTED"]),
        (("v4", "keyword,盖章处"), ["SIGNER_CERT_UNTRUSTED", "SEAL_MAKER_CERT_UNTRUSTED"]),
        (("digest",), ["SIGNER_CERT_UNTRUSTED"]),
        (("base64",), ["SIGNER_CERT_UNTRUSTED"]),
        (("attributes",), ["SIGNER_CERT_UNTRUSTED"]),
    ],
)
@pytest.mark.parametrize("mode", ["continue", "whole"])
def test_we_verify_what_ofdrw_makes_and_miss_nothing_but_trust(
    ofdrw: Ofdrw, their: Their, complaints: Complaints, made: tuple[str, ...], untrusted: list[str], mode: str
) -> None:
    document = ofdrw.sign(written(), *made, mode=mode)
    assert ofdrw.refusal(document) is None
    unknown = verify_ofd(document, Trust(anchors=()))
    assert (unknown.verdict, complaints(unknown)) == (Verdict.INDETERMINATE, untrusted)
    for trust in (their.root, their.parties):
        assert verify_ofd(document, trust).verdict is Verdict.VALID
    if made[0].startswith("v"):
        both_agree(ofdrw, document)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("straddle,Right", "straddle:right"),
        ("straddle,Left", "straddle:left"),
        ("straddle,Top", "straddle:top"),
        ("straddle,Bottom", "straddle:bottom"),
        ("facing,Right", "facing"),
    ],
)
def test_ofdrw_puts_a_divided_seal_where_we_put_it(
    ofdrw: Ofdrw, their: Their, bureau: Any, theirs: str, ours: str
) -> None:
    document = ofdrw.sign(written(), "v4", theirs)
    assert verify_ofd(document, their.root).verdict is Verdict.VALID
    sealed = bureau.sealed(written(), mark=replace(bureau.mark(), placement=parse_placement(ours)))
    assert _sorted(our_places(document)) == pytest.approx(_sorted(our_places(sealed)), abs=0.002)


def _sorted(places: list[Place]) -> list[float]:
    """Give the numbers of all places in one row, in the order of pages and then from the left."""
    ranked = sorted(places, key=lambda place: (place[1], place[2]))
    return [number for _, page, box, clip in ranked for number in (page, *box, *(clip or ()))]


def test_seals_of_both_stand_beside_each_other(ofdrw: Ofdrw, their: Their, bureau: Any) -> None:
    ours_first = ofdrw.sign(bureau.sealed(written(2)), "v4", "point,1,20,20")
    theirs_first = bureau.sealed(ofdrw.sign(written(2), "attributes"))
    trust = replace(bureau.trust, anchors=(*bureau.trust.anchors, *their.root.anchors))
    for document in (ours_first, theirs_first):
        assert [row.verdict for row in verify_ofd(document, trust).signatures] == [Verdict.VALID] * 2
        assert ofdrw.refusal(document) is None


def test_we_add_nothing_to_what_ofdrw_closed(ofdrw: Ofdrw, their: Their, bureau: Any) -> None:
    closed = ofdrw.sign(written(2), "v4", "point,1,20,20", mode="whole")
    assert verify_ofd(closed, their.root).verdict is Verdict.VALID
    with pytest.raises(FurtherSealingForbidden):
        bureau.sealed(closed)


def test_an_integrity_file_of_ofdrws_making_is_left_whole(ofdrw: Ofdrw, their: Their, bureau: Any) -> None:
    protected = ofdrw.protect(written(2))
    assert ofdrw.integrity_holds(protected)
    # It says the day it was made, not the hour, and the certificate begins later on that day.
    report = verify_ofd(protected, their.root)
    assert report.verdict is Verdict.UNSIGNED
    assert [(row.format, row.verdict) for row in report.signatures] == [("ofd-gmt0099", Verdict.VALID)]
    with pytest.raises(UnsupportedDocument, match="integrity"):
        bureau.sealed(protected)
