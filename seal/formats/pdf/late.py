"""A late time stamp of a PDF signature: into the room that was laid aside for it (RFC 3161 appendix A)."""

from seal.errors import DocumentRefused, RoomTooSmall
from seal.formats.late import Unstamped, unstamped_value
from seal.formats.pdf.augmenting import covered_signatures
from seal.formats.pdf.reader import Document


def unstamped_pdf(document: bytes) -> Unstamped:
    """Find the newest signature; refuses a document that goes on after it, for then something may cover it."""
    held = covered_signatures(Document(document))
    if not held or held[-1].end != len(document):
        raise DocumentRefused("The document does not end with a signature.")
    newest = held[-1]
    start, end = newest.gap
    value, put = unstamped_value(newest.contents)

    def stamped(token: bytes) -> bytes:
        contents, room = put(token), len(newest.contents)
        if len(contents) > room:
            raise RoomTooSmall(len(contents), room)
        # What was signed stands around the gap, and stays as it is.
        return b"".join((document[:start], b"<", contents.ljust(room, b"\0").hex().encode(), b">", document[end:]))

    return Unstamped(value, stamped)
