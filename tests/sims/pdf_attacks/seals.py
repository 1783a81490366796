"""What is done to the seal itself: its dictionary, its picture, its widget."""

from functools import partial

from seal.formats.pdf.objects import Name, PdfDict, PdfObject, Ref, write
from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update, changed, stream
from tests.sims.pdf_attacks.family import Family, entries, listed, seal_of
from tests.sims.pdf_attacks.victim import COVER, FORM, NEW, OVERLAY, PAGE, SECOND

DICTIONARY = Family("signature dictionary")
PICTURE = Family("seal's picture")
WIDGET = Family("seal's widget")
_FREE = b"0000000000 00001 f"


def _octets(sealed: bytes, number: int) -> bytes:
    """Give an object's value as it stands in the file."""
    read = Document(sealed).current.indirect(number)
    return sealed[read.start : read.end].split(b"obj", 1)[1].strip()[: -len(b"endobj")].strip()


def _spoofed(sealed: bytes, key: str, value: PdfObject) -> bytes:
    number = seal_of(sealed).signature
    return Update({number: changed(sealed, number, **{key: value})}).after(sealed)


_SPOOFED: PdfDict = {
    "Reason": b"to be paid: 9999",
    "Name": b"another bureau",
    "M": b"D:20200101000000Z",
    "Location": b"elsewhere",
    "ContactInfo": b"somebody",
    "SubFilter": Name("adbe.x509.rsa_sha1"),
    "Contents": b"",
    "ByteRange": [0, 0, 0, 0],
    "Reference": [{"TransformMethod": Name("DocMDP"), "TransformParams": {"P": 3}}],
    "Prop_Build": {"App": {"Name": Name("Other")}},
}
for key, value in _SPOOFED.items():
    DICTIONARY.add(key, f"/{key} written anew in a later revision", partial(_spoofed, key=key, value=value))


@DICTIONARY
def reason_in_a_faithful_copy(sealed: bytes) -> bytes:
    """The dictionary written anew octet for octet, but for its reason."""
    number = seal_of(sealed).signature
    return Update({number: _octets(sealed, number).replace(b"/Reason(", b"/Reason(not ")}).after(sealed)


@DICTIONARY
def faithful_copy(sealed: bytes) -> bytes:
    """The dictionary written anew octet for octet, so that its ranges lie elsewhere than it does."""
    number = seal_of(sealed).signature
    return Update({number: _octets(sealed, number)}).after(sealed)


@DICTIONARY
def freed(sealed: bytes) -> bytes:
    """The dictionary is declared free."""
    return Update({}, rows={seal_of(sealed).signature: _FREE}).after(sealed)


@DICTIONARY
def of_another_generation(sealed: bytes) -> bytes:
    """The dictionary of a later generation, which the field's reference does not mean."""
    number = seal_of(sealed).signature
    return Update({number: _octets(sealed, number)}, generations={number: 1}).after(sealed)


@DICTIONARY
def made_nothing(sealed: bytes) -> bytes:
    """The dictionary becomes null."""
    return Update({seal_of(sealed).signature: b"null"}).after(sealed)


# --- the picture -----------------------------------------------------------------------------------------------


def _picture(sealed: bytes) -> tuple[int, int, int]:
    """Give the numbers of the form, the image and the mask."""
    view = Document(sealed).current
    widget = view.dictionary(Ref(seal_of(sealed).widget, 0))
    form = view.dictionary(widget["AP"])["N"]
    assert isinstance(form, Ref)
    return form.number, form.number - 1, form.number - 2


def _redrawn(sealed: bytes, which: int, body: bytes) -> bytes:
    return Update({_picture(sealed)[which]: body}).after(sealed)


_IMAGE = b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceRGB/BitsPerComponent 8"
for at, what in enumerate(("form", "image", "mask")):
    PICTURE.add(
        f"{what} redefined",
        f"The seal's {what} is another",
        partial(_redrawn, which=at, body=stream(b"\0\0\0", _IMAGE)),
    )
    PICTURE.add(f"{what} emptied", f"The seal's {what} is null", partial(_redrawn, which=at, body=b"null"))

    def _without(sealed: bytes, at: int = at) -> bytes:
        return Update({}, rows={_picture(sealed)[at]: _FREE}).after(sealed)

    PICTURE.add(f"{what} freed", f"The seal's {what} is declared free", _without)


@PICTURE
def drawn_over_the_page(sealed: bytes) -> bytes:
    """The seal's form covers the page, its box widened."""
    return _redrawn(sealed, 0, OVERLAY)


@PICTURE
def image_given_another_mask(sealed: bytes) -> bytes:
    """The image's mask is another object."""
    form, image, _ = _picture(sealed)
    body = _octets(sealed, image).replace(b"/SMask", b"/SMaskInData 0/SMask", 1)
    assert form
    return Update({image: body}).after(sealed)


# --- the widget ------------------------------------------------------------------------------------------------


def _moved(sealed: bytes, new: PdfDict) -> bytes:
    number = seal_of(sealed).widget
    return Update({number: changed(sealed, number, **new)}).after(sealed)


_WIDGET: dict[str, PdfDict] = {
    "moved": {"Rect": [300, 300, 400, 400]},
    "enlarged": {"Rect": [0, 0, 595, 842]},
    "shrunk": {"Rect": [0, 0, 0, 0]},
    "hidden": {"F": 2},
    "kept from view": {"F": 32},
    "kept from print": {"F": 0},
    "with another picture": {"AP": {"N": Ref(COVER, 0)}},
    "without a picture": {"AP": None},
    "with a picture when pressed": {"AP": {"N": Ref(COVER, 0), "D": Ref(COVER, 0)}},
    "in a state": {"AS": Name("Off")},
    "on a layer": {"OC": Ref(13, 0)},
    "with an action": {"A": {"S": Name("URI"), "URI": b"x:"}},
    "with a script": {"AA": {"E": {"S": Name("JavaScript"), "JS": b"1"}}},
    "with a background": {"MK": {"BG": [1, 1, 1], "R": 90}},
    "with a border": {"BS": {"W": 9}},
    "renamed": {"T": b"other"},
    "with another tooltip": {"TU": b"Another bureau"},
    "without a signature": {"V": None},
    "with no signature": {"V": Ref(999, 0)},
    "with a lock": {"Lock": {"Action": Name("All"), "P": 3}},
    "made a text": {"FT": Name("Tx")},
    "made an annotation": {"Subtype": Name("Stamp")},
    "with children": {"Kids": [Ref(NEW, 0)]},
    "said to be on no page": {"P": None},
    "with its contents": {"Contents": b"to be paid: 9999"},
}
for what, changes in _WIDGET.items():
    WIDGET.add(what, f"The seal's widget {what}", partial(_moved, new=changes))


@WIDGET
def said_to_be_on_the_other_page(sealed: bytes) -> bytes:
    """The seal's widget names the other page as its own."""
    named = entries(sealed, seal_of(sealed).widget)["P"]
    return _moved(sealed, {"P": Ref(PAGE if named == Ref(SECOND, 0) else SECOND, 0)})


@WIDGET
def listed_on_the_other_page(sealed: bytes) -> bytes:
    """The seal's widget is listed on the other page too."""
    annotations = [*listed(sealed, SECOND, "Annots"), Ref(seal_of(sealed).widget, 0)]
    return Update({SECOND: changed(sealed, SECOND, Annots=annotations)}).after(sealed)


@WIDGET
def copied_to_the_other_page(sealed: bytes) -> bytes:
    """A copy of the seal's widget on the other page, in no form."""
    copy = changed(sealed, seal_of(sealed).widget, P=Ref(SECOND, 0))
    annotations = [*listed(sealed, SECOND, "Annots"), Ref(NEW, 0)]
    return Update({SECOND: changed(sealed, SECOND, Annots=annotations), NEW: copy}).after(sealed)


@WIDGET
def copied_with_its_field(sealed: bytes) -> bytes:
    """A copy of the seal's field that shows the same signature."""
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    catalog = changed(sealed, 1, AcroForm={**form, "Fields": [*view.array(form["Fields"]), Ref(NEW, 0)]})
    copy = changed(sealed, seal_of(sealed).widget, T=b"copy", P=Ref(SECOND, 0))
    annotations = [*listed(sealed, SECOND, "Annots"), Ref(NEW, 0)]
    return Update({1: catalog, SECOND: changed(sealed, SECOND, Annots=annotations), NEW: copy}).after(sealed)


@WIDGET
def picture_used_by_a_stamp(sealed: bytes) -> bytes:
    """An annotation on the other page shows the seal's picture."""
    form = _picture(sealed)[0]
    stamp = b"<</Type/Annot/Subtype/Stamp/Rect[100 100 200 200]/AP<</N %d 0 R>>>>" % form
    annotations = [*listed(sealed, SECOND, "Annots"), Ref(NEW, 0)]
    return Update({SECOND: changed(sealed, SECOND, Annots=annotations), NEW: stamp}).after(sealed)


@WIDGET
def taken_off_the_page(sealed: bytes) -> bytes:
    """The page no longer lists the seal's widget."""
    field = Ref(seal_of(sealed).widget, 0)
    page = next(number for number in (PAGE, SECOND) if field in listed(sealed, number, "Annots"))
    annotations = [item for item in listed(sealed, page, "Annots") if item != field]
    return Update({page: changed(sealed, page, Annots=annotations)}).after(sealed)


@WIDGET
def taken_off_the_form(sealed: bytes) -> bytes:
    """The form no longer lists the seal's field."""
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    fields = [item for item in view.array(form["Fields"]) if item != Ref(seal_of(sealed).widget, 0)]
    return Update({1: changed(sealed, 1, AcroForm={**form, "Fields": fields})}).after(sealed)


@WIDGET
def put_under_a_parent(sealed: bytes) -> bytes:
    """The seal's field becomes a child of another, whose picture a reader may show."""
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    field = seal_of(sealed).widget
    fields = [Ref(NEW, 0) if item == Ref(field, 0) else item for item in view.array(form["Fields"])]
    parent = write({"T": b"p", "FT": Name("Sig"), "Kids": [Ref(field, 0)]})
    catalog = changed(sealed, 1, AcroForm={**form, "Fields": fields})
    return Update({1: catalog, NEW: parent, field: changed(sealed, field, Parent=Ref(NEW, 0))}).after(sealed)


@WIDGET
def covered_by_a_form(sealed: bytes) -> bytes:
    """A button over the seal, without a signature, with a picture."""
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    catalog = changed(sealed, 1, AcroForm={**form, "Fields": [*view.array(form["Fields"]), Ref(NEW, 0)]})
    button = b"<</Type/Annot/Subtype/Widget/FT/Btn/T(b)/Rect[0 0 595 842]/AP<</N %d 0 R>>>>" % (NEW + 1)
    annotations = [*listed(sealed, PAGE, "Annots"), Ref(NEW, 0)]
    page = changed(sealed, PAGE, Annots=annotations)
    return Update({1: catalog, PAGE: page, NEW: button, NEW + 1: stream(b"", FORM)}).after(sealed)
