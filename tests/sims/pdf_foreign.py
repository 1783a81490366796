"""PDFs as other makers lay them out, one for each way that matters to whoever adds a seal."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import typst

from tests.seal.pdf.forging import Update, packed_update, stream
from tests.seal.pdf.making import plain_pdf
from tests.sims.pdf_makers import hybrid_pdf, streamed_pdf

_TEXT = stream(b"BT /F 12 Tf 72 100 Td (foreign) Tj ET")
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_BOX = b"/MediaBox[0 0 595 842]"


def objects(
    *, catalog: bytes = b"", pages: bytes = b"", page: bytes = _BOX, more: tuple[bytes, ...] = ()
) -> list[bytes]:
    """Write the objects of a document of one page; 6 is the first of ``more``."""
    return [
        b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
        b"<</Type/Pages/Kids[3 0 R]/Count 1%b>>" % pages,
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>%b>>" % page,
        _TEXT,
        _FONT,
        *more,
    ]


def _many_pages() -> bytes:
    """Write 300 pages in a tree of three levels, whose box and resources are inherited."""
    inner = range(3, 9)
    leaves = range(9, 309)
    tree = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 300/Kids[3 0 R 4 0 R]/Resources<</Font<</F 310 0 R>>>>/MediaBox[0 0 595 842]>>",
        b"<</Type/Pages/Parent 2 0 R/Count 150/Kids[5 0 R 6 0 R]>>",
        b"<</Type/Pages/Parent 2 0 R/Count 150/Kids[7 0 R 8 0 R]>>",
    ]
    for at, node in enumerate(inner[2:]):
        kids = leaves[at * 75 : (at + 1) * 75]
        listed = b" ".join(b"%d 0 R" % kid for kid in kids)
        tree.append(b"<</Type/Pages/Parent %d 0 R/Count 75/Kids[%b]>>" % (3 + (node > 6), listed))
    tree += (b"<</Type/Page/Parent %d 0 R/Contents 309 0 R>>" % (5 + (leaf - 9) // 75) for leaf in leaves)
    return plain_pdf([*tree, _TEXT, _FONT])


def _rows_of_nineteen() -> bytes:
    """Write a table of entries that are an octet too short, as some makers do."""
    return plain_pdf(objects()).replace(b" n\r\n", b" n\n").replace(b" f\r\n", b" f\n")


def _rendered(standard: Literal["a-2b", "a-3b"]) -> bytes:
    date = "datetime(year: 2026, month: 1, day: 1)"
    source = f'#set document(title: "x", date: {date})\n#set page(width: 210mm, height: 297mm)\nForeign'
    made = typst.compile(source.encode(), pdf_standards=[standard])
    assert isinstance(made, bytes)
    return made


@cache
def remade(*options: str) -> bytes | None:
    """Give what qpdf makes of a document; None where there is no qpdf."""
    if shutil.which("qpdf") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.pdf", Path(folder) / "target.pdf"
        source.write_bytes(_many_pages())
        subprocess.run(["qpdf", *options, str(source), str(target)], check=True, capture_output=True)
        return target.read_bytes()


_FIELD = b"<</FT/Tx/T(name)/V(x)/Type/Annot/Subtype/Widget/Rect[300 300 400 320]>>"
_SIG = b"<</FT/Sig/T(sig)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]>>"
LAID_OUT: Mapping[str, Callable[[], bytes | None]] = {
    "table": lambda: plain_pdf(objects()),
    "table of short lines": _rows_of_nineteen,
    "stream": lambda: streamed_pdf(objects()),
    "object streams": lambda: streamed_pdf(objects(), packed=(1, 2, 3, 5)),
    "hybrid": lambda: hybrid_pdf(objects(more=(b"<</Unused true>>",)), packed=(6,)),
    "linearized": lambda: remade("--linearize"),
    "linearized, object streams": lambda: remade("--linearize", "--object-streams=generate"),
    "rewritten, object streams": lambda: remade("--object-streams=generate"),
    "normalised": lambda: remade("--qdf", "--object-streams=disable"),
    "300 pages, three levels": _many_pages,
    "updated before": lambda: Update({4: _TEXT}).after(Update({5: _FONT}).after(plain_pdf(objects()))),
    "stream, updated before": lambda: packed_update(
        streamed_pdf(objects()), stream(b"60 0 1", b"/Type/ObjStm/N 1/First 5"), [60]
    ),
    "octets behind the end": lambda: plain_pdf(objects()) + b"\0\0garbage\r\n",
    "blanks behind the end": lambda: plain_pdf(objects()) + b"\r\n \n" * 20,
    "no line end at the end": lambda: plain_pdf(objects()).rstrip(),
    "a carriage return at the end": lambda: plain_pdf(objects()).rstrip() + b"\r",
    "a form without fields": lambda: plain_pdf(objects(catalog=b"/AcroForm<</Fields[]>>")),
    "a form by reference": lambda: plain_pdf(objects(catalog=b"/AcroForm 6 0 R", more=(b"<</Fields[]/DA()>>",))),
    "fields by reference": lambda: plain_pdf(
        objects(
            catalog=b"/AcroForm 6 0 R", page=_BOX + b"/Annots[8 0 R]", more=(b"<</Fields 7 0 R>>", b"[8 0 R]", _FIELD)
        )
    ),
    "fields in a direct form": lambda: plain_pdf(
        objects(catalog=b"/AcroForm<</Fields 6 0 R>>", page=_BOX + b"/Annots 6 0 R", more=(b"[7 0 R]", _FIELD))
    ),
    "a field unsigned": lambda: plain_pdf(
        objects(catalog=b"/AcroForm<</Fields[6 0 R]>>", page=_BOX + b"/Annots[6 0 R]", more=(_SIG,))
    ),
    "no array of annotations": lambda: plain_pdf(objects()),
    "annotations by reference": lambda: plain_pdf(objects(page=_BOX + b"/Annots 6 0 R", more=(b"[]",))),
    "packed annotations": lambda: streamed_pdf(objects(page=_BOX + b"/Annots 6 0 R", more=(b"[]",)), packed=(3, 6)),
    "packed form": lambda: streamed_pdf(
        objects(catalog=b"/AcroForm 6 0 R", more=(b"<</Fields 7 0 R>>", b"[]")), packed=(1, 6, 7)
    ),
    "an identifier and metadata": lambda: plain_pdf(
        objects(catalog=b"/Metadata 6 0 R", more=(stream(b"<x/>", b"/Type/Metadata/Subtype/XML"),)),
        trailer=b"/ID[<00><01>]",
    ),
    **{
        f"version {version}": lambda version=version: plain_pdf(objects()).replace(b"1.7", version.encode(), 1)  # type: ignore[misc]
        for version in ("1.3", "1.4", "1.5", "1.6", "2.0")
    },
    "PDF/A-2b": lambda: _rendered("a-2b"),
    "PDF/A-3b": lambda: _rendered("a-3b"),
}
TURNED: Mapping[str, bytes] = {
    **{
        f"turned by {turn}, {whose}": plain_pdf(
            objects(page=_BOX + b"/Rotate %d" % turn)
            if whose == "its own"
            else objects(pages=_BOX + b"/Rotate %d" % turn, page=b"")
        )
        for turn in (0, 90, 180, 270, -90, 450)
        for whose in ("its own", "inherited")
    },
    **{
        f"cropped, turned by {turn}": plain_pdf(
            objects(page=b"/MediaBox[-50 -20 700 900]/CropBox[10 30 605 802]/Rotate %d" % turn)
        )
        for turn in (0, 90, 180, 270)
    },
    "a box from its other corners": plain_pdf(objects(page=b"/MediaBox[595 842 0 0]")),
    "a box by reference": plain_pdf(objects(page=b"/MediaBox 6 0 R", more=(b"[0 0 7 0 R 842]", b"595"))),
    "a turn by reference": plain_pdf(objects(page=_BOX + b"/Rotate 6 0 R", more=(b"90",))),
    "a crop box beyond the media box": plain_pdf(objects(page=_BOX + b"/CropBox[-100 -100 500 999]")),
}
ENCRYPTED: Mapping[str, Callable[[], bytes | None]] = {
    "RC4, 40 bits": lambda: remade("--allow-weak-crypto", "--encrypt", "", "owner", "40", "--"),
    "RC4, 128 bits": lambda: remade("--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--"),
    "AES-128": lambda: remade("--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=y", "--"),
    "AES-256": lambda: remade("--encrypt", "", "owner", "256", "--"),
    "AES-256 with a password": lambda: remade("--encrypt", "user", "owner", "256", "--"),
    "AES-256, object streams": lambda: remade("--object-streams=generate", "--encrypt", "", "owner", "256", "--"),
    "AES-256, linearized": lambda: remade("--linearize", "--encrypt", "", "owner", "256", "--"),
    "by name alone": lambda: plain_pdf(objects(more=(b"<</Filter/Standard>>",)), trailer=b"/Encrypt 6 0 R"),
}
