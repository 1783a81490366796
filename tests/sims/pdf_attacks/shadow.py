"""Shadow attacks: what was laid in the document before it was sealed, shown later by an update that looks harmless."""

import zlib

from seal.formats.pdf.objects import Ref
from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update, changed, packed_update, stream
from tests.sims.pdf_attacks.family import Family
from tests.sims.pdf_attacks.victim import (
    COVER,
    DANGLING,
    FONT,
    FORGED,
    FORM,
    HIDDEN,
    LAID_BY,
    LAYER,
    LAYERS,
    LOOKS,
    OTHER_FONT,
    OVERLAY,
    PAGE,
    RESOURCES,
    SECOND,
    TEXT,
    TEXT_FIELD,
    UNUSED,
)

SHADOW = Family("shadow")
_FREE = b"0000000000 00001 f"


def _row(place: int) -> bytes:
    return b"%010d 00000 n" % place


@SHADOW
def hide_by_freeing_the_cover(sealed: bytes) -> bytes:
    """The picture that covered a text is declared free, by the table alone."""
    return Update({}, rows={COVER: _FREE}).after(sealed)


@SHADOW
def hide_by_an_empty_cover(sealed: bytes) -> bytes:
    """The picture that covered a text is drawn with nothing in it."""
    return Update({COVER: stream(b"", FORM)}).after(sealed)


@SHADOW
def hide_by_a_larger_cover(sealed: bytes) -> bytes:
    """The cover grows over the page."""
    return Update({COVER: OVERLAY}).after(sealed)


@SHADOW
def hide_by_a_dangling_picture(sealed: bytes) -> bytes:
    """A picture that the resources named, and that was not there, comes to be there."""
    return Update({DANGLING: OVERLAY}).after(sealed)


@SHADOW
def replace_by_the_table_alone(sealed: bytes) -> bytes:
    """An entry points at an object that stood in a stream of the sealed octets."""
    return Update({}, rows={TEXT: _row(sealed.index(LAID_BY))}).after(sealed)


@SHADOW
def replace_by_another_object_of_the_sealed_octets(sealed: bytes) -> bytes:
    """An entry points at an unused object, which bears another number."""
    return Update({}, rows={TEXT: _row(sealed.index(b"%d 0 obj" % UNUSED))}).after(sealed)


@SHADOW
def replace_by_a_packed_entry(sealed: bytes) -> bytes:
    """An entry says that a text is a member of the object stream that was laid in."""
    return packed_update(sealed, stream(b"4 0 9 9", b"/Type/ObjStm/N 1/First 4"), [TEXT])


@SHADOW
def replace_the_font(sealed: bytes) -> bytes:
    """The font of a text gives its characters other shapes."""
    return Update({FONT: b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}).after(sealed)


@SHADOW
def replace_the_font_by_another_that_was_there(sealed: bytes) -> bytes:
    """The resources name another font of the sealed octets."""
    return Update({RESOURCES: changed(sealed, RESOURCES, Font={"F": Ref(OTHER_FONT, 0)})}).after(sealed)


@SHADOW
def replace_the_font_with_an_encoding(sealed: bytes) -> bytes:
    """A table of differences makes another digit of a digit."""
    return Update({FONT: changed(sealed, FONT, Encoding={"Differences": [48, b"nine"]})}).after(sealed)


@SHADOW
def replace_what_a_field_looks_like(sealed: bytes) -> bytes:
    """A form field's picture is written anew, its value left as it was."""
    return Update({LOOKS: stream(b"BT /F 12 Tf 2 4 Td (Li) Tj ET", FORM)}).after(sealed)


@SHADOW
def replace_an_object_stream(sealed: bytes) -> bytes:
    """An object stream with other members takes the place of what stood by itself."""
    body = changed(sealed, RESOURCES, Font={"F": Ref(OTHER_FONT, 0)})
    head = b"%d 0 " % RESOURCES
    entries = b"/Type/ObjStm/N 1/First %d/Filter/FlateDecode" % len(head)
    return packed_update(sealed, stream(zlib.compress(head + body), entries), [RESOURCES])


@SHADOW
def replace_the_container(sealed: bytes) -> bytes:
    """The object stream itself is written anew under its number, so that its members change unnamed."""
    entry = Document(sealed).current.entry(RESOURCES)
    assert entry is not None
    if entry.kind != 2:
        return Update({RESOURCES: changed(sealed, RESOURCES, XObject={"Cover": Ref(UNUSED, 0)})}).after(sealed)
    view = Document(sealed).current
    numbers = view.members(entry.where)
    bodies = [changed(sealed, each, X=b"forged") for each in numbers]
    places = [sum(len(one) + 1 for one in bodies[:at]) for at in range(len(bodies))]
    index = b" ".join(b"%d %d" % pair for pair in zip(numbers, places, strict=True)) + b"\n"
    entries = b"/Type/ObjStm/N %d/First %d" % (len(numbers), len(index))
    return Update({entry.where: stream(index + b"\n".join(bodies), entries)}).after(sealed)


@SHADOW
def hide_and_replace_the_page(sealed: bytes) -> bytes:
    """The page names the text that was laid in and not shown."""
    return Update({PAGE: changed(sealed, PAGE, Contents=Ref(UNUSED, 0))}).after(sealed)


@SHADOW
def hide_and_replace_through_the_hidden_object(sealed: bytes) -> bytes:
    """The stream that nobody reads is written anew as the page's text."""
    return Update({HIDDEN: FORGED, PAGE: changed(sealed, PAGE, Contents=[Ref(HIDDEN, 0)])}).after(sealed)


@SHADOW
def hide_and_replace_pages(sealed: bytes) -> bytes:
    """Two pages exchange their texts."""
    first = changed(sealed, PAGE, Contents=Ref(TEXT, 0))
    return Update({PAGE: first, SECOND: changed(sealed, SECOND, Contents=Ref(UNUSED, 0))}).after(sealed)


@SHADOW
def layer_switched_on(sealed: bytes) -> bytes:
    """A layer that was off is on."""
    return Update({LAYERS: changed(sealed, LAYERS, D={"ON": [Ref(LAYER, 0)]})}).after(sealed)


@SHADOW
def layer_made_a_membership(sealed: bytes) -> bytes:
    """A layer is written anew as a rule that is always true."""
    return Update({LAYER: b"<</Type/OCMD/P/AllOff>>"}).after(sealed)


@SHADOW
def layer_freed(sealed: bytes) -> bytes:
    """A layer that was off is declared free, so that nothing hides its content."""
    return Update({}, rows={LAYER: _FREE}).after(sealed)


@SHADOW
def layers_gone(sealed: bytes) -> bytes:
    """The catalog's layers are gone, so that all is shown."""
    return Update({1: changed(sealed, 1, OCProperties=None)}).after(sealed)


@SHADOW
def field_shown_by_a_prepared_picture(sealed: bytes) -> bytes:
    """A form field takes the cover for its picture."""
    return Update({TEXT_FIELD: changed(sealed, TEXT_FIELD, AP={"N": Ref(COVER, 0)})}).after(sealed)


@SHADOW
def picture_given_a_substitute(sealed: bytes) -> bytes:
    """The cover gets an alternate that is printed in its place."""
    return Update({COVER: stream(b"", FORM + b"/OC 13 0 R")}).after(sealed)
