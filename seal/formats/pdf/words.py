"""The words of PDF pages and where each stands, read by PDFium in a limited process of its own.

PDFium is large and in C++: what it makes of a stranger's file is taken as an answer that may be wrong, never as state.
"""

import json
import math
from collections.abc import Iterator, Sequence

from seal.errors import DocumentUnreadable, PlacementRefused, SearchBusy
from seal.formats.pdf.pages import Box
from seal.placing.words import folded
from seal.sandbox import Limits, Sandbox, SandboxBusy, SandboxFailed

MOST_PAGES = 2000
"""Pages that are searched for one sealing."""
_LIMITS = Limits(children=2)


class Words:
    """Finds words on the pages of PDF documents from anywhere; safe to share between threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._sandbox = Sandbox("seal.formats.pdf.pdfium_words:make_finder", b"", limits or _LIMITS)

    def find(self, document: bytes, text: str, pages: Sequence[int], *, count: int) -> list[tuple[int, Box]]:
        """Give where ``text`` stands on ``pages`` (from 0) of ``count``, in the units of each page.

        PlacementRefused where there is no text at all, or too much; DocumentUnreadable for a file that breaks or
        exhausts its reader, SearchBusy for one too many at once.
        """
        if len(pages) > MOST_PAGES:
            raise PlacementRefused(f"A keyword is searched on {MOST_PAGES:,} pages at most: name the pages.")
        job = json.dumps({"text": folded(text), "pages": list(pages), "count": count}).encode()
        try:
            answer = json.loads(self._sandbox.run(job + b"\n" + document))
            return list(_places(answer, set(pages)))
        except SandboxBusy as error:
            raise SearchBusy("Too many documents are being searched; try again shortly.") from error
        except (SandboxFailed, TypeError, ValueError, KeyError) as error:
            raise DocumentUnreadable(
                "The document could not be searched: its reader broke or reached a limit; "
                "place the seal by page and millimetres."
            ) from error

    def close(self) -> None:
        """End the fork server; the next call starts another."""
        self._sandbox.close()


def _places(told: dict[str, object], pages: set[int]) -> Iterator[tuple[int, Box]]:
    """Read a child's answer; it is taken as octets, and everything in it for what it should be."""
    match told:
        case {"refused": str(why)}:
            raise PlacementRefused(why)
        case {"unreadable": str(why)}:
            raise DocumentUnreadable(why)
        case {"characters": 0}:
            raise PlacementRefused(
                "The document has no text on these pages, as when it was scanned: place by page and millimetres."
            )
        case {"places": list(places)}:
            for page, *sides in places:
                left, bottom, right, top = map(float, sides)
                if page not in pages or not all(map(math.isfinite, (left, bottom, right, top))):
                    raise ValueError("not a place")
                yield page, Box(left, bottom, right, top)
        case _:
            raise ValueError("not an answer")
