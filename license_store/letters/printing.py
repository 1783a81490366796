"""Printing letters: a template and a row, as PDF/A-2b."""

from license_store.letters.model import LetterBody, LetterTemplate, Row
from license_store.typesetting import Typesetter

_TEMPLATE = "letter.typ"
_PREVIEW = "预览 未盖章"


class LetterPrinter:
    """Prints letters. The same version of a template and the same row give the same octets, on every machine."""

    def __init__(self, typesetter: Typesetter) -> None:
        self._typesetter = typesetter

    def missing(self, text: str) -> str:
        """Give the characters that cannot be shown."""
        return self._typesetter.font.missing(text)

    def letter(self, template: LetterTemplate, row: Row, *, preview: bool = False) -> bytes:
        """Print the letter of a row that fits, ready to be sealed; a preview is marked as such on every page.

        Refuses (RenderingFailed) what is too long for ten pages, or has an issuer or date too long for one line.
        """
        # No clock is asked: the file's date is when the template came to be.
        return self.pdf(template.body.filled(row), at=int(template.created_at.timestamp()), preview=preview)

    def pdf(self, filled: LetterBody, *, at: int, preview: bool = False) -> bytes:
        """Print what was filled in; ``at`` in seconds since 1970 stands in the file as its date."""
        said = {**filled.lines, "paragraphs": list(filled.paragraphs), "mark": _PREVIEW if preview else ""}
        inputs = {"data": self._typesetter.facts(said)}
        with self._typesetter.compiler(_TEMPLATE) as compiler:
            document = compiler.compile(sys_inputs=inputs, format="pdf", pdf_standards="a-2b", timestamp=at)
        if not isinstance(document, bytes):
            raise TypeError("a PDF is one file")
        # ISO 19005-2 6.1.3, 6.1.9: a revision appended by the sealing must begin on a line of its own.
        return document + b"\n"
