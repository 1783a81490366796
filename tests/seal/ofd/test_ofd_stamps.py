"""Where the seal's picture stands: on one page of the document, and to be seen there."""

from collections.abc import Callable

import pytest

from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, Verdict
from seal.placing import Edge, Straddle
from tests.sims.ofd_makers.packages import stamp
from tests.sims.ofd_workshop import PICTURE, Workshop, findings_of, plain_document, unpacked

Complaints = Callable[[Report], list[str]]


def codes(report: Report) -> set[str]:
    return {finding.code for finding in findings_of(report) if finding.code.startswith("STAMP_")}


@pytest.mark.parametrize(
    ("boundary", "clip"),
    [
        (b"190 10 40 40", None),
        (b"-39 -39 40 40", None),
        (b"100 100 40 40", b"0 0 8 40"),
        (b"202 40 40 40", b"0 0 8 40"),
        (b"170 40 40 40", b"32 0 8 40"),
        (b" 1e2  100 40.5 40 ", None),
    ],
)
def test_a_picture_that_shows_on_its_page_is_right_even_in_part(
    workshop: Workshop, boundary: bytes, clip: bytes | None
) -> None:
    report = verify_ofd(placed(workshop, boundary, clip), workshop.bureau.trust)
    assert (report.verdict, codes(report)) == (Verdict.VALID, set())


@pytest.mark.parametrize(
    ("boundary", "clip"),
    [
        (b"210 10 40 40", None),
        (b"10 297 40 40", None),
        (b"-40 10 40 40", None),
        (b"10 10 0 40", None),
        (b"10 10 40 -40", None),
        (b"10 10 40", None),
        (b"somewhere", None),
        (b"nan 10 40 40", None),
        (b"10 10 inf 40", None),
        (b"", None),
        (b"100 100 40 40", b"40 0 8 40"),
        (b"100 100 40 40", b"0 0 0 0"),
        (b"100 100 40 40", b"nowhere"),
        (b"202 40 40 40", b"8 0 8 40"),
    ],
)
def test_a_picture_that_shows_nowhere_is_noted(workshop: Workshop, boundary: bytes, clip: bytes | None) -> None:
    report = verify_ofd(placed(workshop, boundary, clip), workshop.bureau.trust)
    assert (report.verdict, codes(report)) == (Verdict.VALID, {"STAMP_SHOWS_NOTHING"})


def placed(workshop: Workshop, boundary: bytes, clip: bytes | None) -> bytes:
    def change(xml: bytes) -> bytes:
        made = stamp(b"Boundary", boundary)(xml)
        return made if clip is None else made.replace(b" Boundary=", b' Clip="' + clip + b'" Boundary=')

    return workshop.resealed(signature_xml=change)


@pytest.mark.parametrize("page", [b"", b"9", b"-1", "一".encode(), b"1 2"])
def test_a_picture_on_a_page_that_is_not_there_keeps_the_seal_from_being_valid(
    workshop: Workshop, complaints: Complaints, page: bytes
) -> None:
    report = verify_ofd(workshop.resealed(signature_xml=stamp(b"PageRef", page)), workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["STAMP_PAGE_UNKNOWN"]


def test_zeros_before_a_number_name_the_same_page(workshop: Workshop) -> None:
    def zeros(xml: bytes) -> bytes:
        return xml.replace(b'PageRef="', b'PageRef="00')

    report = verify_ofd(workshop.resealed(signature_xml=zeros), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID


def test_a_straddle_seal_shows_on_every_page(workshop: Workshop) -> None:
    mark = workshop.bureau.mark()
    straddling = type(mark)(seal_name=mark.seal_name, picture=PICTURE, placement=Straddle(edge=Edge.RIGHT))
    report = verify_ofd(workshop.bureau.sealed(plain_document(), mark=straddling), workshop.bureau.trust)
    assert (report.verdict, codes(report)) == (Verdict.VALID, set())


def test_without_a_page_size_only_the_box_itself_is_judged(workshop: Workshop) -> None:
    files = unpacked(plain_document())
    document = files["Doc_0/Document.xml"]
    files["Doc_0/Document.xml"] = document.replace(b"PhysicalBox", b"OtherBox")
    sealed = unpacked(workshop.document)
    bare = write_archive({**files, **{path: sealed[path] for path in sealed if "/Signs/" in path}})
    report = verify_ofd(bare, workshop.bureau.trust)
    assert codes(report) == set()


def test_ten_thousand_stamps_on_no_page_are_counted_and_more_are_refused(
    workshop: Workshop, complaints: Complaints
) -> None:
    def many(count: int) -> Callable[[bytes], bytes]:
        row = b'<ofd:StampAnnot ID="1" PageRef="0" Boundary="1 1 1 1"/>'
        return lambda xml: xml.replace(b"<ofd:Seal>", row * count + b"<ofd:Seal>")

    report = verify_ofd(workshop.resealed(signature_xml=many(9_000)), workshop.bureau.trust)
    assert set(complaints(report)) == {"STAMP_PAGE_UNKNOWN"}
    assert len(complaints(report)) < 100
    report = verify_ofd(workshop.resealed(signature_xml=many(10_000)), workshop.bureau.trust)
    assert complaints(report) == ["PACKAGE_MALFORMED"]
