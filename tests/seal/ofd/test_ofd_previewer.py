"""The previewer: pages are drawn in limited processes, and a refusal is all that a bad file costs."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from kernel.errors import Refusal
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.preview import Previewer
from seal.sandbox import Limits

NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'


@pytest.fixture(scope="module")
def previewer() -> Iterator[Previewer]:
    made = Previewer(max_document=1_000_000)
    yield made
    made.close()


def test_a_page_becomes_a_picture_of_its_size(previewer: Previewer, plain: bytes) -> None:
    made = previewer.preview(plain, page=2, dpi=72)
    picture = Image.open(io.BytesIO(made.picture))
    assert picture.size == (595, 842)
    assert (made.page, made.pages, made.dpi, made.form) == (2, 2, 72, "png")
    assert [name for name, _ in made.substituted] == ["宋体"]
    assert made.notes == ()


def test_a_page_becomes_a_drawing(previewer: Previewer, plain: bytes) -> None:
    assert previewer.preview(plain, page=-1, form="svg").picture.startswith(b"<svg ")


def test_previews_are_made_side_by_side(previewer: Previewer, plain: bytes) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda page: previewer.preview(plain, page=page, dpi=20).page, (1, 2, 1, 2)))
    assert made == [1, 2, 1, 2]


def test_a_very_large_page_has_fewer_dots(previewer: Previewer) -> None:
    made = previewer.preview(page_of("", "0 0 4000 4000"), dpi=600)
    assert made.dpi < 60
    with Image.open(io.BytesIO(made.picture)) as picture:
        assert picture.width * picture.height <= 40_100_000


@pytest.mark.parametrize("size", ["0 0 0 0", "0 0 -5 9", "0 0 1e9 1e9", "0 0 nan nan", "0 0 1"])
def test_a_page_of_no_size_is_shown_as_a4(previewer: Previewer, size: str) -> None:
    made = previewer.preview(page_of("", size), dpi=20)
    assert (made.width_mm, made.height_mm) == (210, 297)


def page_of(content: str, size: str = "0 0 60 40") -> bytes:
    area = f"<ofd:Area><ofd:PhysicalBox>{size}</ofd:PhysicalBox></ofd:Area>"
    texts = {
        "OFD.xml": f"<ofd:OFD {NS}><ofd:DocBody><ofd:DocRoot>D.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "D.xml": f'<ofd:Document {NS}><ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages></ofd:Document>',
        "P.xml": f'<ofd:Page {NS}>{area}<ofd:Content><ofd:Layer ID="2">{content}</ofd:Layer></ofd:Content></ofd:Page>',
    }
    return write_archive({name: text.encode() for name, text in texts.items()})


def missing(path: str, instead: bytes | None = None) -> bytes:
    files = {"OFD.xml": f"<OFD {NS}><DocBody><DocRoot>D.xml</DocRoot></DocBody></OFD>".encode()}
    return write_archive(files if instead is None else files | {path: instead})


@pytest.mark.parametrize(
    ("document", "page", "code"),
    [
        (b"%PDF-1.7", 1, "document_unsupported"),
        (b"", 1, "document_unsupported"),
        (b"PK\x03\x04", 1, "document_unsupported"),
        (bytes(1_000_001), 1, "document_too_large"),
        (page_of(""), 2, "page_unknown"),
        (page_of(""), 0, "page_unknown"),
        (page_of(""), -2, "page_unknown"),
        (missing("D.xml"), 1, "document_unreadable"),
        (missing("D.xml", b"<a"), 1, "document_unreadable"),
        (missing("D.xml", b"<!DOCTYPE a><a/>"), 1, "document_unreadable"),
        (write_archive({"OFD.xml": b"no xml"}), 1, "document_unreadable"),
    ],
)
def test_what_is_no_page_of_a_document_is_refused(previewer: Previewer, document: bytes, page: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        previewer.preview(document, page=page)
    assert refused.value.code == code


def test_a_page_that_takes_too_long_is_refused_and_the_next_is_drawn(plain: bytes) -> None:
    previewer = Previewer(limits=Limits(cpu_seconds=1, wall_seconds=2, children=1))
    heavy = '<ofd:PathObject Boundary="0 0 60 40" Alpha="99"><ofd:AbbreviatedData>M 0 0' + " B 0 0 60 0 60 40" * 300
    try:
        with pytest.raises(Refusal) as refused:
            previewer.preview(page_of((heavy + "</ofd:AbbreviatedData></ofd:PathObject>") * 900), dpi=600)
        assert refused.value.code == "document_unreadable"
        assert previewer.preview(plain, dpi=20).pages == 2
    finally:
        previewer.close()
