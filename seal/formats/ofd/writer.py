"""Writing simple OFD documents in one call: pages of items, a title and a day."""

from collections.abc import Iterable
from datetime import date

from seal.formats.ofd.document import About, Document, Page, write_ofd


def write_simple_ofd(pages: Iterable[Page], *, doc_id: str, title: str, created: date, author: str = "") -> bytes:
    """Write an unsealed OFD document that has nothing but pages; refuses and raises what ``write_ofd`` does."""
    about = About(doc_id=doc_id, title=title, created=created, author=author)
    return write_ofd(Document(about=about, pages=tuple(pages)))
