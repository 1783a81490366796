"""The document that is attacked: two pages, and what an attacker may have laid in it before it was sealed."""

from tests.seal.pdf.forging import stream
from tests.seal.pdf.making import plain_pdf
from tests.sims.pdf_makers import streamed_pdf

CATALOG, PAGES, PAGE, TEXT, FONT, LINK, METADATA, INFO, RESOURCES, SECOND = range(1, 11)
COVER, HIDDEN, LAYER, TEXT_FIELD, LOOKS, LAYERED, CONTENTS, LAYERS, UNUSED, NAMES = range(11, 21)
OTHER_FONT, OTHER_NAMES = 21, 22
DANGLING = 80
"""Named by the resources, and not there."""
NEW = 100
"""The first number that no honest saving of the victim uses."""

HONEST = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 100) Tj ET /Cover Do")
FORGED = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 9999) Tj ET")
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
OVERLAY = stream(b"1 g 0 0 595 842 re f", FORM)
LAID_BY = b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)
"""An object that stands inside a stream until a cross-reference entry points at it."""

_OBJECTS = [
    (
        b"<</Type/Catalog/Pages 2 0 R/Metadata 7 0 R/OCProperties 18 0 R/Names 20 0 R/AcroForm<</Fields[14 0 R]"
        b"/DA(/F 0 Tf 0 g)/DR<</Font<</F 5 0 R>>>>>>>>"
    ),
    b"<</Type/Pages/Kids[3 0 R 10 0 R]/Count 2/MediaBox[0 0 595 842]>>",
    b"<</Type/Page/Parent 2 0 R/Contents 17 0 R/Resources 9 0 R/Annots[6 0 R]>>",
    HONEST,
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Border[0 0 0]/A<</S/GoTo/D[3 0 R/Fit]>>>>",
    b"<</Type/Metadata/Subtype/XML/Length 4>>\nstream\n<x/>\nendstream",
    b"<</Title(licence)>>",
    b"<</Font<</F 5 0 R>>/XObject<</X 80 0 R/Cover 11 0 R>>/Properties<</L 13 0 R>>>>",
    b"<</Type/Page/Parent 2 0 R/Resources 9 0 R/Contents 4 0 R/Annots[14 0 R]>>",
    stream(b"1 g 60 600 200 20 re f", FORM),
    stream(LAID_BY),
    b"<</Type/OCG/Name(void)>>",
    b"<</FT/Tx/T(name)/V(Zhang)/Type/Annot/Subtype/Widget/Rect[50 50 200 70]/P 10 0 R/AP<</N 15 0 R>>>>",
    stream(b"BT /F 12 Tf 2 4 Td (Zhang) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 150 20]"),
    stream(b"/OC /L BDC BT /F 60 Tf 90 400 Td (VOID) Tj ET EMC"),
    b"[4 0 R 16 0 R]",
    b"<</OCGs[13 0 R]/D<</OFF[13 0 R]>>>>",
    FORGED,
    b"<</Dests<</Names[(a)[3 0 R/Fit]]>>>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>",
    b"<</Dests<</Names[(a)[10 0 R/Fit]]>>>>",
]
_PACKED = (FONT, LINK, INFO, RESOURCES, LAYER, TEXT_FIELD, LAYERS, NAMES)


def classic() -> bytes:
    """Give the victim with a cross-reference table."""
    return plain_pdf(_OBJECTS, trailer=b"/Info 8 0 R")


def packed() -> bytes:
    """Give the victim with object streams and a cross-reference stream."""
    return streamed_pdf(_OBJECTS, packed=_PACKED, trailer=b"/Info 8 0 R")
