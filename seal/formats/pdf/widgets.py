"""The field of a signature, and the pictures it shows on pages (ISO 32000-2 12.7.5.5)."""

from seal.formats.pdf.append import Appender
from seal.formats.pdf.artwork import Look, appearance, artwork
from seal.formats.pdf.closing import lock
from seal.formats.pdf.form import fields
from seal.formats.pdf.objects import Ref, text_string, write
from seal.formats.pdf.reader import View
from seal.formats.pdf.revision import annotate, enlist, text
from seal.formats.pdf.surface import Laid, lay_out
from seal.formats.pdf.words import Words
from seal.model import Mark, Picture

_PRINT_AND_LOCKED = 132


def show_seal(view: View, appender: Appender, mark: Mark, signature: Ref, words: Words) -> None:
    """Write the field of ``signature`` with the picture where ``mark`` places it; refuses a place that is not there.

    One place is a field that is its own widget; several are widgets of one field.
    """
    size = mark.picture
    placed = lay_out(view, mark.placement, width=size.width_mm, height=size.height_mm, words=words)
    value = b"/V %d 0 R" % signature.number
    named = b"/FT/Sig/T%b/TU%b" % (write(text_string(unused_name(view, signature))), text(mark.seal_name))
    says = named + value + lock(view, mark)
    field = appender.reserve() if len(placed) > 1 else None
    # The value is the field's; poppler and what is built on it look for it in each widget and call the rest unsigned.
    each = says if field is None else b"/Parent %d 0 R%b" % (field.number, value)
    looks = _Looks(appender, mark.picture)
    shown = [(laid.page, appender.add_written(_widget(laid, looks, each))) for laid in placed]
    if field is not None:
        kids = b" ".join(b"%d %d R" % widget for _, widget in shown)
        appender.put_written(field, b"<<%b/Kids[%b]>>" % (says, kids))
    annotate(view, appender, shown)
    enlist(view, appender, field or shown[0][1])


def _widget(laid: Laid, looks: "_Looks", says: bytes) -> bytes:
    area = laid.area
    return b"<</Type/Annot/Subtype/Widget%b/F %d/Rect[%.4f %.4f %.4f %.4f]/P %d %d R/AP<</N %d 0 R>>>>" % (
        says,
        _PRINT_AND_LOCKED,
        *(area.left, area.bottom, area.right, area.top),
        *laid.page.ref,
        looks.of(laid.look).number,
    )


class _Looks:
    """The appearances of one picture: the picture itself is written once, and each look of it."""

    def __init__(self, appender: Appender, picture: Picture) -> None:
        self._appender = appender
        art = artwork(picture)
        mask = appender.add_written(art.mask)
        self._image = appender.add_written(art.image(mask))
        self._known: dict[bytes, Ref] = {}

    def of(self, look: Look) -> Ref:
        """Give the form XObject of ``look``."""
        written = appearance(self._image, look)
        if written not in self._known:
            self._known[written] = self._appender.add_written(written)
        return self._known[written]


def unused_name(view: View, signature: Ref) -> str:
    """Name a new field as no other is named."""
    taken = {item.name for item in fields(view)}
    number = signature.number
    while f"Xinyin-{number}" in taken:
        number += 1
    return f"Xinyin-{number}"
