"""What readers draw of a widget, and what they draw by the form's defaults (ISO 32000-2 12.5.5, 12.7.4.3)."""

from collections.abc import Iterator

from seal.formats.pdf.form import SIGNATURE, fields
from seal.formats.pdf.objects import Name, PdfDict, PdfObject, Stream
from seal.formats.pdf.pages import leaves
from seal.formats.pdf.reader import View

_HIDDEN = 2
_FREE_TEXT, _WIDGET = Name("FreeText"), Name("Widget")
_RECTANGLE = 4
_MAX_ABOVE = 32
_MAX_LOOKS = 1024


def shows_nothing(view: View, widget: PdfDict) -> bool:
    """Tell whether no reader draws anything of ``widget``: it is hidden, or of no extent, and so are its looks.

    12.7.5.5: what is not to be seen has neither height nor width; of a line some readers draw a hair. An appearance
    without a box is clipped by nothing: PDFium draws it as large as it likes, whatever the widget's rectangle.
    """
    flags = view.resolve(widget.get("F"))
    if isinstance(flags, int) and flags & _HIDDEN:
        return True
    if widget.get("Rect") is not None:
        sides = _rectangle(view, widget["Rect"])
        if sides is None or (sides[0], sides[1]) != (sides[2], sides[3]):
            return False
    return all(isinstance(look, Stream) and _is_boxed(view, look) for look in _looks(view, widget.get("AP")))


def _is_boxed(view: View, look: Stream) -> bool:
    return _rectangle(view, look.entries.get("BBox")) is not None


def _rectangle(view: View, value: PdfObject) -> list[float] | None:
    found = view.resolve(value)
    sides = [view.resolve(each) for each in found] if isinstance(found, list) else []
    numbers = [float(each) for each in sides if isinstance(each, int | float) and not isinstance(each, bool)]
    return numbers if len(numbers) == len(sides) == _RECTANGLE else None


def _looks(view: View, appearances: PdfObject) -> Iterator[PdfObject]:
    """Give every appearance: one, or one of each state, for each of the ways of showing the widget."""
    todo, count = [(appearances, 0)], 0
    while todo:
        value, depth = todo.pop()
        count += 1
        found = view.resolve(value)
        if isinstance(found, dict) and depth <= 1 and count <= _MAX_LOOKS:
            todo.extend((each, depth + 1) for each in found.values())
        elif found is not None:
            yield found


def draws_by_defaults(view: View) -> bool:
    """Tell whether anything may be drawn by /DA and /DR of the form: text fields, and annotations of text."""
    if any(item.kind != SIGNATURE for item in fields(view)):
        return True
    return any(
        _takes_defaults(view, view.resolve(annotation))
        for page in leaves(view)
        for annotation in view.array(page.entries.get("Annots"))
    )


def _takes_defaults(view: View, annotation: PdfObject) -> bool:
    if not isinstance(annotation, dict):
        return False
    kind = view.resolve(annotation.get("Subtype"))
    # Widgets that no field leads to are fields for some readers all the same.
    return "DA" in annotation or kind == _FREE_TEXT or (kind == _WIDGET and not _of_signature(view, annotation))


def _of_signature(view: View, widget: PdfDict) -> bool:
    above: PdfObject = widget
    for _ in range(_MAX_ABOVE):
        if not isinstance(above, dict):
            return False
        if "FT" in above:
            return view.resolve(above["FT"]) == SIGNATURE
        above = view.resolve(above.get("Parent"))
    return False
