"""The field of a signature that shows nothing: a widget without extent on the first page (ISO 32000-2 12.7.5.5)."""

from seal.formats.pdf.append import Appender
from seal.formats.pdf.closing import lock
from seal.formats.pdf.objects import Ref, text_string, write
from seal.formats.pdf.pages import find_page
from seal.formats.pdf.reader import View
from seal.formats.pdf.revision import annotate, enlist, text
from seal.formats.pdf.widgets import unused_name
from seal.model import Mark

_PRINT_AND_LOCKED = 132


def hide_seal(view: View, appender: Appender, mark: Mark, signature: Ref) -> None:
    """Write the field of ``signature`` with nothing to be seen."""
    page = find_page(view, 1)
    widget = appender.add_written(
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T%b/TU%b/F %d/Rect[0 0 0 0]/P %d %d R/V %d 0 R%b>>"
        % (
            write(text_string(unused_name(view, signature))),
            text(mark.seal_name),
            _PRINT_AND_LOCKED,
            *page.ref,
            signature.number,
            lock(view, mark),
        )
    )
    annotate(view, appender, [(page, widget)])
    enlist(view, appender, widget)
