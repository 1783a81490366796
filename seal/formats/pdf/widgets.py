"""The field of a signature, and the pictures it shows on pages (ISO 32000-2 12.7.5.5)."""

from seal.formats.pdf.append import Appender
from seal.formats.pdf.artwork import appearance, artwork
from seal.formats.pdf.form import fields
from seal.formats.pdf.objects import Ref, text_string, write
from seal.formats.pdf.pages import find_page, picture_box, single_place
from seal.formats.pdf.reader import View
from seal.formats.pdf.revision import annotate, enlist, text
from seal.model import Mark

_PRINT_AND_LOCKED = 132


def show_seal(view: View, appender: Appender, mark: Mark, signature: Ref) -> None:
    """Write the field of ``signature`` with the picture where ``mark`` places it; refuses a place that is not there."""
    place = single_place(mark.placement)
    page = find_page(view, place.page)
    box = picture_box(view, page, mark.picture, place)
    art = artwork(mark.picture)
    mask = appender.add_written(art.mask)
    image = appender.add_written(art.image(mask))
    shown = appender.add_written(appearance(image, box))
    widget = appender.add_written(
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T%b/TU%b/F %d/Rect[%.4f %.4f %.4f %.4f]"
        b"/P %d %d R/AP<</N %d 0 R>>/V %d 0 R>>"
        % (
            write(text_string(unused_name(view, signature))),
            text(mark.seal_name),
            _PRINT_AND_LOCKED,
            *(box.left, box.bottom, box.right, box.top),
            *page.ref,
            shown.number,
            signature.number,
        )
    )
    annotate(view, appender, page, [widget])
    enlist(view, appender, widget)


def unused_name(view: View, signature: Ref) -> str:
    """Name a new field as no other is named."""
    taken = {item.name for item in fields(view)}
    number = signature.number
    while f"Xinyin-{number}" in taken:
        number += 1
    return f"Xinyin-{number}"
