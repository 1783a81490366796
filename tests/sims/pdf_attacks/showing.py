"""Plain additions that a reader shows or runs: annotations, forms, pages, actions, names."""

from functools import partial

from seal.formats.pdf.objects import Name, PdfDict, PdfObject, Ref, write
from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update, changed, stream
from tests.sims.pdf_attacks.family import Family, listed
from tests.sims.pdf_attacks.victim import (
    CATALOG,
    CONTENTS,
    FORGED,
    LINK,
    NAMES,
    NEW,
    OTHER_NAMES,
    OVERLAY,
    PAGE,
    PAGES,
    RESOURCES,
    SECOND,
    TEXT,
    TEXT_FIELD,
    UNUSED,
)

ANNOTATIONS = Family("evil annotation")
FORMS = Family("form overlay")
PAGE_TREE = Family("pages")
CATALOG_ENTRIES = Family("catalog")

_RECT = b"/Type/Annot/Rect[0 0 595 842]/F 4"
_SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"


def _annotated(sealed: bytes, annotation: bytes) -> bytes:
    annotations = [*listed(sealed, PAGE, "Annots"), Ref(NEW, 0)]
    objects = {PAGE: changed(sealed, PAGE, Annots=annotations), NEW: annotation, NEW + 1: OVERLAY}
    return Update(objects).after(sealed)


for kind, rest in {
    "FreeText": b"/DA(/F 30 Tf)/Contents(to be paid: 9999)",
    "Stamp": b"/Name/Approved/AP<</N 101 0 R>>",
    "Redact": b"/OverlayText(9999)/IC[1 1 1]",
    "Square": b"/IC[1 1 1]",
    "Ink": b"/InkList[[0 0 9 9]]",
    "Highlight": b"/QuadPoints[0 0 9 0 0 9 9 9]",
    "Watermark": b"/AP<</N 101 0 R>>",
    "FileAttachment": b"/FS<</Type/Filespec/F(x)>>",
    "Popup": b"/Open true",
    "Text": b"/Contents(paid)/Open true",
    "Screen": b"/A<</S/Rendition>>",
    "RichMedia": b"/RichMediaContent<<>>",
    "3D": b"/3DD<<>>",
}.items():
    ANNOTATIONS.add(
        kind,
        f"A {kind} annotation over the page",
        partial(_annotated, annotation=b"<</Subtype/%b%b%b>>" % (kind.encode(), _RECT, rest)),
    )
for action, body in {
    "JavaScript": _SCRIPT,
    "Launch": b"<</S/Launch/F(calc.exe)>>",
    "URI": b"<</S/URI/URI(http://localhost/)>>",
    "SubmitForm": b"<</S/SubmitForm/F(http://localhost/)>>",
}.items():
    ANNOTATIONS.add(
        f"link with {action}",
        f"A link over the page that does {action}",
        partial(_annotated, annotation=b"<</Subtype/Link%b/A%b>>" % (_RECT, body)),
    )
ANNOTATIONS.add(
    "text widget",
    "A widget of a text field that the form does not list",
    partial(_annotated, annotation=b"<</Subtype/Widget/FT/Tx/T(x)/V(9999)%b/AP<</N 101 0 R>>>>" % _RECT),
)
ANNOTATIONS.add(
    "unsigned signature widget",
    "A widget of a signature field without a signature, with a picture",
    partial(_annotated, annotation=b"<</Subtype/Widget/FT/Sig/T(x)%b/AP<</N 101 0 R>>>>" % _RECT),
)
ANNOTATIONS.add(
    "of no kind", "An annotation without a subtype", partial(_annotated, annotation=b"<<%b/AP<</N 101 0 R>>>>" % _RECT)
)


@ANNOTATIONS
def annotation_changed(sealed: bytes) -> bytes:
    """A link that was there gets another aim."""
    return Update({LINK: changed(sealed, LINK, A={"S": Name("URI"), "URI": b"x:"})}).after(sealed)


@ANNOTATIONS
def annotation_given_a_picture(sealed: bytes) -> bytes:
    """A link that was there gets a picture."""
    return Update({LINK: changed(sealed, LINK, AP={"N": Ref(NEW, 0)}), NEW: OVERLAY}).after(sealed)


@ANNOTATIONS
def annotations_reordered(sealed: bytes) -> bytes:
    """What lay below the seal lies above it."""
    annotations = list(reversed(listed(sealed, PAGE, "Annots")))
    return Update({PAGE: changed(sealed, PAGE, Annots=annotations)}).after(sealed)


@ANNOTATIONS
def annotation_removed(sealed: bytes) -> bytes:
    """An annotation is gone."""
    return Update({PAGE: changed(sealed, PAGE, Annots=listed(sealed, PAGE, "Annots")[1:])}).after(sealed)


@ANNOTATIONS
def annotation_freed(sealed: bytes) -> bytes:
    """An annotation is declared free."""
    return Update({}, rows={LINK: b"0000000000 00001 f"}).after(sealed)


@ANNOTATIONS
def popup_added_to_an_annotation(sealed: bytes) -> bytes:
    """A link that was there opens a note over the seal."""
    note = b"<</Type/Annot/Subtype/Popup/Rect[0 0 595 842]/Open true/Parent 6 0 R>>"
    return Update({LINK: changed(sealed, LINK, Popup=Ref(NEW, 0)), NEW: note}).after(sealed)


# --- forms -----------------------------------------------------------------------------------------------------


def _form(sealed: bytes, entries: dict[str, PdfObject], objects: dict[int, bytes] | None = None) -> bytes:
    view = Document(sealed).current
    form = {**view.dictionary(view.catalog["AcroForm"]), **entries}
    kept: PdfDict = {key: value for key, value in form.items() if value is not None}
    return Update({CATALOG: changed(sealed, CATALOG, AcroForm=kept), **(objects or {})}).after(sealed)


FORMS.add("need appearances", "Fields are drawn anew by the reader", partial(_form, entries={"NeedAppearances": True}))
FORMS.add("default looks", "Fields are drawn in another font", partial(_form, entries={"DA": b"/F 40 Tf 1 g"}))
FORMS.add("default resources", "Fields find another font", partial(_form, entries={"DR": {"Font": {"F": Ref(21, 0)}}}))
FORMS.add("no defaults", "Fields find no font", partial(_form, entries={"DR": None, "DA": None}))
FORMS.add(
    "XFA",
    "A second form for readers that know it",
    partial(_form, entries={"XFA": Ref(NEW, 0)}, objects={NEW: stream(b"<x/>")}),
)
FORMS.add("order of calculation", "Fields are calculated", partial(_form, entries={"CO": [Ref(TEXT_FIELD, 0)]}))
FORMS.add("alignment", "Fields are aligned otherwise", partial(_form, entries={"Q": 2}))
FORMS.add(
    "gone", "The form is gone", lambda sealed: Update({CATALOG: changed(sealed, CATALOG, AcroForm=None)}).after(sealed)
)
FORMS.add("emptied", "The form has no fields", partial(_form, entries={"Fields": []}))


def _field(sealed: bytes, new: PdfDict) -> bytes:
    return Update({TEXT_FIELD: changed(sealed, TEXT_FIELD, **new), NEW: OVERLAY}).after(sealed)


_FIELD: dict[str, PdfDict] = {
    "filled in": {"V": b"Li"},
    "value of another": {"V": b"Li", "AP": {"N": Ref(NEW, 0)}},
    "default value": {"DV": b"Li"},
    "moved": {"Rect": [0, 0, 400, 400]},
    "hidden": {"F": 2},
    "with a script": {"AA": {"K": {"S": Name("JavaScript"), "JS": b"1"}}},
    "with a background": {"MK": {"BG": [1, 0, 0]}},
    "looks of its own": {"DA": b"/F 90 Tf"},
    "made a button": {"FT": Name("Btn")},
    "made a signature": {"FT": Name("Sig")},
    "without looks": {"AP": None},
    "for reading only": {"Ff": 1},
}
for what, changes in _FIELD.items():
    FORMS.add(f"field {what}", f"A field that was there: {what}", partial(_field, new=changes))


@FORMS
def field_added(sealed: bytes) -> bytes:
    """A text field over the page."""
    view = Document(sealed).current
    fields = view.array(view.dictionary(view.catalog["AcroForm"])["Fields"])
    widget = b"<</FT/Tx/T(x)/V(9999)/Subtype/Widget%b/AP<</N 101 0 R>>>>" % _RECT
    return _form(sealed, {"Fields": [*fields, Ref(NEW, 0)]}, {NEW: widget, NEW + 1: OVERLAY})


@FORMS
def field_given_a_child(sealed: bytes) -> bytes:
    """A field that was there gets a second widget on the other page."""
    widget = b"<</Subtype/Widget/Parent %d 0 R%b/AP<</N 101 0 R>>>>" % (TEXT_FIELD, _RECT)
    return Update({TEXT_FIELD: changed(sealed, TEXT_FIELD, Kids=[Ref(NEW, 0)]), NEW: widget, NEW + 1: OVERLAY}).after(
        sealed
    )


# --- pages -----------------------------------------------------------------------------------------------------


def _page(sealed: bytes, new: PdfDict) -> bytes:
    return Update({PAGE: changed(sealed, PAGE, **new)}).after(sealed)


_PAGE: dict[str, PdfDict] = {
    "rotated": {"Rotate": 180},
    "cropped": {"CropBox": [0, 0, 100, 100]},
    "given a media box": {"MediaBox": [0, 0, 100, 100]},
    "given a trim box": {"TrimBox": [0, 0, 100, 100]},
    "given an art box": {"ArtBox": [0, 0, 100, 100]},
    "scaled": {"UserUnit": 2},
    "without content": {"Contents": None},
    "with one more content": {"Contents": [Ref(TEXT, 0), Ref(UNUSED, 0)]},
    "with another content": {"Contents": Ref(UNUSED, 0)},
    "with direct resources": {"Resources": {"Font": {"F": Ref(21, 0)}}},
    "with a script": {"AA": {"O": {"S": Name("JavaScript"), "JS": b"1"}}},
    "with a duration": {"Dur": 1, "Trans": {"S": Name("Dissolve")}},
    "with a thumbnail": {"Thumb": Ref(UNUSED, 0)},
    "in a group": {"Group": {"S": Name("Transparency"), "CS": Name("DeviceRGB")}},
    "with its name spelt otherwise": {"Type": Name("Template")},
    "under another parent": {"Parent": Ref(NEW, 0)},
    "with tabs": {"Tabs": Name("R")},
    "with beads": {"B": [Ref(UNUSED, 0)]},
    "with private parts": {"PieceInfo": {"X": {"Private": b"x"}}},
}
for what, changes in _PAGE.items():
    PAGE_TREE.add(f"page {what}", f"A page {what}", partial(_page, new=changes))

_KIDS: dict[str, list[PdfObject]] = {
    "removed": [Ref(PAGE, 0)],
    "added": [Ref(PAGE, 0), Ref(SECOND, 0), Ref(NEW, 0)],
    "reordered": [Ref(SECOND, 0), Ref(PAGE, 0)],
    "twice": [Ref(PAGE, 0), Ref(PAGE, 0)],
    "in a loop": [Ref(PAGES, 0)],
    "all gone": [],
}
_ADDED = b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (NEW + 1)
for what, kids in _KIDS.items():

    def _kids(sealed: bytes, kids: list[PdfObject] = kids) -> bytes:
        return Update({PAGES: changed(sealed, PAGES, Kids=kids, Count=len(kids)), NEW: _ADDED, NEW + 1: FORGED}).after(
            sealed
        )

    PAGE_TREE.add(f"pages {what}", f"The tree's pages {what}", _kids)
for what, inherited in {
    "rotated": {"Rotate": 90},
    "cropped": {"CropBox": [0, 0, 10, 10]},
    "larger": {"MediaBox": [0, 0, 2000, 2000]},
    "given resources": {"Resources": {}},
    "counted otherwise": {"Count": 1},
}.items():

    def _inherited(sealed: bytes, new: object = inherited) -> bytes:
        assert isinstance(new, dict)
        return Update({PAGES: changed(sealed, PAGES, **new)}).after(sealed)

    PAGE_TREE.add(f"all pages {what}", f"What every page inherits: {what}", _inherited)


@PAGE_TREE
def content_array_extended(sealed: bytes) -> bytes:
    """The array of a page's contents, an object of its own, gets one more."""
    array = write([Ref(TEXT, 0), Ref(16, 0), Ref(NEW, 0)])
    return Update({CONTENTS: array, NEW: FORGED}).after(sealed)


@PAGE_TREE
def content_array_made_a_stream(sealed: bytes) -> bytes:
    """The array of a page's contents becomes a text."""
    return Update({CONTENTS: FORGED}).after(sealed)


@PAGE_TREE
def resources_extended(sealed: bytes) -> bytes:
    """The resources, an object of their own, name another picture."""
    return Update({RESOURCES: changed(sealed, RESOURCES, XObject={"Cover": Ref(NEW, 0)}), NEW: OVERLAY}).after(sealed)


@PAGE_TREE
def resources_by_one_more_step(sealed: bytes) -> bytes:
    """The resources' fonts become an object of their own, with another font."""
    fonts = Ref(NEW, 0)
    return Update({RESOURCES: changed(sealed, RESOURCES, Font=fonts), NEW: b"<</F 21 0 R>>"}).after(sealed)


@PAGE_TREE
def resources_made_a_reference(sealed: bytes) -> bytes:
    """The resources are but a reference to others."""
    return Update({RESOURCES: b"%d 0 R" % NEW, NEW: b"<</Font<</F 21 0 R>>>>"}).after(sealed)


# --- the catalog -----------------------------------------------------------------------------------------------

_CATALOG: dict[str, PdfObject] = {
    "OpenAction": {"S": Name("JavaScript"), "JS": b"1"},
    "AA": {"WC": {"S": Name("JavaScript"), "JS": b"1"}},
    "PageLabels": {"Nums": [0, {"P": b"9"}]},
    "PageLayout": Name("TwoColumnLeft"),
    "PageMode": Name("FullScreen"),
    "ViewerPreferences": {"HideToolbar": True},
    "Outlines": Ref(NEW, 0),
    "Dests": {"a": [Ref(SECOND, 0), Name("Fit")]},
    "Names": Ref(OTHER_NAMES, 0),
    "Threads": [Ref(NEW, 0)],
    "URI": {"Base": b"http://localhost/"},
    "MarkInfo": {"Marked": True},
    "StructTreeRoot": Ref(NEW, 0),
    "OutputIntents": [Ref(NEW, 0)],
    "Collection": {"View": Name("D")},
    "NeedsRendering": True,
    "Requirements": [{"S": Name("EnableJavaScripts")}],
    "AF": [Ref(NEW, 0)],
    "Lang": b"xx",
    "SpiderInfo": {"V": 1},
    "DPartRoot": {"Type": Name("DPartRoot")},
    "Legal": {"JavaScriptActions": 0},
    "OCProperties": {"OCGs": [Ref(13, 0)], "D": {"ON": [Ref(13, 0)]}},
    "Unknown": b"x",
}


def _catalog(sealed: bytes, key: str, value: PdfObject) -> bytes:
    objects = {CATALOG: changed(sealed, CATALOG, **{key: value}), NEW: b"<</Type/X>>"}
    return Update(objects).after(sealed)


for key, value in _CATALOG.items():
    CATALOG_ENTRIES.add(key, f"/{key} of the catalog added or changed", partial(_catalog, key=key, value=value))
for key, tree in {"JavaScript": _SCRIPT, "EmbeddedFiles": b"<</Type/Filespec/F(x)>>", "AP": b"null"}.items():

    def _named(sealed: bytes, key: str = key, tree: bytes = tree) -> bytes:
        names: dict[str, PdfObject] = {key: {"Names": [b"x", Ref(NEW, 0)]}}
        return Update({NAMES: changed(sealed, NAMES, **names), NEW: tree}).after(sealed)

    CATALOG_ENTRIES.add(f"names: {key}", f"A name tree of {key} added", _named)
